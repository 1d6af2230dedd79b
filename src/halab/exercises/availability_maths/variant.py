"""Exercise 2: services to work out, and recordings whose error rates are known. Times are seconds.

Nothing here was measured: a recording is written down probe by probe, so the share of bad requests in it is
known by construction and not counted by a second program that could share a learner's mistake.
"""

from __future__ import annotations

import random
from typing import Any

from halab.exercises.availability_maths.given import Recording, Service, Variant
from halab.exercises.learner_numbers import per_learner
from halab.models.availability import DAY
from halab.models.samples import OPERATIONS

__all__ = ["make_recording", "make_service", "variant"]

ALMOST = 1 - 1e-12
"""An availability so near 1 that sloppy arithmetic loses the difference."""

RATE = 20  # probes a second of each operation


def make_service(rng: random.Random) -> Service:
    """A service of ordinary size."""
    copy_availability = round(rng.uniform(0.98, 0.998), 4)
    copies = rng.randrange(3, 8)
    name, days = rng.choice((("month", 30), ("year", 365), ("week", 7)))
    return Service(
        copy_availability=copy_availability,
        beta=round(rng.uniform(0.02, 0.2), 2),
        chain=tuple(round(rng.uniform(0.98, 0.9999), 4) for _ in range(rng.randrange(3, 7))),
        pool=tuple(round(rng.uniform(0.9, 0.99), 3) for _ in range(rng.randrange(2, 5))),
        needed=rng.randrange(2, copies),
        copies=copies,
        target=1 - 10.0 ** -rng.randrange(4, 9),
        period=days * DAY,
        period_name=name,
        failures=rng.randrange(2, 9),
        failover=round(rng.uniform(8.0, 40.0), 1),
        slo=rng.choice((0.99, 0.995, 0.999, 0.9995)),
    )


def make_recording(rng: random.Random) -> Recording:
    """A minute or two of probes, in which each operation has outages of its own."""
    seconds = rng.randrange(60, 121, 10)
    samples: list[dict[str, Any]] = []
    truth = {}
    for operation in OPERATIONS:
        sent = seconds * RATE
        bad = frozenset(_spell(rng, sent) + _spell(rng, sent))
        samples += [_probe(rng, operation, number, number in bad) for number in range(sent)]
        truth[operation] = len(bad) / sent
    samples.sort(key=lambda sample: (sample["intended"], sample["operation"]))
    return Recording({"seconds": seconds, "samples": samples}, truth)


def _spell(rng: random.Random, sent: int) -> list[int]:
    start = rng.randrange(sent - 10 * RATE)
    return list(range(start, start + rng.randrange(2 * RATE, 8 * RATE)))


def _probe(rng: random.Random, operation: str, number: int, bad: bool) -> dict[str, Any]:
    outcome = rng.choice(("fail", "fail", "unknown")) if bad else "ok"
    return {"operation": operation, "intended": number / RATE, "outcome": outcome}


@per_learner(card=2)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(make_service(rng), make_recording(rng))
