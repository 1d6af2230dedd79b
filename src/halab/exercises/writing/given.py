"""Exercise 4: what a learner is given: writes, a test report, clusters. Times are milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Data", "Report", "Store", "Variant"]

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Store:
    """A store that copies every write. A copy takes `base` at least and `jitter` more on average, and a share
    of `stragglers` far longer. `writes` holds each write's times by copy; None is one that never came."""

    base: float
    jitter: float
    copies: int
    needed: int
    stragglers: float
    writes: list[list[float | None]]


@dataclass(frozen=True, slots=True)
class Report:
    """Times of single writes with one and with three replicas, in the order in which they were measured."""

    one: list[float]
    three: list[float]


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise."""

    store: Store
    report: Report
    setups: list[Data]
