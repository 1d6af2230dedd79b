"""`EmbeddedCluster`: a client of a cluster's supervisor; how to start one, attach to one and remove one."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path, PurePath
from typing import Any, Literal

import psutil
from filelock import AcquireReturnProxy, FileLock

from halab.cluster.cpu_throttle import throttle_cpu
from halab.cluster.embedded import orphan_killer
from halab.cluster.embedded.binaries import find_binaries
from halab.cluster.embedded.child_process import tail
from halab.cluster.embedded.outside_files import remove_outside_files, share_milvus_folder
from halab.cluster.embedded.ports import free_ports
from halab.cluster.embedded.spec import (
    PORTS,
    ClusterSpec,
    Owner,
    check_settings,
    clusters_folder,
    make_spec,
    ports_needed,
)
from halab.cluster.etcd import put_config
from halab.cluster.protocol import Component, Event, FaultKind, Session, check_extendable
from halab.cluster.running_cluster import (
    USUAL_PROFILE,
    USUAL_TTL,
    InjectedFault,
    RunningCluster,
    check_fault_kind,
    check_same_settings,
    healed,
    removed,
    taken_down,
)
from halab.errors import ClusterError, ClusterNotFound, FaultError, NotReady
from halab.tables import Sentence
from halab.translation import gettext

__all__ = [
    "EmbeddedCluster",
    "attach",
    "clusters",
    "down_all",
    "exists",
    "folder_of",
    "is_running",
    "not_running",
    "remove",
    "start",
]

Progress = Callable[[dict[str, Any]], None]
POLL = 0.1  # seconds between two readings of the status while it starts
# Supervisors that this process started, so that they are reaped when they end, and leave no zombies.
_SUPERVISORS: list[subprocess.Popen[bytes]] = []


class SupervisorStopped(ClusterError):
    """A signal has stopped the process that looks after the cluster."""


class EmbeddedCluster(RunningCluster):
    """Real Milvus processes on this machine (see `halab.cluster.protocol.Cluster`).

    Made by `start` or `attach`. `owned` is True if this process started it and is to take it down.
    """

    engine: Literal["embedded"] = "embedded"

    def __init__(self, spec: ClusterSpec, owned: bool) -> None:
        self.name, self.profile = spec.name, spec.profile
        self.spec = spec
        self.owned = owned

    @property
    def ttl(self) -> float:
        return float(self.spec.ttl)

    @property
    def versions(self) -> dict[str, str]:
        return dict(self.spec.versions)

    @property
    def uri(self) -> str:
        return self.spec.uri

    @property
    def folder(self) -> Path:
        return self.spec.folder

    # -- status -------------------------------------------------------------------------------------------

    def status(self, *, fresh: bool = False) -> dict[str, Any]:
        """Everything the supervisor knows: phase, components, disk use (bytes), time to ready (seconds).

        `fresh` asks every component now; without it the last answers are taken, at most a second old.
        `notebook` is the one that the cluster ends with, if it is one.
        """
        status = _request(self.spec, {"op": "status", "fresh": fresh})
        return status | {"notebook": self.spec.owner.notebook if self.spec.owner else ""}

    def components(self) -> list[Component]:
        return _components(self.status(fresh=True))

    def events(self, since: float = 0.0) -> list[Event]:
        return [Event(*fields) for fields in _request(self.spec, {"op": "events", "since": since})["events"]]

    def sessions(self) -> list[Session]:
        """What Milvus' processes keep in etcd now, by key; empty if no member of etcd answers."""
        return [Session(**fields) for fields in _request(self.spec, {"op": "sessions"})["sessions"]]

    def set_config(self, key: str, value: str) -> None:
        """Change one of Milvus' settings while it runs: it looks for them in etcd every five seconds.

        Not every setting is looked at again. Raises ClusterError if no member of etcd takes it.
        """
        if not any(
            put_config(endpoint, self.spec.prefix, key, value) for endpoint in self.spec.etcd_endpoints()
        ):
            raise ClusterError(
                gettext("no member of etcd took the setting {key}").format(key=key),
                hint=gettext("Look at: halab status"),
            )

    def _tail(self, name: str, lines: int = 8, width: int = 300) -> str:
        return tail(self.folder / name / "output.log", lines, width)

    # -- faults -------------------------------------------------------------------------------------------

    def inject(self, kind: FaultKind, target: str | Component) -> InjectedFault:
        """Inject a fault that stays until it is undone. The target is resolved now, by its role now."""
        check_fault_kind(kind, self.engine)
        component, asked = self._resolve_target(target)
        answer = _request(self.spec, {"op": "fault", "name": component.name, "kind": kind, "target": asked})
        return InjectedFault(self, kind, asked, component.name, answer["at"])

    def slow(self, role: str, share: float, period: float) -> AbstractContextManager[None]:
        """Let each process of a role run for `share` of every `period` (seconds); see `throttle_cpu`."""
        pids = [component.pid for component in self.components() if component.role == role and component.pid]
        return throttle_cpu(pids, share, period)

    def loopback_port(self, component: str, port: int) -> int:
        """The port that Milvus' own `port` (9091 or 19530) is here, or 0."""
        name = {9091: "metrics", 19530: "grpc"}.get(port, "")
        processes = (process for process in self.spec.processes if process.name == component)
        return next((process.ports.get(name, 0) for process in processes), 0)

    def heal(self, component: str) -> Sentence:
        """Undo a fault on a component by its name, or start it if it is down."""
        _request(self.spec, {"op": "heal", "name": component})
        return healed(component)

    def replace(self, component: str, grace: float, why: str) -> None:
        """End a component's process and start it anew, whatever fault it has; the fault ends with it.

        It is told to stop, and killed if it has not after `grace` seconds (at most 50). Raises FaultError for
        a component that does not exist.
        """
        _request(self.spec, {"op": "replace", "name": component, "grace": min(grace, 50.0), "why": why})

    # -- scaling ------------------------------------------------------------------------------------------

    def add(self, role: str) -> Component:
        """Start one more query node and wait until it is healthy.

        Raises FaultError for another role, NotReady if the cluster does not become healthy.
        """
        check_extendable(role)
        ports = free_ports(len(PORTS[role]), _reserved())
        name = _request(self.spec, {"op": "add", "role": role, "ports": ports})["name"]
        self.wait_healthy()
        return self.resolve(name)

    def remove(self, target: str | Component) -> Sentence:
        """Stop a query node for good, as a planned stop does; that lasts until it has handed over its data.

        Raises FaultError if it is no query node, has a fault or is the last one.
        """
        component, _ = self._resolve_target(target)
        check_extendable(component.role)
        _request(self.spec, {"op": "remove", "name": component.name})
        return removed(component.name)

    # -- ending -------------------------------------------------------------------------------------------

    def down(self) -> Sentence:
        """Kill every process of the cluster and remove its folder."""
        remove(self.folder)
        return taken_down(self.name)

    def __repr__(self) -> str:
        milvus = self.spec.versions["milvus"]
        return f"<{self.profile} cluster {self.name!r}: Milvus {milvus} at {self.uri}, TTL {self.ttl:g} s>"


