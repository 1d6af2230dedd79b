"""Which backups to keep: grandfather, father, son. Times are seconds since any one moment, all the same.

The newest backup of each of the last days (sons), weeks (fathers) and months (grandfathers) stays. Periods
are fixed lengths counted from the moment 0: a day has 86,400 s, a week 7 days, a month 30 days. Only
periods that have a backup count, so a week of failed backups does not make older ones go.

Far back there are few backups, and near the present many: a wrong delete is usually noticed soon, and now and
then very late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from halab.translation import gettext

__all__ = ["PERIODS", "Retention", "keep", "reasons"]

PERIODS: Mapping[str, float] = {"daily": 86_400.0, "weekly": 7 * 86_400.0, "monthly": 30 * 86_400.0}
"""Seconds by the name of the period."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days, weeks and months keep a backup of their own. All 0 keeps nothing, and is refused."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 12

    def __post_init__(self) -> None:
        counts = (self.daily, self.weekly, self.monthly)
        if min(counts) < 0 or max(counts) == 0:
            raise ValueError(
                gettext("a retention keeps 0 or more of each, and something at all, not {counts}").format(
                    counts=counts
                )
            )


def keep(moments: Iterable[float], retention: Retention) -> list[float]:
    """The moments of the backups to keep, oldest first; all others may go. The newest always stays."""
    return sorted(reasons(moments, retention))


def reasons(moments: Iterable[float], retention: Retention) -> dict[float, tuple[str, ...]]:
    """Why each backup that stays does so: by its moment "newest", "daily", "weekly" and "monthly"."""
    newest_first = sorted(set(moments), reverse=True)
    why: dict[float, tuple[str, ...]] = dict.fromkeys(newest_first[:1], ("newest",))
    for name, seconds in PERIODS.items():
        newest_of: dict[float, float] = {}
        for moment in newest_first:
            newest_of.setdefault(moment // seconds, moment)
        for moment in list(newest_of.values())[: getattr(retention, name)]:
            why[moment] = (*why.get(moment, ()), name)
    return why
