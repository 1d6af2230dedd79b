"""Faults of containers, and their undoing: a word to Docker each, and a firewall rule for a cut one way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from halab.cluster.compose.containers import Container, work_of
from halab.cluster.compose.docker import PROJECT, Docker
from halab.cluster.protocol import FaultKind
from halab.errors import FaultError

__all__ = ["GRACE", "ContainerFaults"]

GRACE = 15.0  # seconds that a process which is told to stop has


@dataclass(frozen=True)
class ContainerFaults:
    """Breaks and mends the containers of one project. `folder` holds what Docker does not remember of it."""

    docker: Docker
    project: str
    folder: Path

    def inject(self, kind: FaultKind, one: Container) -> None:
        """Inject a fault. Raises FaultError where it cannot be made, ClusterError if Docker fails."""
        if kind == "crash":
            self.docker.run("kill", "--signal=KILL", one.id)
        elif kind == "hang":
            self.docker.run("pause", one.id)
        elif kind == "stop":
            self.docker.run("kill", "--signal=TERM", one.id)  # `docker stop` would wait until it has ended
        elif kind == "restart":
            self.docker.run("restart", f"--time={GRACE:.0f}", one.id)
        elif kind == "mute":
            _drop_what_it_sends(one, "--insert")
            self._file("mute", one).touch()
        else:
            self._disconnect(one)

    def fault_of(self, one: Container) -> str:
        """The fault that stands now, or "". Docker knows all but a cut one way, which a restart ends."""
        return one.fault() or ("mute" if one.running and self._file("mute", one).exists() else "")

    def undo(self, one: Container, *, ending: bool = False) -> str:
        """Undo whatever fault stands, or start what is down; what was done, in a word.

        `ending` tells that it was told to stop: if it still runs after a second, it is killed first.
        """
        fault = self.fault_of(one)
        if fault == "hang":
            self.docker.run("unpause", one.id)
            return "continued"
        if fault == "mute":
            _drop_what_it_sends(one, "--delete")
            self._file("mute", one).unlink()
            return "connected"
        if not one.networks:
            self.connect(one)
        if one.running and ending:
            time.sleep(1.0)
            self.docker.run("kill", "--signal=KILL", one.id, check=False)
        if not one.running or ending:
            # "restart" starts one that waits for Docker's next attempt, too.
            self.docker.run("restart", "--time=0", one.id)
            return "started"
        return "connected" if one.cut_off else "left as it was"

    def replace(self, one: Container, grace: float) -> None:
        """End it as a kubelet does, whatever fault it has, and start it anew."""
        if one.state == "paused":  # it does not hear that it is to stop
            time.sleep(grace)
            self.docker.run("kill", "--signal=KILL", one.id)
        if one.cut_off:
            self.connect(one)
        self.docker.run("restart", f"--time={grace:.0f}", one.id)

    def _disconnect(self, one: Container) -> None:
        """Take it off its networks. The names it had there are written down: Docker forgets them."""
        names = {network: list(aliases) for network, aliases in one.networks.items()}
        self._file("cut", one).write_text(json.dumps(names))
        for network in one.networks:
            self.docker.run("network", "disconnect", network, one.id)

    def connect(self, one: Container) -> None:
        """Put it back on its networks, under its names there: without, nobody would find it again."""
        file = self._file("cut", one)
        known = json.loads(file.read_text()) if file.exists() else {}
        for network, names in (known or {each: [one.service] for each in self._networks()}).items():
            aliases = [f"--alias={name}" for name in names if not one.id.startswith(name)]
            self.docker.run("network", "connect", *aliases, network, one.id)
        file.unlink(missing_ok=True)

    def _networks(self) -> list[str]:
        label = f"label={PROJECT}={self.project}"
        return self.docker.run("network", "ls", "--quiet", "--filter", label).split()

    def _file(self, what: str, one: Container) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        since = f"-{one.started:.0f}" if what == "mute" else ""
        return self.folder / f"{what}-{one.id[:12]}{since}"


def _drop_what_it_sends(one: Container, change: str) -> None:
    """Insert or delete a rule in a container's own network. Raises FaultError where that cannot be done."""
    if problem := _problem(one):
        raise FaultError(
            f"A cut one way takes root on the machine where the containers run; found: {problem}.",
            hint="The fault partition cuts both ways, and needs no root.",
        )
    inside = ["nsenter", f"--target={one.pid}", "--net"]
    rule = ["OUTPUT", "!", "--out-interface", "lo", "--jump", "DROP"]
    ended = subprocess.run([*inside, "iptables", change, *rule], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise FaultError(
            f"The firewall of {one.name} could not be changed: {ended.stderr.strip()}",
            hint="The fault partition cuts both ways, and needs no firewall.",
        )


def _problem(one: Container) -> str:
    """Why a container's network cannot be reached from here, or ""."""
    if os.geteuid() != 0:
        return "no root"
    if missing := [each for each in ("nsenter", "iptables") if shutil.which(each) is None]:
        return f"no {' and no '.join(missing)}"
    return "" if work_of(one) is not None else f"{one.name} runs in another machine, or not at all"