def start(
    name: str = "course",
    profile: str | None = None,
    ttl: float | None = None,
    *,
    detach: bool = False,
    progress: Progress = lambda _: None,
) -> EmbeddedCluster:
    """A ready cluster of that name: a new one, or the one that runs (or is starting) already.

    A new one has profile "ha" and a TTL of 10 s unless others are asked for; one that runs is used as it is.
    It ends with this process unless `detach`. `progress` is called ten times a second with the phase, the
    components, how many are healthy and the seconds so far. Raises ClusterExists if the one that runs has
    other settings, NotReady if it does not come up, UnsupportedPlatform, ClusterError.
    """
    check_settings(name, profile or USUAL_PROFILE, ttl or USUAL_TTL)
    folder = folder_of(name)
    with _lock(folder.parent):
        spec = _running(folder)
        owned = spec is None
        if spec is None:
            spec = _launch(name, profile or USUAL_PROFILE, ttl or USUAL_TTL, detach, progress)
        else:
            check_same_settings(name, (spec.profile, spec.ttl), profile, ttl)
    cluster = EmbeddedCluster(spec, owned and not detach)
    _await_ready(cluster, owned, progress)
    return cluster


def attach(name: str = "course") -> EmbeddedCluster:
    """The running cluster of that name. Raises ClusterNotFound."""
    if (spec := _running(folder_of(name))) is None:
        raise not_running(name)
    return EmbeddedCluster(spec, owned=False)


