"""The status of a cluster of containers: Docker's state, etcd's sessions and leader, Milvus' own health."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import httpx
import psutil

from halab.cluster.compose import containers
from halab.cluster.compose.containers import METRICS, Container
from halab.cluster.compose.docker import Docker
from halab.cluster.etcd import EtcdView, read_etcd, read_sessions
from halab.cluster.protocol import COORDINATORS, Component, HaState, Health, Session

__all__ = ["StatusReader"]

Found = TypeVar("Found")
_LIST_EVERY = 1.0  # seconds between two `docker ps`; in between, the containers known are inspected
_STARTING = 20.0  # seconds in which "not healthy yet" is called starting
_ETCD = 2379
_MARGIN = 3.0  # seconds: etcd deletes a key up to a second after its lease has ended


@dataclass
class _Known:
    """What is remembered of a container's run: whether it was ever healthy, and which session is stale."""

    started: float
    old_session: int
    ever_healthy: bool = False
    pid: int | None = None


@dataclass
class StatusReader:
    """Reads the status of one project; keeps from one reading to the next only what one cannot tell."""

    docker: Docker
    project: str
    inspected: list[dict[str, Any]] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _listed: float = -1e9
    _known: dict[str, _Known] = field(default_factory=dict)
    _newest: int = -1  # the highest server id of any session seen so far

    def containers(self) -> list[Container]:
        """The containers as they are now."""
        if time.monotonic() - self._listed > _LIST_EVERY:
            self._ids, self._listed = self.docker.ids(self.project), time.monotonic()
        self.inspected = self.docker.inspect(self._ids)
        if len(self.inspected) < len(self._ids):
            self._listed = -1e9  # some no longer exist: list them anew next time
        return containers.parse_containers(self.inspected)

    def components(self) -> list[Component]:
        """Every component with its health and its HA state now."""
        members = self.containers()
        view, answered = _background_loop().run(_ask(members, containers.etcd_root(members)))
        components = [self._component(container, view, container.id in answered) for container in members]
        self._newest = max([self._newest, *view.sessions.values()])
        return components

    def sessions(self) -> list[Session]:
        members = self.containers()
        return _background_loop().run(_sessions(_endpoints(members), containers.etcd_root(members)))

    def forget(self) -> None:
        """List the containers anew at the next reading."""
        self._listed = -1e9

    def _component(self, container: Container, view: EtcdView, answered: bool) -> Component:
        known = self._known.get(container.id)
        if known is None or known.started != container.started:
            # A killed process' session stays until its lease ends: only a newer one shows that it is up.
            old = self._newest if known is not None and known.started else -1
            known = self._known[container.id] = _Known(container.started, old)
        member = _is_member(container, view, known)
        healthy = container.running and not container.cut_off and _healthy(container, view, answered, member)
        known.ever_healthy = known.ever_healthy or healthy
        if known.pid is None or not psutil.pid_exists(known.pid):
            known.pid = containers.main_pid(container)
        pid = known.pid if container.pid else None
        return Component(
            name=container.name,
            role=container.role,
            address=container.address
            if container.role in ("proxy", "etcd", "log", "objectstore")
            else container.session,
            pid=pid,
            health=_health(container, healthy, known.ever_healthy),
            ha_state=_ha_state(container, view, member),
            memory=_memory(pid),
            uptime=containers.uptime(container),
            restarts=container.restarts,
            note=_note(container),
        )


def _healthy(container: Container, view: EtcdView, answered: bool, member: bool) -> bool:
    if container.role == "etcd":
        return _endpoint(container) in view.members and bool(view.leader)
    if container.is_milvus:
        return member and answered
    return container.healthcheck in ("healthy", "")


def _is_member(container: Container, view: EtcdView, known: _Known) -> bool:
    """True if etcd holds a session of this very run.

    A reading takes a while, so a new session may be mistaken for one of the run before. One that is still
    there when the lease of that run would have expired is being renewed, and so belongs to this run.
    """
    number = view.sessions.get(container.session, -1)
    return number > known.old_session or (
        number >= 0 and containers.uptime(container) > container.lease + _MARGIN
    )


def _health(container: Container, healthy: bool, ever_healthy: bool) -> Health:
    if container.state == "paused":
        return "hung"
    if not container.running:
        return "waiting" if container.state == "created" else "down"
    if healthy:
        return "healthy"
    young = containers.uptime(container) < _STARTING and not ever_healthy and not container.cut_off
    return "starting" if young else "unhealthy"


def _ha_state(container: Container, view: EtcdView, member: bool) -> HaState:
    if container.role == "etcd":
        if _endpoint(container) not in view.members:
            return ""
        return "leader" if _endpoint(container) == view.leader else "follower"
    if container.role in COORDINATORS and container.running and member:
        return "active" if view.active.get(container.role) == container.session else "standby"
    return ""


def _note(container: Container) -> str:
    if container.out_of_memory:
        return "was killed by the kernel: out of memory"
    if container.state == "restarting":
        return f"exited (status {container.exit_code}), Docker starts it again"
    return "started again by Docker" if container.restarts else ""


def _memory(pid: int | None) -> int:
    """Resident bytes; shared pages count in each process."""
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0


def _endpoint(container: Container) -> str:
    return f"127.0.0.1:{container.ports[_ETCD]}" if container.running and _ETCD in container.ports else ""


def _endpoints(members: list[Container]) -> list[str]:
    return [
        endpoint for container in members if container.role == "etcd" and (endpoint := _endpoint(container))
    ]


async def _ask(members: list[Container], root: str) -> tuple[EtcdView, set[str]]:
    """What etcd holds, and the ids of the containers whose Milvus answers its health probe."""
    running = [container for container in members if container.running and METRICS in container.ports]
    async with _client() as client:
        asked = asyncio.gather(*(_answers(client, container) for container in running))
        view, answers = await asyncio.gather(read_etcd(client, _endpoints(members), root), asked)
    return view, {container.id for container, answer in zip(running, answers, strict=True) if answer}


async def _sessions(endpoints: list[str], root: str) -> list[Session]:
    async with _client() as client:
        return await read_sessions(client, endpoints, root)


def _client() -> httpx.AsyncClient:
    # No TLS on loopback: making its context would take longer than all the requests.
    return httpx.AsyncClient(timeout=1.0, trust_env=False, verify=False)


async def _answers(client: httpx.AsyncClient, container: Container) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{container.ports[METRICS]}/healthz")).is_success
    except httpx.HTTPError:
        return False


class _BackgroundLoop:
    """An event loop in a thread of its own: a notebook's own loop is busy with the cell that calls."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="halab-status", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@cache
def _background_loop() -> _BackgroundLoop:
    return _BackgroundLoop()
