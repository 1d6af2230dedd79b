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
from halab.cluster.compose.owner_watch import start_owner_watch
from halab.cluster.compose.status_reader import StatusReader
from halab.cluster.embedded.child_process import tail
from halab.cluster.embedded.ports import free_ports, is_free
from halab.cluster.embedded.spec import check_settings
from halab.cluster.protocol import Component
from halab.cluster.running_cluster import USUAL_PROFILE, USUAL_TTL, check_same_settings
from halab.errors import ClusterExists, NotReady
from halab.translation import gettext

__all__ = ["start"]

Progress = Callable[[dict[str, Any]], None]
_PORT = 19530
_CURRENT_TTL = 30.0  # seconds
_POLL = 0.3  # seconds between two readings of the status: each takes 0.1 s of CPU that the start needs
_READY_WITHIN = 300.0  # seconds; missing images are pulled before this clock starts


def start(
    name: str = "course",
    profile: str | None = None,
    ttl: float | None = None,
    *,
    milvus: str | None = None,
    detach: bool = False,
    progress: Progress = lambda _: None,
) -> ComposeCluster:
    """A ready cluster of that name: a new one, or the one that runs (or is starting) already.

    A new one has profile "ha" and a TTL of 10 s unless others are asked for; one that runs is used as it is.
    `milvus` is a line of `projects.IMAGES`, "2.5" if not given; from "2.6" a new one has a TTL of 30 s, for
    docker-compose.current.yml says why.
    It ends with this process unless `detach`. `progress` is called while it starts with the phase, the
    components, how many are healthy and the seconds so far. Raises ClusterExists if the one that runs has
    other settings, NotReady if it does not come up, ClusterError if Docker or the file is missing.
    """
    line = milvus or "2.5"
    usual_ttl = USUAL_TTL if line == "2.5" else _CURRENT_TTL
    check_settings(name, profile or USUAL_PROFILE, ttl or usual_ttl)
    projects.check_milvus(line, profile or USUAL_PROFILE)
    docker, file = find_docker(), projects.file(line)
    projects.folder(name).parent.mkdir(parents=True, exist_ok=True)
    startup = _Startup(docker, name, progress)
    with FileLock(projects.folder(name).parent / f"{name}.lock"):
        launching = None
        if all(container.state in ("exited", "dead") for container in startup.reader.containers()):
            projects.remove(name, docker)  # what an earlier one left: stopped containers, volumes
            wanted = projects.settings(profile or USUAL_PROFILE, ttl or usual_ttl, _free_port(), line)
            launching = _launch(docker, file, name, wanted, detach)
    if launching is None:
        cluster = startup.join()
        check_same_settings(name, (cluster.profile, cluster.ttl), profile, ttl)
        if milvus not in (None, cluster.milvus):
            raise ClusterExists(
                gettext(
                    "A cluster {name!r} is running with the roles of Milvus {running}, not {milvus}."
                ).format(name=name, running=cluster.milvus, milvus=milvus),
                hint=gettext("Take it down with: halab down --name {name}").format(name=name),
            )
        startup.report("ready")
        return cluster
    try:
        cluster = startup.wait_ready(launching)
    except BaseException:
        projects.remove(name, docker)
        launching.wait()
        raise
    cluster.owned = not detach
    return cluster


def _free_port() -> int:
    return _PORT if is_free(_PORT) else free_ports(1)[0]


def _launch(
    docker: Docker, file: Path, name: str, settings: dict[str, str], detach: bool
) -> subprocess.Popen[bytes]:
    """Begin `docker compose up`, and watch the owner unless the cluster is to outlive this process.

    Returns when the first container exists: until then nobody else could see that the cluster is starting.
    """
    folder = projects.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    env = docker.environment(**settings)
    with (folder / "up.log").open("wb") as output:
        process = subprocess.Popen(
            docker.compose(projects.project(name), file, "up", "--detach"),
            env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, which `remove` can end as a whole
        )  # fmt: skip
    projects.record_startup(name, process.pid)
    if not detach:
        projects.record_owner(name)
        start_owner_watch(name, env)
    while process.poll() is None and not docker.ids(projects.project(name)):
        time.sleep(_POLL)
    return process


@dataclass
class _Startup:
    """Follows a start to its end, and reports its progress."""

    docker: Docker
    name: str
    progress: Progress

    def __post_init__(self) -> None:
        self.reader = StatusReader(self.docker, projects.project(self.name))
        self.began = time.monotonic()

    def join(self) -> ComposeCluster:
        """The cluster that runs already, as it is; if it is starting, wait until it has started."""
        self.wait_for(
            lambda components: all(part.health not in ("waiting", "starting") for part in components)
        )
        return ComposeCluster(self.docker, self.name)

    def wait_ready(self, launching: subprocess.Popen[bytes]) -> ComposeCluster:
        """Wait for the containers, for every component's health, and for a search on a scratch collection."""
        phase = gettext("docker compose up: the images come first, if they are not here yet")
        while launching.poll() is None:
            if self.report(phase):
                phase = gettext("docker compose up: etcd, the log and the object store, then Milvus")
            time.sleep(_POLL)
        if launching.returncode:
            output = tail(projects.folder(self.name) / "up.log", 3)
            raise NotReady(
                gettext("`docker compose {command}` failed:\n{output}").format(
                    command="up", output=f"{output}\n{self.failure(self.reader.components())}"
                ),
                hint=gettext(
                    "Run: halab doctor. Images are pulled at the first start, which needs the network."
                ),
            )
        self.wait_for(_all_healthy)
        cluster = ComposeCluster(self.docker, self.name)
        _search(cluster.uri, lambda: self.report("searching a scratch collection"))
        self.wait_for(_all_healthy)
        self.report("ready")
        return cluster

    def report(self, phase: str) -> list[Component]:
        """Read the status and pass it to `progress`; the components as they are now."""
        components = self.reader.components()
        self.progress(
            {
                "phase": phase,
                "components": [component.as_dict() for component in components],
                "elapsed": time.monotonic() - self.began,
                "done": sum(component.health == "healthy" for component in components),
                "total": len(components),
            }
        )
        return components

    def wait_for(self, done: Callable[[list[Component]], bool]) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while not done(components := self.report("waiting for every component")):
            if time.monotonic() > deadline:
                raise NotReady(self.failure(components), hint=gettext("Run: halab doctor"))
            time.sleep(_POLL)

    def failure(self, components: list[Component]) -> str:
        """Which components are not healthy, and what the first three wrote last."""
        ids = {container.name: container.id for container in self.reader.containers()}
        lines = [gettext("Awaited every component healthy; that did not happen.")]
        for part in [part for part in components if part.health not in ("healthy", "starting")][:3]:
            output = self.docker.last_lines(ids[part.name])
            lines.append(
                gettext("{component} is {health} ({note}). Its last lines:\n{output}").format(
                    component=part.name,
                    health=part.health,
                    note=part.note or gettext("no note"),
                    output=output,
                )
            )
        return "\n".join(lines)


def _all_healthy(components: list[Component]) -> bool:
    return all(component.health == "healthy" for component in components)


def _search(uri: str, meanwhile: Callable[[], object]) -> None:
    """Search a scratch collection, in a process of its own as the embedded engine does; call `meanwhile`
    while it runs. Raises NotReady."""
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
            lines = output.read().decode(errors="replace").strip().splitlines()[-8:]
            raise NotReady(
                gettext("The scratch search failed:\n{output}").format(output="\n".join(lines)),
                hint=gettext("Run: halab doctor"),
            )
