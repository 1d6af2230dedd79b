"""Owns a cluster's processes: starts, watches, restarts and breaks them, and ends with its owner.

Milvus roles exit by design (a session lost, a dependency late) and expect to be started again: in
production Kubernetes does that, here this supervisor. Everything it does is an event with `by` saying
who did it. One thread, one event loop; clients talk to it over a unix socket, a JSON line each way.

Usage: python -m halab.cluster.embedded.supervisor FOLDER
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from halab.cluster.embedded import orphan_killer
from halab.cluster.embedded.binaries import find_binaries
from halab.cluster.embedded.child_process import Child, die_with_parent, tail
from halab.cluster.embedded.settings import BUCKET, brokers_of, command, write_settings
from halab.cluster.embedded.spec import ClusterSpec, remove_sockets
from halab.cluster.etcd import EtcdView, read_etcd, read_sessions
from halab.cluster.protocol import COORDINATORS, Event

__all__ = ["Supervisor", "main"]

TICK = 0.05  # seconds between looks for ended processes
POLL_CHANGING = 0.1  # seconds between health checks while something is not healthy
POLL_STEADY = 1.0
OWNER_POLL = 0.5
READY_WITHIN = 150.0  # seconds until a start is given up
BOOT_FAILURES = 8  # exits in a row of one process until a start is given up
BACKOFF = (0.1, 0.3, 1.0, 2.0, 4.0)  # seconds before a restart, by exits in a row
LOG_MOST, LOG_KEPT = 16 << 20, 2 << 20  # bytes of one process' output; beyond, the oldest go
INFRASTRUCTURE = ("etcd", "log", "objectstore")


class BootFailed(Exception):
    """The cluster did not become ready; the text names what was awaited."""


class Supervisor:
    """The processes of one cluster, from start to end."""

    def __init__(self, spec: ClusterSpec) -> None:
        self.spec = spec
        self.binaries = find_binaries()
        self.children = {
            process.name: Child(process, command(process, spec, self.binaries)) for process in spec.processes
        }
        self.began = time.monotonic()
        self.phase = "starting etcd, the log and the object store"
        self.error = ""
        self.ready_after = 0.0
        self.checked = 0.0
        self.disk = 0
        self.view = EtcdView()
        self.events: list[Event] = []
        self.brokers: list[str] = []
        self.scratch: subprocess.Popen[bytes] | None = None
        self.ended = asyncio.Event()
        self.keep_folder = False
        self.client = httpx.AsyncClient(timeout=1.0, trust_env=False)
        self.tasks: set[asyncio.Task[None]] = set()

    # -- life ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until told to end, or until the owner is gone; then leave nothing behind."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ended.set)
        server = await asyncio.start_unix_server(self._serve, path=str(self.spec.socket))
        self._start_guard()
        for work in (
            self._boot(),
            self._watch_children(),
            self._watch_health(),
            self._watch_owner(),
            self._watch_disk(),
        ):
            self._background(work)
        try:
            await self.ended.wait()
        finally:
            server.close()
            for task in self.tasks:
                task.cancel()
            self._end()

    def _background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            self._fail(f"The supervisor itself failed: {type(error).__name__}: {error}")

    def _end(self) -> None:
        for child in self.children.values():
            child.signal(signal.SIGKILL)
        for child in self.children.values():
            child.kill()
        if self.scratch is not None:
            self.scratch.kill()
            self.scratch.wait()
        if not self.keep_folder:
            shutil.rmtree(self.spec.folder, ignore_errors=True)
        remove_sockets(self.spec)

    def _start_guard(self) -> None:
        if sys.platform != "linux":
            arguments = [str(os.getpid()), str(self.spec.folder)]
            subprocess.Popen(
                [sys.executable, "-m", orphan_killer.__name__, *arguments], start_new_session=True
            )

    # -- boot ---------------------------------------------------------------------------------------------

    async def _boot(self) -> None:
        try:
            for child in self._of(INFRASTRUCTURE):
                self._start(child, "user", "started")
            self._start_scratch()
            self._background(self._make_bucket())
            await self._await("etcd, the log and the object store", lambda: self._healthy(INFRASTRUCTURE))
            self._take_brokers()
            self.phase = "starting Milvus"
            for child in self.children.values():
                if child.process.is_milvus:
                    self._start(child, "user", "started")
            await self._await("every component healthy, with its session in etcd", self._healthy)
            self.phase = "searching a scratch collection"
            await self._await("a search on a scratch collection", self._scratch_answered)
            await self._await("every component healthy, with its session in etcd", self._healthy)
            self.ready_after = time.monotonic() - self.began
            self.phase = "ready"
        except BootFailed as failure:
            self._fail(str(failure))

    async def _await(self, what: str, done: Any) -> None:
        while not done():
            waited = time.monotonic() - self.began
            late = [child for child in self.children.values() if child.failures >= BOOT_FAILURES]
            if waited > READY_WITHIN or late:
                raise BootFailed(self._boot_report(what, waited))
            await asyncio.sleep(TICK)

    def _boot_report(self, what: str, waited: float) -> str:
        lines = [f"Awaited {what}; {waited:.0f} s after the start it is not there."]
        for child in self.children.values():
            if child.health() != "healthy":
                ended = f", last exit: {child.last_exit}" if child.last_exit else ""
                lines.append(
                    f"{child.name} is {child.health()}{ended}. Its last lines:\n{tail(child.output)}"
                )
                if len(lines) == 4:
                    break
        if len(lines) == 1:
            lines.append(f"The scratch search said:\n{tail(self.spec.folder / 'scratch.log')}")
        return "\n".join(lines)

    def _fail(self, error: str) -> None:
        self.phase, self.error = "failed", error
        for child in self.children.values():
            child.fault = "stop"  # nothing is started again
            child.signal(signal.SIGKILL)

    def _start_scratch(self) -> None:
        with (self.spec.folder / "scratch.log").open("ab") as output:
            self.scratch = subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).parents[1] / "readiness_check.py"),
                    self.spec.uri,
                    str(READY_WITHIN),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),
            )
        self._record_pids()

    def _scratch_answered(self) -> bool:
        if self.scratch is None or (status := self.scratch.poll()) is None:
            return False
        if status != 0:
            raise BootFailed(
                f"The scratch search ended with {status}:\n{tail(self.spec.folder / 'scratch.log')}"
            )
        self.scratch = None
        return True

    async def _make_bucket(self) -> None:
        """Make the bucket as soon as the filer answers, before the S3 gateway is up: roles that race to
        create it panic. In SeaweedFS a bucket is a folder of the filer."""
        filer = self.spec.of_role("objectstore")[0].ports["filer"]
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await self.client.post(f"http://127.0.0.1:{filer}/buckets/{BUCKET}/")).is_success:
                    return
            await asyncio.sleep(TICK)

    def _take_brokers(self) -> None:
        self.brokers = brokers_of(self.spec.folder)
        write_settings(self.spec, self.binaries)

    # -- processes ----------------------------------------------------------------------------------------

    def _of(self, roles: tuple[str, ...]) -> list[Child]:
        return [child for child in self.children.values() if child.process.role in roles]

    def _start(self, child: Child, by: Any, kind: str, detail: str = "") -> None:
        if child.process.role == "log":
            (child.command.cwd / "log.json").unlink(missing_ok=True)
            if self.brokers:
                self._background(self._follow_log())
        # A killed process' session stays until its lease ends: only a newer one shows that this one is up.
        child.old_session = max(child.old_session, self.view.sessions.get(self._session(child), -1))
        child.start()
        self._record_pids()
        self._event(child.name, kind, by, detail)

    def _record_pids(self) -> None:
        running = [self.scratch, *(child.popen for child in self.children.values())]
        orphan_killer.record(self.spec.folder, [popen.pid for popen in running if popen])

    async def _follow_log(self) -> None:
        """A new log has new ports, which only a restart of every Milvus role can tell them."""
        while not brokers_of(self.spec.folder):
            await asyncio.sleep(TICK)
        self._take_brokers()
        for child in self.children.values():
            if child.process.is_milvus and not child.fault:
                child.kill()
                child.reap()
                child.restarts += 1
                self._start(child, "supervisor", "restarted", "the log came back empty, on new ports")

    def _event(self, component: str, kind: str, by: Any, detail: str = "") -> None:
        event = Event(time.monotonic(), component, kind, by, detail)
        self.events.append(event)
        with (self.spec.folder / "events.jsonl").open("a") as file:
            file.write(json.dumps([event.time, component, kind, by, detail]) + "\n")

    async def _watch_children(self) -> None:
        while True:
            for child in self.children.values():
                if child.reap():
                    self._on_exit(child)
                if child.next_start is not None and time.monotonic() >= child.next_start and not child.fault:
                    child.restarts += 1
                    self._start(child, "supervisor", "restarted", f"after it exited ({child.last_exit})")
            await asyncio.sleep(TICK)

    def _on_exit(self, child: Child) -> None:
        if child.fault:
            self._event(child.name, "ended", "user", child.last_exit)
            return
        child.next_start = time.monotonic() + BACKOFF[min(child.failures, len(BACKOFF)) - 1]
        self._event(child.name, "exited", "milvus", child.last_exit)

    # -- health -------------------------------------------------------------------------------------------

    async def _watch_health(self) -> None:
        while True:
            await self._check()
            await asyncio.sleep(POLL_STEADY if self._healthy() and self.phase == "ready" else POLL_CHANGING)

    async def _check(self) -> None:
        began = time.monotonic()
        self.view = await read_etcd(self.client, self.spec.etcd_endpoints(), self.spec.prefix)
        await asyncio.gather(*(self._check_one(child) for child in self.children.values()))
        self.checked = began

    async def _check_one(self, child: Child) -> None:
        popen = child.popen
        healthy = child.running and child.fault != "hang" and await self._answers(child)
        if child.popen is not popen:
            return  # it was replaced meanwhile: this answer is not about the new one
        child.healthy = healthy
        child.ever_healthy = child.ever_healthy or healthy
        child.ha_state = self._ha_state(child)

    async def _answers(self, child: Child) -> bool:
        role, ports = child.process.role, child.process.ports
        if role == "etcd":
            return self._address(child) in self.view.members and bool(self.view.leader)
        if role == "log":
            brokers = brokers_of(self.spec.folder)
            return bool(brokers) and await _connects(brokers[0])
        if role == "objectstore":
            return await self._http_ok(ports["filer"], "/") and await _connects(f"127.0.0.1:{ports['s3']}")
        return self._has_session(child) and await self._http_ok(ports["metrics"], "/healthz")

    async def _http_ok(self, port: int, path: str) -> bool:
        try:
            return (await self.client.get(f"http://127.0.0.1:{port}{path}")).is_success
        except httpx.HTTPError:
            return False

    def _ha_state(self, child: Child) -> str:
        address = self._address(child)
        if child.process.role == "etcd":
            return (
                ""
                if address not in self.view.members
                else "leader"
                if address == self.view.leader
                else "follower"
            )
        if child.process.role in COORDINATORS and child.running and self._has_session(child):
            return "active" if self.view.active.get(child.process.role) == address else "standby"
        return ""

    def _has_session(self, child: Child) -> bool:
        return self.view.sessions.get(self._session(child), -1) > child.old_session

    def _session(self, child: Child) -> str:
        """The address in a component's etcd session; a proxy registers the one its peers use."""
        ports = child.process.ports
        return f"127.0.0.1:{ports.get('internal', child.process.port)}"

    def _address(self, child: Child) -> str:
        if child.process.role == "log":
            return (self.brokers or ["-"])[0]
        return f"127.0.0.1:{child.process.port}"

    def _healthy(self, roles: tuple[str, ...] = ()) -> bool:
        return all(child.healthy for child in (self._of(roles) if roles else self.children.values()))

    # -- owner and disk -----------------------------------------------------------------------------------

    async def _watch_owner(self) -> None:
        owner = self.spec.owner
        while owner is not None:
            if not orphan_killer.lives(owner.pid, owner.created):
                self.ended.set()
                return
            await asyncio.sleep(OWNER_POLL)

    async def _watch_disk(self) -> None:
        while True:
            for child in self.children.values():
                _cut(child.output)
            self.disk = _disk_use(self.spec.folder)
            await asyncio.sleep(5)

    # -- requests -----------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                request = json.loads(line)
                try:
                    answer = await self._answer(request)
                except Refused as refusal:
                    answer = {"refused": str(refusal)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["op"]:
            case "status":
                if request.get("fresh"):
                    await self._check()
                return self.status()
            case "events":
                since = request["since"]
                return {"events": [_event_fields(e) for e in self.events if e.time >= since]}
            case "fault":
                return await self._fault(
                    self._child(request["name"]), request["kind"], request.get("target", "")
                )
            case "heal":
                return await self._heal(self._child(request["name"]))
            case "sessions":
                view = (self.client, self.spec.etcd_endpoints(), self.spec.prefix)
                return {"sessions": [asdict(one) for one in await read_sessions(*view)]}
            case "add":
                return self._add(request["role"], request["ports"])
            case "remove":
                return await self._remove(self._child(request["name"]))
            case "replace":
                return await self._replace(self._child(request["name"]), request["grace"], request["why"])
            case "down":
                self.keep_folder = bool(request.get("keep"))
                self.ended.set()
                return {}
            case unknown:
                raise Refused(f"unknown request {unknown!r}")

    def status(self) -> dict[str, Any]:
        """What `halab status --json` prints; times in seconds, memory and disk in bytes."""
        return {
            "phase": self.phase,
            "error": self.error,
            "elapsed": time.monotonic() - self.began,
            "ready_after": self.ready_after,
            "checked": self.checked,
            "disk": self.disk,
            "log_retention": self._retention(),
            "components": [child.as_dict(self._address(child)) for child in self.children.values()],
        }

    def _retention(self) -> int:
        try:
            return int(json.loads((self.spec.folder / "log" / "log.json").read_text())["retention"])
        except (OSError, ValueError, KeyError):
            return 0

    def _child(self, name: str) -> Child:
        if name not in self.children:
            raise Refused(f"there is no component {name!r}; there are {', '.join(self.children)}")
        return self.children[name]

    async def _fault(self, child: Child, kind: str, target: str) -> dict[str, Any]:
        if child.fault:
            raise Refused(f"{child.name} already has a fault ({child.fault}): heal it first")
        if not child.running:
            raise Refused(f"{child.name} is down ({child.last_exit}): nothing to break")
        at = time.monotonic()
        if kind == "restart":
            await self._restart(child)
        elif kind in ("crash", "hang", "stop"):
            child.fault = kind  # type: ignore[assignment]
            child.signal({"crash": signal.SIGKILL, "hang": signal.SIGSTOP, "stop": signal.SIGTERM}[kind])
            child.healthy = False
        else:
            raise Refused(f"unknown fault {kind!r}: crash, hang, stop or restart")
        self._event(child.name, f"fault:{kind}", "user", target)
        if kind == "crash":  # who asks next must not see a process that is still being buried
            child.kill()
            child.reap()
            self._on_exit(child)
        return {"at": at}

    async def _restart(self, child: Child) -> None:
        child.fault = "stop"
        child.signal(signal.SIGTERM)
        await self._gone(child, 15.0)
        child.fault = ""
        self._start(child, "user", "started", "restart")

    async def _replace(self, child: Child, grace: float, why: str) -> dict[str, Any]:
        """End a process in whatever state it is and start it anew, as a kubelet does with a container."""
        child.fault = "stop"
        child.signal(signal.SIGTERM)
        await self._gone(child, grace)
        child.fault = ""
        self._start(child, "supervisor", "restarted", why)
        return {}

    async def _heal(self, child: Child) -> dict[str, Any]:
        """Undo a fault: continue what hangs, start what is gone. Without a fault, start what is down now."""
        fault, child.fault = child.fault, ""
        if fault == "hang" and child.running:
            child.signal(signal.SIGCONT)
            self._event(child.name, "continued", "user")
            return {}
        if fault == "stop" and child.running:
            child.fault = "stop"
            await self._gone(child, 1.0)
            child.fault = ""
        if child.reap() or not child.running:
            self._start(child, "user", "started", "fault undone")
        return {}

    def _add(self, role: str, ports: list[int]) -> dict[str, Any]:
        """Start one more process of a role; it is part of the cluster from now on."""
        process = self.spec.spare(role, ports)
        child = Child(process, command(process, self.spec, self.binaries))
        self.spec.processes.append(process)
        self.spec.save()
        self.children[process.name] = child
        self._start(child, "user", "added")
        return {"name": process.name}

    async def _remove(self, child: Child) -> dict[str, Any]:
        """Stop a process as a planned stop does, and forget it."""
        if len(self._of((child.process.role,))) == 1:
            raise Refused(f"{child.name} is the last {child.process.role}")
        if child.fault:
            raise Refused(f"{child.name} has a fault ({child.fault}): heal it first")
        child.fault = "stop"  # nobody starts it again
        child.signal(signal.SIGTERM)
        await self._gone(child, 15.0)
        child.reap()
        del self.children[child.name]
        self.spec.processes.remove(child.process)
        self.spec.save()
        self._record_pids()
        self._event(child.name, "removed", "user")
        return {}

    async def _gone(self, child: Child, patience: float) -> None:
        """Wait for a process that was told to stop; after `patience` seconds, kill it."""
        until = time.monotonic() + patience
        while child.running and time.monotonic() < until:
            await asyncio.sleep(TICK)
        if child.running:
            child.kill()
            child.reap()
            self._event(child.name, "killed", "supervisor", f"did not stop within {patience:g} s")


class Refused(Exception):
    """A request that cannot be served; the text goes back to the client."""


def _event_fields(event: Event) -> list[Any]:
    return [event.time, event.component, event.kind, event.by, event.detail]


async def _connects(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _disk_use(folder: Path) -> int:
    """Bytes allocated below a folder; files come and go while it is walked."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(root) / name).stat().st_blocks * 512
    return total


def _cut(path: Path) -> None:
    """Keep a log's newest part once it is beyond its bound (children append, so truncating is safe)."""
    try:
        if path.stat().st_size <= LOG_MOST:
            return
        with path.open("rb+") as file:
            file.seek(-LOG_KEPT, os.SEEK_END)
            kept = file.read()
            file.truncate(0)
        with path.open("ab") as file:
            file.write(kept)
    except OSError:
        return


def main() -> None:
    """Supervise the cluster of one folder until it is taken down or its owner ends."""
    spec = ClusterSpec.load(Path(sys.argv[1]))

    async def serve() -> None:
        await Supervisor(spec).run()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
