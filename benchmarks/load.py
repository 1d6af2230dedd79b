"""How fast and how true is the load generator? Checked against a fake service of known speed.

    python benchmarks/load.py

Three tables: what a closed loop finds of a known speed; the most requests a second that the generator itself
can make, where nothing is served; and one stall, as both kinds of load see it. The service runs in this
process and shares its one core, so the ceiling is a lower bound.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from halab.measure.experiments.load import closed_loop, open_loop, percentile, rate
from halab.measure.journal.journal_file import Phase, machine
from halab.models.samples import Sample
from halab.tables import text_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.paced_service import PacedOperation
from support.scripted_milvus import Script, ScriptedOperation

SECONDS = 3.0
STALL = (1.0, 1.5)


def main() -> None:
    console = Console(width=110)
    for table in (speeds(), ceiling(), stall()):
        console.print(table, "", sep="\n", markup=False, highlight=False)
    about = machine()
    console.print(f"{about['platform']}, {about['cores']} cores, Python {about['python']}.")


def speeds() -> str:
    rows = []
    for service, workers, clients in ((0.02, 1, 1), (0.02, 4, 4), (0.02, 4, 16), (0.005, 2, 8)):
        samples = closed(service, workers, clients)
        most, found = min(workers, clients) / service, per_second(samples)
        rows.append((f"{clients}", f"{workers} x {service * 1000:g} ms", f"{most:.0f}", f"{found:.1f}"))
    return text_table(
        "A closed loop and a known speed", ("clients", "service", "most a second", "found"), rows
    )


def ceiling() -> str:
    rows = []
    for clients in (1, 4, 16):
        nothing = ScriptedOperation("nothing", Script([]))
        samples = closed_loop(nothing, clients=clients, seconds=SECONDS)
        rows.append((f"closed, {clients} clients", f"{per_second(samples):.0f}", "-"))
    for arrivals in (100, 1000, 3000):
        nothing = ScriptedOperation("nothing", Script([]))
        samples = open_loop(nothing, rate=arrivals, seconds=SECONDS)
        late = percentile([one.sent - one.intended for one in samples], 0.99)
        rows.append((f"open, {arrivals} a second", f"{per_second(samples):.0f}", f"{late * 1000:.2f} ms"))
    return text_table("The generator alone", ("load", "requests a second", "late, p99"), rows)


def stall() -> str:
    rows = []
    for name, samples in (("closed, 1 client", closed(0.002, 4, 1)), ("open, 200 a second", opened())):
        waits = [one.latency for one in samples]
        slow = sum(wait > 0.1 for wait in waits)
        rows.append((name, str(len(waits)), str(slow), f"{percentile(waits, 0.99) * 1000:.1f} ms"))
    return text_table(
        "Half a second in which nothing is served", ("load", "sent", "over 100 ms", "p99"), rows
    )


def closed(service: float, workers: int, clients: int) -> list[Sample]:
    operation = PacedOperation(service, workers, [STALL] if clients == 1 and workers == 4 else [])
    operation.start()
    try:
        return closed_loop(operation, clients=clients, seconds=SECONDS)
    finally:
        operation.stop()


def opened() -> list[Sample]:
    operation = PacedOperation(0.002, 4, [STALL])
    operation.start()
    try:
        return open_loop(operation, rate=200, seconds=SECONDS)
    finally:
        operation.stop()


def per_second(samples: Sequence[Sample]) -> float:
    start = samples[0].intended
    return rate(samples, Phase("any", start, start + SECONDS))


if __name__ == "__main__":
    main()
