"""Starts a cluster of containers and waits until it is ready, or joins one that runs or is starting."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from halab.cluster.compose import projects
from halab.cluster.compose.compose_cluster import ComposeCluster
from halab.cluster.compose.docker import Docker, find_docker
from halab.cluster.compose.owner_watch import guard
from halab.cluster.compose.status_reader import StatusReader
from halab.cluster.embedded.child_process import tail
from halab.cluster.embedded.ports import free_ports, is_free
from halab.cluster.embedded.spec import check_settings
from halab.cluster.protocol import Component
from halab.cluster.running_cluster import check_same
from halab.errors import NotReady

__all__ = ["start"]

Progress = Callable[[dict[str, Any]], None]
_PORT = 19530
_POLL = 0.3  # seconds between looks at a start: a look costs a tenth of a second of what the start needs
_READY_WITHIN = 300.0  # seconds; images that are not there yet are pulled before this clock starts


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
    docker, file = find_docker(), projects.file()
    projects.folder(name).parent.mkdir(parents=True, exist_ok=True)
    follow = _Start(docker, name, progress)
    with FileLock(projects.folder(name).parent / f"{name}.lock"):
        launching = None
        if all(one.state in ("exited", "dead") for one in follow.reader.containers()):
            projects.remove(name, docker)  # what an earlier one left: stopped containers, volumes
            launching = _launch(docker, file, name, profile, ttl, detach)
    if launching is None:
        cluster = follow.joined()
        check_same(name, (cluster.profile, cluster.ttl), (profile, ttl))
        follow.look("ready")
        return cluster
    try:
        cluster = follow.ready(launching)
    except BaseException:
        projects.remove(name, docker)
        launching.wait()
        raise
    cluster.owned = not detach
    return cluster


def _launch(
    docker: Docker, file: Path, name: str, profile: str, ttl: float, detach: bool
) -> subprocess.Popen[bytes]:
    """Begin `docker compose up`, and a guard beside it unless the cluster is to outlive this process."""
    folder = projects.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    port = _PORT if is_free(_PORT) else free_ports(1)[0]
    env = docker.environment(**projects.settings(profile, ttl, port))
    with (folder / "up.log").open("wb") as output:
        process = subprocess.Popen(
            docker.compose(projects.project(name), file, "up", "--detach"),
            env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, which `remove` can end as a whole
        )  # fmt: skip
    projects.starts(name, process.pid)
    if not detach:
        projects.own(name)
        guard(name, env)
    while process.poll() is None and not docker.ids(projects.project(name)):
        time.sleep(_POLL)  # who asks next must find that it is starting
    return process


@dataclass
class _Start:
    """Follows a start to its end, and shows what it sees."""

    docker: Docker
    name: str
    progress: Progress

    def __post_init__(self) -> None:
        self.reader = StatusReader(self.docker, projects.project(self.name))
        self.began = time.monotonic()

    def joined(self) -> ComposeCluster:
        """One that runs already, as it is; if it is starting, when it has started."""
        self.awaits(lambda found: all(one.health != "starting" for one in found))
        return self._held()

    def ready(self, launching: subprocess.Popen[bytes]) -> ComposeCluster:
        """Containers up, every component healthy, and a search on a scratch collection answered."""
        phase = "docker compose up: the images come first, if they are not here yet"
        while launching.poll() is None:
            if self.look(phase):
                phase = "docker compose up: etcd, the log and the object store, then Milvus"
            time.sleep(_POLL)
        if launching.returncode:
            said = tail(projects.folder(self.name) / "up.log", 3)
            raise NotReady(
                f"`docker compose up` failed:\n{said}\n{self.report(self.reader.components())}",
                hint="Run: halab doctor. Images are pulled at the first start, which needs the network.",
            )
        self.awaits(_all_healthy)
        cluster = self._held()
        _search(cluster.uri, lambda: self.look("searching a scratch collection"))
        self.awaits(_all_healthy)
        self.look("ready")
        return cluster

    def look(self, phase: str) -> list[Component]:
        found = self.reader.components()
        news = {"phase": phase, "components": [one.as_dict() for one in found]}
        healthy = sum(one.health == "healthy" for one in found)
        elapsed = time.monotonic() - self.began
        self.progress(news | {"elapsed": elapsed, "done": healthy, "total": len(found)})
        return found

    def awaits(self, done: Callable[[list[Component]], bool]) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while not done(found := self.look("waiting for every component")):
            if time.monotonic() > deadline:
                raise NotReady(self.report(found), hint="Run: halab doctor")
            time.sleep(_POLL)

    def report(self, found: list[Component]) -> str:
        """Which components are not healthy, and the last words of the first three."""
        ids = {one.name: one.id for one in self.reader.containers()}
        lines = ["Awaited every component healthy; it did not come to that."]
        for one in [one for one in found if one.health not in ("healthy", "starting")][:3]:
            said = self.docker.last_words(ids[one.name])
            lines.append(f"{one.name} is {one.health} ({one.note or 'no note'}). Its last lines:\n{said}")
        return "\n".join(lines)

    def _held(self) -> ComposeCluster:
        return ComposeCluster(self.docker, self.name)


def _all_healthy(found: list[Component]) -> bool:
    return all(one.health == "healthy" for one in found)


def _search(uri: str, meanwhile: Callable[[], object]) -> None:
    """The embedded engine's last check, in a process of its own as there."""
    script = Path(__file__).parents[1] / "readiness_check.py"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, str(script), uri, "60"], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            while process.poll() is None:
                meanwhile()
                time.sleep(_POLL)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()[-8:]
            raise NotReady("The scratch search failed:\n" + "\n".join(said), hint="Run: halab doctor")
