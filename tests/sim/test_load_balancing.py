"""The race against the textbook's queues, and what each strategy is known for."""

import math

import pytest

from halab.models.capacity import mm1, mmc
from halab.sim.balancing_strategies import STRATEGIES, LeastConnections, Random, RoundRobin
from halab.sim.load_balancing import Node, race, requests, simulate_closed_loop

pytestmark = pytest.mark.slow

LONG = requests(80, 250, seed=3)
EQUAL = [Node(50.0)] * 2


@pytest.fixture(scope="module")
def means():
    """The mean response time of every strategy before two equal nodes."""
    return {name: race(EQUAL, LONG, make()).mean for name, make in STRATEGIES.items()}


def test_one_node_is_the_textbook_s_single_server():
    assert race([Node(100.0)], LONG, Random()).mean == pytest.approx(mm1(80, 100).response, rel=0.12)


def test_before_one_node_it_does_not_matter_who_picks():
    first, *others = (race([Node(100.0)], LONG[:1000], make()).answers for make in STRATEGIES.values())
    assert all(answers == first for answers in others)


def test_a_random_balancer_makes_single_servers_of_its_nodes(means):
    assert means["random"] == pytest.approx(mm1(40, 50).response, rel=0.12)


def test_no_balancer_that_cannot_look_ahead_beats_one_common_queue(means):
    assert means["random"] > means["round robin"] > means["least connections"]
    assert means["random"] > means["two choices"]
    assert means["least connections"] > 0.95 * mmc(80, 50, 2).response


def test_a_slow_node_spoils_what_does_not_look_at_it():
    nodes = [Node(100.0), Node(100.0), Node(20.0)]
    work = requests(120, 60, seed=1)
    p99 = {name: race(nodes, work, make()).p99 for name, make in STRATEGIES.items()}
    assert p99["least connections"] < p99["two choices"] < p99["round robin"]
    assert p99["round robin"] > 10 * p99["least connections"]


def test_a_grey_node_is_found_out_by_its_queue_alone():
    nodes = [Node(100.0), Node(100.0), Node(100.0, grey_at=10.0)]
    work = requests(150, 30, seed=2)
    turn, least = race(nodes, work, RoundRobin()), race(nodes, work, LeastConnections())
    assert turn.sent_to(2) == pytest.approx(len(work) / 3, abs=1)
    assert least.sent_to(2) < 0.7 * turn.sent_to(2)
    assert turn.failed == least.failed == 0


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_is_with_a_node_when_it_leaves_fails_and_nothing_after_it(name):
    work = requests(240, 12, seed=4)
    found = race([Node(100.0), Node(100.0), Node(100.0, leaves_at=10.0)], work, STRATEGIES[name]())
    bad = [one for one in found.answers if not one.ok]
    assert all(one.node == 2 and one.at < 10.0 == one.end for one in bad)
    assert 0 < len(bad) < 60
    assert not [one for one in found.answers if one.at > 10 and one.node == 2]


def test_with_nobody_in_service_every_request_fails():
    found = race([Node(100.0, leaves_at=1.0)], requests(50, 3, seed=1), Random())
    assert all(not one.ok and one.node is None for one in found.answers if one.at > 1)
    nobody = race([Node(0.001, leaves_at=0.001)], requests(50, 3, seed=1), Random())
    assert (nobody.throughput, nobody.p99, nobody.mean) == (0.0, math.inf, math.inf)


def test_a_pick_of_what_is_not_there_is_refused():
    class Astray:
        def pick(self, loads, draws):
            return 7

    with pytest.raises(ValueError, match="7 was picked"):
        race(EQUAL, LONG[:5], Astray())
    with pytest.raises(ValueError, match="needs nodes"):
        race([], LONG[:5], Random())
    with pytest.raises(ValueError, match="above 0"):
        requests(0, 1)


def test_a_closed_loop_gets_what_its_nodes_can_do_once_there_are_clients_enough():
    for nodes in (1, 3):
        few = simulate_closed_loop([50.0] * nodes, 1, 60, LeastConnections(), seed=nodes)
        many = simulate_closed_loop([50.0] * nodes, 20, 60, LeastConnections(), seed=nodes)
        assert len(few) / 60 == pytest.approx(50, rel=0.1)
        assert len(many) / 60 == pytest.approx(50 * nodes, rel=0.1)
    with pytest.raises(ValueError, match="clients"):
        simulate_closed_loop([50.0], 0, 1, Random())
