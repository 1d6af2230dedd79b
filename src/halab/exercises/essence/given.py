"""Exercise 1: what a learner is given: a topology as plain dicts, and what its spares would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["RepairCase", "TopologyDict", "Variant", "etcd_pair", "small_profile"]

TopologyDict = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RepairCase:
    """A topology to repair, as the learner gets it, what one spare of each role costs, and a budget."""

    topology: TopologyDict
    prices: dict[str, int]
    budget: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise."""

    case: RepairCase


def small_profile() -> TopologyDict:
    """The embedded cluster's `small` profile: one process of each role."""
    names = ("rootcoord", "querycoord", "datacoord", "querynode", "datanode")
    first = {"entry": "proxy-1"} | {name: f"{name}-1" for name in (*names, "etcd")}
    whole = first | {"log": "log", "objectstore": "objectstore"}
    search = ["entry", "rootcoord", "querycoord", "querynode", "etcd", "log"]
    return {
        "roles": {
            role: {"members": [member], "needed": "majority" if role == "etcd" else 1}
            for role, member in whole.items()
        },
        "operations": {
            "search": search,
            "strong search": [*search],
            "insert": ["entry", "rootcoord", "datacoord", "etcd", "log"],
            "metadata call": ["entry", "rootcoord", "etcd"],
            "flush": ["entry", "rootcoord", "datacoord", "datanode", "etcd", "log", "objectstore"],
            "load": [*whole],
        },
    }


def etcd_pair() -> TopologyDict:
    """Two members of etcd, which are no better than one."""
    pair = {"members": ["ant", "bee"], "needed": "majority"}
    return {"roles": {"etcd": pair}, "operations": {"insert": ["etcd"]}}
