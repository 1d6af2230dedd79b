import pytest

from halab.cluster.protocol import Component, HaState, Health
from halab.cluster.targets import check_words, resolve, targets
from halab.errors import TargetError


def part(name: str, ha_state: HaState = "", health: Health = "healthy") -> Component:
    role = name.rpartition("-")[0] or name
    return Component(name, role, "127.0.0.1:1", 1, health, ha_state)


CLUSTER = [
    part("rootcoord-1", "active"),
    part("rootcoord-2", "standby"),
    part("querycoord-1"),
    part("querycoord-2", "active"),
    part("querynode-1"),
    part("querynode-2"),
    part("datanode-1", health="down"),
    part("datanode-2"),
    part("indexnode-1"),
    part("proxy-1"),
    part("proxy-2"),
    part("etcd-1", "follower"),
    part("etcd-2", "leader"),
    part("etcd-3", "follower"),
    part("log"),
    part("objectstore"),
]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("active rootcoord", "rootcoord-1"),
        ("Active Root Coordinator", "rootcoord-1"),
        ("active-root-coord", "rootcoord-1"),
        ("standby rootcoord", "rootcoord-2"),
        ("active querycoord", "querycoord-2"),
        ("etcd leader", "etcd-2"),
        ("leader etcd", "etcd-2"),
        ("etcd follower", "etcd-1"),
        ("query node 1", "querynode-1"),
        ("QueryNode_2", "querynode-2"),
        ("any data node", "datanode-2"),
        ("any query node", "querynode-1"),
        ("index node", "indexnode-1"),
        ("log", "log"),
        ("object store", "objectstore"),
        ("proxy 2", "proxy-2"),
        ("rootcoord-1", "rootcoord-1"),
        ("datanode-1", "datanode-1"),
    ],
)
def test_a_target_names_one_component(target: str, name: str) -> None:
    assert resolve(CLUSTER, target).name == name


@pytest.mark.parametrize("target", ["query node", "etcd", "rootcoord", "proxy"])
def test_a_role_with_several_members_is_ambiguous(target: str) -> None:
    with pytest.raises(TargetError, match="ambiguous") as caught:
        resolve(CLUSTER, target)
    assert "any" in caught.value.hint


@pytest.mark.parametrize(
    "target",
    [
        "",
        "42",
        "streaming node",
        "datacoord",
        "query node 7",
        "active proxy",
        "standby querycoord",
        "any etcd 2",
    ],
)
def test_an_absent_target_lists_what_there_is(target: str) -> None:
    with pytest.raises(TargetError) as caught:
        resolve(CLUSTER, target)
    for name in ("active rootcoord", "etcd leader", "proxy-2", "object store"):
        assert name in caught.value.hint


def test_a_misspelt_target_gets_a_suggestion() -> None:
    with pytest.raises(TargetError) as caught:
        resolve(CLUSTER, "active rotcoord")
    assert 'Did you mean "active rootcoord"?' in caught.value.hint


def test_an_empty_cluster_says_so() -> None:
    with pytest.raises(TargetError) as caught:
        resolve([], "log")
    assert "no components" in caught.value.hint


def test_every_target_that_is_listed_resolves() -> None:
    assert all(resolve(CLUSTER, each) for each in targets(CLUSTER))


def test_words_that_name_nothing_anywhere_are_told_before_there_is_a_cluster():
    check_words("any data node")
    with pytest.raises(TargetError) as told:
        check_words("active rotcoord")
    assert told.value.hint.startswith('Did you mean "active rootcoord"?')
