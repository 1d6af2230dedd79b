"""Exercise 6: what a learner is given: recordings, an outage to retry in, and promises. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from halab.models.failover import ExponentialStalls
from halab.sim.retry_storm import Scenario

__all__ = ["HeartbeatPromise", "Journal", "KnownOutages", "Promise", "Recording", "Variant"]

Journal = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KnownOutages:
    """What is so, for one operation: outage windows, the RTO of the fault, requests failed and unknown."""

    windows: list[tuple[float, float]]
    rto: float
    failed: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A journal as the learner gets it (plain dicts and lists), and the truth for each operation."""

    journal: Journal
    truth: dict[str, KnownOutages]


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised, and the world it must hold in.

    `rto` bounds an outage in the worst case; `false_alarms` the needless failovers expected in a year over
    all `processes`. `after` is the time from the fault noticed to clients back.
    """

    rto: float
    false_alarms: float
    after: float
    stalls: ExponentialStalls
    processes: int


@dataclass(frozen=True, slots=True)
class HeartbeatPromise:
    """A promise to keep with a beat every `interval` and a wait of `timeout` after the last one missed."""

    interval: float
    timeout: float
    promise: Promise


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise. `deadline` is how long a user's request may be retried in all."""

    one_outage: Recording
    with_blips: Recording
    scenario: Scenario
    deadline: float
    lease: Promise
    heartbeats: HeartbeatPromise
