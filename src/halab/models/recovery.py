"""How long recovery takes and how much is lost, in closed form. Times are seconds.

RTO and RPO are objectives: the longest outage and the greatest loss one promises to stay within. What a
disaster then costs is a time of the same kind, and that is what these functions give: the promise must be at
least the worst of it.

Recovery is a chain of stages, one after the other, so its time is their sum.

Loss is the age of the newest copy that survives. What is copied every `interval` seconds, and counts as a
copy only `takes` seconds later, is between `takes` and `takes + interval` old, and any age between is as
likely as another, because a disaster falls anywhere between two copies:

    least = takes        mean = takes + interval / 2        most = takes + interval

Backups have that shape, and so have the flushes that move rows from Milvus' log to its object store. The
log itself has none: an acknowledged row is in it, so while it survives the loss is 0, and if it is lost the
rows since the last flush are. Query replicas are readers of the log and the store, and no source to rebuild
either from.

Sources. RTO and RPO: NIST SP 800-34 rev. 1, section 3.2. The log and the flush: Milvus' documentation, "Data
processing".

Each function raises ValueError, which names the argument, for a time that is negative or not finite.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from halab.models.failover import Span
from halab.models.validation import not_negative, positive
from halab.translation import gettext, gettext_noop

__all__ = [
    "DISASTERS",
    "Disaster",
    "Need",
    "Periodic",
    "Recovery",
    "Setting",
    "Span",
    "Strategy",
    "cheapest",
    "longest_interval",
    "retention",
    "retention_gap",
    "strategies",
]

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Periodic:
    """A copy begun every `interval` seconds, which can be used `takes` seconds after it was begun.

    It holds what was there when it was begun. Copies may overlap: `takes` may be longer than `interval`.
    """

    interval: float
    takes: float = 0.0

    def __post_init__(self) -> None:
        positive(interval=self.interval)
        not_negative(takes=self.takes)

    def loss(self, failed: int = 0) -> Span:
        """Seconds of data lost with the original, if the newest `failed` copies turn out to be useless."""
        if failed < 0:
            raise ValueError(
                gettext("failed must be zero or more copies, not {failed}").format(failed=failed)
            )
        least = self.takes + failed * self.interval
        return Span(least, least + self.interval / 2, least + self.interval)

    def age(self, at: float) -> float:
        """Seconds lost by a disaster `at` seconds after some copy was begun, others before and after it.

        A copy that can be used in this very moment counts.
        """
        newest = math.floor((at - self.takes) / self.interval) * self.interval
        # Rounding must not put the age outside the edges of `loss`.
        return min(max(at - newest, self.takes), self.takes + self.interval)


def longest_interval(rpo: float, takes: float = 0.0, failed: int = 0) -> float:
    """The longest interval that keeps the promise even if the newest `failed` copies are useless, seconds.

    takes + (failed + 1) x interval <= rpo. Raises ValueError if no interval does: a copy that takes as long
    as the promise is too old the moment it is there.
    """
    positive(rpo=rpo)
    not_negative(takes=takes)
    if failed < 0:
        raise ValueError(gettext("failed must be zero or more copies, not {failed}").format(failed=failed))
    if takes >= rpo:
        raise ValueError(
            gettext("no interval keeps an RPO of {rpo:g} s when a copy takes {takes:g} s").format(
                rpo=rpo, takes=takes
            )
        )
    return (rpo - takes) / (failed + 1)


def retention(size: float, written: float) -> float:
    """Seconds a log reaches back that keeps `size` bytes while `written` bytes a second arrive."""
    positive(size=size, written=written)
    return size / written


def retention_gap(kept: float, away: float, behind: float = 0.0) -> float:
    """Seconds of the log a reader needs and that are gone, if it comes back `away` seconds after it stopped.

    The log keeps `kept` seconds; the reader's checkpoint was `behind` seconds old when it stopped. 0 means
    that it can go on where it was. More than 0 is the least that is lost: Milvus 2.3.5 was measured to find
    none of its unflushed rows again once its checkpoint had left the log.
    """
    positive(kept=kept)
    not_negative(away=away, behind=behind)
    return max(0.0, away + behind - kept)


Disaster = Literal["node", "log", "mistake", "site"]
DISASTERS: dict[Disaster, str] = {
    "node": gettext_noop("a node dies"),
    "log": gettext_noop("the log is lost"),
    "mistake": gettext_noop("the wrong rows are deleted"),
    "site": gettext_noop("the whole site is lost"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a team has, and what it pays: times in seconds, prices a year in any one currency.

    Every default is an assumption to be replaced by one's own figure. `failover` is a takeover by a
    replica, `restart` a process started again, `decide` people noticing a disaster and choosing what to do,
    `restore` a cluster rebuilt from a backup, `promote` a standby site put in charge. `flush` is the time
    between two flushes, `delay` how far a standby is behind. `backup` prices one backup with its keeping.
    """

    failover: float = 12.0
    restart: float = 60.0
    decide: float = 1800.0
    restore: float = 2 * HOUR
    promote: float = 600.0
    flush: float = 600.0
    delay: float = 60.0
    interval: float = DAY
    takes: float = 1800.0
    cluster: float = 1000.0
    replicas: float = 600.0
    standby: float = 1200.0
    synchronous: float = 2600.0
    backup: float = 0.2

    def __post_init__(self) -> None:
        positive(flush=self.flush, interval=self.interval)
        not_negative(**{each.name: getattr(self, each.name) for each in fields(self)})

    @property
    def backups(self) -> Periodic:
        return Periodic(self.interval, self.takes)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a disaster costs in the worst case: seconds until service is back, seconds of data lost."""

    rto: float
    rpo: float


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to be prepared, its price a year, and what each disaster it survives costs in the worst case."""

    name: str
    cost: float
    recoveries: Mapping[Disaster, Recovery]


