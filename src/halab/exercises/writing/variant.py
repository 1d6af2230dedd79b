"""Exercise 4: made-up writes, test reports and clusters. Times are milliseconds.

Nothing here was measured: latencies are drawn, so what a report can and cannot show is known by construction.
"""

from __future__ import annotations

import random

from halab.exercises.learner_numbers import per_learner
from halab.exercises.writing.given import Data, Report, Store, Variant

__all__ = ["make_report", "make_setups", "make_store", "variant"]

ACKS = ("one", "quorum", "all")


def make_store(rng: random.Random) -> Store:
    """A store of three or five copies, and thirty writes to it, with stragglers and with lost copies."""
    copies = rng.choice((3, 5))
    base, jitter, share = rng.randint(2, 20), rng.randint(2, 20), rng.choice((0.01, 0.02, 0.05))
    writes: list[list[float | None]] = [
        [_copy_time(rng, base, jitter, 0.15) for _ in range(copies)] for _ in range(30)
    ]
    for number, lost in ((3, 1), (11, copies // 2), (17, copies // 2 + 1), (23, copies)):
        for place in rng.sample(range(copies), lost):
            writes[number][place] = None
    return Store(base, jitter, copies, copies // 2 + 1, share, writes)


def _copy_time(rng: random.Random, base: float, jitter: float, share: float) -> float:
    slow = rng.uniform(200, 900) if rng.random() < share else 0.0
    return round(base + rng.expovariate(1 / jitter) + slow, 3)


def make_report(rng: random.Random, ratio: float | None = None) -> Report:
    """A test report with a few stragglers; `ratio` is what three replicas really cost (by chance if None)."""
    middle = rng.uniform(15, 40)
    true = rng.choice((0.85, 1.0, 1.02, 1.2, 1.5)) if ratio is None else ratio
    count = rng.randint(30, 50)

    def times(scale: float, stragglers: int) -> list[float]:
        drawn = [round(middle * scale * rng.lognormvariate(0, 0.25), 3) for _ in range(count)]
        # Unequal numbers of them, so that a mean tells of stragglers and not of replicas.
        for place in rng.sample(range(count), stragglers):
            drawn[place] = round(middle * rng.uniform(15, 30), 3)
        return drawn

    few, many = rng.sample((1, 5), 2)
    return Report(times(1.0, few), times(true, many))


def make_setups(rng: random.Random) -> list[Data]:
    """Clusters that differ in replicas, in copies of the log and of the store, and in acknowledgements."""
    return [
        {
            "replicas": replicas,
            "log_copies": copies,
            "acks": acks,
            "store_copies": rng.choice((1, 2, 3)),
            "row_bytes": rng.choice((256, 512, 3072)),
        }
        for acks in ACKS
        for copies in (1, 3, 4, 5)
        for replicas in (1, rng.randint(2, 6))
    ]


@per_learner(card=4)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(make_store(rng), make_report(rng), make_setups(rng))
