"""One look at a cluster of containers: Docker's state, etcd's sessions and leader, Milvus' own health."""

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
_LIST_EVERY = 1.0  # seconds between two lists of a project's containers; between them those known are asked
_STARTING = 20.0  # seconds in which "not healthy yet" is called starting
_ETCD = 2379
_MARGIN = 3.0  # seconds: etcd deletes a key up to a second after its lease has ended


@dataclass
class _Known:
    """What former looks saw of one container's run: whether it was ever well, and which session is stale."""

    started: float
    old_session: int
    well: bool = False
    pid: int | None = None


@dataclass
class StatusReader:
    """Looks at one project. Keeps from look to look only what a single one cannot tell."""

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
            self._listed = -1e9  # some are gone; the next look makes a new list
        return containers.containers(self.inspected)

    def components(self) -> list[Component]:
        """Every component with its health and its standing now."""
        found = self.containers()
        view, answered = _asking().run(_ask(found, containers.etcd_root(found)))
        made = [self._component(one, view, one.id in answered) for one in found]
        self._newest = max([self._newest, *view.sessions.values()])
        return made

    def sessions(self) -> list[Session]:
        found = self.containers()
        return _asking().run(_sessions(_endpoints(found), containers.etcd_root(found)))

    def forget(self) -> None:
        """Make a new list of the containers at the next look."""
        self._listed = -1e9

    def _component(self, one: Container, view: EtcdView, answered: bool) -> Component:
        known = self._known.get(one.id)
        if known is None or known.started != one.started:
            # A killed process' session stays until its lease ends: only a newer one shows that it is up.
            old = self._newest if known is not None and known.started else -1
            known = self._known[one.id] = _Known(one.started, old)
        member = _is_member(one, view, known)
        well = one.running and not one.cut_off and self._well(one, view, answered, member)
        known.well = known.well or well
        if known.pid is None or not psutil.pid_exists(known.pid):
            known.pid = containers.work_of(one)
        pid = known.pid if one.pid else None
        return Component(
            name=one.name,
            role=one.role,
            address=one.address if one.role in ("proxy", "etcd", "log", "objectstore") else one.session,
            pid=pid,
            health=_health(one, well, known.well),
            ha_state=_ha_state(one, view, member),
            memory=_memory(pid),
            uptime=containers.uptime(one),
            restarts=one.restarts,
            note=_note(one),
        )

    def _well(self, one: Container, view: EtcdView, answered: bool, member: bool) -> bool:
        if one.role == "etcd":
            return _endpoint(one) in view.members and bool(view.leader)
        if one.is_milvus:
            return member and answered
        return one.healthcheck in ("healthy", "")


def _is_member(one: Container, view: EtcdView, known: _Known) -> bool:
    """True if a session of this very run stands in etcd.

    A look takes a while, so a session may be taken for one of the run before. What still stands when a lease
    of that would have ended is renewed by somebody who lives.
    """
    number = view.sessions.get(one.session, -1)
    return number > known.old_session or (number >= 0 and containers.uptime(one) > one.lease + _MARGIN)


def _health(one: Container, well: bool, ever: bool) -> Health:
    if one.state == "paused":
        return "hung"
    if not one.running:
        return "starting" if one.state == "created" else "down"
    if well:
        return "healthy"
    young = containers.uptime(one) < _STARTING and not ever and not one.cut_off
    return "starting" if young else "unhealthy"


def _ha_state(one: Container, view: EtcdView, member: bool) -> HaState:
    if one.role == "etcd":
        if _endpoint(one) not in view.members:
            return ""
        return "leader" if _endpoint(one) == view.leader else "follower"
    if one.role in COORDINATORS and one.running and member:
        return "active" if view.active.get(one.role) == one.session else "standby"
    return ""


def _note(one: Container) -> str:
    if one.out_of_memory:
        return "was killed by the kernel: out of memory"
    if one.state == "restarting":
        return f"exited (status {one.exit_code}), Docker starts it again"
    return "started again by Docker" if one.restarts else ""


def _memory(pid: int | None) -> int:
    """Resident bytes; shared pages count in each process."""
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0


def _endpoint(one: Container) -> str:
    return f"127.0.0.1:{one.ports[_ETCD]}" if one.running and _ETCD in one.ports else ""


def _endpoints(found: list[Container]) -> list[str]:
    return [endpoint for one in found if one.role == "etcd" and (endpoint := _endpoint(one))]


async def _ask(found: list[Container], root: str) -> tuple[EtcdView, set[str]]:
    """What etcd says, and the ids of the containers whose Milvus says that it is well."""
    running = [one for one in found if one.running and METRICS in one.ports]
    async with _client() as client:
        asked = asyncio.gather(*(_says_well(client, one) for one in running))
        view, answers = await asyncio.gather(read_etcd(client, _endpoints(found), root), asked)
    return view, {one.id for one, well in zip(running, answers, strict=True) if well}


async def _sessions(endpoints: list[str], root: str) -> list[Session]:
    async with _client() as client:
        return await read_sessions(client, endpoints, root)


def _client() -> httpx.AsyncClient:
    # No TLS on loopback: making its context would take longer than all that is asked.
    return httpx.AsyncClient(timeout=1.0, trust_env=False, verify=False)


async def _says_well(client: httpx.AsyncClient, one: Container) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{one.ports[METRICS]}/healthz")).is_success
    except httpx.HTTPError:
        return False


class _Asking:
    """An event loop in a thread of its own: a notebook's own loop is busy with the cell that asks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="halab-asking", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@cache
def _asking() -> _Asking:
    return _Asking()
