"""A small kubelet: Kubernetes' own health checks, against processes of this machine.

    with Kubelet(container_of(cluster, "query node 1"), Pod(liveness=Check(HttpGet(), TUNED))) as kubelet:
        kubelet.wait(30)
    kubelet.events

A liveness probe that fails has the process restarted, a readiness probe takes it out of service and back, a
startup probe holds both off until it has passed once. The rules are those of pkg/kubelet/prober/worker.go and
of the documentation ("Configure Liveness, Readiness and Startup Probes", "Pod Lifecycle"):

- each probe has a worker with a ticker of `period`, started somewhere within the first period, and one probe
  under way at a time;
- until `delay` seconds after the process' start a tick does nothing;
- `failures` or `successes` answers of one kind in a row change the state; liveness begins as passed,
  readiness as failed;
- a failed liveness or startup probe is on hold until there is a new process;
- the process is told to stop and killed after `grace` seconds, the probe's own if it has one;
- the first restart comes at once, those after it wait 10 s, 20 s and so on up to 300 s, and 600 s of running
  are forgiven;
- a process that has ended needs no probe: it is looked for once a second, as the kubelet does.

What it leaves out: lifecycle hooks and gRPC probes.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Protocol, Self, cast

import httpx
import psutil

from halab.cluster.protocol import Cluster, Event
from halab.cluster.running_cluster import RunningCluster
from halab.cluster.simulated import SimulatedCluster
from halab.errors import ClusterError
from halab.measure.experiments.virtual_loop import VirtualLoop
from halab.models.health_probes import BACKOFF_RESET, HealthProbe, backoffs
from halab.translation import gettext, gettext_noop

__all__ = ["Check", "Container", "Exec", "HttpGet", "Kubelet", "Pod", "TcpSocket", "container_of"]

Kind = Literal["startup", "liveness", "readiness"]
_RELIST = 1.0  # seconds between two looks for a process that has ended
_PORTS = (9091, 19530)  # of a Milvus container
_FAILED = {
    "startup": gettext_noop("startup probe failed"),
    "liveness": gettext_noop("liveness probe failed"),
}
"""Why a process is restarted, by the kind of its probe; readiness restarts nothing."""


@dataclass(frozen=True, slots=True)
class HttpGet:
    """Passes with a status from 200 to 399."""

    path: str = "/healthz"
    port: int = 9091


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """Passes if the port accepts a connection, whoever may or may not answer behind it.

    That is done by the kernel, for a process that hangs too: only one that has ended is refused.
    """

    port: int = 9091


@dataclass(frozen=True, slots=True)
class Exec:
    """Passes if the command ends with status 0."""

    command: tuple[str, ...]


How = HttpGet | TcpSocket | Exec


@dataclass(frozen=True, slots=True)
class Check:
    """One probe of a pod: what it asks, its numbers, and the seconds a process has to stop after its verdict.

    `grace` is the probe's own terminationGracePeriodSeconds; None stands for that of the pod.
    """

    how: How
    probe: HealthProbe = field(default_factory=HealthProbe)
    grace: float | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """The probes of a container, and the seconds it has to stop (terminationGracePeriodSeconds)."""

    liveness: Check | None = None
    readiness: Check | None = None
    startup: Check | None = None
    grace: float = 30.0

    def __post_init__(self) -> None:
        for name, check in (("liveness", self.liveness), ("startup", self.startup)):
            if check is not None and check.probe.successes != 1:
                raise ValueError(
                    gettext("successes of a {name} probe must be 1, not {successes}").format(
                        name=name, successes=check.probe.successes
                    )
                )
        if self.readiness is not None and self.readiness.grace is not None:
            raise ValueError(gettext("a readiness probe ends nothing: its grace must be None"))


class Container(Protocol):
    """What a kubelet needs of a process."""

    @property
    def name(self) -> str: ...
    async def passes(self, how: How, timeout: float) -> bool:
        """Ask once; False if it is refused, or not answered within `timeout` seconds."""

    def running(self) -> bool:
        """Whether the process is there, in whatever state."""

    async def restart(self, grace: float, why: str) -> None: ...


@dataclass
class _Worker:
    """The state of one probe: the answers in a row, the process they are about, and whether it is on hold."""

    kind: Kind
    check: Check
    last: bool | None = None
    run: int = 0
    process: int = 0
    on_hold: bool = False


class Kubelet:
    """Runs the probes of one container until its `with` block is left; every decision is an event.

    Events have `by` "kubelet". Their kinds: "liveness ok" and "liveness failed" (each answer; so for the
    other probes, with the count in `detail`), "unhealthy" (a verdict), "ready", "not ready", "exit seen",
    "back-off", "restarting" and "restarted". `watch=False` leaves ended processes to the probes alone, as a
    load balancer or a monitor would see them. `seed` decides where in its first period each worker starts.
    """

    def __init__(self, container: Container, pod: Pod, *, watch: bool = True, seed: int = 0) -> None:
        self.container = container
        self.pod = pod
        self.events: list[Event] = []
        self.ready = False
        self.restarts = 0
        self._watch = watch
        self._random = random.Random(seed)
        self._waits = backoffs()
        self._process = 0
        self._started = pod.startup is None
        self._restarting = False
        self._loop: asyncio.AbstractEventLoop = _loop_for(container)
        self._began = self._loop.time()
        self._thread: threading.Thread | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ---------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._began = self._loop.time()
        for kind, check in self._checks():
            self._spawn(self._work(_Worker(kind, check)))
        if self._watch:
            self._spawn(self._look())
        if not isinstance(self._loop, VirtualLoop):
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._thread is None:
            self._run(self._cancel())
        else:
            asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass, real or virtual, at most until `until`; whether that came true."""
        end = self._loop.time() + seconds

        def left() -> float:
            return 0.0 if until() or self._failed() else end - self._loop.time()

        if self._thread is None:
            self._run(self._sleep(left))
        else:
            while (more := left()) > 0:
                threading.Event().wait(min(more, 0.05))
        if failed := self._failed():
            raise failed
        return until()

    def seen(self, kind: str, since: float = 0.0) -> float | None:
        """When an event of this kind first happened from `since` on, or None (the cluster's clock)."""
        return next((each.time for each in self.events if each.kind == kind and each.time >= since), None)

    @property
    def restarting(self) -> bool:
        """Whether the process is due to be started anew, or is being so."""
        return self._restarting

    def _checks(self) -> list[tuple[Kind, Check]]:
        named: list[tuple[Kind, Check | None]] = [
            ("startup", self.pod.startup), ("liveness", self.pod.liveness), ("readiness", self.pod.readiness),
        ]  # fmt: skip
        return [(kind, check) for kind, check in named if check is not None]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self._loop.create_task(work))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run virtual time on; in a thread of its own, because a notebook's thread has a loop that runs."""
        with ThreadPoolExecutor(1) as thread:
            thread.submit(self._loop.run_until_complete, work).result()

    async def _sleep(self, left: Callable[[], float]) -> None:
        while (more := left()) > 0:
            await asyncio.sleep(min(more, 0.1))

    def _failed(self) -> BaseException | None:
        """What ended a worker, if something did."""
        ended = (task.exception() for task in self._tasks if task.done() and not task.cancelled())
        return next(filter(None, ended), None)

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _say(self, kind: str, detail: str = "") -> None:
        self.events.append(Event(self._loop.time(), self.container.name, kind, "kubelet", detail))

    # -- probes -------------------------------------------------------------------------------------------

    async def _work(self, worker: _Worker) -> None:
        period = worker.check.probe.period
        await asyncio.sleep(self._random.random() * period)
        first, tick = self._loop.time(), 0
        while True:
            await self._once(worker)
            # A ticker keeps one tick: one that passed meanwhile is made up for, the others are not.
            passed = int((self._loop.time() - first) / period + 1e-9)
            tick = max(tick + 1, passed)
            await asyncio.sleep(max(0.0, first + tick * period - self._loop.time()))

    async def _once(self, worker: _Worker) -> None:
        process, probe = self._process, worker.check.probe
        if worker.process != process:
            worker.process, worker.on_hold = process, False
        if worker.on_hold or self._loop.time() - self._began < probe.delay:
            return
        # With `watch` off nobody sees that the process has ended, and the probe itself is refused.
        if self._restarting or (self._watch and not self.container.running()):
            self._set_ready(False, gettext_noop("the process is not running"))
            return
        if self._started == (worker.kind == "startup"):
            return
        passed = await self.container.passes(worker.check.how, probe.timeout)
        if process != self._process or self._restarting:
            return  # the answer is about a process that is no more
        worker.run = worker.run + 1 if worker.last is passed else 1
        worker.last = passed
        self._say(f"{worker.kind} {'ok' if passed else 'failed'}", f"{worker.run} in a row")
        if worker.run >= (probe.successes if passed else probe.failures):
            self._decide(worker, passed)

    def _decide(self, worker: _Worker, passed: bool) -> None:
        if worker.kind == "readiness":
            self._set_ready(passed, f"{worker.run} in a row")
        elif passed:
            self._started = True
        else:
            self._say("unhealthy", f"{worker.kind} failed {worker.run} times in a row")
            worker.on_hold, worker.run = True, 0
            self._restart(_FAILED[worker.kind], worker.check.grace)

    def _set_ready(self, ready: bool, why: str) -> None:
        if ready != self.ready:
            self.ready = ready
            self._say("ready" if ready else "not ready", why)

    # -- processes ----------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_RELIST)
            if not self._restarting and not self.container.running():
                self._say("exit seen")
                self._restart(gettext_noop("the process ended"))

    def _restart(self, why: str, grace: float | None = None) -> None:
        if not self._restarting:
            self._restarting = True
            self._set_ready(False, why)
            self._spawn(self._replace(why, self.pod.grace if grace is None else grace))

    async def _replace(self, why: str, grace: float) -> None:
        if self._loop.time() - self._began >= BACKOFF_RESET:
            self._waits = backoffs()
        wait = next(self._waits)
        if wait:
            self._say("back-off", f"CrashLoopBackOff: {wait:g} s")
            await asyncio.sleep(wait)
        self._say("restarting", why)
        await self.container.restart(grace, f"kubelet: {why}")
        self.restarts += 1
        self._process += 1
        self._began = self._loop.time()
        self._started = self.pod.startup is None
        self._restarting = False
        self._say("restarted", why)


