"""Exercise 7: what a learner is given: an incident, a promise, backups and a market. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Backups", "Data", "Incident", "Market", "Promise", "Variant"]

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as the learner gets it (plain dicts and lists), and what is so.

    `lost` and `landed` are rows: acknowledged and gone, unknown and there all the same. `window` is seconds
    from the first lost row's acknowledgement to the disaster. `stages` are seconds by name.
    """

    data: Data
    lost: int
    landed: int
    window: float
    stages: dict[str, float]

    @property
    def rto(self) -> float:
        return sum(self.stages.values())


@dataclass(frozen=True, slots=True)
class Promise:
    """An RPO to keep with backups that take `takes` seconds, even if the newest `failed` are of no use."""

    rpo: float
    takes: float
    failed: int


@dataclass(frozen=True, slots=True)
class Backups:
    """A catalogue of backups as the learner gets it, and what a disaster at each of some moments loses.

    `truth` holds pairs (moment, seconds lost); None if no backup could be used.
    """

    catalogue: list[Data]
    truth: list[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Market:
    """Strategies on offer, services with their targets, and the results of their drills: plain data."""

    strategies: list[Data]
    services: list[Data]
    drills: list[Data]


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise."""

    incident: Incident
    promise: Promise
    backups: Backups
    market: Market
