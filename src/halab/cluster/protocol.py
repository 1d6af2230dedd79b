"""What every engine offers: the `Cluster` protocol, its components, faults and events.

Lessons and measurements know only this file; `embedded`, `compose` and `simulated` stand behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, runtime_checkable

from halab.errors import FaultError
from halab.models.faults import FaultKind
from halab.models.retry_policy import Retry
from halab.models.samples import OPERATIONS, Sample
from halab.tables import Sentence
from halab.translation import gettext

__all__ = [
    "COORDINATORS",
    "ROLES",
    "Actor",
    "Cluster",
    "Component",
    "Event",
    "Fault",
    "FaultKind",
    "HaState",
    "Health",
    "Session",
    "Simulation",
    "check_extendable",
]

COORDINATORS = ("rootcoord", "querycoord", "datacoord", "mixcoord")
ROLES = (
    *COORDINATORS, "streamingnode", "querynode", "datanode", "indexnode", "proxy",
    "etcd", "log", "objectstore",
)  # fmt: skip
"""Every role of any version, in the order in which they are shown: mixcoord and streamingnode are of 2.6 and
later, the other coordinators and the index node of 2.5 and earlier."""

Health = Literal["healthy", "unhealthy", "waiting", "starting", "hung", "down"]
"""`waiting` is a process that was never started, because what it needs is still starting."""
HaState = Literal["", "active", "standby", "leader", "follower"]
"""Who leads now: a coordinator is active or standby, a member of etcd leader or follower. Every other role
serves with all its members, and has none: ""."""
Actor = Literal["user", "milvus", "supervisor", "kubelet", "balancer"]
"""Who caused an event; see `Event`."""


def check_extendable(role: str) -> None:
    """Raise FaultError unless members of this role may be added and removed while the cluster runs."""
    if role != "querynode":
        raise FaultError(
            gettext(
                "Only query nodes are added to and removed from a running cluster here, not {role!r}."
            ).format(role=role),
            hint=gettext('Ask for "querynode".'),
        )


@dataclass(frozen=True, slots=True)
class Component:
    """One process of a cluster as it is now.

    `memory` is bytes, `uptime` seconds; `restarts` counts starts by the supervisor after an exit of the
    process' own, never starts by a fault's undoing. `note` says in words what is unusual, or is empty.
    """

    name: str
    role: str
    address: str
    pid: int | None
    health: Health
    ha_state: HaState = ""
    memory: int = 0
    uptime: float = 0.0
    restarts: int = 0
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """What a notebook shows of it, in words."""
        state = ", ".join(filter(None, (self.health, self.ha_state, self.note)))
        printer.text(
            f"{self.name}: {state}"
            + (gettext(", at {address}").format(address=self.address) if self.address else "")
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a component. `time` is seconds on the cluster's clock (`Cluster.now`).

    `by` is "user" for faults and their undoing, "milvus" for what a process did itself (an exit, or that it
    took over: "active", of etcd "leader"; containers do not tell that), and
    "supervisor" for restarts (in containers, by Docker's restart policy), so that a restart is never mistaken
    for recovery by Milvus. "kubelet" is what health probes decided, "balancer" what a balancer in front of
    the proxies counted.
    """

    time: float
    component: str
    kind: str
    by: Actor
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One key that a Milvus process keeps in etcd while it runs, as etcd has it.

    `key` is what follows the prefix of the sessions: the bare role, such as "rootcoord", belongs to the
    active member. `value` is JSON text with at least ServerID, ServerName and Address. `lease` is the id of
    the lease to which the key is attached, `granted` its length and `left` what is left of it, seconds: when
    it expires, etcd deletes the key.
    """

    key: str
    value: str
    lease: str = ""
    granted: float = 0.0
    left: float = 0.0


@runtime_checkable
class Fault(Protocol):
    """A fault that was injected. Undone by `undo()` or on leaving its `with` block."""

    @property
    def kind(self) -> FaultKind: ...
    @property
    def target(self) -> str:
        """What was asked for, such as "active rootcoord"."""

    @property
    def component(self) -> str:
        """The name it resolved to when the fault was injected, such as "rootcoord-2"."""

    @property
    def at(self) -> float:
        """When it was injected, seconds on the cluster's clock."""

    @property
    def undone_at(self) -> float | None: ...
    def undo(self) -> None: ...


class Simulation(Protocol):
    """What only a simulated cluster can do: say what requests would have met, instead of sending them."""

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
        """The samples of an open-loop probe from `start` to `end`, seconds on the cluster's clock."""


@runtime_checkable
class Cluster(Protocol):
    """A Milvus cluster, real or simulated. As a context manager it is taken down on leaving if it was
    started here, and left running if it was only attached to."""

    @property
    def name(self) -> str: ...
    @property
    def engine(self) -> Literal["embedded", "compose", "simulated"]: ...
    @property
    def simulation(self) -> Simulation | None:
        """The simulation that stands in for real processes; None if the cluster is real."""

    @property
    def folder(self) -> Path | None:
        """The folder that is made and removed with this cluster; None if its engine has none."""

    @property
    def profile(self) -> str: ...
    @property
    def ttl(self) -> float:
        """Session TTL, seconds."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Version by part, such as {"milvus": "2.3.5"}."""

    @property
    def uri(self) -> str:
        """Where a Milvus client connects: the first proxy, or what stands before all; "" if simulated."""

    def now(self) -> float:
        """Seconds on this cluster's clock: `time.monotonic()`, or virtual time if simulated."""

    def sleep(self, seconds: float) -> None:
        """Let time pass on this cluster's clock."""

    def components(self) -> list[Component]: ...
    def resolve(self, target: str) -> Component:
        """The one component a target names now. Raises TargetError with what there is."""

    def active(self, role: str) -> Component:
        """The active member of a coordinator role, or etcd's leader."""

    def fault(self, kind: FaultKind, target: str | Component) -> AbstractContextManager[Fault]:
        """Inject a fault on entering the `with` block; leaving it undoes the fault and waits for health."""

    def inject(self, kind: FaultKind, target: str | Component) -> Fault:
        """Inject a fault that stays until it is undone. The target is resolved now, by its role now.

        Raises TargetError if the target names nothing or several components, FaultError if this engine
        cannot inject that kind or the component has a fault already.
        """

    def heal(self, component: str) -> Sentence:
        """Undo whatever fault a component has, by its name; what was done, in words."""

    def sessions(self) -> list[Session]:
        """What Milvus' processes keep in etcd now, by key; empty if no member of etcd answers."""

    def add(self, role: str) -> Component:
        """Start one more query node and wait until it is healthy. Raises FaultError for another role."""

    def remove(self, target: str | Component) -> Sentence:
        """Stop a query node for good, as a planned stop does; what was done, in words.

        Raises FaultError if it is the last one.
        A replica of which it was the only node does not answer until the collection is loaded again, while
        the other replicas serve (Milvus 2.3.5: 45 s later it had no other node, though one was free).
        """

    def events(self, since: float = 0.0) -> list[Event]: ...
    def wait_healthy(self, timeout: float = 60.0) -> float:
        """Wait until every component is healthy; the seconds it took. Raises NotReady after `timeout`."""

    def down(self) -> Sentence:
        """End the cluster, and remove what it keeps; what was done, in words."""

    def __enter__(self) -> Cluster: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None, /
    ) -> None: ...