# -- containers -------------------------------------------------------------------------------------------


def container_of(cluster: Cluster, target: str) -> Container:
    """The process that `target` names now, as a container.

    Raises TargetError.
    """
    name = cluster.resolve(target).name
    if isinstance(cluster, SimulatedCluster):
        return _Simulated(cluster, name)
    return _Process(cast(RunningCluster, cluster), name)


def _loop_for(container: Container) -> asyncio.AbstractEventLoop:
    if isinstance(container, _Simulated):
        return VirtualLoop(container.cluster.now(), container.cluster.sleep)
    return getattr(container, "loop", None) or asyncio.new_event_loop()


class _Process:
    """A process of a cluster that runs, or the one in a container."""

    def __init__(self, cluster: RunningCluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self._ports: dict[int, int] = {}
        self._pid = cluster.resolve(name).pid

    def running(self) -> bool:
        if self._pid is None:
            return False
        try:
            return psutil.Process(self._pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    async def restart(self, grace: float, why: str) -> None:
        """Unless the cluster's own supervisor has started the process again meanwhile."""
        await asyncio.to_thread(self._restart, grace, why)

    def _restart(self, grace: float, why: str) -> None:
        now = self.cluster.resolve(self.name).pid
        if now is None or now == self._pid:
            self.cluster.replace(self.name, grace, why)
            now = self.cluster.resolve(self.name).pid
        self._pid = now
        self._ports.clear()  # a container's change with each start

    async def passes(self, how: How, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                return await self._asked(how)
        except (TimeoutError, OSError, httpx.HTTPError):
            return False

    async def _asked(self, how: How) -> bool:
        if isinstance(how, HttpGet):
            async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
                url = f"http://127.0.0.1:{self._port(how.port)}{how.path}"
                return 200 <= (await client.get(url)).status_code < 400
        if isinstance(how, TcpSocket):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port(how.port))
            writer.close()
            return True
        return await _ends_well(how.command)

    def _port(self, port: int) -> int:
        if port not in self._ports:
            self._ports[port] = self.cluster.loopback_port(self.name, port)
        if not self._ports[port]:
            raise ClusterError(
                gettext("{name} has no port {port} here; a Milvus process has {names}.").format(
                    name=self.name, port=port, names=", ".join(map(str, _PORTS))
                ),
                hint=gettext("etcd, the log and the object store have other checks: use Exec for them."),
            )
        return self._ports[port]


async def _ends_well(command: tuple[str, ...]) -> bool:
    none = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=none, stdout=none, stderr=none)
    try:
        return await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class _Simulated:
    """A component of the simulated cluster: it answers at once, not at all, or not while it is down."""

    def __init__(self, cluster: SimulatedCluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def _health(self) -> str:
        return self.cluster.resolve(self.name).health

    def running(self) -> bool:
        return self._health() != "down"

    async def restart(self, grace: float, why: str) -> None:
        if self._health() == "hung":
            await asyncio.sleep(grace)  # a hung process does not hear that it is to stop
        self.cluster.replace(self.name, grace, why)

    async def passes(self, how: How, timeout: float) -> bool:
        if self._health() == "hung":
            if isinstance(how, TcpSocket):
                return True  # the kernel accepts, as on the embedded cluster
            await asyncio.sleep(timeout)
        return self._health() == "healthy"
