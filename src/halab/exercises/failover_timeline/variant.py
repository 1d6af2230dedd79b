"""Exercise 6: made-up recordings whose outages are known, and promises to keep. Times are seconds.

Nothing here was measured: a recording is written down probe by probe, so its outages, its RTO and its counts
are known by construction and not worked out by a second program that could share a learner's mistake.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from halab.exercises.failover_timeline.given import (
    HeartbeatPromise,
    KnownOutages,
    Promise,
    Recording,
    Variant,
)
from halab.exercises.learner_numbers import per_learner
from halab.models.failover import ExponentialStalls, Heartbeats, Lease, false_alarms_per_year
from halab.models.samples import OPERATIONS
from halab.sim.retry_storm import Scenario

__all__ = [
    "hidden_recording",
    "make_recording",
    "make_recording_after_a_blip",
    "make_recording_with_blips",
    "make_scenario",
    "variant",
]

RATE = 20  # probes a second of each operation
DURATION = 40  # seconds of a recording
TIMEOUT = 1.0  # seconds after which a probe is given up: its outcome is unknown


@dataclass(frozen=True, slots=True)
class _BadProbes:
    """Probes `first` up to but not including `last` go bad, but for those in `good`."""

    first: int
    last: int
    good: frozenset[int] = frozenset()


@cache
def hidden_recording(make: Callable[[random.Random], Recording], seed: int) -> Recording:
    """A recording of a hidden test: the same for every learner, and made once for a whole class.

    Each seed is for one test, so that no learner's function sees what another has changed.
    """
    return make(random.Random(seed))


def make_recording(rng: random.Random) -> Recording:
    """A recording in which every operation has one outage, noticed some time after the fault."""
    return _make_recording(rng, lambda fault, quiet: [_outage(rng, fault)])


def make_recording_with_blips(rng: random.Random) -> Recording:
    """As `make_recording`, but the service flaps within the outage, and a separate blip follows it."""

    def spells(fault: float, quiet: float) -> list[_BadProbes]:
        main = _outage(rng, fault)
        # A single good answer among bad ones: over sooner than any quiet time, so the outage goes on.
        flap = rng.randrange(main.first + 5, main.last - 5)
        start = main.last + round(quiet * RATE) + rng.randrange(RATE, 3 * RATE)
        return [
            _BadProbes(main.first, main.last, frozenset({flap})),
            _BadProbes(start, start + rng.randrange(3, 12)),
        ]

    return _make_recording(rng, spells)


def make_recording_after_a_blip(rng: random.Random) -> Recording:
    """As `make_recording`, but a blip is over before the fault, whose RTO it is no part of."""

    def spells(fault: float, quiet: float) -> list[_BadProbes]:
        start = rng.randrange(RATE // 2, RATE)
        return [_BadProbes(start, start + rng.randrange(3, 12)), _outage(rng, fault)]

    return _make_recording(rng, spells)


def _outage(rng: random.Random, fault: float) -> _BadProbes:
    first = int(fault * RATE) + 1 + rng.randrange(2, 2 * RATE)
    return _BadProbes(first, first + rng.randrange(4 * RATE, 9 * RATE))


def _make_recording(rng: random.Random, spells: Callable[[float, float], list[_BadProbes]]) -> Recording:
    quiet = rng.choice((1.0, 1.5, 2.0))
    fault = round(rng.uniform(5.0, 8.0), 3)
    samples: list[dict[str, Any]] = []
    truth = {}
    for operation in OPERATIONS:
        of_operation = spells(fault, quiet)
        bad = {number for spell in of_operation for number in range(spell.first, spell.last)}
        bad -= {number for spell in of_operation for number in spell.good}
        probes = [_probe(rng, operation, number, bad) for number in range(DURATION * RATE)]
        samples += probes
        windows = [(_time(spell.first), _time(spell.last)) for spell in of_operation]
        outcomes = [probe["outcome"] for probe in probes]
        back = min(probe["done"] for probe in probes[of_operation[-1].last :])
        truth[operation] = KnownOutages(
            windows, back - fault, outcomes.count("fail"), outcomes.count("unknown")
        )
    samples.sort(key=lambda sample: sample["intended"])
    return Recording({"fault_at": fault, "quiet": quiet, "samples": samples}, truth)


def _probe(rng: random.Random, operation: str, number: int, bad: set[int]) -> dict[str, Any]:
    outcome = rng.choice(("fail", "fail", "unknown")) if number in bad else "ok"
    latency = TIMEOUT if outcome == "unknown" else rng.uniform(0.002, 0.030)
    intended = number / RATE
    return {
        "operation": operation,
        "intended": intended,
        "done": round(intended + latency, 3),
        "outcome": outcome,
    }


def _time(number: int) -> float:
    return number / RATE


def _lease_promise(rng: random.Random) -> Promise:
    """A promise that two neighbouring TTLs keep, and no other."""
    ttl = rng.randrange(8, 25)
    return _promise(rng, Lease(ttl), Lease(ttl - 1), slack=0.4)


def _heartbeat_promise(rng: random.Random) -> HeartbeatPromise:
    """A promise that one number of misses keeps, and no other."""
    interval, timeout = rng.choice((0.5, 1.0, 1.5, 2.0)), rng.choice((0.5, 1.0))
    detector = Heartbeats(interval, rng.randrange(3, 7), timeout)
    return HeartbeatPromise(interval, timeout, _promise(rng, detector, detector, slack=0.4 * interval))


def _promise(
    rng: random.Random, slowest: Lease | Heartbeats, calmest: Lease | Heartbeats, slack: float
) -> Promise:
    """A promise `slowest` just keeps in time and `calmest` just keeps in calm."""
    processes, after = rng.choice((4, 6, 8, 12)), round(rng.uniform(0.5, 3.0), 1)
    # Stalls a thirteenth as long as the detector's patience give a handful of false alarms a year.
    stalls = ExponentialStalls(rng.choice((20.0, 40.0, 60.0)), round(slowest.tolerance / 13, 2))
    alarms = false_alarms_per_year(calmest, stalls, processes)
    rto = slowest.tolerance + slowest.granularity + after + slack
    return Promise(round(rto, 2), float(f"{1.15 * alarms:.3g}"), after, stalls, processes)


def make_scenario(rng: random.Random) -> Scenario:
    """An outage for a retry policy, in a service that has room for sensible retries and none for a storm.

    Half the size of the simulator's usual one, and no longer than retries go on: a class is graded sooner.
    """
    outage = float(rng.randrange(5, 9))
    return Scenario(
        clients=30, rate=30.0, servers=10, queue=150, outage_at=2.0, outage=outage, end=outage + 14.0
    )


@per_learner(card=6)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    scenario = make_scenario(rng)
    return Variant(
        one_outage=make_recording(rng),
        with_blips=make_recording_with_blips(rng),
        scenario=scenario,
        deadline=scenario.outage + rng.randrange(7, 10),
        lease=_lease_promise(rng),
        heartbeats=_heartbeat_promise(rng),
    )
