"""What the engines that run real processes share: faults that last until undone, waiting, ending."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

from halab.cluster import targets
from halab.cluster.protocol import Component, Event, FaultKind, Session
from halab.errors import ClusterExists, FaultError, NotReady
from halab.models.validation import did_you_mean
from halab.tables import Sentence
from halab.translation import gettext

__all__ = [
    "USUAL_PROFILE", "USUAL_TTL", "InjectedFault", "RunningCluster", "check_fault_kind",
    "check_same_settings", "healed", "removed", "taken_down",
]  # fmt: skip

USUAL_PROFILE, USUAL_TTL = "ha", 10.0  # of a new cluster, if nothing else was asked for; TTL in seconds

_POLL = 0.1  # seconds between health checks while waiting


def check_fault_kind(kind: FaultKind, engine: str) -> None:
    """Raise FaultError unless the engine has this kind of fault; the error says which there are."""
    kinds = get_args(FaultKind)
    if kind not in kinds:
        raise FaultError(
            gettext("There is no fault {kind!r}.").format(kind=kind),
            hint=gettext("{did_you_mean}Choose one of: {kinds}.").format(
                did_you_mean=did_you_mean(kind, kinds), kinds=", ".join(kinds)
            ),
        )
    if engine == "embedded" and kind in ("partition", "mute"):
        raise FaultError(
            gettext("Processes that share one machine's loopback have no network of their own to cut."),
            hint=gettext('Containers have: halab.cluster(engine="compose"), or halab up --engine compose.'),
        )
    if engine == "simulated" and kind in ("partition", "mute"):
        raise FaultError(
            gettext("A cut network is not simulated: no measurement of one stands behind the model."),
            hint=gettext('Cut a real network: halab.cluster(engine="compose").'),
        )


def check_same_settings(
    name: str, running: tuple[str, float], profile: str | None, ttl: float | None
) -> None:
    """Raise ClusterExists unless the profile and TTL (seconds) that were asked for are those of the one that
    runs. None was not asked for: then it is used as it is."""
    asked = (profile or running[0], ttl or running[1])
    if running != asked:
        raise ClusterExists(
            gettext(
                "A cluster {name!r} is running with profile {profile} and TTL {ttl:g} s; asked for "
                "profile {other_profile} and TTL {other_ttl:g} s."
            ).format(
                name=name, profile=running[0], ttl=running[1], other_profile=asked[0], other_ttl=asked[1]
            ),
            hint=gettext(
                "Take it down (in a notebook cluster.down(), in a terminal halab down --name {name}) "
                'or use another name: halab.cluster("lab-2").'
            ).format(name=name),
        )


def healed(component: str) -> Sentence:
    return Sentence(
        gettext(
            "{component}: its fault is undone. cluster.wait_healthy() waits until it serves again."
        ).format(component=component)
    )


def removed(component: str) -> Sentence:
    return Sentence(
        gettext("{component} was stopped for good, and belongs to the cluster no more.").format(
            component=component
        )
    )


def taken_down(name: str) -> Sentence:
    return Sentence(
        gettext("Cluster {name!r} is down: none of its processes runs, and its data is gone.").format(
            name=name
        )
    )


@dataclass
class InjectedFault:
    """A fault on a cluster that runs (see `halab.cluster.protocol.Fault`)."""

    cluster: RunningCluster
    kind: FaultKind
    target: str
    component: str
    at: float
    undone_at: float | None = None

    def undo(self) -> None:
        """Continue, start or connect the component again, with its own settings. Twice is once."""
        if self.undone_at is None:
            self.undone_at = time.monotonic()
            if self.kind != "restart":
                self.cluster.heal(self.component)


class RunningCluster(ABC):
    """A cluster of real processes (see `halab.cluster.protocol.Cluster`), and what only such a one can do.

    `owned` is True if this process started it and is to take it down.
    """

    name: str
    profile: str
    owned: bool
    engine: Literal["embedded", "compose"]
    simulation: None = None

    @property
    @abstractmethod
    def ttl(self) -> float:
        """Session TTL, seconds."""

    @property
    def folder(self) -> Path | None:
        """The folder that is made and removed with this cluster; None if its engine has none."""
        return None

    @property
    @abstractmethod
    def versions(self) -> Mapping[str, str]: ...
    @property
    @abstractmethod
    def uri(self) -> str: ...

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    # -- status -------------------------------------------------------------------------------------------

    @abstractmethod
    def status(self, *, fresh: bool = False) -> dict[str, Any]:
        """Phase and components, as `halab status --json` prints them: times in seconds, memory in bytes.

        `fresh` asks every component now; without it the last answers are taken, at most a second old.
        """

    @abstractmethod
    def components(self) -> list[Component]: ...
    def resolve(self, target: str) -> Component:
        return targets.resolve(self.components(), target)

    def active(self, role: str) -> Component:
        return self.resolve(f"{'leader' if role == 'etcd' else 'active'} {role}")

    @abstractmethod
    def events(self, since: float = 0.0) -> list[Event]: ...
    @abstractmethod
    def sessions(self) -> list[Session]:
        """What Milvus' processes keep in etcd now, by key; empty if no member of etcd answers."""

    def logs(self, component: str, lines: int = 50) -> str:
        """The last lines a component wrote."""
        return self._tail(self.resolve(component).name, lines, width=2000)

    @abstractmethod
    def _tail(self, name: str, lines: int = 8, width: int = 300) -> str:
        """The last lines that the component of this name wrote, each cut to `width` characters."""

    @abstractmethod
    def loopback_port(self, component: str, port: int) -> int:
        """The port of 127.0.0.1 where Milvus' own `port` (9091, 19530) of a component is now, or 0."""

    def _resolve_target(self, target: str | Component) -> tuple[Component, str]:
        """The component that a target names now, and the words that named it."""
        return (self.resolve(target), target) if isinstance(target, str) else (target, target.name)

    # -- faults -------------------------------------------------------------------------------------------

    @abstractmethod
    def inject(self, kind: FaultKind, target: str | Component) -> InjectedFault:
        """Inject a fault that stays until it is undone. The target is resolved now, by its role now."""

    @contextmanager
    def fault(self, kind: FaultKind, target: str | Component) -> Iterator[InjectedFault]:
        """Inject a fault; on leaving it is undone and the cluster is healthy again.

        It waits for health before the fault too: what a fault does to a cluster that is already broken says
        nothing about the fault.
        """
        self.wait_healthy()
        fault = self.inject(kind, target)
        try:
            yield fault
        finally:
            fault.undo()
            self.wait_healthy()

    @abstractmethod
    def heal(self, component: str) -> Sentence:
        """Undo a fault on a component by its name, or start it if it is down; what was done, in words."""

    @abstractmethod
    def replace(self, component: str, grace: float, why: str) -> None:
        """End a component's process and start it anew, whatever fault it has; the fault ends with it.

        It is told to stop, and killed if it has not after `grace` seconds (at most 50). Raises FaultError for
        a component that does not exist.
        """

    @abstractmethod
    def slow(self, role: str, share: float, period: float) -> AbstractContextManager[None]:
        """Let each process of a role have this share of a core only, while the block runs."""

    def wait_healthy(self, timeout: float = 60.0) -> float:
        """Wait until every component is healthy, checked ten times a second; the seconds it took.

        Raises NotReady after `timeout` seconds, with what the first unhealthy component wrote last.
        """
        began = time.monotonic()
        while True:
            unhealthy = [part for part in self.components() if part.health != "healthy"]
            waited = time.monotonic() - began
            if not unhealthy:
                return waited
            if waited > timeout:
                raise NotReady(
                    gettext("Awaited every component healthy; after {waited:.0f} s these are not: ").format(
                        waited=waited
                    )
                    + "; ".join(
                        gettext("{name} is {health} ({note})").format(
                            name=part.name, health=part.health, note=part.note or gettext("no note")
                        )
                        for part in unhealthy
                    )
                    + gettext(". {name} last wrote:\n{tail}").format(
                        name=unhealthy[0].name, tail=self._tail(unhealthy[0].name)
                    ),
                    hint=gettext("Start it again with: halab restart --name {name} {component}").format(
                        name=self.name, component=unhealthy[0].name
                    ),
                )
            time.sleep(_POLL)

    # -- scaling and ending -------------------------------------------------------------------------------

    @abstractmethod
    def add(self, role: str) -> Component:
        """Start one more query node and wait until it is healthy. Raises FaultError, NotReady."""

    @abstractmethod
    def remove(self, target: str | Component) -> Sentence:
        """Stop a query node for good, as a planned stop does; what was done, in words.

        Raises FaultError if it is the last one.
        """

    @abstractmethod
    def down(self) -> Sentence:
        """End every process of the cluster, and remove what it keeps; what was done, in words."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self.owned:
            self.down()
