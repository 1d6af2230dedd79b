"""The architecture map without a browser: what it shows, when it looks, and when it stops looking."""

import time
from dataclasses import replace

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.errors import ClusterNotFound, CourseError
from halab.widgets import architecture_map
from halab.widgets.architecture_map import LAYERS, ArchitectureMap


class Watched(SimulatedCluster):
    """Counts how often it is looked at."""

    looks = 0

    def components(self):
        self.looks += 1
        return super().components()


class Lost(SimulatedCluster):
    """Answers once, and is gone then."""

    looks = 0

    def components(self):
        self.looks += 1
        if self.looks > 1:
            raise ClusterNotFound("gone")
        return super().components()


def eventually(condition, timeout=10.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def part(shown, name):
    return next(one for one in shown.parts if one["name"] == name)


def fates(shown, name):
    return {one["operation"]: one["fate"] for one in part(shown, name)["without"]}


def test_every_role_has_one_layer_and_a_description():
    about = ArchitectureMap().about
    assert set(about) == {role for roles in LAYERS.values() for role in roles}
    assert all(all(words.values()) for words in about.values())
    assert all("mixcoord" in about[role]["now"] for role in LAYERS["coordinators"])


def test_a_profile_is_shown_before_anything_runs():
    shown = ArchitectureMap()
    assert len(shown.parts) == 19
    assert "nothing runs yet" in shown.text()
    assert "healthy" not in shown.text().splitlines()[4]
    assert part(shown, "rootcoord-1")["ha_state"] == "active"
    with pytest.raises(CourseError, match="no profile"):
        ArchitectureMap("huge")


def test_a_part_tells_what_falls_with_it():
    shown = ArchitectureMap()
    assert fates(shown, "rootcoord-2") == {}
    assert fates(shown, "rootcoord-1")["insert"] == "degrades"
    assert fates(shown, "log")["insert"] == "stops"
    assert fates(shown, "etcd-1") == {"metadata call": "pauses"}, "a leader is elected in a second"
    assert fates(shown, "etcd-2") == {}
    assert fates(shown, "querynode-1") == {"search": "pauses"}, "its copy comes back empty at first"
    assert set(fates(shown, "proxy-1").values()) == {"stops"}
    assert fates(ArchitectureMap("small"), "rootcoord-1")["insert"] == "stops"


def test_it_follows_the_cluster_and_judges_it_as_it_is():
    with SimulatedCluster() as cluster:
        shown = ArchitectureMap(cluster)
        assert "SIMULATED" in shown.text()
        with cluster.fault("crash", "etcd-3"):
            shown.look()
            assert part(shown, "etcd-3")["health"] == "down"
            assert fates(shown, "etcd-2")["metadata call"] == "stops", "two of three are lost then"
        cluster.add("querynode")
        shown.look()
        assert len(shown.parts) == 20


def test_what_fails_already_is_told_from_what_a_loss_would_add():
    with SimulatedCluster() as cluster:
        shown = ArchitectureMap(cluster)
        with cluster.fault("crash", "etcd-2"), cluster.fault("crash", "etcd-3"):
            shown.look()
            already = {one["operation"]: one["fate"] for one in part(shown, "rootcoord-1")["already"]}
            assert already["metadata call"] == "stops"
            assert fates(shown, "rootcoord-1") == {}, "it makes nothing worse"
            assert part(shown, "etcd-2")["already"] == []
            assert fates(shown, "etcd-2")["metadata call"] == "stops", "its repair alone would end it"


def test_until_another_has_taken_over_the_lost_leader_is_missed():
    class Leaderless(SimulatedCluster):
        def components(self):
            lost = {"name": "rootcoord-1", "health": "down", "ha_state": ""}
            return [replace(one, **lost) if one.name == lost["name"] else one for one in super().components()]

    shown = ArchitectureMap(Leaderless())
    assert fates(shown, "rootcoord-1")["insert"] == "degrades"
    assert "insert" in [one["operation"] for one in part(shown, "querynode-1")["already"]]
    assert "insert" not in fates(shown, "querynode-1")
    assert fates(shown, "rootcoord-2")["insert"] == "stops"


def test_a_map_that_nobody_sees_looks_at_nothing(monkeypatch):
    monkeypatch.setattr(architecture_map, "_PERIOD", 0.02)
    cluster = Watched()
    shown = ArchitectureMap(cluster)
    assert shown._watcher is None
    seen = cluster.looks
    shown.visible = True
    eventually(lambda: cluster.looks > seen + 3)
    shown.visible = False
    time.sleep(0.1)
    seen = cluster.looks
    time.sleep(0.2)
    assert cluster.looks == seen


def test_it_stops_with_its_cluster_and_keeps_the_last_picture(monkeypatch):
    monkeypatch.setattr(architecture_map, "_PERIOD", 0.02)
    for shown in (ArchitectureMap(Lost()), ArchitectureMap(SimulatedCluster())):
        if shown._cluster.__class__ is SimulatedCluster:
            shown._cluster.down()
        shown.visible = True
        eventually(lambda shown=shown: shown.gone and not shown._watcher.is_alive())
        assert len(shown.parts) == 19
        assert "taken down" in shown.text()


def test_on_the_map_of_a_cluster_that_was_taken_down_nothing_is_healthy():
    cluster = SimulatedCluster()
    shown = ArchitectureMap(cluster)
    cluster.down()
    shown.look()
    assert shown.gone
    assert {part["health"] for part in shown.parts} == {""}
    assert not any(part["ha_state"] for part in shown.parts)


def test_todays_map_has_todays_parts_and_says_that_it_was_read():
    shown = ArchitectureMap(version="2.6")
    assert "From documentation, not measured here." in " ".join(shown.text().split())
    assert "streamingnode-2" in shown.text()
    assert "indexnode" not in shown.text()
    assert "From documentation" not in ArchitectureMap().text()
    for version, paper in shown.architectures.items():
        assert all(one["sources"] for part in paper["parts"] for one in part["without"]), version
        assert set(paper["about"]) == {part["role"] for part in paper["parts"]}
        assert all(all(words.values()) for words in paper["about"].values())
    with pytest.raises(CourseError, match="no map"):
        ArchitectureMap(version="2.7")


def test_a_spare_proxy_of_today_holds_up_nobody():
    parts = {one["name"]: one for one in ArchitectureMap().architectures["2.6"]["parts"]}
    assert parts["proxy-2"]["without"] == []
    assert {one["fate"] for one in parts["streamingnode-1"]["without"]} == {"degrades"}


def test_running_parts_of_todays_milvus_stand_under_their_own_version_with_its_facts():
    cluster = SimulatedCluster(milvus="2.6")
    shown = ArchitectureMap(cluster)
    assert (shown.home, shown.version) == ("2.6", "2.6")
    assert {part["role"] for part in shown.parts} == set(shown.about)
    assert "From documentation" in " ".join(shown.text().split())
    assert "SIMULATED" in shown.text()
    assert "2.3.5" in shown.architectures
    cluster.inject("crash", "streamingnode-1")
    shown.look()
    lost = next(part for part in shown.parts if part["name"] == "streamingnode-1")
    assert lost["health"] == "down"
    assert all(told["sources"] for part in shown.parts for told in part["already"])


def test_another_version_beside_a_running_cluster_is_on_paper():
    shown = ArchitectureMap(SimulatedCluster(), version="2.6")
    assert (shown.home, shown.version) == ("2.3.5", "2.6")
    assert "from documentation" in shown.text()
    shown.version = "2.3.5"
    assert "SIMULATED" in shown.text()
