"""Parts that fail and are repaired, the failovers between them, and the chain a Milvus deployment is.

MTBF is the mean operating time between failures (IEC 60050-192): repair is not part of it, so
availability = MTBF / (MTBF + MTTR). Times are seconds. Failures come at a constant rate, repairs end at one.

Each function raises ValueError, which names the argument, for a time that is negative or not a number, and
for a count below 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from halab.models.availability import DAY, HOUR, common_cause, fraction, series
from halab.translation import gettext

__all__ = [
    "Block",
    "Chain",
    "Group",
    "failover_availability",
    "group",
    "milvus",
    "steady",
]


def steady(mtbf: float, mttr: float) -> float:
    """The availability of one part in the long run: MTBF / (MTBF + MTTR)."""
    _check_times(mtbf, mttr)
    return 1.0 if math.isinf(mtbf) else mtbf / (mtbf + mttr)


@dataclass(frozen=True, slots=True)
class Group:
    """What becomes of identical parts under repair: availability, mean seconds from the end of one outage to
    the beginning of the next, and mean seconds an outage lasts."""

    availability: float
    between: float
    outage: float


def group(k: int, n: int, mtbf: float, mttr: float, crews: int | None = None) -> Group:
    """`n` identical parts of which `k` must work; at most `crews` are repaired at a time (default: all).

    A birth and death process over the number of broken parts i: it grows at (n - i) / MTBF and falls at
    min(i, crews) / MTTR (Trivedi, chapter 8). With a crew for each part it is k of n.
    """
    if not 1 <= k <= n:
        raise ValueError(gettext("k must be a whole number from 1 to n, not {k} of {n}").format(k=k, n=n))
    crews = n if crews is None else crews
    if crews < 1:
        raise ValueError(gettext("crews must be at least 1, not {crews}").format(crews=crews))
    _check_times(mtbf, mttr)
    weights = [1.0]
    for broken in range(n):
        weights.append(weights[-1] * (n - broken) / mtbf * mttr / min(broken + 1, crews))
    total = math.fsum(weights)
    up, down = math.fsum(weights[: n - k + 1]) / total, math.fsum(weights[n - k + 1 :]) / total
    # An outage begins when one more breaks with none to spare.
    frequency = weights[n - k] / total * k / mtbf
    if frequency == 0:
        return Group(1.0, math.inf, 0.0)
    return Group(up if down > 0.5 else 1.0 - down, up / frequency, down / frequency)


def failover_availability(mtbf: float, failover: float, needed: int = 1) -> float:
    """What switching costs: `needed` parts serve, and each failure of one is an outage of `failover` seconds.

    Service runs for MTBF / needed on average, then waits for the failover.
    """
    if not mtbf > 0:
        raise ValueError(gettext("mtbf must be a positive number of seconds, not {mtbf}").format(mtbf=mtbf))
    if not 0 <= failover < math.inf:
        raise ValueError(
            gettext("failover must be zero or a positive number of seconds, not {failover}").format(
                failover=failover
            )
        )
    if needed < 1:
        raise ValueError(gettext("needed must be at least 1, not {needed}").format(needed=needed))
    return 1.0 / (1.0 + needed * failover / mtbf)


@dataclass(frozen=True)
class Block:
    """Copies of one part, of which `needed` must work.

    `mtbf` and `mttr` are those of one copy, `beta` the share of its downtime that strikes all at once, and
    `failover` the seconds without service each time a copy that serves is lost while a spare is there.
    """

    name: str
    copies: int
    needed: int = 1
    mtbf: float = 30 * DAY
    mttr: float = HOUR
    beta: float = 0.0
    failover: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.needed <= self.copies:
            raise ValueError(
                gettext("{name}: needed must lie between 1 and {copies} copies, not {needed}").format(
                    name=self.name, copies=self.copies, needed=self.needed
                )
            )
        _check_times(self.mtbf, self.mttr)
        fraction(self.beta, "beta")
        failover_availability(self.mtbf, self.failover)

    @property
    def copy_availability(self) -> float:
        """The availability of one copy."""
        return steady(self.mtbf, self.mttr)

    @property
    def copies_alone(self) -> float:
        """What the copies reach if every failover is instant."""
        return common_cause(self.needed, self.copies, self.copy_availability, self.beta)

    @property
    def switching(self) -> float:
        """What the failovers leave; 1 where there is no spare to switch to."""
        if self.copies == self.needed:
            return 1.0
        return failover_availability(self.mtbf, self.failover, self.needed)

    @property
    def availability(self) -> float:
        """Copies and failovers together. Exact for failovers that are short beside MTBF and MTTR."""
        return self.copies_alone * self.switching


@dataclass(frozen=True)
class Chain:
    """Blocks of which every one is needed: a request passes through them all."""

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if not self.blocks:
            raise ValueError(gettext("a chain has at least one block, and this one has none"))

    @property
    def availability(self) -> float:
        return series([block.availability for block in self.blocks])

    @property
    def weakest(self) -> Block:
        """The block that is down most; the chain is never better than it."""
        return min(self.blocks, key=lambda block: block.availability)

    def changed(self, name: str, **values: float) -> Chain:
        """The same chain with some values of one block changed. Raises ValueError if there is none such."""
        if name not in [block.name for block in self.blocks]:
            raise ValueError(
                gettext("there is no block {name!r}; there are {names}").format(
                    name=name, names=", ".join(b.name for b in self.blocks)
                )
            )
        return Chain(
            tuple(
                replace(block, **values) if block.name == name else block  # type: ignore[arg-type]
                for block in self.blocks
            )
        )


MILVUS_BLOCKS: tuple[tuple[str, str], ...] = (
    ("proxy", "proxy"),
    ("root coordinator", "rootcoord"),
    ("query coordinator", "querycoord"),
    ("data coordinator", "datacoord"),
    ("etcd", "etcd"),
    ("log", "log"),
    ("object store", "objectstore"),
    ("query node", "querynode"),
    ("data node", "datanode"),
)
"""The blocks of a Milvus deployment by name and role: what search, insert and the rest need between them.
The index node is left out: without it new data waits for its index, and nothing is refused."""


def milvus(
    members: Mapping[str, int],
    mtbf: float = 30 * DAY,
    mttr: float = HOUR,
    beta: float = 0.0,
    failover: float = 0.0,
) -> Chain:
    """The chain of a Milvus deployment with so many members of each role, such as {"proxy": 2, "etcd": 3}.

    One of each is enough, but a majority of etcd; so every query node holds a whole copy of the data. Every
    part gets the same times, which is a beginning: put in your own with `Chain.changed`.
    """
    absent = [role for _, role in MILVUS_BLOCKS if role not in members]
    if absent:
        raise ValueError(
            gettext("members must count each role, and {absent} is missing").format(absent=", ".join(absent))
        )
    return Chain(
        tuple(
            Block(
                name,
                members[role],
                members[role] // 2 + 1 if role == "etcd" else 1,
                mtbf,
                mttr,
                beta,
                failover,
            )
            for name, role in MILVUS_BLOCKS
        )
    )


def _check_times(mtbf: float, mttr: float) -> None:
    if not mtbf > 0:
        raise ValueError(gettext("mtbf must be a positive number of seconds, not {mtbf}").format(mtbf=mtbf))
    if not 0 <= mttr < math.inf:
        raise ValueError(
            gettext("mttr must be zero or a positive number of seconds, not {mttr}").format(mttr=mttr)
        )
