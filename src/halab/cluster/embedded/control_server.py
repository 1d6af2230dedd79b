"""The supervisor's unix socket: requests of `EmbeddedCluster`, a JSON line each way.

A request names its operation as "op"; the answer is an object, or {"refused": why} if it cannot be served.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from halab.cluster.embedded.child_process import Child
from halab.cluster.embedded.health_monitor import HealthMonitor
from halab.cluster.embedded.process_faults import ProcessFaults, Refused
from halab.cluster.embedded.process_table import ProcessTable
from halab.cluster.protocol import Event

__all__ = ["ControlServer"]


class ControlServer:
    """Serves requests on a table. `status` gives the cluster's status, `shut_down` ends the supervisor.

    `shut_down` is called with True if the cluster's folder is to be kept.
    """

    def __init__(
        self,
        table: ProcessTable,
        health: HealthMonitor,
        status: Callable[[], dict[str, Any]],
        shut_down: Callable[[bool], None],
    ) -> None:
        self._table = table
        self._faults = ProcessFaults(table)
        self._health = health
        self._status = status
        self._shut_down = shut_down

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it hangs up."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                try:
                    answer = await self._answer(json.loads(line))
                except Refused as refusal:
                    answer = {"refused": str(refusal)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["op"]:
            case "status":
                if request.get("fresh"):
                    await self._health.check()
                return self._status()
            case "events":
                events = [event for event in self._table.events if event.time >= request["since"]]
                return {"events": [_fields(event) for event in events]}
            case "sessions":
                return {"sessions": [asdict(session) for session in await self._health.sessions()]}
            case "fault":
                child = self._child(request["name"])
                return {"at": await self._faults.inject(child, request["kind"], request.get("target", ""))}
            case "heal":
                await self._faults.undo(self._child(request["name"]))
                return {}
            case "replace":
                child = self._child(request["name"])
                await self._table.restart(child, request["grace"], "supervisor", "restarted", request["why"])
                return {}
            case "add":
                return {"name": self._table.add(request["role"], request["ports"]).name}
            case "remove":
                await self._remove(self._child(request["name"]))
                return {}
            case "down":
                self._shut_down(bool(request.get("keep")))
                return {}
            case unknown:
                raise Refused(f"unknown request {unknown!r}")

    def _child(self, name: str) -> Child:
        children = self._table.children
        if name not in children:
            raise Refused(f"there is no component {name!r}; there are {', '.join(children)}")
        return children[name]

    async def _remove(self, child: Child) -> None:
        if len(self._table.of_roles(child.process.role)) == 1:
            raise Refused(f"{child.name} is the last {child.process.role}")
        if child.fault:
            raise Refused(f"{child.name} has a fault ({child.fault}): heal it first")
        await self._table.remove(child)


def _fields(event: Event) -> list[Any]:
    return [event.time, event.component, event.kind, event.by, event.detail]
