"""One request and how it ended: the atom that every measurement and every simulation is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from halab.translation import gettext_noop

__all__ = ["NOTHING_FOUND", "OPERATIONS", "Outcome", "Sample"]

OPERATIONS = (
    gettext_noop("search"),
    gettext_noop("strong search"),
    gettext_noop("insert"),
    gettext_noop("metadata call"),
)
"""The four operations of the course, as probes, journals, forms and exercises name them."""

NOTHING_FOUND = "answered, and found nothing"
"""The error of a search that was answered with no hit, though a row was known to be there."""


class Outcome(StrEnum):
    """How a request ended, as far as its sender can know.

    `UNKNOWN` is a request whose deadline passed: it may have happened. (Jepsen calls it "info".)
    """

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sample:
    """One probe of an open-loop measurement. Times are seconds on the journal's clock.

    `intended` is when the probe should have left, `sent` when it did, `done` when its outcome was known.
    `key` is the primary key an insert wrote, else None.
    """

    operation: str
    number: int
    intended: float
    sent: float
    done: float
    outcome: Outcome
    error: str = ""
    key: int | None = None

    @property
    def latency(self) -> float:
        """Seconds from the intended send to the outcome, so that a late send is not hidden."""
        return self.done - self.intended
