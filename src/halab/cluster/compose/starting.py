"""Starts a cluster of containers and waits until it is ready, or joins one that runs or is starting."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from halab.cluster.compose import projects
from halab.cluster.compose.docker import Docker, find_docker
from halab.cluster.compose.engine import ComposeCluster
from halab.cluster.compose.guard import guard
from halab.cluster.compose.looking import Looker
from halab.cluster.embedded.children import tail
from halab.cluster.embedded.ports import free_ports, is_free
from halab.cluster.embedded.spec import check_settings
from halab.cluster.protocol import Component
from halab.errors import ClusterExists, NotReady

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
    began = time.monotonic()
    with FileLock(projects.folder(name).parent / f"{name}.lock"):
        found = Looker(docker, projects.project(name)).containers()
        launching = None
        if not any(one.state not in ("exited", "dead") for one in found):
            projects.remove(name, docker)  # what an earlier one left: stopped containers, volumes
            launching = _launch(docker, file, name, profile, ttl, detach)
    owned = launching is not None and not detach
    try:
        cluster = _await_ready(docker, name, launching, began, progress)
    except BaseException:
        if launching is not None:
            projects.remove(name, docker)
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


def _await_ready(
    docker: Docker, name: str, launching: subprocess.Popen[bytes] | None, began: float, progress: Progress
) -> ComposeCluster:
    """Follow a start to its end: containers up, every component healthy, a search on a scratch collection."""
    looker = Looker(docker, projects.project(name))

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
        time.sleep(_POLL)
    if launching is not None and launching.returncode:
        ill = [one for one in looker.components() if one.health not in ("healthy", "starting")]
        raise NotReady(
            f"`docker compose up` failed:\n{tail(projects.folder(name) / 'up.log', 3)}\n"
            + _report(docker, looker, ill),
            hint="Run: halab doctor. Images are pulled at the first start, which needs the network.",
        )
    deadline = time.monotonic() + _READY_WITHIN
    while ill := [one for one in look("waiting for every component") if one.health != "healthy"]:
        if time.monotonic() > deadline:
            raise NotReady(_report(docker, looker, ill), hint="Run: halab doctor")
        time.sleep(_POLL)
    cluster = ComposeCluster(docker, name)
    if launching is not None:
        _search(cluster.uri, lambda: look("searching a scratch collection"))
        while any(one.health != "healthy" for one in look("waiting for every component")):
            if time.monotonic() > deadline:
                raise NotReady(_report(docker, looker, look("failed")), hint="Run: halab doctor")
            time.sleep(_POLL)
    look("ready")
    return cluster


def _report(docker: Docker, looker: Looker, ill: list[Component]) -> str:
    ids = {one.name: one.id for one in looker.containers()}
    lines = ["Awaited every component healthy; it did not come to that."]
    for one in ill[:3]:
        said = docker.last_words(ids[one.name])
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
                time.sleep(_POLL)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()[-8:]
            raise NotReady("The scratch search failed:\n" + "\n".join(said), hint="Run: halab doctor")