def not_running(name: str) -> ClusterNotFound:
    """The error for a name that no cluster has; it lists those that run."""
    running = ", ".join(spec.name for spec in clusters()) or "none"
    return ClusterNotFound(
        gettext("No cluster {name!r} is running (running: {running}).").format(name=name, running=running),
        hint=gettext("Start it with: halab up"),
    )


def clusters() -> list[ClusterSpec]:
    """Every cluster that runs on this machine for this user."""
    folders = sorted(clusters_folder().glob("*/cluster.json"))
    return [spec for folder in folders if (spec := _running(folder.parent)) is not None]


def folder_of(name: str) -> Path:
    return clusters_folder() / name


def is_running(name: str) -> bool:
    return _running(folder_of(name)) is not None


def exists(name: str) -> bool:
    """True if a cluster of that name runs, or has left its folder behind."""
    return (folder_of(name) / "cluster.json").exists()


def down_all() -> list[str]:
    """Take down every cluster, stale folders included; their names."""
    folders = [path.parent for path in sorted(clusters_folder().glob("*/cluster.json"))]
    for folder in folders:
        remove(folder)
    return [folder.name for folder in folders]


def remove(folder: Path) -> None:
    """End the cluster of a folder, whatever state it is in, and remove the folder."""
    try:
        spec = ClusterSpec.load(folder)
    except (OSError, ValueError):
        spec = None
    if spec is not None:
        try:
            _request(spec, {"op": "down"})
        except ClusterError:
            pass
        else:
            _await_gone(spec)
    orphan_killer.kill_recorded(folder)  # what a killed supervisor left, and one that is stopped
    _SUPERVISORS[:] = [process for process in _SUPERVISORS if process.poll() is None]
    if spec is not None:
        remove_outside_files(spec)
    shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> AcquireReturnProxy[FileLock]:
    """Hold the lock of the folder of clusters in a `with`. Raises ClusterError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / "clusters.lock").acquire()
    except OSError as error:
        raise ClusterError(
            gettext(
                "Clusters need a folder of their own, and {folder} cannot be written: {strerror}."
            ).format(folder=folder, strerror=error.strerror),
            hint=gettext("Choose another: set HALAB_HOME to a folder that you may write."),
        ) from None


def _await_gone(spec: ClusterSpec) -> None:
    until = time.monotonic() + 15
    while spec.socket.parent.exists() and time.monotonic() < until:
        time.sleep(0.02)
    for process in _SUPERVISORS:
        if process.args[-1] == str(spec.folder):  # type: ignore[index]
            process.wait(timeout=15)


def _launch(name: str, profile: str, ttl: float, detach: bool, progress: Progress) -> ClusterSpec:
    began = time.monotonic()

    def report(phase: str) -> None:
        progress(
            {"phase": phase, "components": [], "elapsed": time.monotonic() - began, "done": 0, "total": 0}
        )

    binaries = find_binaries(report)
    share_milvus_folder()
    folder = folder_of(name)
    remove(folder)
    me = Owner(pid=os.getpid(), created=psutil.Process().create_time(), notebook=_notebook())
    spec = make_spec(
        name,
        profile,
        ttl,
        # A unix socket's path may have about 100 characters; the cluster's folder may be longer than that.
        # The supervisor makes this folder: what an owner makes stays if it is killed before that runs.
        socket=Path(tempfile.gettempdir()) / f"halab-{secrets.token_hex(8)}" / "supervisor",
        owner=None if detach else me,
        ports=free_ports(ports_needed(profile), _reserved()),
        versions=binaries.versions,
    )
    report(gettext("starting the supervisor"))
    folder.mkdir(mode=0o700)
    spec.save()
    with (folder / "supervisor.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "halab.cluster.embedded.supervisor", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for the owner, who then takes it down
        )
    _await_supervisor(spec, process)
    return spec


def _notebook() -> str:
    """The file name of the notebook whose kernel this process is; empty in any other."""
    session = PurePath(os.environ.get("JPY_SESSION_NAME", ""))  # set by jupyter_server's session manager
    return session.name if session.suffix == ".ipynb" else ""


def _await_supervisor(spec: ClusterSpec, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while not _answers(spec):
        if process.poll() is not None or time.monotonic() > until:
            ended = (
                gettext("ended with {returncode}").format(returncode=process.returncode)
                if process.returncode is not None
                else gettext("did not answer in 30 s")
            )
            raise NotReady(
                gettext("Awaited the supervisor; it {ended}. It wrote:\n{tail}").format(
                    ended=ended, tail=tail(spec.folder / "supervisor.log")
                ),
                hint=gettext("Run: halab doctor"),
            )
        time.sleep(0.02)
    _SUPERVISORS.append(process)


def _reserved() -> set[int]:
    return {port for spec in clusters() for process in spec.processes for port in process.ports.values()}


def _running(folder: Path) -> ClusterSpec | None:
    try:
        spec = ClusterSpec.load(folder)
    except (OSError, ValueError):
        return None
    return spec if _answers(spec) else None


def _answers(spec: ClusterSpec) -> bool:
    try:
        _request(spec, {"op": "status"})
    except SupervisorStopped:
        return True  # it is there, and says so to whoever asks it for something
    except ClusterError:
        return False
    return True


def _await_ready(cluster: EmbeddedCluster, owned: bool, progress: Progress) -> None:
    """Follow a start to its end. The deadline is the supervisor's, whose phase is then "failed"."""
    while True:
        status = cluster.status()
        healthy = sum(c["health"] == "healthy" for c in status["components"])
        settings = gettext("profile {profile}, TTL {ttl:g} s").format(
            profile=cluster.profile, ttl=cluster.ttl
        )
        mine = cluster.spec.owner is not None and cluster.spec.owner.pid == os.getpid()
        counts = {"done": healthy, "total": len(status["components"])}
        progress(status | counts | {"settings": settings, "mine": mine})
        if status["phase"] == "ready":
            return
        if status["phase"] == "failed":
            if owned:
                _request(cluster.spec, {"op": "down", "keep": True})
            raise NotReady(
                gettext("The cluster {name!r} did not come up.\n{error}").format(
                    name=cluster.name, error=status["error"]
                ),
                hint=gettext("Run: halab doctor. All logs are in {folder} until the next start.").format(
                    folder=cluster.folder
                ),
            )
        time.sleep(POLL)


