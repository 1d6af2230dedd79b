"""Exercise 1: topologies to take apart, as plain dicts, and what their spares would cost.

A drawn topology shares machines between roles, so that a cut set of one role may contain another's. The
embedded cluster's `small` profile stands beside it, from the table that lesson 1 tests on a real cluster.
"""

from __future__ import annotations

import math
import random

from halab.exercises.essence.given import RepairCase, TopologyDict, Variant, etcd_pair, small_profile
from halab.exercises.learner_numbers import per_learner
from halab.models.topology import Role, Topology, cheapest_repair

__all__ = ["etcd_pair", "make_case", "small_profile", "topology_from_dict", "topology_to_dict", "variant"]

MACHINES = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay", "kite", "lynx")
_ROLES = ("proxy", "coordinator", "query node", "data node", "etcd")
_NEEDS: dict[str, tuple[str, ...]] = {
    "search": ("proxy", "coordinator", "query node"),
    "insert": ("proxy", "coordinator", "etcd"),
    "flush": ("proxy", "coordinator", "data node", "etcd"),
    "metadata call": ("proxy", "etcd"),
}


def topology_to_dict(topology: Topology) -> TopologyDict:
    """A topology as dicts, lists and numbers."""
    return {
        "roles": {
            name: {"members": list(role.members), "needed": role.needed}
            for name, role in topology.roles.items()
        },
        "operations": {name: list(needs) for name, needs in topology.operations.items()},
    }


def topology_from_dict(given: TopologyDict) -> Topology:
    """The topology that `topology_to_dict` turned into dicts."""
    return Topology(
        {name: Role(tuple(role["members"]), role["needed"]) for name, role in given["roles"].items()},
        {name: tuple(needs) for name, needs in given["operations"].items()},
    )


def make_case(rng: random.Random) -> RepairCase:
    """Five roles on few machines, prices from 1 to 9, and a budget for some of the spares but not for all."""
    machines = rng.sample(MACHINES, 6)
    roles = {name: _role(rng, name, machines) for name in _ROLES}
    topology = Topology(roles, _NEEDS)
    prices = {name: rng.randrange(1, 10) for name in _ROLES}
    everything = cheapest_repair(topology, prices, _NEEDS)
    most = int(everything.cost) if everything else 0
    return RepairCase(topology_to_dict(topology), prices, rng.randrange(math.ceil(most / 3), max(2, most)))


def _role(rng: random.Random, name: str, machines: list[str]) -> Role:
    if name == "etcd":
        return Role(tuple(rng.sample(machines, rng.randrange(1, 6))), "majority")
    # One proxy at least is single in most cases: a topology without a weak point has nothing to repair.
    count = rng.choice((1, 1, 2, 3)) if name == "proxy" else rng.randrange(1, 5)
    return Role(tuple(rng.sample(machines, count)), rng.randrange(1, count + 1))


@per_learner(card=1)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(make_case(rng))
