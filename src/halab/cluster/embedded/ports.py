"""Free ports for a whole cluster, found and reserved before anything starts."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

from halab.errors import ClusterError
from halab.translation import gettext

__all__ = ["FIRST", "LAST", "free_ports", "is_free"]

# Below the range that Linux and macOS give to outgoing connections (32768 and 49152 up), so that no
# client socket can take a port between the check and the start of the process.
FIRST, LAST = 20_000, 32_000


def is_free(port: int) -> bool:
    """True if nothing listens on `port`, on any interface (Milvus listens on all of them)."""
    for host in ("127.0.0.1", "0.0.0.0"):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_ports(count: int, taken: Iterable[int] = ()) -> list[int]:
    """`count` free ports that are not in `taken` (ports that other clusters have reserved).

    They follow one another from a random place: two clusters that start at once and do not know of each
    other's reservations, because their HALAB_HOME differs, hardly ever collide. Scattered ports often would.

    Raises ClusterError if there are not enough.
    """
    avoid = set(taken)
    start = random.randrange(FIRST, LAST)
    free: list[int] = []
    for port in (*range(start, LAST), *range(FIRST, start)):
        if port not in avoid and is_free(port):
            free.append(port)
            if len(free) == count:
                return sorted(free)
    raise ClusterError(
        gettext(
            "The cluster needs {count} free ports between {first} and {last}; only {free} are free."
        ).format(count=count, first=FIRST, last=LAST, free=len(free)),
        hint=gettext("Take old clusters down with: halab down --all"),
    )
