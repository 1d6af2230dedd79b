"""Cut sets and repairs against their definitions, tried out on every set of parts."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.topology import (
    Role,
    Topology,
    best_repair,
    cheapest_repair,
    minimal_cuts,
    roles_lost,
    single_points,
    spares_needed,
    works,
)

MACHINES = ("a", "b", "c", "d")


@st.composite
def topologies(draw):
    """Up to four roles over four machines that they share, and up to three operations."""
    roles = {}
    for name in ("proxy", "store", "node", "etcd")[: draw(st.integers(1, 4))]:
        members = tuple(draw(st.permutations(MACHINES))[: draw(st.integers(1, 4))])
        needed = draw(st.one_of(st.just("majority"), st.integers(1, len(members))))
        roles[name] = Role(members, needed)
    needs = st.lists(st.sampled_from(sorted(roles)), min_size=1, unique=True).map(tuple)
    return Topology(roles, {name: draw(needs) for name in ("search", "insert", "load")})


def subsets(parts):
    return [frozenset(some) for size in range(len(parts) + 1) for some in combinations(sorted(parts), size)]


@given(topologies())
def test_an_operation_works_exactly_while_no_minimal_cut_is_down(topology):
    for operation in topology.operations:
        cuts = minimal_cuts(topology, operation)
        for down in subsets(topology.parts):
            assert works(topology, operation, down) == (not any(cut <= down for cut in cuts))


@given(topologies())
def test_minimal_cuts_are_minimal(topology):
    for operation in topology.operations:
        for cut in minimal_cuts(topology, operation):
            assert not works(topology, operation, cut)
            assert all(works(topology, operation, cut - {part}) for part in cut)


@given(topologies())
def test_single_points_are_the_parts_whose_loss_ends_it(topology):
    for operation in topology.operations:
        fatal = {part for part in topology.parts if not works(topology, operation, [part])}
        assert single_points(topology, operation) == fatal


@given(topologies())
def test_what_is_lost_never_comes_back_by_losing_more(topology):
    for operation in topology.operations:
        for down in subsets(topology.parts):
            lost = set(roles_lost(topology, operation, down))
            assert all(lost <= set(roles_lost(topology, operation, down | {one})) for one in topology.parts)


def repaired(topology, spares):
    """The topology with its spares really added, each a part of its own."""
    roles = {
        name: Role(
            (*role.members, *(f"{name}+{i}" for i in range(spares.get(name, 0)))),
            role.needed,
        )
        for name, role in topology.roles.items()
    }
    return Topology(roles, topology.operations)


@given(topologies())
def test_the_spares_are_enough_and_one_less_is_not(topology):
    for operation in topology.operations:
        found = cheapest_repair(topology, dict.fromkeys(topology.roles, 1), [operation])
        assert single_points(repaired(topology, found.spares), operation) == set()
        for role in found.spares:
            fewer = {**found.spares, role: found.spares[role] - 1}
            assert single_points(repaired(topology, fewer), operation)


@given(topologies(), st.lists(st.integers(1, 9), min_size=4, max_size=4), st.integers(0, 30))
def test_the_best_repair_beats_every_other_within_the_budget(topology, costs, budget):
    prices = dict(zip(topology.roles, costs, strict=False))
    best = best_repair(topology, prices, budget)
    assert best.cost <= budget
    fixed = repaired(topology, best.spares)
    assert {one for one in topology.operations if not single_points(fixed, one)} == best.safe
    for roles in subsets(topology.roles):
        spares = {role: spares_needed(topology.roles[role]) for role in roles}
        cost = sum(count * prices[role] for role, count in spares.items())
        safe = [one for one in topology.operations if not single_points(repaired(topology, spares), one)]
        if cost <= budget:
            assert (-len(best.safe), best.cost) <= (-len(safe), cost)


def test_two_members_of_a_majority_are_no_better_than_one():
    pair = Topology({"etcd": Role(("e1", "e2"), "majority")}, {"insert": ("etcd",)})
    assert single_points(pair, "insert") == {"e1", "e2"}
    assert spares_needed(pair.roles["etcd"]) == 1


def test_one_machine_that_carries_two_roles_cuts_both():
    shared = Topology(
        {"proxy": Role(("m1", "m2")), "node": Role(("m1", "m3"))}, {"search": ("proxy", "node")}
    )
    assert minimal_cuts(shared, "search") == {frozenset({"m1", "m2"}), frozenset({"m1", "m3"})}


def test_a_role_without_a_price_cannot_be_repaired():
    topology = Topology({"log": Role(("log",))}, {"insert": ("log",)})
    assert cheapest_repair(topology, {}, ["insert"]) is None
    assert best_repair(topology, {}, 100).safe == frozenset()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Role(()), "members"),
        (lambda: Role(("a", "a")), "members"),
        (lambda: Role(("a",), 2), "needed"),
        (lambda: Topology({}, {"search": ("proxy",)}), "proxy"),
        (lambda: works(Topology({"a": Role(("a",))}, {"go": ("a",)}), "stop", []), "no operation 'stop'"),
        (lambda: works(Topology({"a": Role(("a",))}, {"go": ("a",)}), "go", ["b"]), "no such parts: b"),
        (lambda: cheapest_repair(Topology({}, {}), {"a": -1}, []), "price"),
        (lambda: best_repair(Topology({}, {}), {}, -1), "budget"),
    ],
)
def test_what_makes_no_sense_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