def _components(status: dict[str, Any]) -> list[Component]:
    return [Component(**fields) for fields in status["components"]]


def _request(spec: ClusterSpec, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request to a cluster's supervisor; its answer.

    Raises ClusterNotFound if it does not answer, SupervisorStopped, FaultError if it refuses the request.
    """
    if (pid := orphan_killer.stopped_supervisor(spec.folder)) is not None:
        raise SupervisorStopped(
            gettext(
                "The cluster {name!r} cannot answer: its supervisor, process {pid}, is stopped (SIGSTOP)."
            ).format(name=spec.name, pid=pid),
            hint=gettext(
                "Let it go on: kill -CONT {pid}. Or remove the cluster: halab down --name {name}"
            ).format(pid=pid, name=spec.name),
        )
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(60)
            connection.connect(str(spec.socket))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile("rb").readline()
        answer: dict[str, Any] = json.loads(line)
    except (OSError, ValueError) as error:
        gone = isinstance(error, (FileNotFoundError, ConnectionRefusedError))
        why = gettext("it was taken down, or the process that started it has ended") if gone else str(error)
        raise ClusterNotFound(
            gettext("The cluster {name!r} no longer answers: {why}.").format(name=spec.name, why=why),
            hint=gettext(
                "Start it again: halab.cluster() and a new Retriever in a notebook, halab up in a terminal."
            ),
        ) from None
    if "refused" in answer:
        raise FaultError(
            gettext("The cluster {name!r} refused: {refused}.").format(
                name=spec.name, refused=answer["refused"]
            ),
            hint=gettext("Look at: halab status"),
        )
    return answer
