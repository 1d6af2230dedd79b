"""A failover in virtual time: when each part notices it, and how each request ends.

Processes (SimPy): the active member gives signs of life until the fault; the watcher (etcd for a lease, a
monitor for heartbeats) notices the silence; the standby is chosen and takes over; the clients come back.
Chance decides only where between two signs of life the fault falls, and when the watcher looks; so a run
must land between the edges of `halab.models.failover`, and the mean of many on its mean.

Which operation needs which role, and how fast it notices, follows the fault matrix measured on the course's
cluster (Milvus 2.3.5, session TTL 10, 5 and 3 s). What was not measured there is marked "assumed".
A simulated sample is never a measured one: journals and pictures made of them must say "simulated".
"""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import simpy

from halab.models.failover import MILVUS, Failover, Lease, Timeline
from halab.models.faults import FaultKind
from halab.models.milvus_versions import ARCHITECTURES, COURSE
from halab.models.retry_policy import Retry, in_all
from halab.models.samples import OPERATIONS, Outcome, Sample
from halab.translation import gettext

__all__ = ["Incident", "Outage", "Run", "fail_over", "needs_of", "outages", "probe", "simulate"]

GRACEFUL_TIME = 5.0
"""Seconds a bounded search may lag behind before it fails: Milvus' common.gracefulTime, 5000 ms."""

RELOAD = 6.3
"""Seconds from when a query node is known to be lost until another one finds the rows of a single copy.

Median of eight runs, 1.8 to 9.0 (TTL 10). Until then the other one answers, and finds nothing.
"""

NEEDS: dict[str, dict[str, float]] = {
    # role lost: operation that fails -> seconds until it does
    "rootcoord": {"search": 0.0, "strong search": 0.0, "insert": 0.0, "metadata call": 0.0},
    # The three coordinators of 2.6 and 3.0 in one process: from documentation, not measured here.
    "mixcoord": {"search": 0.0, "strong search": 0.0, "insert": 0.0, "metadata call": 0.0},
    "querycoord": {"search": 0.2, "strong search": 0.2},
    # Without segment ids no time tick moves on: a strong search waits for one (assumed), a bounded one lags.
    "datacoord": {"search": GRACEFUL_TIME, "strong search": 0.0, "insert": 0.0},
    "querynode": {"search": 0.0, "strong search": 0.0},
    # A proxy that clients do not use still holds up time ticks and the invalidation of caches.
    "proxy": {"search": GRACEFUL_TIME, "strong search": 0.0, "metadata call": 0.0},
    "log": {"search": GRACEFUL_TIME, "strong search": 0.0, "insert": 0.0},
    # Without a majority nothing is decided and no error is returned: requests wait (3 of 3 runs of 20 s).
    "etcd": {"strong search": 0.0, "metadata call": 0.0},
    "datanode": {},
    "indexnode": {},
    "objectstore": {},
}


def needs_of(milvus: str) -> Mapping[str, Mapping[str, float]]:
    """As `NEEDS`, for a version of `ARCHITECTURES`: the course's was measured, today's is from its facts.

    Those say what fails and not when. Assumed: at once, but for a bounded search without the log, which may
    lag as in 2.3.5. etcd as measured: today's processes keep leases in it as well.
    """
    if milvus == COURSE:
        return NEEDS
    needs: dict[str, dict[str, float]] = {role: {} for role in ARCHITECTURES[milvus].roles}
    for fact in ARCHITECTURES[milvus].facts:
        if fact.role in needs and fact.operation in OPERATIONS:
            lags = fact.role in ("log", "objectstore") and fact.operation == "search"
            needs[fact.role][fact.operation] = GRACEFUL_TIME if lags else 0.0
    return needs | {"etcd": NEEDS["etcd"]}


MISDIRECTED: dict[FaultKind, float] = {"crash": 0.03, "stop": 0.03, "restart": 0.03, "hang": 0.1}
"""Fraction of searches a proxy still sends to a lost query node though other replicas serve
(measured: 4 to 7 of 200 after a crash, 12 to 23 after a hang)."""

_LATENCY = {
    "search": 0.004,
    "strong search": 0.06,
    "insert": 0.005,
    "metadata call": 0.01,
}  # medians, assumed
_SPREAD = 0.3
_REFUSED = 0.002


@dataclass(frozen=True)
class Incident:
    """One fault and how the cluster recovers from it. Times are seconds on the simulation's clock.

    `leads` tells whether the lost process was serving rather than standing by; `standby` whether another
    member can take over; `used` whether the clients talk to the lost process itself (a proxy); `quorum`
    whether enough of etcd is left; `undone_at` when the lost process is up again (infinity: not yet).
    `settings` and `timeline` are those of the failover; `milvus` is the version, of `ARCHITECTURES`.
    """

    role: str
    kind: FaultKind
    at: float
    timeline: Timeline
    settings: Failover = MILVUS
    leads: bool = True
    standby: bool = True
    used: bool = False
    quorum: bool = True
    undone_at: float = math.inf
    milvus: str = COURSE


