import pytest

from halab.cluster.profiles import PROFILES
from halab.exercises.essence import checks
from halab.exercises.essence.variant import (
    etcd_pair,
    small_profile,
    topology_from_dict,
    topology_to_dict,
    variant,
)
from halab.exercises.expectations import CheckFailed
from halab.models import topology as model
from halab.models.survival import as_topology, members

PLANTS = checks.make_cases(7)


def works(given, operation, down):
    return model.works(topology_from_dict(given), operation, down)


def single_points(given, operation):
    return set(model.single_points(topology_from_dict(given), operation))


def minimal_cuts(given, operation):
    return list(model.minimal_cuts(topology_from_dict(given), operation))


def spares(count, needed):
    return model.spares_needed(model.Role(tuple(map(str, range(count))), needed))


def cheapest(given, prices, operation):
    found = model.cheapest_repair(topology_from_dict(given), prices, [operation])
    return None if found is None else dict(found.spares)


def best(given, prices, budget):
    return dict(model.best_repair(topology_from_dict(given), prices, budget).spares)


def test_the_models_own_answers_pass():
    topologies = [one.topology for one in PLANTS] + [small_profile(), etcd_pair()]
    checks.check_works(works, topologies, majority=False)
    checks.check_works(works, topologies, majority=True)
    checks.check_refused(works, small_profile())
    checks.check_single(single_points, topologies)
    checks.check_cuts(minimal_cuts, topologies)
    checks.check_spares(spares, [(1, 1), (2, "majority")])
    checks.check_repair(cheapest, PLANTS)
    checks.check_best(best, PLANTS)


def test_a_topology_survives_the_way_to_plain_data_and_back():
    for one in PLANTS:
        assert topology_to_dict(topology_from_dict(one.topology)) == one.topology


def test_each_learner_has_a_topology_of_their_own_and_always_the_same():
    assert variant("ada") == variant("ada")
    assert len({str(variant(name).case) for name in ("ada", "bo", "cy", "dee")}) == 4


@pytest.mark.parametrize("name", ["ada", "bo", "cy", "dee", "eve", "fay"])
def test_every_learner_has_something_to_repair_and_not_enough_money_for_all_of_it(name):
    one = variant(name).case
    topology = topology_from_dict(one.topology)
    safe = model.best_repair(topology, one.prices, one.budget).safe
    everything = model.cheapest_repair(topology, one.prices, topology.operations)
    assert everything.cost > 0
    assert len(safe) < len(topology.operations) or one.budget >= everything.cost


def test_drawn_topologies_share_machines_so_that_cut_sets_have_to_be_compared():
    def compared(given):
        topology = topology_from_dict(given)
        for operation, needs in topology.operations.items():
            alone = [
                model.minimal_cuts(model.Topology(topology.roles, {"one": (role,)}), "one") for role in needs
            ]
            if frozenset().union(*alone) != model.minimal_cuts(topology, operation):
                return True
        return False

    assert sum(compared(one.topology) for one in checks.make_cases(3, 20)) > 3


def test_a_function_that_returns_no_sets_is_told_so():
    with pytest.raises(CheckFailed, match="list of sets"):
        checks.check_cuts(lambda *_: ["ant"], [small_profile()])


def test_the_small_profile_is_the_one_of_the_embedded_cluster():
    assert small_profile() == topology_to_dict(as_topology(members(PROFILES["small"])))


def test_the_small_profile_is_single_all_over():
    topology = topology_from_dict(small_profile())
    assert model.single_points(topology, "search") == {
        "proxy-1", "rootcoord-1", "querycoord-1", "querynode-1", "etcd-1", "log",
    }  # fmt: skip


def test_the_cases_of_a_seed_are_the_same_each_time():
    assert checks.make_cases(5) == checks.make_cases(5)
