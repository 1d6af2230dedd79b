"""How long one write takes that is copied, in closed form. Times in one unit, milliseconds or seconds.

A copy takes `base` and, on top, a random time with mean `jitter` (exponential): a network and a disk are
never faster than some time, and now and then slower. Of n such copies, sent at once, the k-th fastest takes
on average

    base + jitter x (1/n + 1/(n-1) + ... + 1/(n-k+1)) = base + jitter x (H(n) - H(n-k))

because the first of n exponential clocks rings after jitter/n, and then n-1 of them go on. (A. Renyi, "On the
theory of order statistics", 1953. H is the harmonic number.) So

    serial, one after the other     n x (base + jitter)
    parallel, all n needed          base + jitter x H(n)
    quorum, k of n needed           base + jitter x (H(n) - H(n-k))
    Milvus                          base + jitter: one append to the log, for any number of query replicas

Query replicas are readers of the log: they make no write slower, and a row is searchable in all of them
once the last has read it. What is written several times lies below, where the log keeps its own copies.

Each function raises ValueError for a time that is negative, or for a number of copies that is not between 1
and all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from halab.models.validation import not_negative
from halab.translation import gettext

__all__ = [
    "Copy",
    "Write",
    "draws",
    "kth_fastest",
    "parallel",
    "quorum",
    "serial",
    "straggling",
    "through_log",
]


@dataclass(frozen=True, slots=True)
class Copy:
    """What one copy takes: at least `base`, and `jitter` more on average."""

    base: float
    jitter: float

    def __post_init__(self) -> None:
        not_negative(base=self.base, jitter=self.jitter)


@dataclass(frozen=True, slots=True)
class Write:
    """Mean times of one write: until it is acknowledged, and until every copy has it."""

    acknowledged: float
    everywhere: float


def kth_fastest(copy: Copy, copies: int, needed: int) -> float:
    """Mean time until `needed` of `copies` that were sent at once are done."""
    _checked(copies, needed)
    return copy.base + copy.jitter * math.fsum(1 / left for left in range(copies - needed + 1, copies + 1))


def serial(copy: Copy, copies: int) -> Write:
    """One copy after the other, acknowledged after the last."""
    _checked(copies, copies)
    time = copies * (copy.base + copy.jitter)
    return Write(time, time)


def parallel(copy: Copy, copies: int) -> Write:
    """All copies at once, acknowledged after the slowest."""
    return quorum(copy, copies, copies)


def quorum(copy: Copy, copies: int, needed: int) -> Write:
    """All copies at once, acknowledged when `needed` are done; the others follow."""
    return Write(kth_fastest(copy, copies, needed), kth_fastest(copy, copies, copies))


def through_log(copy: Copy, replicas: int) -> Write:
    """Milvus' way: one append to the log is the acknowledgement; then `replicas` read it side by side.

    Reading takes as long as a copy does, by assumption.
    """
    acknowledged = kth_fastest(copy, 1, 1)
    return Write(acknowledged, acknowledged + kth_fastest(copy, replicas, replicas))


def straggling(share: float, copies: int, needed: int) -> float:
    """How likely a write waits for a straggler, if each copy is one with probability `share`.

    That is so if fewer than `needed` copies are none: the lower tail of a binomial.
    """
    _checked(copies, needed)
    if not 0 <= share <= 1:
        raise ValueError(gettext("share must lie between 0 and 1, not {share}").format(share=share))
    return math.fsum(
        math.comb(copies, good) * (1 - share) ** good * share ** (copies - good) for good in range(needed)
    )


def draws(copy: Copy, shape: int | Sequence[int], seed: int = 0) -> NDArray[np.float64]:
    """Simulated times of copies, to check the closed forms against."""
    return copy.base + copy.jitter * np.random.default_rng(seed).standard_exponential(shape)


def _checked(copies: int, needed: int) -> None:
    if not 1 <= needed <= copies:
        raise ValueError(
            gettext("needed must lie between 1 and {copies} copies, not {needed}").format(
                copies=copies, needed=needed
            )
        )
