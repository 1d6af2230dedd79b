"""`ComposeCluster`: start a cluster of containers, or attach to one that runs, and hold it.

Containers belong to the project `halab-NAME`; no other is ever touched. Whether a fault stands is read from
Docker itself (paused, stopped, without a network), so a fault made by hand is seen, and healed, as well.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import psutil
from filelock import FileLock

from halab.cluster import targets
from halab.cluster.compose.containers import Container, balancer_port, containers, profile_of, work_of
from halab.cluster.compose.docker import PROJECT, ROLE, Docker, find_docker
from halab.cluster.compose.guard import guard
from halab.cluster.compose.happenings import By, Deed, Diary, Listener, history
from halab.cluster.compose.looking import Looker
from halab.cluster.embedded.children import tail
from halab.cluster.embedded.ports import free_ports, is_free
from halab.cluster.embedded.spec import check_settings
from halab.cluster.protocol import Component, Event, FaultKind, Session, check_extendable
from halab.errors import ClusterError, ClusterExists, ClusterNotFound, FaultError, NotReady
from halab.folders import course_root, home_folder

__all__ = [
    "ComposeCluster",
    "InjectedFault",
    "attach",
    "down_all",
    "exists",
    "names",
    "owner_of",
    "remove",
    "start",
]

Progress = Callable[[dict[str, Any]], None]
FILE = "docker-compose.yml"
POLL = 0.1  # seconds between looks while waiting
_PORT = 19530
_READY_WITHIN = 300.0  # seconds; images that are not there yet are pulled before this clock starts
_GRACE = 15.0  # seconds that a process which is told to stop has


@dataclass
class InjectedFault:
    """A fault of the compose engine (see `halab.cluster.protocol.Fault`)."""

    cluster: ComposeCluster
    kind: FaultKind
    target: str
    component: str
    at: float
    undone_at: float | None = None

    def undo(self) -> None:
        """Continue, start or connect the container again. Twice is once."""
        if self.undone_at is None:
            self.undone_at = time.monotonic()
            if self.kind != "restart":
                self.cluster.heal(self.component)


class ComposeCluster:
    """Milvus in containers of the course's own Compose file (see `halab.cluster.protocol.Cluster`).

    Made by `start` or `attach`. `owned` is True if this process started it and is to take it down.
    """

    engine: Literal["compose"] = "compose"

    def __init__(self, docker: Docker, name: str, owned: bool = False) -> None:
        self.docker = docker
        self.name = name
        self.owned = owned
        self._looker = Looker(docker, _project(name))
        found = self._looker.containers()
        self.profile = profile_of(found)
        self._since = min((one.started for one in found if one.started), default=time.time())
        self._diary = Diary(_folder(name))
        self._listener = Listener(docker, _project(name), self._since)
        self._began = time.monotonic()
        self._milvus = ""
        self._ttl = 0.0

    @property
    def uri(self) -> str:
        """The balancer's address; in front of one proxy only, that one's."""
        return f"http://127.0.0.1:{balancer_port(self._looker.inspected)}"

    @property
    def ttl(self) -> float:
        """As etcd grants it to the sessions, seconds."""
        if not self._ttl:
            self._ttl = next((one.granted for one in self.sessions() if one.granted), 0.0)
        return self._ttl

    @property
    def versions(self) -> dict[str, str]:
        """What Milvus and Docker themselves say they are: an image's tag is only a name."""
        if not self._milvus:
            told = [json.loads(one.value).get("Version") for one in self.sessions()]
            self._milvus = next((version for version in told if version), "")
        return {"milvus": self._milvus or "unknown", self.docker.who: self.docker.version}

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    # -- looking ------------------------------------------------------------------------------------------

    def status(self, *, fresh: bool = True) -> dict[str, Any]:
        """What `halab status --json` prints; times in seconds, memory in bytes. A look is always fresh."""
        components = self.components()
        well = all(one.health == "healthy" for one in components)
        return {
            "phase": "ready" if well else "running, not all healthy",
            "error": "",
            "elapsed": time.time() - self._since,
            "disk": 0,
            "components": [one.as_dict() for one in components],
        }

    def components(self) -> list[Component]:
        found = self._looker.components()
        if not found:
            raise ClusterNotFound(
                f"The cluster {self.name!r} has no containers any more: it was taken down.",
                hint="Start it again: halab.cluster() and a new Retriever in a notebook, "
                "halab up in a terminal.",
            )
        muted = self._muted()
        return [replace(one, note="fault: mute") if one.name in muted else one for one in found]

    def resolve(self, target: str) -> Component:
        return targets.resolve(self.components(), target)

    def active(self, role: str) -> Component:
        return self.resolve(f"{'leader' if role == 'etcd' else 'active'} {role}")

    def events(self, since: float = 0.0) -> list[Event]:
        names = {one.id: one.name for one in self._looker.containers()}
        told = history(self._listener.heard(), self._diary.read(), names)
        return [event for event in told if event.time >= since]

    def sessions(self) -> list[Session]:
        return self._looker.sessions()

    def logs(self, component: str, lines: int = 50) -> str:
        """The last lines a component wrote, on both of its streams."""
        return self._tail(self.resolve(component).name, lines)

    def loopback_port(self, component: str, port: int) -> int:
        """The port of 127.0.0.1 that leads to a port of a component now, or 0; it changes with a restart."""
        return self._container(component).ports.get(port, 0)

    def _container(self, component: str) -> Container:
        found = self._looker.containers()
        for one in found:
            if one.name == component:
                return one
        raise FaultError(
            f"There is no component {component!r} in the cluster {self.name!r}.",
            hint=f"There is: {', '.join(one.name for one in found)}.",
        )

    def _tail(self, component: str, lines: int = 8) -> str:
        return _last_words(self.docker, self._container(component).id, lines, width=2000)

    # -- breaking -----------------------------------------------------------------------------------------

    def inject(self, kind: FaultKind, target: str | Component) -> InjectedFault:
        """Inject a fault that stays until it is undone. The target is resolved now, by its role now."""
        if kind not in get_args(FaultKind):
            raise FaultError(
                f"There is no fault {kind!r}.", hint=f"Choose one of: {', '.join(get_args(FaultKind))}."
            )
        component = self.resolve(target) if isinstance(target, str) else target
        asked = target if isinstance(target, str) else target.name
        one = self._container(component.name)
        if fault := component.note.removeprefix("fault: ") if component.note.startswith("fault") else "":
            raise FaultError(
                f"{one.name} already has a fault ({fault}).", hint=f"First: halab heal {one.name}"
            )
        if not one.running:
            raise FaultError(f"{one.name} is down: nothing to break.", hint="Look at: halab status")
        at = time.monotonic()
        with self._deed(one, f"fault:{kind}", detail=asked):
            self._break(kind, one)
        return InjectedFault(self, kind, asked, one.name, at)

    def _break(self, kind: FaultKind, one: Container) -> None:
        if kind == "crash":
            self.docker.run("kill", "--signal=KILL", one.id)
        elif kind == "hang":
            self.docker.run("pause", one.id)
        elif kind == "stop":
            self.docker.run("kill", "--signal=TERM", one.id)  # `docker stop` would wait until it has ended
        elif kind == "restart":
            self.docker.run("restart", f"--time={_GRACE:.0f}", one.id)
        elif kind == "mute":
            self._mute(one)
        else:
            self._cut(one)

    @contextmanager
    def fault(self, kind: FaultKind, target: str | Component) -> Iterator[InjectedFault]:
        """Inject a fault; on leaving it is undone and the cluster is healthy again.

        Health is checked before too: on a cluster that is already broken a fault would teach nothing.
        """
        self.wait_healthy()
        fault = self.inject(kind, target)
        try:
            yield fault
        finally:
            fault.undo()
            self.wait_healthy()

    def heal(self, component: str) -> None:
        """Undo a fault on a component by its name, or start it if it is down."""
        one = self._container(component)
        if one.state == "paused":
            with self._deed(one, "continued"):
                self.docker.run("unpause", one.id)
            return
        if one.name in self._muted():
            with self._deed(one, "connected", detail="fault undone"):
                _drop_what_it_sends(one, "--delete")
                self._mute_file(one).unlink()
            return
        with self._deed(one, "connected" if one.cut_off else "started", detail="fault undone"):
            if not one.networks:
                self._connect(one)
            if one.running and self._is_stopping(one):
                self.docker.run("kill", "--signal=KILL", one.id, check=False)
            if not self._container(component).running:
                # "restart" starts one that waits for Docker's next attempt, too.
                self.docker.run("restart", "--time=0", one.id)

    def _is_stopping(self, one: Container) -> bool:
        """True if it was told to stop, and has not within a second."""
        stops = [deed for deed in self._diary.read() if deed.id == one.id]
        if not stops or stops[-1].kind != "fault:stop":
            return False
        time.sleep(1.0)
        return self._container(one.name).running

    def _cut(self, one: Container) -> None:
        """Take a container off its networks. The names it had there are written down: Docker forgets them."""
        _folder(self.name).mkdir(parents=True, exist_ok=True)
        self._cut_file(one).write_text(json.dumps({net: list(names) for net, names in one.networks.items()}))
        for network in one.networks:
            self.docker.run("network", "disconnect", network, one.id)

    def _connect(self, one: Container) -> None:
        """Put it back on its networks, under its names there: without, nobody would find it again."""
        file = self._cut_file(one)
        found = json.loads(file.read_text()) if file.exists() else {}
        for network, names in (found or {net: [one.service] for net in self._networks()}).items():
            aliases = [f"--alias={name}" for name in names if not one.id.startswith(name)]
            self.docker.run("network", "connect", *aliases, network, one.id)
        file.unlink(missing_ok=True)

    def _mute(self, one: Container) -> None:
        _drop_what_it_sends(one, "--insert")
        _folder(self.name).mkdir(parents=True, exist_ok=True)
        self._mute_file(one).touch()

    def _muted(self) -> set[str]:
        """Whose words are lost now: Docker does not know it, and a restart ends it."""
        found = containers(self._looker.inspected)
        return {one.name for one in found if one.running and self._mute_file(one).exists()}

    def _mute_file(self, one: Container) -> Path:
        return _folder(self.name) / f"mute-{one.id[:12]}-{one.started:.0f}"

    def _cut_file(self, one: Container) -> Path:
        return _folder(self.name) / f"cut-{one.id[:12]}.json"

    def _networks(self) -> list[str]:
        label = f"label={PROJECT}={_project(self.name)}"
        return self.docker.run("network", "ls", "--quiet", "--filter", label).split()

    def replace(self, component: str, grace: float, why: str) -> None:
        """End a component's process and start it anew, whatever fault it has; the fault ends with it.

        It is told to stop and killed after `grace` seconds (at most 50) if it has not. Raises FaultError.
        """
        one = self._container(component)
        with self._deed(one, "restarted", "supervisor", why):
            if one.state == "paused":  # it does not hear that it is to stop
                time.sleep(min(grace, 50.0))
                self.docker.run("kill", "--signal=KILL", one.id)
            if one.cut_off:
                self._connect(one)
            self.docker.run("restart", f"--time={min(grace, 50.0):.0f}", one.id)

    @contextmanager
    def _deed(self, one: Container, kind: str, by: By = "user", detail: str = "") -> Iterator[None]:
        began = time.time()
        yield
        self._diary.write(Deed(began, time.time(), one.id, one.name, kind, by, detail))

    def wait_healthy(self, timeout: float = 60.0) -> float:
        """Wait until every component is healthy, looking ten times a second; seconds it took."""
        began = time.monotonic()
        while True:
            ill = [one for one in self.components() if one.health != "healthy"]
            waited = time.monotonic() - began
            if not ill:
                return waited
            if waited > timeout:
                raise NotReady(
                    f"Awaited every component healthy; after {waited:.0f} s these are not: "
                    + "; ".join(f"{one.name} is {one.health} ({one.note or 'no note'})" for one in ill)
                    + f". {ill[0].name} last wrote:\n{self._tail(ill[0].name)}",
                    hint=f"Start it again with: halab restart --name {self.name} {ill[0].name}",
                )
            time.sleep(POLL)

    # -- growing ------------------------------------------------------------------------------------------

    def add(self, role: str) -> Component:
        """Start one more query node and wait until it is healthy.

        It is one more container of the last query node's service, so it has the same definition. Raises
        FaultError for another role, NotReady if the cluster does not become healthy.
        """
        check_extendable(role)
        before = {one.name for one in self._nodes(role)}
        service = max((one.service for one in self._nodes(role)), key=lambda name: (len(name), name))
        copies = sum(one.service == service for one in self._nodes(role)) + 1
        self._compose(
            "up", "--detach", "--no-deps", "--no-recreate", "--scale", f"{service}={copies}", service
        )
        self._looker.forget()
        new = next(one for one in self._nodes(role) if one.name not in before)
        with self._deed(new, "added"):
            pass
        self.wait_healthy()
        return self.resolve(new.name)

    def remove(self, target: str | Component) -> None:
        """Stop a query node, as a planned stop does, for good; it may take as long as it hands over its data.

        Raises FaultError if it is no query node, has a fault or is the last one.
        """
        component = self.resolve(target) if isinstance(target, str) else target
        check_extendable(component.role)
        one = self._container(component.name)
        if len(self._nodes(one.role)) == 1:
            raise FaultError(f"{one.name} is the last query node.", hint="Add another one first.")
        if fault := one.fault():
            raise FaultError(f"{one.name} has a fault ({fault}).", hint=f"First: halab heal {one.name}")
        with self._deed(one, "removed"):
            self.docker.run("stop", f"--time={_GRACE:.0f}", one.id)
            self.docker.run("rm", "--volumes", one.id)
        self._looker.forget()

    def _nodes(self, role: str) -> list[Container]:
        return [one for one in self._looker.containers() if one.role == role]

    @contextmanager
    def slow(self, role: str, share: float, period: float) -> Iterator[None]:
        """Let each container of a role have this share of a core only, while the block runs.

        It is a quota of its cgroup, counted anew each 100 ms: `period` is not used.
        """
        nodes = self._nodes(role)
        self.docker.run("update", f"--cpus={share:g}", *(one.id for one in nodes))
        try:
            yield
        finally:
            for one in nodes:
                # Docker takes 0 for "as it was": who had no limit gets all the cores there are.
                self.docker.run("update", f"--cpus={one.cpus or os.cpu_count() or 1:g}", one.id, check=False)

    def _compose(self, *arguments: str) -> None:
        environment = _settings(self.profile, self.ttl, balancer_port(self._looker.inspected))
        command = self.docker.compose(_project(self.name), _file(), *arguments)
        ended = subprocess.run(
            command, env=self.docker.environment(**environment), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ended.returncode:
            raise ClusterError(
                f"`docker compose {arguments[0]}` failed:\n{ended.stderr.strip()[-1000:]}",
                hint="Run: halab doctor",
            )

    # -- ending -------------------------------------------------------------------------------------------

    def down(self) -> None:
        """Remove every container, network and volume of the cluster."""
        self._listener.close()
        remove(self.name, self.docker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self.owned:
            self.down()

    def __repr__(self) -> str:
        milvus = self.versions["milvus"]
        where = f"Milvus {milvus} at {self.uri}, TTL {self.ttl:g} s"
        return f"<{self.profile} cluster {self.name!r} in containers: {where}>"


# -- start and attach -------------------------------------------------------------------------------------


def start(
    name: str = "course",
    profile: str = "ha",
    ttl: float = 10,
    *,
    detach: bool = False,
    progress: Progress = lambda _: None,
) -> ComposeCluster:
    """A ready cluster of that name: a new one, or the one that runs (or is starting) already.

    It ends with this process unless `detach`. `progress` is called while it starts with the phase, the
    components, how many are healthy and the seconds so far. Raises ClusterExists if the one that runs has
    other settings, NotReady if it does not come up, ClusterError if Docker or the file is missing.
    """
    check_settings(name, profile, ttl)
    docker, file = find_docker(), _file()
    _folder(name).parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with FileLock(_folder(name).parent / f"{name}.lock"):
        found = Looker(docker, _project(name)).containers()
        launching = None
        if not any(one.state not in ("exited", "dead") for one in found):
            remove(name, docker)  # what an earlier one left: stopped containers, volumes
            launching = _launch(docker, file, name, profile, ttl, detach)
    owned = launching is not None and not detach
    try:
        cluster = _await_ready(docker, name, launching, began, progress)
    except BaseException:
        if launching is not None:
            remove(name, docker)
            launching.wait()
        raise
    cluster.owned = owned
    _check_same(cluster, profile, ttl)
    return cluster


def _check_same(cluster: ComposeCluster, profile: str, ttl: float) -> None:
    if (cluster.profile, cluster.ttl) != (profile, float(ttl)):
        raise ClusterExists(
            f"A cluster {cluster.name!r} is running with profile {cluster.profile} and TTL {cluster.ttl:g} "
            f"s; asked for profile {profile} and TTL {ttl:g} s.",
            hint="Take it down (in a notebook cluster.down(), in a terminal halab down "
            f'--name {cluster.name}) or use another name: halab.cluster("lab-2").',
        )


def attach(name: str = "course") -> ComposeCluster:
    """The running cluster of that name, however it was started. Raises ClusterNotFound, ClusterError."""
    docker = find_docker()
    if name not in names(docker):
        there = ", ".join(names(docker)) or "none"
        raise ClusterNotFound(
            f"No cluster {name!r} runs in containers (running: {there}).",
            hint="Start it with: halab up --engine compose",
        )
    return ComposeCluster(docker, name)


def names(docker: Docker | None = None) -> list[str]:
    """The clusters of the course that have containers here."""
    docker = docker or find_docker()
    shown = docker.run(
        "ps", "--all", "--filter", f"label={ROLE}", "--format", f'{{{{.Label "{PROJECT}"}}}}'
    ).split()
    return sorted({one.removeprefix("halab-") for one in shown if one.startswith("halab-")})


def exists(name: str) -> bool:
    """True if a cluster of that name has containers here; False where there is no Docker to ask."""
    try:
        return name in names()
    except ClusterError:
        return False


def down_all() -> list[str]:
    """Take down every cluster of the course that has containers here; their names. None without a Docker."""
    try:
        docker = find_docker()
    except ClusterError:
        return []
    found = names(docker)
    for name in found:
        remove(name, docker)
    return found


def remove(name: str, docker: Docker | None = None) -> None:
    """End a cluster, whatever state it is in, and see to it that nothing of it is left.

    Raises ClusterError that names what is left, if anything is.
    """
    docker, project = docker or find_docker(), _project(name)
    (_folder(name) / "owner.json").unlink(missing_ok=True)  # its guard has nothing to guard any more
    _end_start(_folder(name) / "up.pid")
    if ids := docker.ids(project):
        docker.run("rm", "--force", "--volumes", *ids)
    for kind in ("network", "volume"):
        label = f"label={PROJECT}={project}"
        if found := docker.run(kind, "ls", "--quiet", "--filter", label).split():
            docker.run(kind, "rm", *found)
    if left := docker.ids(project):
        raise ClusterError(
            f"Of {project} these containers are left: {', '.join(left)}.", hint="Run: docker ps -a"
        )
    shutil.rmtree(_folder(name), ignore_errors=True)


def _end_start(file: Path) -> None:
    """End a `docker compose up` that is under way: it would go on making containers."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        pid = int(file.read_text())
        if os.getpgid(pid) == pid and "compose" in psutil.Process(pid).cmdline():
            os.killpg(pid, signal.SIGKILL)


def owner_of(name: str) -> int | None:
    """The process that owns a cluster, as its guard knows it; None if it was taken down or is detached."""
    try:
        return int(json.loads((_folder(name) / "owner.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return None


def _project(name: str) -> str:
    return f"halab-{name}"


def _folder(name: str) -> Path:
    return home_folder() / "compose" / name


def _file() -> Path:
    file = course_root() / FILE
    if not file.exists():
        raise ClusterError(
            f"The compose engine needs the course's {FILE}, and it is not in {file.parent}.",
            hint="Run it in the folder you cloned, or set HALAB_COURSE to that folder.",
        )
    return file


def _settings(profile: str, ttl: float, port: int) -> dict[str, str]:
    return {"COMPOSE_PROFILES": profile, "HALAB_TTL": f"{ttl:.0f}", "HALAB_PORT": str(port)}


def _launch(
    docker: Docker, file: Path, name: str, profile: str, ttl: float, detach: bool
) -> subprocess.Popen[bytes]:
    """Begin `docker compose up`, and a guard beside it unless the cluster is to outlive this process."""
    folder = _folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    port = _PORT if is_free(_PORT) else free_ports(1)[0]
    env = docker.environment(**_settings(profile, ttl, port))
    with (folder / "up.log").open("wb") as output:
        process = subprocess.Popen(
            docker.compose(_project(name), file, "up", "--detach"),
            env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, which `remove` can end as a whole
        )  # fmt: skip
    (folder / "up.pid").write_text(str(process.pid))
    if not detach:
        (folder / "owner.json").write_text(json.dumps({"pid": os.getpid()}))
        guard(name, env)
    while process.poll() is None and not docker.ids(_project(name)):
        time.sleep(POLL)  # who asks next must find that it is starting
    return process


def _await_ready(
    docker: Docker, name: str, launching: subprocess.Popen[bytes] | None, began: float, progress: Progress
) -> ComposeCluster:
    """Follow a start to its end: containers up, every component healthy, a search on a scratch collection."""
    looker = Looker(docker, _project(name))

    def look(phase: str) -> list[Component]:
        found = looker.components()
        healthy = sum(one.health == "healthy" for one in found)
        progress(
            {
                "phase": phase,
                "components": [one.as_dict() for one in found],
                "elapsed": time.monotonic() - began,
                "done": healthy,
                "total": len(found),
            }
        )
        return found

    while launching is not None and launching.poll() is None:
        look("docker compose up: etcd, the log and the object store first, then Milvus")
        time.sleep(POLL)
    if launching is not None and launching.returncode:
        ill = [one for one in looker.components() if one.health not in ("healthy", "starting")]
        raise NotReady(
            f"`docker compose up` failed:\n{tail(_folder(name) / 'up.log', 3)}\n"
            + _report(docker, looker, ill),
            hint="Run: halab doctor. Images are pulled at the first start, which needs the network.",
        )
    deadline = time.monotonic() + _READY_WITHIN
    while ill := [one for one in look("waiting for every component") if one.health != "healthy"]:
        if time.monotonic() > deadline:
            raise NotReady(_report(docker, looker, ill), hint="Run: halab doctor")
        time.sleep(POLL)
    cluster = ComposeCluster(docker, name)
    if launching is not None:
        _search(cluster.uri, lambda: look("searching a scratch collection"))
        while any(one.health != "healthy" for one in look("waiting for every component")):
            if time.monotonic() > deadline:
                raise NotReady(_report(docker, looker, look("failed")), hint="Run: halab doctor")
            time.sleep(POLL)
    look("ready")
    return cluster


def _drop_what_it_sends(one: Container, change: str) -> None:
    """Insert or delete a rule in a container's own network, from outside. Raises FaultError where one cannot."""
    command = [
        "nsenter", f"--target={one.pid}", "--net", "iptables", change, "OUTPUT", "!", "--out-interface", "lo",
        "--jump", "DROP",
    ]  # fmt: skip
    missing = [each for each in ("nsenter", "iptables") if shutil.which(each) is None]
    if not missing and os.geteuid() == 0 and work_of(one) is not None:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if not ended.returncode:
            return
        missing = [ended.stderr.strip()]
    raise FaultError(
        "A cut one way takes root on the machine where the containers run, with nsenter and iptables there; "
        f"found {'root' if os.geteuid() == 0 else 'no root'}{', without ' * bool(missing)}{', '.join(missing)}.",
        hint="The fault partition cuts both ways and needs none of them.",
    )


def _last_words(docker: Docker, identity: str, lines: int = 8, width: int = 300) -> str:
    """The last lines a container wrote, on both of its streams."""
    ended = subprocess.run(
        [docker.command, "logs", "--tail", str(lines), identity],
        env=docker.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
    )  # fmt: skip
    return "\n".join(line[:width] for line in ended.stdout.splitlines())


def _report(docker: Docker, looker: Looker, ill: list[Component]) -> str:
    ids = {one.name: one.id for one in looker.containers()}
    lines = ["Awaited every component healthy; it did not come to that."]
    for one in ill[:3]:
        said = _last_words(docker, ids[one.name])
        lines.append(f"{one.name} is {one.health} ({one.note or 'no note'}). Its last lines:\n{said}")
    return "\n".join(lines)


def _search(uri: str, meanwhile: Callable[[], object]) -> None:
    """The embedded engine's last check, in a process of its own as there."""
    script = Path(__file__).parents[1] / "scratch.py"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, str(script), uri, "60"], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            while process.poll() is None:
                meanwhile()
                time.sleep(POLL)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()[-8:]
            raise NotReady("The scratch search failed:\n" + "\n".join(said), hint="Run: halab doctor")
