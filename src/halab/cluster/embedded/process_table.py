"""The processes of one cluster: starts, stops and restarts them, and records every change as an event.

Milvus roles exit by design (a session lost, a dependency late) and expect to be started again: in production
Kubernetes does that, here `ProcessTable.watch_exits`. An event's `by` says who caused it, so that a restart
from here is never mistaken for recovery by Milvus.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from halab.cluster.embedded import orphan_killer
from halab.cluster.embedded.binaries import find_binaries
from halab.cluster.embedded.child_process import Child
from halab.cluster.embedded.settings import brokers_of, command, write_settings
from halab.cluster.embedded.spec import ClusterSpec, Process
from halab.cluster.etcd import EtcdView
from halab.cluster.protocol import Actor, Event
from halab.translation import gettext

__all__ = ["TICK", "BackgroundTasks", "ProcessTable"]

TICK = 0.05  # seconds between looks for ended processes
BACKOFF = (0.1, 0.3, 1.0, 2.0, 4.0)  # seconds before a restart, by exits in a row


class BackgroundTasks:
    """Coroutines that run beside the others; `on_error` gets the text of an exception that ends one."""

    def __init__(self, on_error: Callable[[str], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            text = f"{type(error).__name__}: {error}"
            print(text, file=sys.stderr, flush=True)
            self._on_error(text)


class ProcessTable:
    """The processes of one cluster by name, and what has happened to them."""

    def __init__(self, spec: ClusterSpec, tasks: BackgroundTasks) -> None:
        self.spec = spec
        self.binaries = find_binaries()
        self.children = {process.name: self._child(process) for process in spec.processes}
        self.events: list[Event] = []
        self.etcd = EtcdView()  # as the health monitor saw it last
        self.brokers: list[str] = []  # where the log answers; empty until it has come up for the first time
        self.readiness_check: subprocess.Popen[bytes] | None = None  # not a component, but ends with them
        self._tasks = tasks

    def _child(self, process: Process) -> Child:
        return Child(process, command(process, self.spec, self.binaries))

    # -- which processes ----------------------------------------------------------------------------------

    def of_roles(self, *roles: str) -> list[Child]:
        """The processes of these roles; without roles, every process."""
        return [child for child in self.children.values() if not roles or child.process.role in roles]

    def healthy(self, *roles: str) -> bool:
        """True if every process of these roles was healthy at the last check; without roles, all of them."""
        return all(child.healthy for child in self.of_roles(*roles))

    def address(self, child: Child) -> str:
        """Where a component's clients reach it, as host:port."""
        if child.process.role == "log":
            return (self.brokers or ["-"])[0]
        return f"127.0.0.1:{child.process.port}"

    def has_session(self, child: Child) -> bool:
        """True if etcd holds a session of this run of a process, not only one that a former run left."""
        return self.etcd.sessions.get(_session_address(child), -1) > child.old_session

    # -- starting and stopping ----------------------------------------------------------------------------

    def start(self, child: Child, by: Actor, kind: str, detail: str = "") -> None:
        """Start a process that does not run, and record that as an event."""
        if child.process.role == "log":
            (child.command.cwd / "log.json").unlink(missing_ok=True)
            if self.brokers:
                self._tasks.start(self._follow_log())
        # A killed process' session stays until its lease ends: only a newer one shows that this one is up.
        child.old_session = max(child.old_session, self.etcd.sessions.get(_session_address(child), -1))
        child.start()
        self.record_pids()
        self.record(child.name, kind, by, detail)

    async def stop(self, child: Child, grace: float) -> None:
        """Tell a process to stop (SIGTERM), and kill it if it still runs after `grace` seconds.

        Its fault is "stop" from then on, so that nothing starts it again; a caller that does clears it.
        """
        child.fault = "stop"
        child.signal(signal.SIGTERM)
        await self.wait_stopped(child, grace)

    async def wait_stopped(self, child: Child, grace: float) -> None:
        """Wait for a process that was told to stop; after `grace` seconds, kill it."""
        until = time.monotonic() + grace
        while child.running and time.monotonic() < until:  # `watch_exits` reaps it meanwhile
            await asyncio.sleep(TICK)
        if child.running:
            child.kill()
            child.reap()
            self.record(
                child.name,
                "killed",
                "supervisor",
                gettext("did not stop within {grace:g} s").format(grace=grace),
            )

    async def restart(self, child: Child, grace: float, by: Actor, kind: str, why: str) -> None:
        """Stop a process, in whatever state it is, and start it anew; a fault that it has ends with it.

        One that is being restarted already is only waited for.
        """
        if child.restarting:
            await self.wait_restarted(child)
            return
        child.restarting = True
        try:
            await self.stop(child, grace)
            child.fault = ""
            self.start(child, by, kind, why)
        finally:
            child.restarting = False

    async def wait_restarted(self, child: Child) -> None:
        """Wait until a process that is being restarted has been started."""
        while child.restarting:
            await asyncio.sleep(TICK)

    def add(self, role: str, ports: list[int]) -> Child:
        """Start one more process of a role; it belongs to the cluster from now on."""
        process = self.spec.spare(role, ports)
        self.spec.processes.append(process)
        self.spec.save()
        child = self.children[process.name] = self._child(process)
        self.start(child, "user", "added")
        return child

    async def remove(self, child: Child) -> None:
        """Stop a process as a planned stop does, and take it out of the cluster."""
        await self.stop(child, 15.0)
        child.reap()
        del self.children[child.name]
        self.spec.processes.remove(child.process)
        self.spec.save()
        self.record_pids()
        self.record(child.name, "removed", "user")

    def kill_all(self) -> None:
        """Kill every process, and wait until each has ended."""
        for child in self.children.values():
            child.signal(signal.SIGKILL)  # all at once, so that none lives on while another is waited for
        for child in self.children.values():
            child.kill()
        if self.readiness_check is not None:
            self.readiness_check.kill()
            self.readiness_check.wait()

    # -- exits --------------------------------------------------------------------------------------------

    async def watch_exits(self) -> None:
        """Notice processes that have ended, and start again those that ended by themselves."""
        while True:
            for child in self.children.values():
                if child.reap():
                    self.on_exit(child)
                if child.next_start is not None and time.monotonic() >= child.next_start and not child.fault:
                    child.restarts += 1
                    self.start(child, "supervisor", "restarted", f"after it exited ({child.last_exit})")
            await asyncio.sleep(TICK)

    def on_exit(self, child: Child) -> None:
        """Record the end of a process; without a fault it is due to be started again after a backoff."""
        if child.fault:
            self.record(child.name, "ended", "user", child.last_exit)
            return
        child.next_start = time.monotonic() + BACKOFF[min(child.failures, len(BACKOFF)) - 1]
        self.record(child.name, "exited", "milvus", child.last_exit)

    # -- the log ------------------------------------------------------------------------------------------

    def take_brokers(self) -> None:
        """Read where the log answers now, and write that into the settings of the Milvus roles."""
        self.brokers = brokers_of(self.spec.folder)
        write_settings(self.spec, self.binaries)

    async def _follow_log(self) -> None:
        """A log that was started again has new ports: only a restart makes a Milvus role read them."""
        while not brokers_of(self.spec.folder):
            await asyncio.sleep(TICK)
        self.take_brokers()
        for child in self.children.values():
            if child.process.is_milvus and not child.fault:
                child.kill()
                child.reap()
                child.restarts += 1
                self.start(child, "supervisor", "restarted", "the log came back empty, on new ports")

    # -- records ------------------------------------------------------------------------------------------

    def record(self, component: str, kind: str, by: Actor, detail: str = "") -> None:
        """Append an event, in memory and to events.jsonl in the cluster's folder."""
        event = Event(time.monotonic(), component, kind, by, detail)
        self.events.append(event)
        with (self.spec.folder / "events.jsonl").open("a") as file:
            file.write(json.dumps([event.time, component, kind, by, detail]) + "\n")

    def record_pids(self) -> None:
        """Write down which processes run, for whoever has to end them in place of their supervisor."""
        running = [self.readiness_check, *(child.popen for child in self.children.values())]
        orphan_killer.record(self.spec.folder, [os.getpid(), *(popen.pid for popen in running if popen)])


def _session_address(child: Child) -> str:
    """The address in a component's etcd session; a proxy registers the one its peers use."""
    return f"127.0.0.1:{child.process.ports.get('internal', child.process.port)}"
