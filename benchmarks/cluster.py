"""Start-up time and memory of the embedded cluster, both profiles, in one run.

    python benchmarks/cluster.py [repeats]        starts of each profile; 3 if not given

Files are cached: the binaries are unpacked and were read once before the clock starts. Memory is PSS, in
which a page shared by n processes counts 1/n to each, beside RSS, which counts it n times.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile

import psutil
from rich.console import Console
from rich.table import Table

from halab.cluster.embedded import embedded_cluster

MIB = 1 << 20


def memory(cluster: embedded_cluster.EmbeddedCluster) -> tuple[float, float]:
    """(PSS, RSS) in MiB over all processes of a cluster."""
    found = [psutil.Process(c.pid).memory_full_info() for c in cluster.components() if c.pid]
    return sum(info.pss for info in found) / MIB, sum(info.rss for info in found) / MIB


def measure(profile: str, repeats: int) -> list[str]:
    ready, pss, rss, count = [], [], [], 0
    for _ in range(repeats):
        with embedded_cluster.start("benchmark", profile) as cluster:
            ready.append(cluster.status()["ready_after"])
            count = len(cluster.components())
            proportional, resident = memory(cluster)
            pss.append(proportional)
            rss.append(resident)
    return [
        profile,
        str(count),
        f"{statistics.median(ready):.1f} s ({min(ready):.1f} to {max(ready):.1f})",
        f"{statistics.median(pss):.0f} MiB",
        f"{statistics.median(rss):.0f} MiB",
    ]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    table = Table("profile", "processes", "ready after, median (range)", "PSS", "RSS")
    with tempfile.TemporaryDirectory() as home:
        os.environ["HALAB_HOME"] = home  # clusters of a benchmark are no learner's clusters
        with embedded_cluster.start("warm", "small"):
            pass
        for profile in ("small", "ha"):
            table.add_row(*measure(profile, repeats))
    Console().print(table)


if __name__ == "__main__":
    main()
