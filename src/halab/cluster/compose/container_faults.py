"""Faults of containers, and their undoing: Docker commands, and a firewall rule for a one-way cut."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from halab.cluster.compose.containers import Container, main_pid
from halab.cluster.compose.docker import PROJECT, Docker
from halab.cluster.protocol import FaultKind
from halab.errors import FaultError
from halab.translation import gettext

__all__ = ["GRACE", "ContainerFaults"]

GRACE = 15.0  # seconds a process has that is told to stop, before it is killed


@dataclass(frozen=True)
class ContainerFaults:
    """Injects faults into the containers of one project, and undoes them.

    `folder` holds what Docker itself forgets: the names a container had in its networks, and one-way cuts.
    """

    docker: Docker
    project: str
    folder: Path

    def inject(self, kind: FaultKind, container: Container) -> None:
        """Inject a fault. Raises FaultError if it is impossible here, ClusterError if Docker fails."""
        if kind == "crash":
            self.docker.run("kill", "--signal=KILL", container.id)
        elif kind == "hang":
            self.docker.run("pause", container.id)
        elif kind == "stop":
            # `docker stop` would wait until it has ended.
            self.docker.run("kill", "--signal=TERM", container.id)
        elif kind == "restart":
            self.docker.run("restart", f"--time={GRACE:.0f}", container.id)
        elif kind == "mute":
            _change_drop_rule(container, "--insert")
            self._file("mute", container).touch()
        elif kind == "partition":
            self._disconnect(container)
        else:
            assert_never(kind)

    def fault_of(self, container: Container) -> str:
        """The fault a container has now, or "". Docker knows all but a one-way cut, which a restart ends."""
        return container.fault() or (
            "mute" if container.running and self._file("mute", container).exists() else ""
        )

    def undo(self, container: Container, *, stopping: bool = False) -> str:
        """Undo whatever fault a container has, or start it if it is down; the kind of the event that is.

        `stopping`: it was told to stop. If it still runs after a second, it is killed first.
        """
        fault = self.fault_of(container)
        if fault == "hang":
            self.docker.run("unpause", container.id)
            return "continued"
        if fault == "mute":
            _change_drop_rule(container, "--delete")
            self._file("mute", container).unlink()
            return "connected"
        if not container.networks:
            self.connect(container)
        if container.running and stopping:
            time.sleep(1.0)
            self.docker.run("kill", "--signal=KILL", container.id, check=False)
        if not container.running or stopping:
            # Not "start": "restart" also works on one that waits for the next try of Docker's restart policy.
            self.docker.run("restart", "--time=0", container.id)
            return "started"
        return "connected" if container.cut_off else "left as it was"

    def replace(self, container: Container, grace: float) -> None:
        """End a container as a kubelet does, whatever fault it has, and start it anew."""
        if container.state == "paused":  # it cannot react to SIGTERM, so the grace passes in vain
            time.sleep(grace)
            self.docker.run("kill", "--signal=KILL", container.id)
        if container.cut_off:
            self.connect(container)
        self.docker.run("restart", f"--time={grace:.0f}", container.id)

    def _disconnect(self, container: Container) -> None:
        """Disconnect it from its networks. The names it had there are written down: Docker forgets them."""
        names = {network: list(aliases) for network, aliases in container.networks.items()}
        self._file("cut", container).write_text(json.dumps(names))
        for network in container.networks:
            self.docker.run("network", "disconnect", network, container.id)

    def connect(self, container: Container) -> None:
        """Connect it to its networks again, under the names by which its peers find it there."""
        file = self._file("cut", container)
        known = json.loads(file.read_text()) if file.exists() else {}
        fallback = {network: [container.service] for network in self._networks()}
        for network, names in (known or fallback).items():
            aliases = [f"--alias={name}" for name in names if not container.id.startswith(name)]
            self.docker.run("network", "connect", *aliases, network, container.id)
        file.unlink(missing_ok=True)

    def _networks(self) -> list[str]:
        label = f"label={PROJECT}={self.project}"
        return self.docker.run("network", "ls", "--quiet", "--filter", label).split()

    def _file(self, what: str, container: Container) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        since = f"-{container.started:.0f}" if what == "mute" else ""
        return self.folder / f"{what}-{container.id[:12]}{since}"


def _change_drop_rule(container: Container, change: str) -> None:
    """Insert or delete the firewall rule that drops all a container sends, in its own network namespace.

    Raises FaultError where that cannot be done.
    """
    if problem := _problem(container):
        raise FaultError(
            gettext(
                "A one-way cut needs root on the machine where the containers run; found: {problem}."
            ).format(problem=problem),
            hint=gettext("The fault partition cuts both ways, and needs no root."),
        )
    inside = ["nsenter", f"--target={container.pid}", "--net"]
    rule = ["OUTPUT", "!", "--out-interface", "lo", "--jump", "DROP"]
    ended = subprocess.run([*inside, "iptables", change, *rule], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise FaultError(
            gettext("The firewall of {component} could not be changed: {output}").format(
                component=container.name, output=ended.stderr.strip()
            ),
            hint=gettext("The fault partition cuts both ways, and needs no firewall."),
        )


def _problem(container: Container) -> str:
    """Why a container's network cannot be reached from here, or ""."""
    if os.geteuid() != 0:
        return gettext("no root")
    if missing := [tool for tool in ("nsenter", "iptables") if shutil.which(tool) is None]:
        return gettext("no {tools}").format(tools=", ".join(missing))
    if main_pid(container) is not None:
        return ""
    return gettext("{component} runs in another machine, or not at all").format(component=container.name)
