"""Exercise 2: what a learner is given: a service to work out, and a recording. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Journal", "Recording", "Service", "Variant"]

Journal = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """What is to be worked out. `period` is in seconds, `period_name` says which one it is.

    `copy_availability` is the availability of one copy and `beta` the share of its downtime that strikes all
    copies at once. `chain` are availabilities of parts that are all needed, `pool` of parts of which one is
    enough; `needed` of `copies` must work. `failures` is how often in the period a copy that serves is lost,
    each time for `failover` seconds. `slo` is what was promised. Availabilities and shares are from 0 to 1.
    """

    copy_availability: float
    beta: float
    chain: tuple[float, ...]
    pool: tuple[float, ...]
    needed: int
    copies: int
    target: float
    period: float
    period_name: str
    failures: int
    failover: float
    slo: float


@dataclass(frozen=True, slots=True)
class Recording:
    """A journal as the learner gets it (plain dicts and lists), and for each operation the share of its
    requests that had no answer."""

    journal: Journal
    truth: dict[str, float]


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise."""

    service: Service
    recording: Recording
