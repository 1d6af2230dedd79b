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
from halab.translation import gettext

__all__ = [
    "IMAGES",
    "check_milvus",
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

IMAGES = {
    "2.5": "milvusdb/milvus:v2.5.27",
    "2.6": "milvusdb/milvus:v2.6.22",
    "3.0": "milvusdb/milvus:v3.0.1",
}
"""The image of each line of Milvus. From 2.6 the roles are others, and so is the Compose file."""
_CURRENT = ("2.6", "3.0")


def project(name: str) -> str:
    return f"halab-{name}"


def folder(name: str) -> Path:
    """The folder in which halab keeps its own files of a cluster of containers."""
    return home_folder() / "compose" / name


def file(milvus: str) -> Path:
    """The course's Compose file for a line of Milvus, such as "2.6". Raises ClusterError without it."""
    path = course_root() / ("docker-compose.current.yml" if milvus in _CURRENT else "docker-compose.yml")
    if not path.exists():
        raise ClusterError(
            gettext("The compose engine needs the course's {file}, and it is not in {folder}.").format(
                file=path.name, folder=path.parent
            ),
            hint=gettext("Run it in the folder you cloned, or set HALAB_COURSE to that folder."),
        )
    return path


def check_milvus(milvus: str, profile: str) -> None:
    """Raise ClusterError unless there is a Compose file for this line of Milvus, with this profile."""
    if milvus not in IMAGES:
        raise ClusterError(
            gettext("There is no file for Milvus {milvus}.").format(milvus=milvus),
            hint=gettext("There are: {versions}.").format(versions=", ".join(IMAGES)),
        )
    if milvus in _CURRENT and profile != "ha":
        raise ClusterError(
            gettext("For Milvus {milvus} there is the profile ha only, not {profile}.").format(
                milvus=milvus, profile=profile
            ),
            hint=gettext("Leave --profile out, or leave --milvus out."),
        )


def settings(profile: str, ttl: float, port: int, milvus: str, image: str = "") -> dict[str, str]:
    """The environment variables that the Compose file of a line of Milvus reads; `ttl` in seconds.

    `image` is Milvus' own; if not given, what HALAB_CURRENT_IMAGE or HALAB_MILVUS_IMAGE says, or that line's.
    """
    variable = "HALAB_CURRENT_IMAGE" if milvus in _CURRENT else "HALAB_MILVUS_IMAGE"
    return {
        "COMPOSE_PROFILES": profile,
        "HALAB_TTL": f"{ttl:.0f}",
        "HALAB_PORT": str(port),
        variable: image or os.environ.get(variable) or IMAGES[milvus],
    }


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
    projects = names(docker)
    for name in projects:
        remove(name, docker)
    return projects


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
        if left := docker.run(kind, "ls", "--quiet", "--filter", label).split():
            docker.run(kind, "rm", *left)
    if left := docker.ids(ours):
        raise ClusterError(
            gettext("Of {project} these containers are left: {containers}.").format(
                project=ours, containers=", ".join(left)
            ),
            hint=gettext("Run: docker ps -a"),
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
