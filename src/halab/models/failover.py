"""How long a failover takes, in closed form.

A failover is a chain of waits: the fault is noticed, a successor is chosen, it takes over, the clients come
back. Only the first is random here, because a fault falls anywhere between two signs of life.

Two detectors, both of one shape. The watcher hears from the watched every `interval` seconds, tolerates
`tolerance` seconds of silence after the last sign of life, and looks every `granularity` seconds whether
that has passed. If the fault falls u after the last sign of life (u uniform on 0..interval) and the next
look comes v late (uniform on 0..granularity), then

    detection = tolerance - u + v
    least     = tolerance - interval
    mean      = tolerance - interval / 2 + granularity / 2
    most      = tolerance + granularity

Sources. Heartbeats: the card. Leases: etcd's Go client renews a third of the TTL after the last answer
(client/v3/lease.go, recvKeepAlive; it looks twice a second, so a renewal leaves up to 0.5 s later than
that, which is left out here), and the server looks for expired leases every 500 ms (server/lease/lessor.go,
runLoop).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from halab.models.faults import FaultKind
from halab.models.validation import not_negative, positive
from halab.translation import gettext

__all__ = [
    "CARD",
    "ETCD_LOOK",
    "MILVUS",
    "PHASES",
    "Detector",
    "ExponentialStalls",
    "Failover",
    "Heartbeats",
    "Lease",
    "Phase",
    "RequestCounts",
    "Span",
    "Stalls",
    "Timeline",
    "detection",
    "false_alarm_probability",
    "false_alarms_per_year",
    "request_counts",
]

ETCD_LOOK = 0.5
"""Seconds between two looks of an etcd server for expired leases."""

DAYS_PER_YEAR = 365.0


class Span(NamedTuple):
    """A time that chance decides: its least, mean and greatest value, seconds."""

    least: float
    mean: float
    most: float


class Detector(Protocol):
    """How a fault is noticed; see the module for what the three numbers mean. All seconds."""

    @property
    def interval(self) -> float: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def granularity(self) -> float: ...
    def missed(self, phase: float) -> float:
        """Seconds from the fault to the silence the timeline marks as "missed"."""


@dataclass(frozen=True)
class Heartbeats:
    """A beat every `interval` seconds; a fault is the `misses`-th missed and waited `timeout` seconds for.

    Set `timeout` to 0 for a health probe that a dead process refuses at once.
    """

    interval: float = 1.0
    misses: int = 3
    timeout: float = 2.0

    def __post_init__(self) -> None:
        positive(interval=self.interval)
        not_negative(timeout=self.timeout)
        if self.misses < 1:
            raise ValueError(gettext("misses must be at least 1, not {misses}").format(misses=self.misses))

    @property
    def tolerance(self) -> float:
        return self.misses * self.interval + self.timeout

    @property
    def granularity(self) -> float:
        """Zero: the watcher's own timer ends the wait."""
        return 0.0

    def missed(self, phase: float) -> float:
        """When the last of the missed beats was due."""
        return (self.misses - phase) * self.interval


@dataclass(frozen=True)
class Lease:
    """An etcd lease of `ttl` seconds, renewed every third of it; whoever holds it is alive."""

    ttl: float = 10.0

    def __post_init__(self) -> None:
        positive(ttl=self.ttl)

    @property
    def interval(self) -> float:
        return self.ttl / 3

    @property
    def tolerance(self) -> float:
        return self.ttl

    @property
    def granularity(self) -> float:
        return ETCD_LOOK

    def missed(self, phase: float) -> float:
        """When the first renewal that does not come was due."""
        return (1 - phase) * self.interval


class Phase(NamedTuple):
    """One mark of a timeline: its key, seconds after the fault, and what happens then."""

    key: str
    at: float
    meaning: str


PHASES = {
    "down": "the active process fails",
    "missed": "a sign of life is missed",
    "detected": "the fault is noticed",
    "elected": "a successor is chosen",
    "serving": "the successor serves",
    "back": "clients are back",
}


@dataclass(frozen=True)
class Timeline:
    """The marks of one failover, seconds after the fault, in order."""

    down: float
    missed: float
    detected: float
    elected: float
    serving: float
    back: float

    def __post_init__(self) -> None:
        marks = [mark.at for mark in self]
        if any(later < earlier for earlier, later in pairwise(marks)):
            raise ValueError(
                gettext("the marks of a timeline must not go back in time: {marks}").format(marks=marks)
            )

    def __iter__(self) -> Iterator[Phase]:
        return iter(Phase(key, getattr(self, key), meaning) for key, meaning in PHASES.items())

    @property
    def outage(self) -> float:
        """Seconds without service, as clients see it."""
        return self.back - self.down