@dataclass(frozen=True)
class Outage:
    """One operation out of service from `start` to `end`, seconds on the simulation's clock.

    `silent`: requests are not answered, rather than refused at once. `share` is the fraction that is hit.
    """

    operation: str
    start: float
    end: float
    silent: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class Run:
    """A simulated failover: its timeline (seconds after the fault at `at`), its outages and its requests."""

    at: float
    timeline: Timeline
    outages: list[Outage]
    samples: list[Sample]


def fail_over(settings: Failover, kind: FaultKind = "crash", seed: int = 0) -> Timeline:
    """The marks of one failover, seconds after the fault; the seed decides where the fault falls."""
    return _World(settings, kind, random.Random(f"fail over {seed}")).run()


class _World:
    """The processes of one failover and the events they wait for."""

    def __init__(self, settings: Failover, kind: FaultKind, rng: random.Random) -> None:
        self.settings = settings
        self.detector = settings.detector
        self.kind = kind
        self.rng = rng
        self.env: Any = simpy.Environment()
        self.fault_at = (3 + rng.random()) * self.detector.interval
        self.heard = 0.0
        self.gone = self.env.event()  # the active member is known to be gone
        self.marks: dict[str, float] = {}

    def run(self) -> Timeline:
        self.env.process(self.active())
        self.env.process(self.watcher())
        self.env.process(self.fault())
        self.env.run(until=self.env.process(self.successor()))
        since = {key: at - self.fault_at for key, at in self.marks.items()}
        silence = (self.fault_at - self.heard) / self.detector.interval
        missed = min(self.detector.missed(silence), since["detected"])
        return Timeline(down=0.0, missed=missed, **since)

    def active(self) -> Generator[Any, Any, None]:
        """Gives signs of life until the fault."""
        while self.env.now < self.fault_at:
            self.heard = self.env.now
            yield self.env.timeout(self.detector.interval)

    def watcher(self) -> Generator[Any, Any, None]:
        """Notices that the signs of life stopped: etcd by looking now and then, a monitor by its timer."""
        if isinstance(self.detector, Lease):
            yield self.env.timeout(self.rng.random() * self.detector.granularity)
        while (left := self.heard + self.detector.tolerance - self.env.now) > 1e-9:
            yield self.env.timeout(self.detector.granularity or left)
        self.notice()

    def fault(self) -> Generator[Any, Any, None]:
        """What the failing process does itself: revoke its lease, or come up again and take its key back."""
        yield self.env.timeout(self.fault_at)
        if self.kind == "stop" and self.settings.revokes:
            self.notice()
        if self.kind == "restart":
            yield self.env.timeout(self.settings.restart)
            self.notice()

    def notice(self) -> None:
        if not self.gone.triggered:
            self.gone.succeed()

    def successor(self) -> Generator[Any, Any, None]:
        """The standby takes over; then the clients find it."""
        yield self.gone
        self.marks["detected"] = self.env.now
        yield self.env.timeout(self.settings.election)
        self.marks["elected"] = self.env.now
        yield self.env.timeout(self.settings.takeover)
        self.marks["serving"] = self.env.now
        if self.kind == "hang":
            yield self.env.timeout(max(0.0, self.fault_at + self.settings.connection - self.env.now))
        yield self.env.timeout(self.settings.reconnect)
        self.marks["back"] = self.env.now


def outages(incident: Incident, replicas: int = 3) -> list[Outage]:
    """The outages that users of a collection with this many replicas notice, by operation."""
    role, at = incident.role, incident.at
    if not incident.leads or (role == "etcd" and incident.quorum):
        return []
    needs = dict.fromkeys(OPERATIONS, 0.0) if incident.used else needs_of(incident.milvus)[role]
    end = min(_recovered(incident, replicas), _repaired(incident))
    share = MISDIRECTED[incident.kind] if role == "querynode" and replicas > 1 else 1.0
    silent = incident.kind == "hang" or role == "etcd"
    return [
        Outage(operation, at + delay, end, silent, share)
        for operation, delay in needs.items()
        if at + delay < end
    ]


def _recovered(incident: Incident, replicas: int) -> float:
    """When the cluster has recovered without the lost process, seconds on the simulation's clock."""
    noticed = incident.at + incident.timeline.detected
    if incident.role == "querynode" and incident.standby:
        return noticed if replicas > 1 else noticed + RELOAD
    if incident.role == "proxy" and not incident.used:
        return noticed
    # How long a channel of the log takes to move to another streaming node is not documented. Assumed:
    # as long as a coordinator's takeover.
    if (incident.role.endswith("coord") or incident.role == "streamingnode") and incident.standby:
        return incident.at + incident.timeline.back
    return math.inf


