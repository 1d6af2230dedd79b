"""Who grades beside others on this machine, and who alone: a lock that many share or one has.

A second lock is passed through on the way to it. Whoever wants to be alone waits in it, and lets nobody by
meanwhile; else others would come and go for ever.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from halab.folders import cache_folder

__all__ = ["alone", "beside_others"]


@contextmanager
def beside_others() -> Iterator[None]:
    """Hold the lock with others; wait while somebody wants it alone."""
    with _held(fcntl.LOCK_SH):
        yield


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other process of this user's grades, and let none begin."""
    with _held(fcntl.LOCK_EX):
        yield


@contextmanager
def _held(kind: int) -> Iterator[None]:
    with _file("grading-turns.lock") as turn, _file("grading.lock") as grading:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(grading, kind)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield  # closing a file lets go of its lock, and so does the end of the process


def _file(name: str) -> IO[bytes]:
    path = cache_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")
