"""Whether each process of a cluster is healthy, and which leads: asked of etcd and of the process itself."""

from __future__ import annotations

import asyncio
import time

import httpx

from halab.cluster.embedded.child_process import Child
from halab.cluster.embedded.process_table import ProcessTable
from halab.cluster.embedded.settings import brokers_of
from halab.cluster.etcd import read_etcd, read_sessions
from halab.cluster.protocol import COORDINATORS, HaState, Health, Session

__all__ = ["HealthMonitor", "health_of"]

START_GRACE = 20.0  # seconds in which "not healthy yet" is called starting


def health_of(child: Child) -> Health:
    """A process' health in a word, from its last check.

    A hang is known by the fault that was injected, SIGSTOP: the process is there, and its port accepts. A
    crash or a stop leaves no process, so that one is down; one that was never started waits for its turn.
    """
    if child.fault == "hang" and child.running:
        return "hung"
    if not child.running:
        return "down" if child.started else "waiting"
    if child.healthy:
        return "healthy"
    young = time.monotonic() - child.started < START_GRACE and not child.ever_healthy
    return "starting" if young else "unhealthy"


class HealthMonitor:
    """Checks every process of a table, and writes what it finds into their `Child`."""

    def __init__(self, table: ProcessTable, client: httpx.AsyncClient) -> None:
        self.checked = 0.0  # when the last complete check began (`time.monotonic`)
        self._table = table
        self._client = client
        self._led: dict[str, str] = {}  # who led last, by role

    async def check(self) -> None:
        """Read etcd once, then ask every process at the same time."""
        began = time.monotonic()
        spec = self._table.spec
        self._table.etcd = await read_etcd(self._client, spec.etcd_endpoints(), spec.prefix)
        await asyncio.gather(*(self._check_child(child) for child in self._table.children.values()))
        self.checked = began

    async def note_takeovers(self) -> None:
        """Read etcd, and record each member that leads where another one did.

        Apart from `check`, which waits up to a second for processes that do not answer.
        """
        spec = self._table.spec
        self._table.etcd = await read_etcd(self._client, spec.etcd_endpoints(), spec.prefix)
        for child in self._table.children.values():
            state, role = self._ha_state(child), child.process.role
            if state not in ("active", "leader"):
                continue
            before, self._led[role] = self._led.get(role, child.name), child.name
            if before != child.name:
                self._table.record(child.name, state, "milvus", f"took over from {before}")

    async def sessions(self) -> list[Session]:
        """What Milvus' processes keep in etcd now, by key; empty if no member of etcd answers."""
        spec = self._table.spec
        return await read_sessions(self._client, spec.etcd_endpoints(), spec.prefix)

    async def _check_child(self, child: Child) -> None:
        popen = child.popen
        # A process stopped by SIGSTOP is not asked: its port still accepts, and each request would time out.
        healthy = child.running and child.fault != "hang" and await self._answers(child)
        if child.popen is not popen:
            return  # it was replaced meanwhile: this answer is not about the new one
        child.healthy = healthy
        child.ever_healthy = child.ever_healthy or healthy
        child.ha_state = self._ha_state(child)

    async def _answers(self, child: Child) -> bool:
        role, ports = child.process.role, child.process.ports
        if role == "etcd":
            etcd = self._table.etcd
            return self._table.address(child) in etcd.members and bool(etcd.leader)
        if role == "log":
            brokers = brokers_of(self._table.spec.folder)
            return bool(brokers) and await _accepts(brokers[0])
        if role == "objectstore":
            return await self._http_ok(ports["filer"], "/") and await _accepts(f"127.0.0.1:{ports['s3']}")
        # /healthz alone is too shallow: measured on 2.3.5, it says OK while etcd is lost for half a minute.
        return self._table.has_session(child) and await self._http_ok(ports["metrics"], "/healthz")

    async def _http_ok(self, port: int, path: str) -> bool:
        try:
            return (await self._client.get(f"http://127.0.0.1:{port}{path}")).is_success
        except httpx.HTTPError:
            return False

    def _ha_state(self, child: Child) -> HaState:
        role, address, etcd = child.process.role, self._table.address(child), self._table.etcd
        if role == "etcd":
            if address not in etcd.members:
                return ""
            return "leader" if address == etcd.leader else "follower"
        if role in COORDINATORS and child.running and self._table.has_session(child):
            return "active" if etcd.active.get(role) == address else "standby"
        return ""


async def _accepts(address: str) -> bool:
    """Whether a connection to host:port is accepted within a second."""
    host, port = address.rsplit(":", 1)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
