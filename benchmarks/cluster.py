"""Start-up time, its steps, and memory of the embedded cluster, both profiles, in one run.

    python benchmarks/cluster.py [repeats]        starts of each profile; 3 if not given

Files are cached: the binaries are unpacked and were read once before the clock starts. Memory is PSS, in
which a page shared by n processes counts 1/n to each, beside RSS, which counts it n times.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from halab.cluster.embedded import embedded_cluster

MIB = 1 << 20


def memory(cluster: embedded_cluster.EmbeddedCluster) -> tuple[float, float]:
    """(PSS, RSS) in MiB over all processes of a cluster."""
    found = [psutil.Process(c.pid).memory_full_info() for c in cluster.components() if c.pid]
    return sum(info.pss for info in found) / MIB, sum(info.rss for info in found) / MIB


def machine_waited() -> float:
    """Seconds for which some process of the machine waited for a CPU, since it was switched on (Linux)."""
    return int(Path("/proc/pressure/cpu").read_text().split("total=")[1].split()[0]) / 1e6


def timed_start(profile: str) -> tuple[embedded_cluster.EmbeddedCluster, dict[str, float]]:
    """A ready cluster, and after how many seconds each step of its start was done."""
    done: dict[str, float] = {}

    def note(status: dict[str, Any]) -> None:
        healthy = [part["role"] for part in status["components"] if part["health"] == "healthy"]
        for role in {part["role"] for part in status["components"]}:
            if healthy.count(role) == sum(part["role"] == role for part in status["components"]):
                done.setdefault(f"{role} healthy", status["elapsed"])
        if status["phase"] == "searching a scratch collection":
            done.setdefault("all healthy, with sessions", status["elapsed"])

    cluster = embedded_cluster.start("benchmark", profile, progress=note)
    done["a search answered: ready"] = cluster.status()["ready_after"]
    return cluster, done


def measure(profile: str, repeats: int) -> tuple[list[str], dict[str, float], float]:
    """A profile's row, the steps of its fastest start, and the share of that start with a full machine."""
    pss, rss, count, starts = [], [], 0, []
    for _ in range(repeats):
        waited = machine_waited()
        cluster, steps = timed_start(profile)
        with cluster:
            whole = steps["a search answered: ready"]
            starts.append((whole, steps, (machine_waited() - waited) / whole))
            count = len(cluster.components())
            proportional, resident = memory(cluster)
            pss.append(proportional)
            rss.append(resident)
    ready = [whole for whole, _, _ in starts]
    fastest = min(starts, key=lambda start: start[0])
    row = [
        profile,
        str(count),
        f"{statistics.median(ready):.1f} s ({min(ready):.1f} to {max(ready):.1f})",
        f"{statistics.median(pss):.0f} MiB",
        f"{statistics.median(rss):.0f} MiB",
    ]
    return row, fastest[1], fastest[2]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    table = Table("profile", "processes", "ready after, median (range)", "PSS", "RSS")
    with tempfile.TemporaryDirectory() as home:
        os.environ["HALAB_HOME"] = home  # clusters of a benchmark are no learner's clusters
        with embedded_cluster.start("warm", "small"):
            pass
        for profile in ("small", "ha"):
            row, steps, busy = measure(profile, repeats)
            table.add_row(*row)
    Console().print(table)
    print(f"The fastest start of ha; processes waited for a CPU {min(busy, 1):.0%} of the time:")
    for step, seconds in sorted(steps.items(), key=lambda item: item[1]):
        print(f"  {seconds:4.1f} s  {seconds / steps['a search answered: ready']:4.0%}  {step}")


if __name__ == "__main__":
    main()
