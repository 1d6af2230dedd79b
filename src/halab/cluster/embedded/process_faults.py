"""Faults of processes, and their undoing: a signal each, and a restart."""

from __future__ import annotations

import signal
import time

from halab.cluster.embedded.child_process import Child
from halab.cluster.embedded.process_table import ProcessTable
from halab.cluster.protocol import FaultKind

__all__ = ["ProcessFaults", "Refused"]

SIGNALS: dict[FaultKind, signal.Signals] = {
    "crash": signal.SIGKILL,
    "hang": signal.SIGSTOP,
    "stop": signal.SIGTERM,
}
GRACE = 15.0  # seconds a process has that is told to stop, before it is killed


class Refused(Exception):
    """What was asked for cannot be done; the text goes back to the client."""


class ProcessFaults:
    """Injects faults into the processes of a table, and undoes them."""

    def __init__(self, table: ProcessTable) -> None:
        self._table = table

    async def inject(self, child: Child, kind: FaultKind, target: str) -> float:
        """Inject a fault; when that was, seconds on the cluster's clock. `target` goes into the event.

        Raises Refused if the process has a fault already, is being restarted or down, or the kind is none of
        a process'.
        """
        if child.restarting:
            raise Refused(f"{child.name} is being restarted: wait until it is healthy")
        if child.fault:
            raise Refused(f"{child.name} already has a fault ({child.fault}): heal it first")
        if not child.running:
            raise Refused(f"{child.name} is down ({child.last_exit}): nothing to break")
        at = time.monotonic()
        if kind == "restart":
            await self._table.restart(child, GRACE, "user", "started", "restart")
        elif kind in SIGNALS:
            child.fault = kind
            child.signal(SIGNALS[kind])
            child.healthy = False
        else:
            raise Refused(f"unknown fault {kind!r}: crash, hang, stop or restart")
        self._table.record(child.name, f"fault:{kind}", "user", target)
        if kind == "crash":
            # A killed process is there until it is reaped; the next status must not show it as running.
            child.kill()
            child.reap()
            self._table.on_exit(child)
        return at

    async def undo(self, child: Child) -> None:
        """Undo a fault: continue what hangs, start what is gone. Without a fault, start what is down now.

        A restart under way, a kubelet's for instance, ends the fault by itself, and is only waited for.
        """
        if child.restarting:
            await self._table.wait_restarted(child)
            return
        fault, child.fault = child.fault, ""
        if fault == "hang" and child.running:
            child.signal(signal.SIGCONT)
            self._table.record(child.name, "continued", "user")
            return
        if fault == "stop" and child.running:
            # It was told to stop and has not ended yet. The fault stays while that is waited for, else the
            # exit would be recorded as Milvus' own, and the supervisor would start it again.
            child.fault = "stop"
            await self._table.wait_stopped(child, 1.0)
            child.fault = ""
        if child.reap() or not child.running:
            self._table.start(child, "user", "started", "fault undone")
