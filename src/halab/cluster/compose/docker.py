"""Docker's command line: found, checked, called.

It is used rather than Docker's Python client because Compose is part of it, it knows the user's contexts and
hosts, and it also works with Podman, over its Docker-compatible socket.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from halab.errors import ClusterError
from halab.translation import gettext, gettext_noop

__all__ = ["PROJECT", "ROLE", "Docker", "find_docker"]

PROJECT = "com.docker.compose.project"
ROLE = "org.halab.role"
"""The label that makes a container one of the course's; its value is the role."""

_TIMEOUT = 90.0  # seconds for one command: a stop may use up its grace
_INSTALL = gettext_noop(
    "Install Docker Desktop, or Docker Engine with its Compose plugin (docs.docker.com/engine/install). "
    "The embedded engine needs neither: halab up."
)


@dataclass(frozen=True)
class Docker:
    """A command that answers, the environment it needs, and the `product` behind it: "docker" or "podman"."""

    command: str
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    product: str = "docker"
    version: str = ""

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, **self.env, **more}

    def run(self, *arguments: str, check: bool = True) -> str:
        """What a command prints. Raises ClusterError with its last line if it fails and `check` is set."""
        try:
            ended = subprocess.run(
                [self.command, *arguments], env=self.environment(), stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=_TIMEOUT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ClusterError(
                gettext("`docker {command}` did not end within {timeout:.0f} s.").format(
                    command=arguments[0], timeout=_TIMEOUT
                ),
                hint=gettext("Run: halab doctor"),
            ) from None
        if check and ended.returncode:
            errors = ended.stderr.strip().splitlines() or [f"status {ended.returncode}"]
            raise ClusterError(
                gettext("`docker {command}` failed: {error}").format(
                    command=" ".join(arguments[:2]), error=errors[-1]
                ),
                hint=gettext("Run: halab doctor"),
            )
        return ended.stdout

    def ids(self, project: str) -> list[str]:
        """The containers of a project that are the course's, stopped ones too."""
        labels = [f"--filter=label={PROJECT}={project}", f"--filter=label={ROLE}"]
        return self.run("ps", "--all", "--quiet", "--no-trunc", *labels).split()

    def inspect(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """`docker inspect` of these containers, in one call; those that no longer exist are left out."""
        if not ids:
            return []
        described: list[dict[str, Any]] = json.loads(
            self.run("container", "inspect", *ids, check=False) or "[]"
        )
        return described

    def last_lines(self, identity: str, lines: int = 8, width: int = 300) -> str:
        """The last lines a container wrote, on both of its streams."""
        ended = subprocess.run(
            [self.command, "logs", "--tail", str(lines), identity],
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )  # fmt: skip
        return "\n".join(line[:width] for line in ended.stdout.splitlines())

    def compose(self, project: str, file: Path | None, *arguments: str) -> list[str]:
        """The argument list of a Compose command for one project."""
        chosen = ["--file", str(file)] if file else []
        return [self.command, "compose", "--project-name", project, *chosen, *arguments]


@cache
def find_docker() -> Docker:
    """A Docker, or a Podman behind its socket, that answers and has Compose v2; remembered once found.

    Raises ClusterError that says what is missing, and what to do.
    """
    command = shutil.which("docker")
    if command is None:
        raise ClusterError(
            gettext("The compose engine needs the command `docker`, and it was not found."),
            hint=gettext(_INSTALL),
        )
    _check_compose(command)
    for env in ({}, *_podman_sockets()):
        if (answer := _answer(command, env)) is not None:
            return answer
    errors = _try([command, "version"], {}).stderr.strip().splitlines()
    raise ClusterError(
        gettext("Docker is installed, but its daemon does not answer: {error}").format(
            error=errors[-1] if errors else gettext("no reason given")
        ),
        hint=gettext(
            "Start Docker Desktop, or run: sudo systemctl start docker. If it says permission denied, you "
            "are not in the group docker. For Podman: systemctl --user start podman.socket"
        ),
    )


def _check_compose(command: str) -> None:
    answer = _try([command, "compose", "version", "--short"], {})
    version = answer.stdout.strip().removeprefix("v")
    if answer.returncode or not version[:1].isdigit() or int(version.split(".")[0]) < 2:
        raise ClusterError(
            gettext("The compose engine needs Docker Compose v2; found {version}.").format(
                version=version or gettext("no Compose plugin")
            ),
            hint=gettext("Install the package docker-compose-plugin (docs.docker.com/compose/install)."),
        )


def _answer(command: str, env: Mapping[str, str]) -> Docker | None:
    answer = _try([command, "version", "--format", "{{json .Server}}"], env)
    try:
        server = json.loads(answer.stdout)
        version, parts = server["Version"], [part["Name"] for part in server.get("Components") or ()]
    except (ValueError, KeyError, TypeError):
        return None
    podman = any("podman" in name.lower() for name in parts)
    return Docker(command, env, "podman" if podman else "docker", version)


def _podman_sockets() -> list[dict[str, str]]:
    """The environments that lead to Podman's sockets; none if the user has set DOCKER_HOST."""
    if os.environ.get("DOCKER_HOST"):
        return []
    folders = [os.environ.get("XDG_RUNTIME_DIR", ""), "/run"]
    sockets = [Path(folder) / "podman" / "podman.sock" for folder in folders if folder]
    return [{"DOCKER_HOST": f"unix://{socket}"} for socket in sockets if socket.exists()]


def _try(command: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=15, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
