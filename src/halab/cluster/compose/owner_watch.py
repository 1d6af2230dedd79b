"""Takes a cluster down when its owner has ended, however that ended: containers outlive every process.

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
from halab.cluster.embedded.orphan_killer import lives

__all__ = ["guard", "watch"]

_LOOK = 0.5  # seconds between two looks


def guard(name: str, env: dict[str, str]) -> None:
    """Start a guard of its own for the cluster `name`, which this process owns."""
    me = psutil.Process()
    subprocess.Popen(
        [sys.executable, "-m", __name__, name, str(me.pid), repr(me.create_time())],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends the owner's terminal or kernel must not end its guard
    )  # fmt: skip


def watch(owner: int, created: float, owned: Callable[[], bool], down: Callable[[], None]) -> None:
    """Wait until the owner has ended and then take down what it still owns."""
    while owned():
        if not lives(owner, created):
            down()
            return
        time.sleep(_LOOK)


def main() -> None:
    name, pid, created = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    watch(pid, created, lambda: projects.owner_of(name) == pid, lambda: projects.remove(name))


if __name__ == "__main__":
    main()
