"""How many requests nodes can serve, how long these wait, and how many nodes a peak needs.

Queues: M/M/1 and M/M/c, the formulas for requests that come at random and take exponential times. Source:
L. Kleinrock, "Queueing Systems" I (1975), chapter 3. Scaling: the Universal Scalability Law. Source:
N. Gunther, "Guerrilla Capacity Planning" (2007), chapter 4.

Rates are requests a second, times are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from halab.models.bootstrap import Interval
from halab.translation import gettext

__all__ = ["Queue", "Usl", "UslFit", "erlang_c", "fit_usl", "mm1", "mmc", "nodes_needed"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue in the long run: the busy share of each server, the mean wait, and the mean time in all."""

    utilisation: float
    wait: float
    response: float


def mm1(arrivals: float, service: float) -> Queue:
    """One server that can do `service` a second: 1 / (service - arrivals) in total. Raises as `mmc` does."""
    return mmc(arrivals, service, 1)


def mmc(arrivals: float, service: float, servers: int) -> Queue:
    """One queue before `servers`, each of which can do `service` a second.

    Raises ValueError unless arrivals stay below what the servers can do: else the queue has no end.
    """
    wait = erlang_c(arrivals, service, servers) / (servers * service - arrivals)
    return Queue(arrivals / (servers * service), wait, wait + 1 / service)


def erlang_c(arrivals: float, service: float, servers: int) -> float:
    """Erlang's C formula: the share of requests that find every server busy. Raises as `mmc` does."""
    if servers < 1 or not 0 < arrivals < servers * service:
        raise ValueError(gettext("arrivals must lie between 0 and what the servers can do"))
    offered = arrivals / service
    blocked = 1.0  # Erlang's B, one server after the other: factorials would overflow
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


@dataclass(frozen=True, slots=True)
class Usl:
    """The Universal Scalability Law: what n nodes do a second.

    `per_node` is what a single node does, `contention` the share of the work that must queue for something
    common, and `coherence` what it costs to keep each pair of nodes in step. Both 0: twice the nodes, twice
    the work.
    """

    per_node: float
    contention: float = 0.0
    coherence: float = 0.0

    def rate(self, nodes: float) -> float:
        """per_node * n / (1 + contention (n - 1) + coherence n (n - 1))."""
        slow = 1 + self.contention * (nodes - 1) + self.coherence * nodes * (nodes - 1)
        return self.per_node * nodes / slow

    @property
    def most(self) -> float:
        """The number of nodes beyond which another makes it slower; infinite without coherence."""
        if not self.coherence:
            return math.inf
        return math.sqrt(max(0.0, 1 - self.contention) / self.coherence)


@dataclass(frozen=True, slots=True)
class UslFit:
    """A fitted law, and the laws of a few hundred sets of repeats drawn again."""

    law: Usl
    drawn: tuple[Usl, ...]

    def rate(self, nodes: float) -> Interval:
        """What n nodes do a second, with the 95 % interval of the repeats."""
        return self._interval(self.law.rate(nodes), [law.rate(nodes) for law in self.drawn])

    @property
    def contention(self) -> Interval:
        return self._interval(self.law.contention, [law.contention for law in self.drawn])

    @property
    def coherence(self) -> Interval:
        return self._interval(self.law.coherence, [law.coherence for law in self.drawn])

    def _interval(self, figure: float, drawn: Sequence[float]) -> Interval:
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Interval(min(float(low), figure), figure, max(float(high), figure))


def fit_usl(rates: Mapping[int, Sequence[float]], *, draws: int = 400, seed: int = 0) -> UslFit:
    """Fit the law to repeats by number of nodes, with the least relative error; no parameter is negative.

    The interval is that of the repeats only, drawn again within each number of nodes. It cannot say whether
    the law holds: three parameters go through nearly any three points. Raises ValueError for fewer than
    three numbers of nodes, or a rate that is not above 0.
    """
    if len(rates) < 3 or min(rates) < 1 or not all(rates.values()):
        raise ValueError(gettext("a fit needs rates for at least three numbers of nodes"))
    if any(not 0 < rate < math.inf for group in rates.values() for rate in group):
        raise ValueError(gettext("every rate must be a number above 0"))
    rng = np.random.default_rng(seed)
    again = [
        _fitted({n: rng.choice(group, len(group)).tolist() for n, group in rates.items()})
        for _ in range(draws)
    ]
    return UslFit(_fitted(rates), tuple(again))


def _fitted(rates: Mapping[int, Sequence[float]]) -> Usl:
    # n / rate is linear in 1/per_node, contention/per_node and coherence/per_node. Multiplied by rate / n,
    # the errors become relative ones.
    rows = [(rate / n, rate / n * (n - 1), rate * (n - 1)) for n, group in rates.items() for rate in group]
    (base, contention, coherence), _ = nnls(np.array(rows), np.ones(len(rows)))
    return Usl(1 / base, contention / base, coherence / base)


def nodes_needed(peak: float, per_node: float, *, headroom: float = 0.3, spare: int = 1) -> int:
    """The fewest nodes that serve `peak` with `spare` of them gone and `headroom` of the rest left unused.

    Rates are requests a second: each node serves `per_node`, and none is slowed down by the others.
    `headroom` is a fraction of one. Raises ValueError for a rate that is not above 0, a headroom outside 0 to
    below 1, or a negative spare.
    """
    if not (peak > 0 and per_node > 0 and 0 <= headroom < 1 and spare >= 0):
        raise ValueError(
            gettext("peak and per_node must be above 0, headroom from 0 to below 1, spare 0 or more")
        )
    # Rounded, or 3.0000000000000004 nodes would be four.
    return math.ceil(round(peak / (per_node * (1 - headroom)), 9)) + spare
