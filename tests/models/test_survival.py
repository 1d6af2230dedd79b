"""The verdicts' logic; whether the facts are true is asked of a real cluster."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.cluster.profiles import PROFILES
from halab.cluster.protocol import ROLES
from halab.models.survival import FACTS, OPERATIONS, as_topology, members, single_losses, verdicts
from halab.models.topology import single_points, works

HA, SMALL = members(PROFILES["ha"]), members(PROFILES["small"])
some_of_ha = st.sets(st.sampled_from([part.name for part in HA]))


def fates(parts, down, copies=3, switch=False):
    return {verdict.operation: verdict.fate for verdict in verdicts(parts, down, copies, switch=switch)}


def test_the_table_knows_only_roles_and_operations_there_are_and_says_each_thing_once():
    assert {fact.role for fact in FACTS} <= {*ROLES, "entry"}
    assert {fact.operation for fact in FACTS} == set(OPERATIONS)
    assert len({(fact.operation, fact.role, fact.switch) for fact in FACTS}) == len(FACTS)
    assert all(fact.why.endswith(".") for fact in FACTS)


def test_nothing_is_lost_while_nothing_is_down():
    assert set(fates(HA, ()).values()) == {"survives"}
    assert set(fates(SMALL, (), copies=1).values()) == {"survives"}


@given(some_of_ha)
def test_an_operation_stops_exactly_where_the_topology_says_that_it_does_not_work(down):
    topology = as_topology(HA)
    found = fates(HA, down)
    relevant = down & topology.parts
    for operation in OPERATIONS:
        assert (found[operation] == "stops") == (not works(topology, operation, relevant))


@given(some_of_ha, st.sampled_from([part.name for part in HA]))
def test_losing_more_never_makes_anything_better(down, one):
    order = ("survives", "degrades", "stops")
    before, after = fates(HA, down), fates(HA, down | {one})
    assert all(order.index(before[name]) <= order.index(after[name]) for name in OPERATIONS)


@given(some_of_ha)
def test_a_verdict_names_its_reasons(down):
    for verdict in verdicts(HA, down, 3):
        assert bool(verdict.because) == (verdict.fate != "survives")
        assert all(fact.operation == verdict.operation for fact in verdict.because)


def test_a_standby_turns_a_stop_into_an_interruption():
    assert fates(SMALL, {"rootcoord-1"}, copies=1)["insert"] == "stops"
    assert fates(HA, {"rootcoord-1"})["insert"] == "degrades"
    assert fates(HA, {"rootcoord-2"})["insert"] == "survives"
    assert fates(HA, {"rootcoord-1", "rootcoord-2"})["insert"] == "stops"


def test_copies_turn_an_interruption_into_nothing():
    assert fates(HA, {"querynode-1"}, copies=1)["search"] == "degrades"
    assert fates(HA, {"querynode-1"}, copies=3)["search"] == "survives"


def test_what_is_single_in_the_highly_available_profile():
    topology = as_topology(HA)
    assert single_points(topology, "search") == {"proxy-1", "log"}
    assert single_points(topology, "load") == {"proxy-1", "log", "objectstore"}


def test_clients_that_switch_are_interrupted_where_the_others_are_stopped():
    assert set(fates(HA, {"proxy-1"}).values()) == {"stops"}
    assert set(fates(HA, {"proxy-1"}, switch=True).values()) == {"degrades"}
    assert set(fates(HA, {"proxy-1", "proxy-2"}, switch=True).values()) == {"stops"}
    assert fates(SMALL, {"proxy-1"}, copies=1, switch=True)["search"] == "stops", "a switch is no spare"


def test_a_search_outlives_any_one_part_with_seven_spares_and_a_switch():
    spared = {
        **PROFILES["small"],
        "rootcoord": 2,
        "querycoord": 2,
        "querynode": 2,
        "etcd": 3,
        "log": 2,
        "proxy": 2,
    }
    assert single_losses(members(spared), "search", 2) == ("proxy-1",)
    assert single_losses(members(spared), "search", 2, switch=True) == ()
    two = members({**spared, "etcd": 2})
    assert single_losses(two, "search", 2, switch=True) == ("etcd-1", "etcd-2")


def test_single_losses_are_those_of_the_topology():
    for operation in OPERATIONS:
        assert set(single_losses(HA, operation, 3)) == single_points(as_topology(HA), operation)


def test_a_role_that_is_missing_altogether_cannot_serve():
    without = tuple(part for part in SMALL if part.role != "querynode")
    assert fates(without, (), copies=1)["search"] == "stops"


@pytest.mark.parametrize(("down", "copies", "said"), [({"x-9"}, 1, "x-9"), ((), 0, "copies")])
def test_what_makes_no_sense_is_refused(down, copies, said):
    with pytest.raises(ValueError, match=said):
        verdicts(SMALL, down, copies)
