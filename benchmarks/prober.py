"""How true is the prober, and what does it cost? Checked against a fake server with known outages.

    python benchmarks/prober.py [rate]        probes a second for each of three operations; 20 if not given

It prints two tables: every edge of every outage as scripted and as found, and the prober's own load.
Server and prober share this process, so CPU time is that of both: an upper bound of the prober's.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from halab.measure.journal.journal_file import Journal, machine
from halab.measure.journal.outage import outages
from halab.measure.probing.prober import probe

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.scripted_milvus import Script, ScriptedServer, Spell

SPELLS = (
    Spell(2.0, 2.4, "error"),
    Spell(4.0, 6.5, "error"),
    Spell(8.5, 9.3, "hang"),
    Spell(11.5, 14.0, "refuse"),
)
SECONDS = 17.0
QUIET = 0.5  # seconds of good service that end an outage


def main() -> None:
    rate = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    journal, truth, cpu, elapsed = measured(rate)
    console = Console(width=110)
    console.print(accuracy(journal, truth))
    console.print(overhead(journal, cpu, elapsed))
    about = machine()
    console.print(
        f"{about['platform']}, {about['cores']} cores, Python {about['python']}; "
        f"deadline {journal.header.deadline:g} s, one probe interval is {journal.resolution * 1000:.0f} ms."
    )


def measured(rate: float) -> tuple[Journal, list[Spell], float, float]:
    """The journal, the true outages on its clock, CPU seconds of this process, and seconds it took."""
    script = Script(SPELLS)
    with ScriptedServer(script) as server:
        before, began = cpu_seconds(), time.monotonic()
        with probe(server.cluster(), server.operations(), rate=rate) as run:
            time.sleep(SECONDS)
        cpu, elapsed = cpu_seconds() - before, time.monotonic() - began
        # A port closes and opens when it really does, which the server notes.
        spells = [*(spell for spell in SPELLS if spell.trouble != "refuse"), *server.refused]
    zero = run.started - script.began
    truth = [Spell(spell.start - zero, spell.end - zero, spell.trouble) for spell in spells]
    return run.journal, truth, cpu, elapsed


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def accuracy(journal: Journal, truth: list[Spell]) -> Table:
    """Found edges against true ones. The first probe behind an edge finds it: 0 to one interval late."""
    table = Table(title="Accuracy: found minus true, milliseconds", title_justify="left")
    for name in ("operation", "trouble", "true start s", "true end s", "start off by", "end off by"):
        table.add_column(name, justify="left" if name in ("operation", "trouble") else "right")
    for operation in journal.header.operations:
        found = outages(journal.samples(operation), quiet=QUIET)
        if len(found) != len(truth):
            table.add_row(operation, f"found {len(found)} outages, scripted {len(truth)}")
            continue
        for spell, outage in zip(truth, found, strict=True):
            end = "not found" if outage.end is None else f"{(outage.end - spell.end) * 1000:+.0f}"
            start = f"{(outage.start - spell.start) * 1000:+.0f}"
            table.add_row(operation, spell.trouble, f"{spell.start:.3f}", f"{spell.end:.3f}", start, end)
    return table


def overhead(journal: Journal, cpu: float, elapsed: float) -> Table:
    """What probing costs and how late probes leave."""
    late, sent = journal.scheduling, len(journal.samples())
    table = Table(title="Overhead", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for figure, value in (
        ("probes sent", f"{sent}"),
        ("probes a second", f"{sent / elapsed:.0f}"),
        ("CPU, prober and fake server", f"{cpu / elapsed:.1%} of one core"),
        ("CPU for each probe", f"{cpu / sent * 1000:.2f} ms"),
        ("scheduling error, median", f"{late.median * 1000:.2f} ms"),
        ("scheduling error, p99", f"{late.p99 * 1000:.2f} ms"),
        ("scheduling error, worst", f"{late.max * 1000:.2f} ms"),
    ):
        table.add_row(figure, value)
    return table


if __name__ == "__main__":
    main()
