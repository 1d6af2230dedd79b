"""One supervised process: it is started, signalled and reaped here, and dies with its supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from halab.cluster.embedded.settings import Command
from halab.cluster.embedded.spec import Process
from halab.cluster.protocol import FaultKind, HaState, Health

__all__ = ["Child", "die_with_parent", "tail"]

PR_SET_PDEATHSIG = 1
STEADY = 30.0  # seconds a process must run before its next exit counts as the first one again


def die_with_parent() -> Callable[[], None] | None:
    """For `preexec_fn` of a child: it asks the kernel to be killed (SIGKILL) when this process dies.

    None where the kernel cannot (only Linux can): there a process does it from outside (orphan_killer.py).
    """
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it was asked for, so no signal will come
            os._exit(1)

    return ask_kernel


@dataclass
class Child:
    """A process of the cluster under supervision. Times are `time.monotonic()` seconds."""

    process: Process
    command: Command
    popen: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    failures: int = 0  # exits in a row without a steady run between
    next_start: float | None = None
    fault: FaultKind | Literal[""] = ""
    restarting: bool = False  # told to stop, and started anew when it has
    healthy: bool = False
    ever_healthy: bool = False
    ha_state: HaState = ""
    old_session: int = -1  # server id of the session that was there before this start; it proves nothing
    last_exit: str = ""

    @property
    def name(self) -> str:
        return self.process.name

    @property
    def output(self) -> Path:
        return self.command.cwd / "output.log"

    @property
    def running(self) -> bool:
        return self.popen is not None

    def start(self) -> None:
        # Must be called from the main thread: the parent-death signal fires when the forking *thread* ends.
        with self.output.open("ab") as output:
            self.popen = subprocess.Popen(
                self.command.argv,
                cwd=self.command.cwd,
                env=self.command.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # safe: the supervisor has one thread
            )
        self.started = time.monotonic()
        self.next_start = None
        self.healthy = self.ever_healthy = False

    def reap(self) -> bool:
        """True once, when the process has ended since the last call; then its exit is in `last_exit`."""
        if self.popen is None or (status := self.popen.poll()) is None:
            return False
        self.last_exit = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        if time.monotonic() - self.started > STEADY:
            self.failures = 0
        self.failures += 1
        self.popen = None
        self.healthy = False
        self.ha_state = ""
        return True

    def signal(self, number: signal.Signals) -> None:
        if self.popen is not None:
            self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL and wait; works on a stopped process too."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()

    def note(self) -> str:
        """What is unusual about it, in words; "" if nothing is."""
        if self.fault:
            return f"fault: {self.fault}"
        if not self.running and self.last_exit:
            return f"exited ({self.last_exit}), the supervisor starts it again"
        if self.restarts:
            return f"started again by the supervisor after {self.last_exit}"
        return ""

    def as_dict(self, address: str, health: Health) -> dict[str, Any]:
        """The fields of `halab.cluster.protocol.Component`."""
        return {
            "name": self.name,
            "role": self.process.role,
            "address": address,
            "pid": self.popen.pid if self.popen else None,
            "health": health,
            "ha_state": self.ha_state,
            "memory": self._memory(),
            "uptime": time.monotonic() - self.started if self.running else 0.0,
            "restarts": self.restarts,
            "note": self.note(),
        }

    def _memory(self) -> int:
        """Resident bytes; shared pages count in each process."""
        try:
            return int(psutil.Process(self.popen.pid).memory_info().rss) if self.popen else 0
        except psutil.Error:
            return 0


def tail(path: Path, lines: int = 8, width: int = 300) -> str:
    """The last lines of a log, long lines cut, stack traces and all."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            text = file.read().decode(errors="replace")
    except OSError:
        return "(no output)"
    kept = [line[:width] for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(kept) or "(no output)"
