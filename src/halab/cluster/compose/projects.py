"""The course's clusters as Compose projects: their names, files and folders, and how to remove them.

The cluster NAME is the Compose project `halab-NAME`. Nothing here touches another one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from halab.cluster.compose.docker import PROJECT, ROLE, Docker, find_docker
from halab.errors import ClusterError
from halab.folders import course_root, home_folder

__all__ = [
    "down_all",
    "exists",
    "file",
    "folder",
    "names",
    "owner_of",
    "project",
    "record_owner",
    "record_startup",
    "remove",
    "settings",
]

FILE = "docker-compose.yml"


def project(name: str) -> str:
    return f"halab-{name}"


def folder(name: str) -> Path:
    """The folder in which halab keeps its own files of a cluster of containers."""
    return home_folder() / "compose" / name


def file() -> Path:
    """The course's Compose file. Raises ClusterError where there is none."""
    found = course_root() / FILE
    if not found.exists():
        raise ClusterError(
            f"The compose engine needs the course's {FILE}, and it is not in {found.parent}.",
            hint="Run it in the folder you cloned, or set HALAB_COURSE to that folder.",
        )
    return found


def settings(profile: str, ttl: float, port: int) -> dict[str, str]:
    """The environment variables that the Compose file reads; `ttl` in seconds."""
    return {"COMPOSE_PROFILES": profile, "HALAB_TTL": f"{ttl:.0f}", "HALAB_PORT": str(port)}


def names(docker: Docker | None = None) -> list[str]:
    """The clusters of the course that have containers here."""
    docker = docker or find_docker()
    labels = docker.run(
        "ps", "--all", "--filter", f"label={ROLE}", "--format", f'{{{{.Label "{PROJECT}"}}}}'
    ).split()
    return sorted({label.removeprefix("halab-") for label in labels if label.startswith("halab-")})


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
    """End a cluster, whatever state it is in, with its containers, networks, volumes and folder.

    Raises ClusterError if containers are left, and names them.
    """
    docker, ours = docker or find_docker(), project(name)
    (folder(name) / "owner.json").unlink(missing_ok=True)  # ends its owner watch
    _kill_startup(folder(name) / "up.pid")
    if ids := docker.ids(ours):
        docker.run("rm", "--force", "--volumes", *ids)
    for kind in ("network", "volume"):
        label = f"label={PROJECT}={ours}"
        if found := docker.run(kind, "ls", "--quiet", "--filter", label).split():
            docker.run(kind, "rm", *found)
    if left := docker.ids(ours):
        raise ClusterError(
            f"Of {ours} these containers are left: {', '.join(left)}.", hint="Run: docker ps -a"
        )
    shutil.rmtree(folder(name), ignore_errors=True)


def _kill_startup(file: Path) -> None:
    """End a `docker compose up` that is under way: it would go on making containers."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        pid = int(file.read_text())
        if os.getpgid(pid) == pid and "compose" in psutil.Process(pid).cmdline():
            os.killpg(pid, signal.SIGKILL)


def owner_of(name: str) -> int | None:
    """The pid of the process that owns a cluster; None if it was taken down or is detached."""
    try:
        return int(json.loads((folder(name) / "owner.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return None


def record_owner(name: str) -> None:
    """Write down that this process owns a cluster."""
    (folder(name) / "owner.json").write_text(json.dumps({"pid": os.getpid()}))


def record_startup(name: str, pid: int) -> None:
    """Write down which process runs `docker compose up` for a cluster."""
    (folder(name) / "up.pid").write_text(str(pid))
