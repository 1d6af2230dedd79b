"""The embedded cluster and the one in containers side by side, on one machine, in one run.

    python benchmarks/engines.py [repeats]        repeats of each fault; 3 if not given

Both have profile ha and a session TTL of 10 s. Files are cached and images are there before the clocks start.
Memory is PSS of the processes that do the work, in which a page shared by n processes counts 1/n to each;
what Docker itself needs comes on top. Outages are those of searches, in a collection
with three copies and in one with a single copy.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence

import psutil
from rich.console import Console
from rich.table import Table

import halab
from halab.cluster.protocol import Cluster
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rto
from halab.measure.probing.retriever import Retriever
from halab.models.samples import NOTHING_FOUND, Outcome

MIB = 1 << 20
FAULTS = ("crash active rootcoord", "crash any querynode", "hang active rootcoord")


def memory(cluster: Cluster) -> float:
    """PSS in MiB over all processes of a cluster."""
    return sum(psutil.Process(c.pid).memory_full_info().pss for c in cluster.components() if c.pid) / MIB


def spread(values: Sequence[float], unit: str) -> str:
    return f"{statistics.median(values):.1f} {unit} ({min(values):.1f} to {max(values):.1f})"


def outage(journal: Journal) -> float:
    """Seconds that searches were out of service; 0 if nobody noticed."""
    return rto(journal.samples("search"), journal.faults[0].at) or 0.0


def empty(journal: Journal) -> float:
    """Searches that were answered without an error and without a hit."""
    return sum(sample.error == NOTHING_FOUND for sample in journal.samples("search"))


def latencies(journals: Sequence[Journal]) -> list[float]:
    """Milliseconds of the searches that were answered before each fault."""
    return [
        1000 * (one.done - one.intended)
        for journal in journals
        for one in journal.samples("search")
        if one.outcome is Outcome.OK and one.done < journal.faults[0].at
    ]


def measure(engine: str, repeats: int) -> dict[str, str]:
    began = time.monotonic()
    with halab.cluster("benchmark", engine=engine) as cluster:
        found = {
            "ready after": f"{time.monotonic() - began:.1f} s",
            "processes": str(len(cluster.components())),
            "memory (PSS)": f"{memory(cluster):.0f} MiB",
        }
        journals: list[Journal] = []

        def strike(name: str, retriever: Retriever, faults: Iterable[str]) -> None:
            runs = [experiment(cluster, fault, retriever=retriever, seconds=20, after=9) for fault in faults]
            found[f"searches out of service, {name}"] = spread([outage(one) for one in runs], "s")
            found[f"found nothing, {name}"] = spread([empty(one) for one in runs], "searches")
            journals.extend(runs)

        with Retriever(cluster) as retriever:
            for fault in FAULTS:
                strike(fault, retriever, [fault] * repeats)
        with Retriever(cluster, replicas=1, name="single_copy") as single:
            # Asked anew before each: the copy moves to another node when its own is lost.
            strike(
                "crash a single copy", single, (f"crash {single.serving_node().name}" for _ in range(repeats))
            )
        waits = sorted(latencies(journals))
        found["search latency, median"] = f"{statistics.median(waits):.1f} ms"
        found["search latency, p99"] = f"{waits[int(0.99 * len(waits))]:.1f} ms"
    return found


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    engines = ("embedded", "compose")
    with tempfile.TemporaryDirectory() as home:
        os.environ["HALAB_HOME"] = home  # clusters of a benchmark are no learner's clusters
        columns = [measure(engine, repeats) for engine in engines]
    table = Table("", *engines)
    for row in columns[0]:
        table.add_row(row, *(column[row] for column in columns))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
