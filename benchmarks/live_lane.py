"""What it costs a measurement that it is seen while it runs: the same run in a kernel with lanes and without.

    python benchmarks/live_lane.py

The service is a fake (80 requests a second, four operations) in the same process: CPU time is that of both.
Lateness is how long after its intended time a probe left: it would show a prober that is kept waiting.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

CELL = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "tests")!r})
import resource
from halab.lessons import common
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.probing.prober import probe
from support.scripted_milvus import Script, ScriptedCluster, ScriptedOperation

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

for seen in (False, True, False, True):
    script = Script([])
    operations = [ScriptedOperation(name, script) for name in ("search", "strong search", "insert", "call")]
    run = probe(ScriptedCluster(), operations, rate=20.0)
    steps, before = ExperimentSteps(run, progress=seen), cpu()
    script.begin()
    with run:
        steps.wait(20, "no fault")
    late = run.journal.scheduling
    print(f"{{'with lanes' if seen else 'without'}}: {{(cpu() - before) / 20:.1%}} of a core; "
          f"probes left {{late.median * 1000:.2f}} ms late (median), {{late.p99 * 1000:.1f}} ms (p99)")
"""


def main() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=200, kernel_name="python3").execute()
    for output in notebook.cells[0].outputs:
        if output.output_type == "stream":
            print(output.text, end="")


if __name__ == "__main__":
    main()
