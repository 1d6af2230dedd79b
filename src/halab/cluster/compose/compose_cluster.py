"""`ComposeCluster`: a cluster of containers that runs, and what can be done with it.

Its containers belong to the Compose project `halab-NAME`; no other is ever touched. Which faults there are
is read from Docker itself (paused, stopped, without a network), so a fault made by hand is seen and healed.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from halab.cluster.compose import projects
from halab.cluster.compose.container_faults import GRACE, ContainerFaults
from halab.cluster.compose.containers import (
    Container,
    balancer_port,
    milvus_of,
    parse_containers,
    profile_of,
)
from halab.cluster.compose.docker import Docker, find_docker
from halab.cluster.compose.docker_events import Action, ActionLog, EventListener, history
from halab.cluster.compose.status_reader import StatusReader
from halab.cluster.protocol import Actor, Component, Event, FaultKind, Session, check_extendable
from halab.cluster.running_cluster import (
    InjectedFault,
    RunningCluster,
    check_fault_kind,
    healed,
    removed,
    taken_down,
)
from halab.errors import ClusterError, ClusterNotFound, FaultError
from halab.tables import Sentence
from halab.translation import gettext

__all__ = ["ComposeCluster", "attach"]

_POLL = 0.1  # seconds between looks while waiting


class ComposeCluster(RunningCluster):
    """Milvus in containers of the course's own Compose file (see `halab.cluster.protocol.Cluster`).

    Made by `start` or `attach`. `owned` is True if this process started it and is to take it down. `milvus`
    is the line whose roles it has: "2.5", "2.6" or "3.0".
    """

    engine: Literal["compose"] = "compose"

    def __init__(self, docker: Docker, name: str, owned: bool = False) -> None:
        self.docker = docker
        self.name = name
        self.owned = owned
        self._reader = StatusReader(docker, projects.project(name))
        containers = self._reader.containers()
        self.profile = profile_of(containers)
        self.milvus = milvus_of(containers)
        self._since = min(
            (container.started for container in containers if container.started), default=time.time()
        )
        self._action_log = ActionLog(projects.folder(name))
        self._faults = ContainerFaults(docker, projects.project(name), projects.folder(name))
        self._listener = EventListener(docker, projects.project(name), self._since)
        self._milvus = ""
        self._ttl = 0.0

    @property
    def uri(self) -> str:
        """The balancer's address; in front of one proxy only, that one's."""
        return f"http://127.0.0.1:{balancer_port(self._reader.inspected)}"

    @property
    def ttl(self) -> float:
        """As etcd grants it to the sessions, seconds."""
        if not self._ttl:
            self._ttl = next((session.granted for session in self.sessions() if session.granted), 0.0)
        return self._ttl

    @property
    def versions(self) -> dict[str, str]:
        """The versions that Milvus and Docker report themselves: an image's tag is only a name."""
        if not self._milvus:
            versions = [json.loads(session.value).get("Version") for session in self.sessions()]
            self._milvus = next((version for version in versions if version), "")
        return {"milvus": self._milvus or "unknown", self.docker.product: self.docker.version}

    # -- status -------------------------------------------------------------------------------------------

    def status(self, *, fresh: bool = True) -> dict[str, Any]:
        """What `halab status --json` prints; times in seconds, memory in bytes. It is always fresh."""
        components = self.components()
        healthy = all(component.health == "healthy" for component in components)
        return {
            "phase": "ready" if healthy else "running, not all healthy",
            "error": "",
            "elapsed": time.time() - self._since,
            "disk": 0,
            "components": [component.as_dict() for component in components],
        }

    def components(self) -> list[Component]:
        components = self._reader.components()
        if not components:
            raise ClusterNotFound(
                gettext("The cluster {name!r} has no containers any more: it was taken down.").format(
                    name=self.name
                ),
                hint=gettext(
                    "Start it again: halab.cluster() and a new Retriever in a notebook, "
                    "halab up in a terminal."
                ),
            )
        faults = {
            container.name: fault
            for container in parse_containers(self._reader.inspected)
            if (fault := self._faults.fault_of(container))
        }
        return [
            replace(component, note=f"fault: {faults[component.name]}")
            if component.name in faults
            else component
            for component in components
        ]

    def events(self, since: float = 0.0) -> list[Event]:
        actions = [action for action in self._action_log.read() if action.until >= self._since]
        names = {container.id: container.name for container in self._reader.containers()}
        names |= {action.id: action.component for action in actions}  # removed ones too
        merged = history(self._listener.events(), actions, names)
        return [event for event in merged if event.time >= since]

    def sessions(self) -> list[Session]:
        return self._reader.sessions()

    def loopback_port(self, component: str, port: int) -> int:
        """The port of 127.0.0.1 that leads to a port of a component now, or 0; it changes with a restart."""
        return self._container(component).ports.get(port, 0)

    def _container(self, component: str) -> Container:
        containers = self._reader.containers()
        for container in containers:
            if container.name == component:
                return container
        raise FaultError(
            gettext("There is no component {component!r} in the cluster {name!r}.").format(
                component=component, name=self.name
            ),
            hint=gettext("There is: {components}.").format(
                components=", ".join(container.name for container in containers)
            ),
        )

    def _tail(self, name: str, lines: int = 8, width: int = 300) -> str:
        return self.docker.last_lines(self._container(name).id, lines, width)

    # -- faults -------------------------------------------------------------------------------------------

    def inject(self, kind: FaultKind, target: str | Component) -> InjectedFault:
        """Inject a fault that stays until it is undone. The target is resolved now, by its role now."""
        check_fault_kind(kind, self.engine)
        component, asked = self._resolve_target(target)
        container = self._container(component.name)
        if fault := self._faults.fault_of(container):
            raise FaultError(
                gettext("{component} already has a fault ({fault}).").format(
                    component=container.name, fault=fault
                ),
                hint=_heal_first(container),
            )
        if not container.running:
            raise FaultError(
                gettext("{component} is down: nothing to break.").format(component=container.name),
                hint=gettext("Look at: halab status"),
            )
        began = time.time()
        self._faults.inject(kind, container)
        # The command may take long on a busy machine; Docker's event says when it took effect.
        at = self._listener.first(container.id, began) or time.time()
        action = Action(began, at, time.time(), container.id, container.name, f"fault:{kind}", "user", asked)
        self._action_log.write(action)
        return InjectedFault(self, kind, asked, container.name, time.monotonic() - (time.time() - at))

    def heal(self, component: str) -> Sentence:
        """Undo a fault on a component by its name, or start it if it is down."""
        container, began = self._container(component), time.time()
        last = next(
            (action.kind for action in reversed(self._action_log.read()) if action.id == container.id), ""
        )
        done = self._faults.undo(container, stopping=last == "fault:stop")
        self._action_log.write(
            Action(began, began, time.time(), container.id, container.name, done, "user", "fault undone")
        )
        return healed(container.name)

    def replace(self, component: str, grace: float, why: str) -> None:
        """End a component's process and start it anew, whatever fault it has; the fault ends with it.

        It is told to stop, and killed if it has not after `grace` seconds (at most 50). Raises FaultError for
        a component that does not exist.
        """
        container = self._container(component)
        with self._action(container, "restarted", "supervisor", why):
            self._faults.replace(container, min(grace, 50.0))

    @contextmanager
    def _action(
        self, container: Container, kind: str, by: Actor = "user", detail: str = ""
    ) -> Iterator[None]:
        began = time.time()
        yield
        self._action_log.write(
            Action(began, began, time.time(), container.id, container.name, kind, by, detail)
        )

    # -- scaling ------------------------------------------------------------------------------------------

    def add(self, role: str) -> Component:
        """Start one more query node and wait until it is healthy.

        It is one more container of the last query node's service, so it has the same definition. Raises
        FaultError for another role, NotReady if the cluster does not become healthy.
        """
        check_extendable(role)
        before = {container.name for container in self._nodes(role)}
        service = max(
            (container.service for container in self._nodes(role)), key=lambda name: (len(name), name)
        )
        copies = sum(container.service == service for container in self._nodes(role)) + 1
        self._compose(
            "up", "--detach", "--no-deps", "--no-recreate", "--scale", f"{service}={copies}", service
        )
        self._reader.forget()
        new = next(container for container in self._nodes(role) if container.name not in before)
        with self._action(new, "added"):
            pass
        self.wait_healthy()
        return self.resolve(new.name)

    def remove(self, target: str | Component) -> Sentence:
        """Stop a query node for good, as a planned stop does; that lasts until it has handed over its data.

        Raises FaultError if it is no query node, has a fault or is the last one.
        """
        component, _ = self._resolve_target(target)
        check_extendable(component.role)
        container = self._container(component.name)
        if len(self._nodes(container.role)) == 1:
            raise FaultError(
                gettext("{component} is the last query node.").format(component=container.name),
                hint=gettext("Add another one first."),
            )
        if fault := self._faults.fault_of(container):
            raise FaultError(
                gettext("{component} has a fault ({fault}).").format(component=container.name, fault=fault),
                hint=_heal_first(container),
            )
        with self._action(container, "removed"):
            self.docker.run("stop", f"--time={GRACE:.0f}", container.id)
            self.docker.run("rm", "--volumes", container.id)
        self._reader.forget()
        return removed(container.name)

    def _nodes(self, role: str) -> list[Container]:
        return [container for container in self._reader.containers() if container.role == role]

    @contextmanager
    def slow(self, role: str, share: float, period: float) -> Iterator[None]:
        """Let each container of a role have this share of a core only, while the block runs.

        It is a quota of its cgroup, renewed every 100 ms: `period` is not used.
        """
        nodes = self._nodes(role)
        self.docker.run("update", f"--cpus={share:g}", *(container.id for container in nodes))
        try:
            yield
        finally:
            for container in nodes:
                # Docker reads 0 as "unchanged": a container that had no limit gets all the cores there are.
                self.docker.run(
                    "update", f"--cpus={container.cpus or os.cpu_count() or 1:g}", container.id, check=False
                )

    def _compose(self, *arguments: str) -> None:
        image = next(container.image for container in self._reader.containers() if container.is_milvus)
        port = balancer_port(self._reader.inspected)
        environment = projects.settings(self.profile, self.ttl, port, self.milvus, image)
        command = self.docker.compose(projects.project(self.name), projects.file(self.milvus), *arguments)
        ended = subprocess.run(
            command, env=self.docker.environment(**environment), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ended.returncode:
            raise ClusterError(
                gettext("`docker compose {command}` failed:\n{output}").format(
                    command=arguments[0], output=ended.stderr.strip()[-1000:]
                ),
                hint=gettext("Run: halab doctor"),
            )

    # -- ending -------------------------------------------------------------------------------------------

    def down(self) -> Sentence:
        """Remove every container, network and volume of the cluster."""
        self._listener.close()
        projects.remove(self.name, self.docker)
        return taken_down(self.name)

    def __repr__(self) -> str:
        milvus = self.versions["milvus"]
        where = f"Milvus {milvus} at {self.uri}, TTL {self.ttl:g} s"
        return f"<{self.profile} cluster {self.name!r} in containers: {where}>"


def _heal_first(container: Container) -> str:
    return gettext("First: halab heal {component}").format(component=container.name)


def attach(name: str = "course") -> ComposeCluster:
    """The running cluster of that name, however it was started. Raises ClusterNotFound, ClusterError."""
    docker = find_docker()
    if name not in projects.names(docker):
        there = ", ".join(projects.names(docker)) or gettext("none")
        raise ClusterNotFound(
            gettext("No cluster {name!r} runs in containers (running: {running}).").format(
                name=name, running=there
            ),
            hint=gettext("Start it with: halab up --engine compose"),
        )
    return ComposeCluster(docker, name)
