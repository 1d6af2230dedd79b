"""How many members of each role a cluster has, whichever engine runs it."""

from __future__ import annotations

__all__ = ["PROFILES"]

# Members by role. `small` is what a single point of failure looks like: one of each.
PROFILES: dict[str, dict[str, int]] = {
    "ha": {
        "etcd": 3,
        "log": 1,
        "objectstore": 1,
        "rootcoord": 2,
        "querycoord": 2,
        "datacoord": 2,
        "querynode": 3,
        "datanode": 2,
        "indexnode": 1,
        "proxy": 2,
    },
    "small": {
        "etcd": 1,
        "log": 1,
        "objectstore": 1,
        "rootcoord": 1,
        "querycoord": 1,
        "datacoord": 1,
        "querynode": 1,
        "datanode": 1,
        "indexnode": 1,
        "proxy": 1,
    },
}