@dataclass(frozen=True)
class Failover:
    """Everything that decides how long a failover takes. All times are seconds.

    `election` runs from the fault noticed to a successor chosen; in Milvus nobody votes, the standby's
    compare-and-put on the leased key wins. `takeover` runs on until the successor serves, `reconnect` until
    its clients have found it. `connection` is how long an open connection to a silent process is trusted
    (gRPC keep-alive: time + timeout), `restart` how long a process takes to come up again. `revokes` tells
    whether a planned stop gives the lease back.
    """

    detector: Heartbeats | Lease
    election: float
    takeover: float
    reconnect: float
    connection: float = 0.0
    restart: float = 1.0
    revokes: bool = False

    def __post_init__(self) -> None:
        not_negative(
            election=self.election,
            takeover=self.takeover,
            reconnect=self.reconnect,
            connection=self.connection,
            restart=self.restart,
        )

    def timeline(self, kind: FaultKind = "crash", phase: float = 0.0) -> Timeline:
        """The marks of a failover after a fault of this kind.

        `phase` says where between two signs of life the fault falls: 0 is just after one (the latest
        detection, and what the card shows), 1 just before one (the earliest), 0.5 the mean.

        - crash: the silence has to be noticed.
        - hang: so it does, and clients on open connections must give those up too.
        - stop: as a crash, unless the process revokes its lease as it leaves. Milvus 2.3.5 was measured
          to keep it (on the course's cluster SIGTERM took as long as SIGKILL); newer session code revokes it.
        - restart: as a crash, unless the process is up again sooner: one that finds its own older session
          at the same address deletes it (Milvus sessionutil, handleRestart), and the standby wins the key.
        """
        if not 0 <= phase <= 1:
            raise ValueError(gettext("phase must lie between 0 and 1, not {phase}").format(phase=phase))
        return self.after(self.detector.missed(phase), _detected(self.detector, phase), kind)

    def after(self, missed: float, detected: float, kind: FaultKind = "crash") -> Timeline:
        """The marks, given when the silence was marked and when it is noticed, seconds after the fault."""
        if kind == "stop" and self.revokes:
            detected = 0.0
        if kind == "restart":
            detected = min(detected, self.restart)
        elected = detected + self.election
        serving = elected + self.takeover
        leaves = max(serving, self.connection) if kind == "hang" else serving  # clients leave the old member
        return Timeline(0.0, min(missed, detected), detected, elected, serving, leaves + self.reconnect)

    def outage(self, kind: FaultKind = "crash") -> Span:
        """How long clients are without service: least, mean (exact unless a bound bites) and most."""
        return Span(*(self.timeline(kind, phase).outage for phase in (1.0, 0.5, 0.0)))


def _detected(detector: Detector, phase: float) -> float:
    return detector.tolerance + detector.granularity - phase * (detector.interval + detector.granularity)


CARD = Failover(Heartbeats(interval=1.0, misses=3, timeout=2.0), election=3.0, takeover=2.0, reconnect=2.0)
"""Card 6: 0 down, 3 missed, 5 noticed, 8 chosen, 10 serving, 12 back. Its 3 and 5 are the late edge."""

MILVUS = Failover(Lease(ttl=10.0), election=0.1, takeover=0.3, reconnect=1.0, connection=12.0)
"""The course's cluster: Milvus 2.3.5, session TTL 10 s. Election is one etcd transaction, retried after
0.1 s; reconnect is `grpc.client.maxBackoff: 1`; connection is gRPC keep-alive, 10 s plus the 2 s timeout
the course sets; takeover is assumed, the rest of the outage that was measured."""


def detection(detector: Detector) -> Span:
    """Seconds from a crash to its being noticed. The formula stands at the head of this module."""
    return Span(*(_detected(detector, phase) for phase in (1.0, 0.5, 0.0)))


class RequestCounts(NamedTuple):
    """Expected numbers of requests in an outage: those that `failed` for the user, and those only `late`."""

    failed: float
    late: float


def request_counts(rate: float, outage: float, deadline: float = 0.0) -> RequestCounts:
    """How many requests fail, and how many are late, at `rate` a second through `outage` seconds.

    `deadline` is how many seconds a request goes on before it is given up: 0 if it is refused and not
    retried, its deadline if it waits unanswered, the span of its retries if it is retried. The requests of
    the last `deadline` seconds are answered late; those before them fail. On a grid of send times the
    count is within one of this.
    """
    not_negative(rate=rate, outage=outage, deadline=deadline)
    late = min(outage, deadline)
    return RequestCounts(rate * (outage - late), rate * late)


class Stalls(Protocol):
    """Pauses of a healthy process (garbage collection, a busy machine, an etcd election)."""

    @property
    def per_day(self) -> float:
        """How many on average; they arrive as a Poisson process."""

    def longer_than(self, seconds: float) -> float:
        """The fraction of stalls longer than this."""


@dataclass(frozen=True)
class ExponentialStalls:
    """Stalls with exponential lengths of `mean` seconds: P(longer than t) = exp(-t / mean)."""

    per_day: float
    mean: float

    def __post_init__(self) -> None:
        not_negative(per_day=self.per_day)
        positive(mean=self.mean)

    def longer_than(self, seconds: float) -> float:
        return math.exp(-max(seconds, 0.0) / self.mean)


def false_alarm_probability(detector: Detector, stalls: Stalls) -> float:
    """The probability that one stall of a healthy process is taken for a fault.

    It is, if the stall outlasts the detection: P(L > tolerance - u + v) averaged over u and v, which
    Gauss-Legendre quadrature does. (Closed for exponential lengths; the tests compare.)
    """
    points = _quadrature()
    tolerance, interval, granularity = detector.tolerance, detector.interval, detector.granularity
    return sum(
        wu * wv * stalls.longer_than(tolerance - u * interval + v * granularity)
        for u, wu in points
        for v, wv in points
    )


@cache
def _quadrature() -> list[tuple[float, float]]:
    """Places from 0 to 1 and their weights, as Python's floats: NumPy's are slow one by one."""
    import numpy as np  # here: a command that only tells something is to load nothing heavy

    nodes, weights = np.polynomial.legendre.leggauss(48)
    return list(zip(((nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


def false_alarms_per_year(detector: Detector, stalls: Stalls, processes: int = 1) -> float:
    """Expected needless failovers in a year of 365 days, over this many independent processes.

    The probability of at least one is 1 - exp(-this).
    """
    if processes < 1:
        raise ValueError(gettext("processes must be at least 1, not {processes}").format(processes=processes))
    return processes * stalls.per_day * DAYS_PER_YEAR * false_alarm_probability(detector, stalls)
