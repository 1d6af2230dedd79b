"""A drill on paper: eight steps with their minutes, and what goes wrong. No I/O, no clock.

The steps are card 10's seven and the way home. What a fault does follows from one rule: before the loss a
bad finding stops the drill, and nobody was harmed; after it, what cannot be mended in time is rolled back,
because the primary is whole (it was a drill). So RTO counts from the loss to verified service, or to the end
of the roll back.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from halab.translation import gettext, gettext_noop

__all__ = ["EVERY", "MINUTES", "MISHAPS", "STEPS", "Bar", "Plan", "drill_dates", "plan"]

STEPS = ("backup", "standby", "loss", "failover", "service", "measure", "report", "failback")
MISHAPS = (
    "none",
    "backup corrupt",
    "standby unhealthy",
    "failover too slow",
    "service half broken",
    "split brain",
)
MINUTES: dict[str, float] = {
    "backup": 10, "standby": 5, "loss": 5, "failover": 25, "service": 15, "measure": 5, "report": 10,
    "failback": 30,
}  # fmt: skip
"""Assumed minutes of each step; the loss's until somebody decides. Loss to service: 45, as card 10 says."""
ROLL_BACK, FENCE = 10.0, 5.0  # minutes: to take the primary again, and to shut out one that comes back
EVERY: dict[str, int] = {
    gettext_noop("critical"): 3,
    gettext_noop("important"): 6,
    gettext_noop("ordinary"): 12,
}
"""Months between two drills, by importance (card 10)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A step on the time line, minutes; `status` is done, stopped, failed, rolled back or fenced."""

    step: str
    start: float
    end: float
    status: Literal["done", "stopped", "failed", "rolled back", "fenced"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A drill's time line. `rto` is minutes, None if nothing was lost; `rpo` minutes of writes lost, 0 if the
    primary was taken again, None if there was no failover."""

    bars: tuple[Bar, ...]
    verdict: Literal["passed", "stopped", "rolled back"]
    rto: float | None
    rpo: float | None


def plan(minutes: Mapping[str, float], fault: str = "none", backup_age: float = 60.0) -> Plan:
    """The drill's time line. `backup_age` is minutes between the newest backup and the loss's step.

    Raises ValueError for a fault or steps that do not exist, or a time that is negative or not finite.
    """
    if fault not in MISHAPS:
        raise ValueError(
            gettext("fault must be one of {faults}, not {fault!r}").format(
                faults=", ".join(MISHAPS), fault=fault
            )
        )
    if set(minutes) != set(STEPS):
        raise ValueError(
            gettext("minutes must have exactly the steps {steps}").format(steps=", ".join(STEPS))
        )
    if not all(math.isfinite(each) and each >= 0 for each in (*minutes.values(), backup_age)):
        raise ValueError(gettext("times must be finite and not negative"))
    line = _Line(minutes)
    for step, bad in (("backup", "backup corrupt"), ("standby", "standby unhealthy")):
        if fault == bad:
            line.add(step, "stopped")
            return Plan(tuple(line.bars), "stopped", None, None)
        line.add(step)
    lost = line.now
    line.add("loss")
    for step, bad in (("failover", "failover too slow"), ("service", "service half broken")):
        if fault == bad:
            line.add(step, "failed")
            line.more("roll back", ROLL_BACK, "rolled back")
            return Plan(tuple(line.bars), "rolled back", line.now - lost, 0.0)
        if step == "service" and fault == "split brain":
            line.more("fence", FENCE, "fenced")
        line.add(step)
    rto = line.now - lost
    for step in ("measure", "report", "failback"):
        line.add(step)
    return Plan(tuple(line.bars), "passed", rto, backup_age)


class _Line:
    def __init__(self, minutes: Mapping[str, float]) -> None:
        self.bars: list[Bar] = []
        self.now = 0.0
        self._minutes = minutes

    def add(self, step: str, status: Literal["done", "stopped", "failed"] = "done") -> None:
        self.more(step, self._minutes[step], status)

    def more(
        self, step: str, minutes: float, status: Literal["done", "stopped", "failed", "rolled back", "fenced"]
    ) -> None:
        self.bars.append(Bar(step, self.now, self.now + minutes, status))
        self.now += minutes


def drill_dates(importance: str, first: date, years: int = 1) -> list[date]:
    """The days of drills from `first` on, for so many years; a day a month does not have becomes its last.

    Raises ValueError for another importance, or fewer than one year.
    """
    if importance not in EVERY:
        raise ValueError(
            gettext("importance must be one of {known}, not {importance!r}").format(
                known=", ".join(EVERY), importance=importance
            )
        )
    if years < 1:
        raise ValueError(gettext("years must be at least 1, not {years}").format(years=years))
    return [_later(first, months) for months in range(0, 12 * years, EVERY[importance])]


def _later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = calendar.monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))
