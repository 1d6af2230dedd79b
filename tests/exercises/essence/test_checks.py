import pytest

from halab.exercises.essence import checks as checks
from halab.exercises.essence.variant import pair, plain, small, topology_of, variant
from halab.exercises.expectations import CheckFailed
from halab.models import topology as model

PLANTS = checks.plants(7)


def works(given, operation, down):
    return model.works(topology_of(given), operation, down)


def single_points(given, operation):
    return set(model.single_points(topology_of(given), operation))


def minimal_cuts(given, operation):
    return list(model.minimal_cuts(topology_of(given), operation))


def spares(count, needed):
    return model.spares_needed(model.Role(tuple(map(str, range(count))), needed))


def cheapest(given, prices, operation):
    found = model.cheapest_repair(topology_of(given), prices, [operation])
    return None if found is None else dict(found.spares)


def best(given, prices, budget):
    return dict(model.best_repair(topology_of(given), prices, budget).spares)


def test_the_models_own_answers_pass():
    topologies = [one.topology for one in PLANTS] + [small(), pair()]
    checks.check_works(works, topologies, majority=False)
    checks.check_works(works, topologies, majority=True)
    checks.check_refused(works, small())
    checks.check_single(single_points, topologies)
    checks.check_cuts(minimal_cuts, topologies)
    checks.check_spares(spares, [(1, 1), (2, "majority")])
    checks.check_repair(cheapest, PLANTS)
    checks.check_best(best, PLANTS)


def test_a_topology_survives_the_way_to_plain_data_and_back():
    for one in PLANTS:
        assert plain(topology_of(one.topology)) == one.topology


def test_each_learner_has_a_topology_of_their_own_and_always_the_same():
    assert variant("ada") == variant("ada")
    assert len({str(variant(name).plant) for name in ("ada", "bo", "cy", "dee")}) == 4


@pytest.mark.parametrize("name", ["ada", "bo", "cy", "dee", "eve", "fay"])
def test_every_learner_has_something_to_repair_and_not_enough_money_for_all_of_it(name):
    one = variant(name).plant
    topology = topology_of(one.topology)
    safe = model.best_repair(topology, one.prices, one.budget).safe
    everything = model.cheapest_repair(topology, one.prices, topology.operations)
    assert everything.cost > 0
    assert len(safe) < len(topology.operations) or one.budget >= everything.cost


def test_drawn_topologies_share_machines_so_that_cut_sets_have_to_be_compared():
    def compared(given):
        topology = topology_of(given)
        for operation, needs in topology.operations.items():
            alone = [
                model.minimal_cuts(model.Topology(topology.roles, {"one": (role,)}), "one") for role in needs
            ]
            if frozenset().union(*alone) != model.minimal_cuts(topology, operation):
                return True
        return False

    assert sum(compared(one.topology) for one in checks.plants(3, 20)) > 3


def test_a_function_that_returns_no_sets_is_told_so():
    with pytest.raises(CheckFailed, match="list of sets"):
        checks.check_cuts(lambda *_: ["ant"], [small()])


def test_the_small_profile_is_single_all_over():
    topology = topology_of(small())
    assert model.single_points(topology, "search") == {
        "proxy-1", "rootcoord-1", "querycoord-1", "querynode-1", "etcd-1", "log",
    }  # fmt: skip


def test_the_plants_of_a_seed_are_the_same_each_time():
    assert checks.plants(5) == checks.plants(5)
