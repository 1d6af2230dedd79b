"""Availability as a share of time: what it means in downtime, and what copies and chains make of it.

An availability is a fraction from 0 to 1, the share of time in which something works. Times are seconds.
Parts fail and are repaired independently of each other unless a function says otherwise, and switching to a
spare takes no time; `halab.models.availability_repair` prices the switching.

A float tells 1 from 1 - 1e-16, which is 3.5 nanoseconds a year: finer than anything here claims to be.

Sources. Series, parallel and k of n: any textbook of reliability, such as Trivedi, Probability and Statistics
with Reliability, Queuing and Computer Science Applications. Common cause: the beta factor of IEC 61508-6,
annex D.

Each function raises ValueError, which names the argument, for a share outside 0 to 1 and for a count or a
period that is not above 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from halab.models.validation import positive
from halab.translation import gettext

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "MONTHS",
    "WEEK",
    "YEARS",
    "Calendar",
    "Month",
    "Year",
    "common_cause",
    "copies_needed",
    "downtime",
    "fraction",
    "k_of_n",
    "nines",
    "parallel",
    "series",
]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEEK = 7 * DAY

Year = Literal["365", "365.25", "365.2425"]
Month = Literal["30 days", "a twelfth of the year"]
YEARS: tuple[Year, ...] = ("365", "365.25", "365.2425")
MONTHS: tuple[Month, ...] = ("30 days", "a twelfth of the year")

RELATIVE_TOLERANCE = 1e-9
"""Relative. 1 - 0.9999 is a little less than 0.0001 as a float; such dust must not cost a whole copy."""

_MOST_COPIES = 10_000


@dataclass(frozen=True)
class Calendar:
    """How long a year and a month are taken to be: a figure of downtime means nothing without it.

    A year of 365 days is a common one, 365.25 is a Julian and 365.2425 a Gregorian mean year. A month is 30
    days, as service levels count it, or a twelfth of that year. The card counts years of 365 days.
    """

    year_days: Year = "365"
    month_days: Month = "30 days"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("year_days", self.year_days, YEARS),
            ("month_days", self.month_days, MONTHS),
        ):
            if value not in known:
                raise ValueError(
                    gettext("{name} must be one of {known}, not {found!r}").format(
                        name=name, known=", ".join(known), found=value
                    )
                )

    @property
    def year(self) -> float:
        """Seconds in a year."""
        return float(self.year_days) * DAY

    @property
    def month(self) -> float:
        """Seconds in a month."""
        return 30 * DAY if self.month_days == "30 days" else self.year / 12

    @property
    def periods(self) -> dict[str, float]:
        """Seconds in a day, a week, a month and a year, by name."""
        return {"day": DAY, "week": WEEK, "month": self.month, "year": self.year}

    def __str__(self) -> str:
        return gettext("a year of {year_days} days, a month of {month_days:.6g} days").format(
            year_days=self.year_days, month_days=self.month / DAY
        )


def fraction(value: float, name: str = "availability") -> float:
    """The value, if it is a share from 0 to 1. Raises ValueError with the name otherwise."""
    if not 0 <= value <= 1:
        raise ValueError(
            gettext("{name} must lie between 0 and 1, not {number} (99.9 % is 0.999)").format(
                name=name, number=value
            )
        )
    return value


def downtime(availability: float, period: float) -> float:
    """Seconds without service in a period of that many seconds."""
    fraction(availability)
    positive(period=period)
    return (1.0 - availability) * period


def nines(availability: float) -> float:
    """Nines as a number: 0.99 has 2, 0.999 has 3, 0.995 has 2.3; infinite for 1."""
    down = 1.0 - fraction(availability)
    return math.inf if down == 0 else abs(-math.log10(down))


def series(availabilities: Sequence[float]) -> float:
    """A chain in which every part is needed: the product. Raises ValueError, also for an empty chain."""
    return math.prod(_parts(availabilities))


def parallel(availabilities: Sequence[float]) -> float:
    """Copies of which any one is enough: 1 - the product of what they lack."""
    return 1.0 - math.prod(1.0 - each for each in _parts(availabilities))


def k_of_n(k: int, n: int, availability: float) -> float:
    """`n` copies of this availability, of which `k` must work: the upper tail of a binomial.

    1 of n is parallel, n of n a chain, and n // 2 + 1 of n the majority that etcd needs.
    """
    _whole(n=n, k=k)
    if k > n:
        raise ValueError(gettext("k must be at most n, not {k} of {n}").format(k=k, n=n))
    up = fraction(availability)
    down = 1.0 - up
    # The smaller tail is summed, so that what is small stays exact.
    lost = math.fsum(math.comb(n, i) * up**i * down ** (n - i) for i in range(k))
    if lost < 0.5:
        return 1.0 - lost
    return min(1.0, math.fsum(math.comb(n, i) * up**i * down ** (n - i) for i in range(k, n + 1)))


def common_cause(k: int, n: int, availability: float, beta: float) -> float:
    """k of n, where a share `beta` of each copy's downtime strikes all copies at once.

    With q = 1 - availability, all are down together for c = beta * q of the time. Each falls down by itself
    for i = (q - c) / (1 - c) of the rest, so that one copy alone keeps its availability whatever beta is.
    Then the group works (1 - c) * k_of_n(k, n, 1 - i) of the time. Textbooks write, for 1 of n,
    beta * q + ((1 - beta) * q) ** n of downtime, which is the same but for terms of the order of q squared.

    """
    together, alone = shares(availability, beta)
    return (1.0 - together) * k_of_n(k, n, 1.0 - alone)


def shares(availability: float, beta: float) -> tuple[float, float]:
    """The unavailability that all copies share, and that which each has by itself: c and i above."""
    down = 1.0 - fraction(availability)
    together = fraction(beta, "beta") * down
    return together, 0.0 if together == 1 else (down - together) / (1.0 - together)


def copies_needed(availability: float, target: float, beta: float = 0.0) -> int | None:
    """How many copies reach the target if any one of them is enough; None if no number does.

    What is common to all copies no copy removes: with c = beta * (1 - availability), nothing beyond 1 - c
    can be reached.
    """
    together, alone = shares(availability, beta)
    if fraction(target, "target") == 1:
        return 1 if availability == 1 else None
    # What a float cannot tell from the target is the target: beyond ten nines that is more than dust.
    allowed = (1.0 - target) * (1.0 + RELATIVE_TOLERANCE) + math.ulp(1.0) / 2
    for copies in range(1, _MOST_COPIES + 1):
        left = alone**copies
        if together + (1.0 - together) * left <= allowed:
            return copies
        if left == 0 or alone == 1:
            return None
    return None


def _parts(availabilities: Sequence[float]) -> Sequence[float]:
    if len(availabilities) == 0:
        raise ValueError(gettext("there must be at least one availability, and there is none"))
    for each in availabilities:
        fraction(each)
    return availabilities


def _whole(**values: int) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(
                gettext("{name} must be a whole number from 1 on, not {number!r}").format(
                    name=name, number=value
                )
            )
