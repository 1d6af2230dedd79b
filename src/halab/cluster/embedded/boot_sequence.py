"""The start of a cluster, step by step, until a search is answered; or a report of what did not come up."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx

from halab.cluster.embedded.child_process import Child, die_with_parent, tail
from halab.cluster.embedded.health_monitor import health_of
from halab.cluster.embedded.process_table import TICK, BackgroundTasks, ProcessTable
from halab.cluster.embedded.settings import BUCKET
from halab.translation import gettext, gettext_noop

__all__ = ["BootSequence"]

READY_WITHIN = 150.0  # seconds until a start is given up
BOOT_FAILURES = 8  # exits in a row of one process until a start is given up
INFRASTRUCTURE = ("etcd", "log", "objectstore")
_REPORTED = 3  # processes whose last lines a failed start quotes


class BootFailed(Exception):
    """The cluster did not become ready; the text names what was awaited."""


class BootSequence:
    """Starts the processes in order. `phase` is the step it is at: "ready" or "failed" in the end."""

    def __init__(self, table: ProcessTable, client: httpx.AsyncClient, tasks: BackgroundTasks) -> None:
        self.began = time.monotonic()
        self.phase = gettext("starting etcd, the log and the object store")
        self.error = ""
        self.ready_after = 0.0  # seconds
        self._table = table
        self._client = client
        self._tasks = tasks
        self._check_log = table.spec.folder / "scratch.log"

    async def run(self) -> None:
        """Start everything and wait until it is ready."""
        try:
            self._start(self._table.of_roles(*INFRASTRUCTURE))
            self._start_readiness_check()
            self._tasks.start(self._make_bucket())
            await self._wait(
                gettext("etcd, the log and the object store"), lambda: self._table.healthy(*INFRASTRUCTURE)
            )
            self._table.take_brokers()
            self.phase = gettext("starting Milvus")
            self._start([child for child in self._table.of_roles() if child.process.is_milvus])
            await self._wait(
                gettext("every component healthy, with its session in etcd"), self._table.healthy
            )
            self.phase = gettext("searching a scratch collection")
            await self._wait(gettext("a search on a scratch collection"), self._search_answered)
            # The search took a while: a role may have exited meanwhile.
            await self._wait(
                gettext("every component healthy, with its session in etcd"), self._table.healthy
            )
            self.ready_after = time.monotonic() - self.began
            self.phase = gettext_noop("ready")
        except BootFailed as failure:
            self.fail(str(failure))

    def fail(self, error: str) -> None:
        """Give the cluster up: kill its processes and start none of them again."""
        self.phase, self.error = "failed", error
        for child in self._table.children.values():
            child.fault = "stop"  # nothing is started again
            child.signal(signal.SIGKILL)

    def _start(self, children: Iterable[Child]) -> None:
        for child in children:
            self._table.start(child, "user", "started")

    async def _wait(self, what: str, done: Callable[[], bool]) -> None:
        while not done():
            waited = time.monotonic() - self.began
            exiting = any(child.failures >= BOOT_FAILURES for child in self._table.children.values())
            if waited > READY_WITHIN or exiting:
                raise BootFailed(self._report(what, waited))
            await asyncio.sleep(TICK)

    def _report(self, what: str, waited: float) -> str:
        lines = [
            gettext("Awaited {what}; {waited:.0f} s after the start it is not there.").format(
                what=what, waited=waited
            )
        ]
        sick = [child for child in self._table.children.values() if health_of(child) != "healthy"]
        for child in sick[:_REPORTED]:
            ended = (
                gettext(", last exit: {last_exit}").format(last_exit=child.last_exit)
                if child.last_exit
                else ""
            )
            lines.append(
                gettext("{name} is {health_of}{ended}. Its last lines:\n{tail}").format(
                    name=child.name, health_of=health_of(child), ended=ended, tail=tail(child.output)
                )
            )
        if not sick:
            lines.append(gettext("The scratch search said:\n{tail}").format(tail=tail(self._check_log)))
        return "\n".join(lines)

    def _start_readiness_check(self) -> None:
        """Start the scratch search now: it imports its client while the cluster comes up, and then tries."""
        script = Path(__file__).parents[1] / "readiness_check.py"
        with self._check_log.open("ab") as output:
            self._table.readiness_check = subprocess.Popen(
                [sys.executable, str(script), self._table.spec.uri, str(READY_WITHIN)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),
            )
        self._table.record_pids()

    def _search_answered(self) -> bool:
        check = self._table.readiness_check
        if check is None or (status := check.poll()) is None:
            return False
        if status != 0:
            raise BootFailed(
                gettext("The scratch search ended with {status}:\n{tail}").format(
                    status=status, tail=tail(self._check_log)
                )
            )
        self._table.readiness_check = None
        return True

    async def _make_bucket(self) -> None:
        """Make the bucket as soon as the filer answers, before the S3 gateway is up: roles that race to
        create it panic. In SeaweedFS a bucket is a folder of the filer."""
        filer = self._table.spec.of_role("objectstore")[0].ports["filer"]
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await self._client.post(f"http://127.0.0.1:{filer}/buckets/{BUCKET}/")).is_success:
                    return
            await asyncio.sleep(TICK)
