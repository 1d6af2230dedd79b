"""Owns a cluster's processes from start to end: a process of its own, which ends with the cluster's owner.

One thread, one event loop, and these parts:

    process_table.py   starts, stops and restarts the processes, and records what happens to them
    boot_sequence.py   brings them up in order, and reports what did not come up
    health_monitor.py  asks etcd and every process how it is
    lost_sessions.py   starts again who lives on without a session
    control_server.py  faults, healing, growing: what a client asks for over the unix socket

Usage: python -m halab.cluster.embedded.supervisor FOLDER
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from halab.cluster.embedded import orphan_killer
from halab.cluster.embedded.boot_sequence import BootSequence
from halab.cluster.embedded.control_server import ControlServer
from halab.cluster.embedded.disk_use import disk_use, truncate_output
from halab.cluster.embedded.health_monitor import HealthMonitor, health_of
from halab.cluster.embedded.lost_sessions import LostSessions
from halab.cluster.embedded.outside_files import remove_outside_files
from halab.cluster.embedded.process_table import BackgroundTasks, ProcessTable
from halab.cluster.embedded.settings import log_retention
from halab.cluster.embedded.spec import ClusterSpec
from halab.translation import gettext

__all__ = ["Supervisor", "main"]

# Health is asked more often while something changes: then the checks decide how soon a takeover is seen.
POLL_CHANGING, POLL_STEADY = 0.1, 1.0  # seconds between two checks
OWNER_POLL = 0.5  # seconds
DISK_POLL = 5.0  # seconds


class Supervisor:
    """The processes of one cluster, and the tasks that look after them."""

    def __init__(self, spec: ClusterSpec) -> None:
        self.spec = spec
        self.tasks = BackgroundTasks(self._task_failed)
        self.client = httpx.AsyncClient(timeout=1.0, trust_env=False)
        self.table = ProcessTable(spec, self.tasks)
        self.boot = BootSequence(self.table, self.client, self.tasks)
        self.health = HealthMonitor(self.table, self.client)
        self.lost_sessions = LostSessions(self.table)
        self.disk = 0  # bytes
        self.ended = asyncio.Event()
        self.keep_folder = False

    async def run(self) -> None:
        """Serve until told to end, or until the owner is gone; then leave nothing behind."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ended.set)
        self.spec.socket.parent.mkdir(mode=0o700)
        control = ControlServer(self.table, self.health, self.status, self.shut_down)
        server = await asyncio.start_unix_server(control.serve, path=str(self.spec.socket))
        self._start_orphan_killer()
        self.tasks.start(self.boot.run())
        self.tasks.start(self.table.watch_exits())
        self.tasks.start(self._watch_health())
        self.tasks.start(self._watch_leaders())
        self.tasks.start(self._watch_owner())
        self.tasks.start(self._watch_disk())
        try:
            await self.ended.wait()
        finally:
            server.close()
            self.tasks.cancel()
            self._end()

    def status(self) -> dict[str, Any]:
        """What `halab status --json` prints; times in seconds, memory and disk in bytes."""
        children = self.table.children.values()
        return {
            "phase": self.boot.phase,
            "error": self.boot.error,
            "elapsed": time.monotonic() - self.boot.began,
            "ready_after": self.boot.ready_after,
            "checked": self.health.checked,
            "disk": self.disk,
            "log_retention": log_retention(self.spec.folder),
            "components": [child.as_dict(self.table.address(child), health_of(child)) for child in children],
        }

    def shut_down(self, keep_folder: bool) -> None:
        """End the cluster and this process; its folder goes too, unless it is to be kept."""
        self.keep_folder = keep_folder
        self.ended.set()

    def _end(self) -> None:
        self.table.kill_all()
        if not self.keep_folder:
            shutil.rmtree(self.spec.folder, ignore_errors=True)
        remove_outside_files(self.spec)

    def _task_failed(self, error: str) -> None:
        self.boot.fail(gettext("The supervisor itself failed: {error}").format(error=error))

    def _start_orphan_killer(self) -> None:
        """Where the kernel cannot end the children of a supervisor that was killed, a process does."""
        if sys.platform != "linux":
            arguments = [str(os.getpid()), str(self.spec.folder)]
            subprocess.Popen(
                [sys.executable, "-m", orphan_killer.__name__, *arguments], start_new_session=True
            )

    async def _watch_health(self) -> None:
        while True:
            await self.health.check()
            if self.boot.phase == "ready":
                await self.lost_sessions.restart_lost()
            await asyncio.sleep(self._pause())

    async def _watch_leaders(self) -> None:
        while True:
            await self.health.note_takeovers()
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        steady = self.boot.phase == "ready" and self.table.healthy()
        return POLL_STEADY if steady else POLL_CHANGING

    async def _watch_owner(self) -> None:
        owner = self.spec.owner
        while owner is not None:
            if not orphan_killer.is_alive(owner.pid, owner.created):
                self.ended.set()
                return
            await asyncio.sleep(OWNER_POLL)

    async def _watch_disk(self) -> None:
        while True:
            for child in self.table.children.values():
                truncate_output(child.output)
            self.disk = disk_use(self.spec.folder)
            await asyncio.sleep(DISK_POLL)


def main() -> None:
    """Supervise the cluster of one folder until it is taken down or its owner ends."""
    asyncio.run(Supervisor(ClusterSpec.load(Path(sys.argv[1]))).run())


if __name__ == "__main__":
    main()
