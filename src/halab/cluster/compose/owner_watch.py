"""Takes a cluster down when its owner has ended, however it ended: containers outlive every process.

Usage: python -m halab.cluster.compose.owner_watch NAME OWNER_PID CREATED
It ends by itself when the cluster is taken down.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from halab.cluster.compose import projects
from halab.cluster.embedded.orphan_killer import is_alive

__all__ = ["start_owner_watch", "watch"]

_POLL = 0.5  # seconds between two checks


def start_owner_watch(name: str, env: dict[str, str]) -> None:
    """Start a process that takes the cluster `name` down when this one, its owner, has ended."""
    me = psutil.Process()
    subprocess.Popen(
        [sys.executable, "-m", __name__, name, str(me.pid), repr(me.create_time())],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends the owner's terminal or kernel must not end this one
    )  # fmt: skip


def watch(owner: int, created: float, owned: Callable[[], bool], down: Callable[[], None]) -> None:
    """Wait until the owner has ended, then take the cluster down, unless it is no longer owned."""
    while owned():
        if not is_alive(owner, created):
            down()
            return
        time.sleep(_POLL)


def main() -> None:
    """Watch the owner that the command line names."""
    name, pid, created = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    watch(pid, created, lambda: projects.owner_of(name) == pid, lambda: projects.remove(name))


if __name__ == "__main__":
    main()
