"""Exercise 9: what a learner is given: a goal for health checks, probes and answers. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from halab.models.probe_settings import HealthProbe

__all__ = ["Goal", "Variant"]


@dataclass(frozen=True, slots=True)
class Goal:
    """What health checks must do: notice a hang `within` seconds, restart a healthy process at most once in
    `years` given `latencies`, and allow a start of `start` seconds."""

    within: float
    years: float
    start: float
    latencies: tuple[float, ...]

    @property
    def data(self) -> dict[str, Any]:
        """As the learner gets it."""
        return {
            "within": self.within,
            "years": self.years,
            "start": self.start,
            "latencies": list(self.latencies),
        }


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise."""

    goal: Goal
    probes: list[HealthProbe]
    answers: list[bool]