@dataclass(frozen=True, slots=True)
class Need:
    """What a service may lose: seconds of `rto` and `rpo`, both included, in each of these disasters."""

    rto: float
    rpo: float
    disasters: Collection[Disaster] = field(default=get_args(Disaster))

    def met(self, strategy: Strategy) -> bool:
        """Whether the strategy survives every one of the disasters, and each within both limits."""
        reached = [strategy.recoveries.get(disaster) for disaster in self.disasters]
        return all(
            recovery is not None and recovery.rto <= self.rto and recovery.rpo <= self.rpo
            for recovery in reached
        )


def strategies(setting: Setting) -> list[Strategy]:
    """Four ways to run, each without and with backups kept elsewhere, from these figures.

    Replicas change what a dead node costs, and nothing else. A standby follows the original, and follows a
    wrong delete too: only a backup forgets nothing. Milvus has no synchronous replication between sites; it
    stands here for what an RPO of 0 would cost.
    """
    s = setting
    alone: dict[Disaster, Recovery] = {
        "node": Recovery(s.restart, 0.0),
        "log": Recovery(s.decide + s.restart, s.flush),
    }
    replicas = alone | {"node": Recovery(s.failover, 0.0)}
    moved = Recovery(s.decide + s.promote, s.delay)
    standby = replicas | {"log": moved, "site": moved}
    at_once = Recovery(s.promote, 0.0)
    synchronous = replicas | {"log": at_once, "site": at_once}
    kinds = {
        "one cluster": (s.cluster, alone),
        "replicas": (s.cluster + s.replicas, replicas),
        "warm standby": (s.cluster + s.replicas + s.standby, standby),
        "synchronous sites": (s.cluster + s.replicas + s.synchronous, synchronous),
    }
    return [
        each
        for name, (cost, recoveries) in kinds.items()
        for each in (Strategy(name, cost, recoveries), _with_backups(name, cost, recoveries, s))
    ]


def _with_backups(
    name: str, cost: float, recoveries: Mapping[Disaster, Recovery], setting: Setting
) -> Strategy:
    restored = Recovery(setting.decide + setting.restore, setting.backups.loss().most)
    price = cost + setting.backup * 365 * DAY / setting.interval
    everything: dict[Disaster, Recovery] = {
        disaster: recoveries.get(disaster, restored) for disaster in DISASTERS
    }
    return Strategy(gettext("{name} + backups").format(name=name), price, everything)


def cheapest(offered: Iterable[Strategy], need: Need) -> Strategy | None:
    """The cheapest strategy that meets the need, the first of equals; None if none does."""
    return min(
        (strategy for strategy in offered if need.met(strategy)),
        key=lambda strategy: strategy.cost,
        default=None,
    )
