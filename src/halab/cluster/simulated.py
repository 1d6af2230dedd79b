"""Engine "simulated": a Milvus cluster in virtual time. Instant, deterministic by seed, on any platform.

Nothing runs here. A fault draws one failover from `halab.sim.failover_requests`, and the components change
accordingly as virtual time passes, which happens only in `sleep` and `wait_healthy`. Every component's note
says that it is simulated, and `uri` is empty: a simulated number must never be shown as a measured one.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self

from halab.cluster import targets
from halab.cluster.profiles import PROFILES
from halab.cluster.protocol import (
    COORDINATORS,
    Component,
    Event,
    FaultKind,
    HaState,
    Session,
    check_extendable,
)
from halab.cluster.running_cluster import check_fault_kind, healed, removed
from halab.errors import FaultError, NotReady
from halab.models.failover import MILVUS, Failover, Lease, Timeline
from halab.models.milvus_versions import ARCHITECTURES, COURSE, Architecture
from halab.models.retry_policy import Retry
from halab.models.samples import OPERATIONS, Sample
from halab.sim.failover_requests import Incident, Outage, fail_over, outages, probe
from halab.tables import Sentence
from halab.translation import gettext

__all__ = ["SimulatedCluster", "SimulatedFault"]

_RESUME = ("etcd", "log", "objectstore")  # resume after a hang; a Milvus role whose lease expired exits
ETCD_ELECTION = 1.0  # seconds: etcd's default --election-timeout is 1000 ms


class _Step(NamedTuple):
    """A planned change of a component; `number` keeps steps that are due at the same time in order."""

    time: float
    number: int
    name: str
    change: dict[str, Any]
    event: Event | None
    fault: SimulatedFault | None


@dataclass
class SimulatedFault:
    """A fault of the simulated engine (see `halab.cluster.protocol.Fault`).

    `timeline` is the failover drawn for it, seconds after the fault; it is cut short if the fault is undone.
    """

    kind: FaultKind
    target: str
    component: str
    at: float
    incident: Incident
    cluster: SimulatedCluster = field(repr=False)
    undone_at: float | None = None

    @property
    def timeline(self) -> Timeline:
        return self.incident.timeline

    def undo(self) -> None:
        """Start the component again, or continue it. Twice is once."""
        if self.undone_at is None:
            self.cluster._undo(self)


class SimulatedCluster:
    """A cluster in virtual time (see `halab.cluster.protocol.Cluster`).

    `profile` is "ha" or "small"; `settings` are those of the failover, by default those of the course's
    cluster. `milvus` is a version of `halab.models.milvus_versions.ARCHITECTURES`: the course's follows what
    was measured here; today's, such as "2.6", has the roles, needs, TTL and planned stop of documentation and
    source, and the other seconds of the course's. `ttl` is the session TTL in seconds, by default that of the
    version. Raises ValueError for an unknown profile or version.
    """

    engine: Literal["simulated"] = "simulated"
    uri = ""
    folder = None

    def __init__(
        self,
        name: str = "simulated",
        profile: str = "ha",
        ttl: float | None = None,
        seed: int = 0,
        settings: Failover = MILVUS,
        *,
        milvus: str = COURSE,
    ) -> None:
        if profile not in PROFILES:
            raise ValueError(
                gettext('profile must be one of {profiles}; not "{profile}"').format(
                    profiles=", ".join(PROFILES), profile=profile
                )
            )
        if milvus not in ARCHITECTURES:
            raise ValueError(
                gettext('milvus must be one of {versions}; not "{milvus}"').format(
                    versions=", ".join(ARCHITECTURES), milvus=milvus
                )
            )
        architecture = ARCHITECTURES[milvus]
        self.name = name
        self.profile = profile
        self.milvus = milvus
        self.ttl = ttl or architecture.sessions[-1].ttl
        self.seed = seed
        self.settings = replace(
            settings, detector=Lease(self.ttl), revokes=settings.revokes or architecture.revokes
        )
        self.versions = {"milvus": f"simulated {milvus}"}
        if not architecture.measured:
            self.versions["milvus"] += ", from documentation, not measured here"
        self._clock = 0.0
        self._parts = {part.name: part for part in _members(architecture, profile)}
        self._since = dict.fromkeys(self._parts, 0.0)
        self._faults: list[SimulatedFault] = []
        self._events: list[Event] = []
        self._plan: list[_Step] = []
        self._planned = 0

    @property
    def simulation(self) -> Self:
        return self

    def now(self) -> float:
        return self._clock

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass; this returns at once."""
        if not (seconds >= 0 and math.isfinite(seconds)):
            raise ValueError(
                gettext("seconds must be zero or a positive number, not {seconds}").format(seconds=seconds)
            )
        self._pass_until(self._clock + seconds)

    def components(self) -> list[Component]:
        return [
            replace(part, uptime=self._clock - self._since[part.name] if part.health == "healthy" else 0.0)
            for part in self._parts.values()
        ]

    def resolve(self, target: str) -> Component:
        return targets.resolve(self.components(), target)

    def active(self, role: str) -> Component:
        return self.resolve(f"{'leader' if role == 'etcd' else 'active'} {role}")

    def events(self, since: float = 0.0) -> list[Event]:
        return sorted((event for event in self._events if event.time >= since), key=lambda event: event.time)

    def sessions(self) -> list[Session]:
        """The keys that these members would have in etcd; the time left of a lease is not simulated."""
        sessions = []
        for number, part in enumerate(self._parts.values(), 1):
            if part.role in _RESUME or part.health != "healthy":
                continue
            value = json.dumps({"ServerID": number, "ServerName": part.role, "Address": part.name})
            keys = [f"{part.role}-{number}", *([part.role] if part.ha_state == "active" else [])]
            sessions += [Session(key, value, str(number), self.ttl, self.ttl) for key in keys]
        return sorted(sessions, key=lambda session: session.key)

    def add(self, role: str) -> Component:
        """Start one more query node, and let virtual time pass until it is healthy.

        Raises FaultError for another role.
        """
        check_extendable(role)
        number = next(n for n in range(1, len(self._parts) + 2) if f"{role}-{n}" not in self._parts)
        part = Component(f"{role}-{number}", role, "", None, "starting", note="simulated")
        self._parts[part.name] = part
        self._since[part.name] = self._clock
        self._events.append(Event(self._clock, part.name, "added", "user"))
        self._at(self._clock + self.settings.restart, part.name, {"health": "healthy"})
        self.wait_healthy()
        return self.resolve(part.name)

    def remove(self, target: str | Component) -> Sentence:
        """Take a query node out for good. Raises FaultError if it is none, or the last one."""
        part = self.resolve(target) if isinstance(target, str) else target
        check_extendable(part.role)
        if sum(other.role == part.role for other in self._parts.values()) == 1:
            raise FaultError(
                gettext("{name} is the last query node.").format(name=part.name),
                hint=gettext("Add another one first."),
            )
        if part.health != "healthy":
            raise FaultError(
                gettext("{name} is {health}.").format(name=part.name, health=part.health),
                hint=gettext("Undo its fault first."),
            )
        del self._parts[part.name]
        self._events.append(Event(self._clock, part.name, "removed", "user"))
        return removed(part.name)

    @contextmanager
    def fault(self, kind: FaultKind, target: str | Component) -> Iterator[SimulatedFault]:
        """Inject a fault; on leaving it is undone and virtual time passes until the cluster is healthy.

        Raises as `inject` does.
        """
        fault = self.inject(kind, target)
        try:
            yield fault
        finally:
            fault.undo()
        # The faults of surrounding blocks are still there: their components are not expected to be healthy.
        others = {other.component for other in self._faults if other.undone_at is None}
        self._wait_healthy(60.0, but=others)

    def inject(self, kind: FaultKind, target: str | Component) -> SimulatedFault:
        """Inject a fault that stays until it is undone. The target is resolved now, by its role now.

        Raises TargetError if the target names nothing or more than one component, FaultError if the kind is
        unknown or the component is not healthy.
        """
        check_fault_kind(kind, self.engine)
        asked = target if isinstance(target, str) else target.name
        part = self.resolve(asked)
        if part.health != "healthy":
            raise FaultError(
                gettext("{name} is {health}, so it cannot have a fault injected.").format(
                    name=part.name, health=part.health
                ),
                hint=gettext("Undo the fault before, or wait with wait_healthy()."),
            )
        incident = self._incident(kind, part)
        fault = SimulatedFault(kind, asked, part.name, self._clock, incident, self)
        self._faults.append(fault)
        self._set(part.name, health="hung" if kind == "hang" else "down")
        self._events.append(Event(self._clock, part.name, f"fault:{kind}", "user", asked))
        self._plan_takeover(fault)
        if kind == "restart":
            self._undo(fault)
        return fault

    def wait_healthy(self, timeout: float = 60.0) -> float:
        return self._wait_healthy(timeout, but=set())

    def _wait_healthy(self, timeout: float, but: set[str]) -> float:
        start = self._clock
        while unhealthy := [p for p in self._parts.values() if p.health != "healthy" and p.name not in but]:
            due = self._plan[0].time if self._plan else math.inf
            if due > start + timeout:
                raise NotReady(
                    gettext(
                        "Every component should be healthy; after {timeout:g} simulated seconds {names}."
                    ).format(
                        timeout=timeout,
                        names=", ".join(
                            gettext("{name} is {health}").format(name=part.name, health=part.health)
                            for part in unhealthy
                        ),
                    ),
                    hint=gettext("Undo the fault, or leave its with block."),
                )
            self._pass_until(due)
        return self._clock - start

    def heal(self, component: str) -> Sentence:
        """Undo whatever fault a component has, by its name."""
        for fault in self._faults:
            if fault.component == component:
                fault.undo()
        return healed(component)

    def replace(self, component: str, grace: float, why: str) -> None:
        """Start a component anew, whatever fault it has; the fault ends with it.

        There is no process to wait for here, so `grace` is not used.
        """
        self.heal(component)
        self._events.append(Event(self._clock, component, "restarted", "supervisor", why))

    def outages(self, replicas: int = 3) -> list[Outage]:
        """The outages that users of a collection with this many replicas notice after every fault so far.

        Times are seconds on the cluster's clock. A collection never has more replicas than there are query
        nodes.
        """
        replicas = min(replicas, sum(part.role == "querynode" for part in self._parts.values()))
        return [outage for fault in self._faults for outage in outages(fault.incident, replicas)]

    def simulate(
        self,
        start: float,
        end: float,
        operations: Sequence[str] = OPERATIONS,
        rate: float = 20.0,
        deadline: float = 1.0,
        seed: int = 0,
        replicas: int = 3,
        retry: Retry | None = None,
    ) -> list[Sample]:
        """What an open-loop probe would have met from `start` to `end`, seconds on the cluster's clock.

        `rate` is requests a second of each operation, `deadline` the seconds each waits for an answer,
        `replicas` those of the collection that is searched. With `retry` a sample is one user's request over
        all its attempts.
        """
        return probe(self.outages(replicas), start, end, operations, rate, deadline, seed, retry)

    def down(self) -> Sentence:
        """End the simulation. Twice is once."""
        self._parts.clear()
        self._plan.clear()
        return Sentence(
            gettext("The simulation of cluster {name!r} is over: nothing ran, and nothing is left.").format(
                name=self.name
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def _incident(self, kind: FaultKind, part: Component) -> Incident:
        others = self._peers(part)
        healthy = [other for other in others if other.health == "healthy"]
        return Incident(
            role=part.role,
            kind=kind,
            at=self._clock,
            timeline=fail_over(self.settings, kind, self.seed * 1000 + len(self._faults)),
            settings=self.settings,
            leads=part.ha_state != "standby",
            standby=bool(healthy),
            used=part.name == "proxy-1",
            quorum=part.role != "etcd" or len(healthy) > (len(others) + 1) // 2,
            milvus=self.milvus,
        )

    def _plan_takeover(self, fault: SimulatedFault) -> None:
        """Plan which component takes over from the lost one, and when: by the fault's timeline."""
        lost = self._parts[fault.component]
        leads: HaState = "leader" if lost.role == "etcd" else "active"
        if lost.ha_state != leads:
            return
        standbys = [part for part in self._peers(lost) if part.health == "healthy"]
        if not standbys or not fault.incident.quorum:
            self._at(fault.at + fault.timeline.detected, lost.name, {"ha_state": ""}, fault=fault)
            return
        when = fault.at + (ETCD_ELECTION if lost.role == "etcd" else fault.timeline.serving)
        event = Event(when, standbys[0].name, leads, "milvus", f"took over from {lost.name}")
        self._at(when, standbys[0].name, {"ha_state": leads}, event, fault)
        self._at(when, lost.name, {"ha_state": ""}, fault=fault)

    def _undo(self, fault: SimulatedFault) -> None:
        fault.undone_at = self._clock
        part = self._parts.get(fault.component)
        if part is None:
            return
        expired = self._clock - fault.at >= fault.timeline.detected
        resumes = fault.kind == "hang" and (part.role in _RESUME or not expired)
        if fault.kind == "hang":
            self._events.append(Event(self._clock, part.name, "continued", "user"))
        if resumes:
            fault.incident = replace(fault.incident, undone_at=self._clock)
            self._set(part.name, health="healthy")
            self._unplan(fault)
            return
        self._restart(fault, part, by_itself=fault.kind == "hang")

    def _restart(self, fault: SimulatedFault, part: Component, *, by_itself: bool) -> None:
        """Start a lost process again; `by_itself`: it exited first, as one does whose lease expired."""
        ready = self._clock + self.settings.restart
        fault.incident = self._cut_short(fault, ready)
        if by_itself:
            self._events.append(Event(self._clock, part.name, "exited", "milvus", "session expired"))
            self._events.append(Event(self._clock, part.name, "started", "supervisor"))
        elif fault.kind != "restart":
            self._events.append(Event(self._clock, part.name, "started", "user", "fault undone"))
        self._unplan(fault)
        self._plan_takeover(fault)
        self._set(part.name, health="starting", restarts=part.restarts + by_itself)
        self._at(ready, part.name, {"health": "healthy"})

    def _cut_short(self, fault: SimulatedFault, ready: float) -> Incident:
        """A process that is up again at its old address ends its old session, if that has not expired."""
        incident = fault.incident
        back = ready - fault.at
        if back < incident.timeline.detected:
            timeline = self.settings.after(incident.timeline.missed, back)
            incident = replace(incident, timeline=timeline)
        return replace(incident, undone_at=ready)

    def _unplan(self, fault: SimulatedFault) -> None:
        """Cancel the takeover planned for a fault, if it has not happened yet."""
        self._plan = [step for step in self._plan if step.fault is not fault]
        heapq.heapify(self._plan)

    def _at(
        self,
        time: float,
        name: str,
        change: dict[str, Any],
        event: Event | None = None,
        fault: SimulatedFault | None = None,
    ) -> None:
        self._planned += 1
        heapq.heappush(self._plan, _Step(time, self._planned, name, change, event, fault))

    def _pass_until(self, time: float) -> None:
        while self._plan and self._plan[0].time <= time:
            step = heapq.heappop(self._plan)
            self._clock = step.time
            self._set(step.name, **step.change)
            if step.event:
                self._events.append(step.event)
        self._clock = max(self._clock, time)

    def _set(self, name: str, **change: Any) -> None:
        part = replace(self._parts[name], **change)
        if part.health == "healthy" and part.ha_state == "":
            part = replace(part, ha_state=self._ha_state_on_return(part))
        if "health" in change:
            self._since[name] = self._clock
        self._parts[name] = part

    def _peers(self, part: Component) -> list[Component]:
        """The other members of its role."""
        return [peer for peer in self._parts.values() if peer.role == part.role and peer.name != part.name]

    def _ha_state_on_return(self, part: Component) -> HaState:
        """The HA state of a member that comes back: it leads if no other member does."""
        led = any(peer.ha_state in ("active", "leader") for peer in self._peers(part))
        if part.role == "etcd":
            return "follower" if led else "leader"
        if part.role in COORDINATORS:
            return "standby" if led else "active"
        return ""


def _members(architecture: Architecture, profile: str) -> list[Component]:
    note = "simulated" if architecture.measured else "simulated, from documentation"
    parts = []
    for role, count in architecture.profiles[profile].items():
        for number in range(1, count + 1):
            name = role if role in ("log", "objectstore") else f"{role}-{number}"
            ha_state: HaState = ""
            if role == "etcd":
                ha_state = "leader" if number == 1 else "follower"
            elif role in COORDINATORS:
                ha_state = "active" if number == 1 else "standby"
            parts.append(Component(name, role, "", None, "healthy", ha_state, note=note))
    return parts
