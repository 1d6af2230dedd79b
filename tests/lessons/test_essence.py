"""Lesson 1 reads off a cluster what stands in its definition of a single point of failure."""

from halab.cluster.simulated import SimulatedCluster
from halab.lessons.essence import needs, parts


def test_the_proxy_that_clients_talk_to_is_a_role_of_its_own() -> None:
    roles = parts(SimulatedCluster())
    assert roles["proxy-1"] == "entry"
    assert roles["proxy-2"] == "proxy"
    assert list(roles.values()).count("etcd") == 3


def test_an_operation_needs_a_majority_of_etcd_and_one_of_the_rest() -> None:
    search = needs(SimulatedCluster())["search"]
    assert search["etcd"] == 2
    assert search["log"] == search["entry"] == 1
    assert "objectstore" not in search
