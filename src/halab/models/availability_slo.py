"""Service levels: the error budget, how fast it burns, what it pays for, and how sure a mean is.

By the definitions of The Site Reliability Workbook (Beyer and others, 2018). Chapter 2, "Implementing SLOs":
the error budget is 1 minus the SLO. Chapter 5, "Alerting on SLOs", sre.google/workbook/alerting-on-slos: the
burn rate is how fast, relative to the SLO, the service consumes that budget. So with an error rate e, the
share of requests (or of time) that is bad,

    burn rate          = e / (1 - SLO)
    budget spent       = burn rate * window / period       after a window of the SLO's period
    budget is gone in    period / burn rate

A burn rate of 1 spends exactly the budget in the period; 14.4 for an hour spends 2 % of 30 days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from halab.models.availability import DAY, HOUR, RELATIVE_TOLERANCE, downtime, fraction
from halab.models.validation import not_negative
from halab.translation import gettext

__all__ = [
    "ALERTS",
    "Alert",
    "MeanInterval",
    "budget_spent",
    "burn_rate",
    "failovers_allowed",
    "mean_interval",
]


class Alert(NamedTuple):
    """One alert of the workbook's: act if the burn rate exceeds `burn` over `window` seconds."""

    burn: float
    window: float
    action: str

    @property
    def does(self) -> str:
        """What the action means to people, in the learner's language."""
        return gettext("wakes somebody") if self.action == "page" else gettext("a ticket for the morning")


ALERTS = (Alert(14.4, HOUR, "page"), Alert(6.0, 6 * HOUR, "page"), Alert(1.0, 3 * DAY, "ticket"))
"""The workbook's starting numbers for a period of 30 days; they spend 2, 5 and 10 % of the budget."""


def burn_rate(errors: float, slo: float) -> float:
    """The error rate (share of bad requests, or of time) relative to what the SLO allows.

    Raises ValueError; also for an SLO of 1, which has no budget to burn.
    """
    fraction(errors, "errors")
    if fraction(slo, "slo") == 1:
        raise ValueError(gettext("slo must be below 1: an SLO of 100 % leaves no error budget to burn"))
    return errors / (1.0 - slo)


def budget_spent(burn: float, window: float, period: float) -> float:
    """The share of a period's error budget that this burn rate spends in a window. Above 1 it is overdrawn.

    `window` and `period` are seconds. Raises ValueError for a negative burn rate, or a window that is not
    between 0 and the period.
    """
    not_negative(burn=burn)
    if not 0 < window <= period < math.inf:
        raise ValueError(
            gettext("window must lie between 0 and the period of {period} s, not {window}").format(
                period=period, window=window
            )
        )
    return burn * window / period


def failovers_allowed(slo: float, failover: float, period: float) -> float:
    """How many outages of `failover` seconds each the budget of a period of seconds pays for.

    A whole number, or infinity if a failover takes no time. Raises ValueError for a share outside 0 to 1 or a
    negative time.
    """
    if not 0 <= failover < math.inf:
        raise ValueError(
            gettext("failover must be zero or a positive number of seconds, not {failover}").format(
                failover=failover
            )
        )
    budget = downtime(fraction(slo, "slo"), period)
    return math.inf if failover == 0 else float(math.floor(budget / failover * (1.0 + RELATIVE_TOLERANCE)))


class MeanInterval(NamedTuple):
    """The mean of `n` values and the interval that holds the true mean with the stated confidence."""

    mean: float
    low: float
    high: float
    n: int
    confidence: float

    def __str__(self) -> str:
        reach = gettext("{low:.1f} to {high:.1f}, {confidence:.0%} interval, n = {count}").format(
            low=self.low, high=self.high, confidence=self.confidence, count=self.n
        )
        return f"{self.mean:.1f} ({reach})"


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> MeanInterval:
    """The mean of a few repeats with Student's t interval, which is wide where there are few.

    It takes repeats for independent and roughly normal; it is no protection from a repeat that is unlike the
    others. Where no value is negative the interval is not either. Raises ValueError for fewer than two.
    """
    from scipy import stats  # a second to import, and only this needs it

    if len(values) < 2:
        raise ValueError(
            gettext("an interval needs at least two repeats, and there is {count}").format(count=len(values))
        )
    if not all(math.isfinite(value) for value in values):
        raise ValueError(
            gettext("every repeat must be a finite number, but these are {list}").format(list=list(values))
        )
    if not 0 < confidence < 1:
        raise ValueError(
            gettext("confidence must lie between 0 and 1, not {confidence}").format(confidence=confidence)
        )
    n = len(values)
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * spread
    low = mean - reach
    return MeanInterval(mean, max(0.0, low) if min(values) >= 0 else low, mean + reach, n, confidence)