def _repaired(incident: Incident) -> float:
    """When the lost process serves its clients again itself."""
    if incident.kind == "hang":
        return incident.undone_at
    return incident.undone_at + incident.settings.takeover + incident.settings.reconnect


def probe(
    windows: Sequence[Outage],
    start: float,
    end: float,
    operations: Sequence[str] = OPERATIONS,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
    retry: Retry | None = None,
) -> list[Sample]:
    """The samples of an open-loop probe: `rate` requests a second of each operation from `start` to `end`.

    A refused request fails at once. An unanswered one is unknown at its deadline, or late if service is back
    before. One in flight when the fault falls is lost: a read has failed, a write is unknown.
    With `retry` a sample is one user's request over all its attempts, each with its own deadline. The load
    that retries add is left out: `halab.sim.retry_storm` is about that.
    """
    if not (rate > 0 and deadline > 0):
        raise ValueError(
            gettext("rate and deadline must be positive, not {rate} and {deadline}").format(
                rate=rate, deadline=deadline
            )
        )
    for operation in operations:
        if operation not in OPERATIONS:
            raise ValueError(
                gettext('operation must be one of {operations}; not "{operation}"').format(
                    operations=", ".join(OPERATIONS), operation=operation
                )
            )
    samples = []
    for operation in operations:
        rng = random.Random(f"probe {seed} {operation}")
        mine = sorted((w for w in windows if w.operation == operation), key=lambda window: window.start)
        for number in range(math.ceil(round((end - start) * rate, 9))):
            samples.append(_user(operation, number, start + number / rate, mine, deadline, rng, retry))
    return sorted(samples, key=lambda sample: sample.intended)


def _user(
    operation: str,
    number: int,
    at: float,
    windows: Sequence[Outage],
    deadline: float,
    rng: random.Random,
    retry: Retry | None,
) -> Sample:
    """One user's request: the first attempt, and those that follow it as `retry` says."""
    first = attempt = _request(operation, number, at, windows, deadline, rng)
    seen = [attempt.outcome]
    while retry is not None and attempt.outcome != Outcome.OK:
        wait = retry(len(seen), attempt.done - at, attempt.outcome, operation, rng)
        if wait is None:
            break
        attempt = _request(operation, number, attempt.done + wait, windows, deadline, rng)
        seen.append(attempt.outcome)
    return replace(attempt, intended=at, sent=at, outcome=in_all(seen), key=first.key)


def _request(
    operation: str, number: int, at: float, windows: Sequence[Outage], deadline: float, rng: random.Random
) -> Sample:
    latency = _LATENCY[operation] * math.exp(rng.gauss(0.0, _SPREAD))
    unlucky = rng.random()
    hit = next((w for w in windows if w.start < at + latency and at < w.end and unlucky < w.share), None)
    key = round(at * 1_000_000) if operation == "insert" else None
    sample = Sample(operation, number, at, at, at + latency, Outcome.OK, key=key)
    if hit is None:
        return sample
    if hit.silent:
        # A silent process holds it; it is answered late if the clients find another process in time.
        if hit.end + latency <= at + deadline:
            return replace(sample, done=hit.end + latency)
        return replace(
            sample, done=at + deadline, outcome=Outcome.UNKNOWN, error="DEADLINE_EXCEEDED (simulated)"
        )
    if at < hit.start:
        lost = Outcome.FAIL if operation.endswith("search") else Outcome.UNKNOWN
        return replace(sample, done=hit.start, outcome=lost, error="UNAVAILABLE: connection lost (simulated)")
    return replace(
        sample, done=at + _REFUSED, outcome=Outcome.FAIL, error="UNAVAILABLE: not serving (simulated)"
    )


def simulate(
    settings: Failover = MILVUS,
    role: str = "rootcoord",
    kind: FaultKind = "crash",
    *,
    at: float = 5.0,
    end: float = 30.0,
    operations: Sequence[str] = OPERATIONS,
    rate: float = 20.0,
    deadline: float = 1.0,
    replicas: int = 3,
    seed: int = 0,
    retry: Retry | None = None,
) -> Run:
    """One failover of the active member of `role`, with requests before, during and after it.

    All times are seconds of virtual time from 0; the same seed gives the same run. Raises ValueError for a
    role or an operation that is not known.
    """
    if role not in NEEDS:
        raise ValueError(
            gettext('role must be one of {needs}; not "{role}"').format(needs=", ".join(NEEDS), role=role)
        )
    timeline = fail_over(settings, kind, seed)
    windows = outages(Incident(role, kind, at, timeline, settings), replicas)
    return Run(at, timeline, windows, probe(windows, 0.0, end, operations, rate, deadline, seed, retry))
