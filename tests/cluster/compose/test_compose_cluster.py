from datetime import UTC, datetime, timedelta

import pytest

from halab.cluster.compose import compose_cluster, container_faults, projects, startup, status_reader
from halab.cluster.compose.compose_cluster import ComposeCluster
from halab.cluster.etcd import EtcdView
from halab.cluster.protocol import Cluster, Session
from halab.errors import ClusterError, ClusterExists, ClusterNotFound, FaultError, TargetError


class Silence:
    """No events: a listener would ask a daemon."""

    def __init__(self, *_):
        pass

    def events(self):
        return []

    def first(self, identity, since):
        return 0.0

    def close(self):
        pass


@pytest.fixture
def etcd(monkeypatch):
    """What etcd and Milvus answer: a view, and the ids of those that say they are well (all, if None)."""
    answers = {"view": EtcdView(), "well": None}

    async def ask(found, root):
        well = answers["well"]
        return answers["view"], {one.id for one in found} if well is None else well

    monkeypatch.setattr(status_reader, "_ask", ask)
    return answers


@pytest.fixture
def cluster(docker, etcd, home, monkeypatch):
    monkeypatch.setattr(compose_cluster, "EventListener", Silence)
    told = [Session("proxy-1", '{"ServerID": 1, "Version": "2.3.5"}', "1", 10.0, 9.0)]
    monkeypatch.setattr(status_reader.StatusReader, "sessions", lambda _: told)
    return ComposeCluster(docker, "course")


@pytest.fixture
def sessions(cluster, etcd):
    """Gives each Milvus container its session, by number; the first coordinators are active."""
    found = [one for one in cluster._reader.containers() if one.is_milvus]
    active = {one.role: one.session for one in found if one.name.endswith("coord-1")}
    etcd["view"] = EtcdView(
        sessions={one.session: number for number, one in enumerate(found, 1)}, active=active
    )
    return etcd["view"].sessions


def component(cluster, name):
    return next(one for one in cluster.components() if one.name == name)


def test_it_is_a_cluster_like_any_other(cluster):
    assert isinstance(cluster, Cluster)
    assert (cluster.name, cluster.engine, cluster.profile) == ("course", "compose", "ha")
    assert (cluster.ttl, cluster.versions["milvus"]) == (10.0, "2.3.5")


def test_who_is_active_is_told_by_etcds_sessions(cluster, sessions):
    assert cluster.active("rootcoord").name == "rootcoord-1"
    assert cluster.resolve("standby query coordinator").name == "querycoord-2"


def test_several_brokers_are_named_like_any_other_role(cluster, sessions):
    assert cluster.resolve("log 2").name == "log-2"
    assert cluster.resolve("any log").name == cluster.resolve("log").name == "log-1"
    with pytest.raises(TargetError, match="ambiguous"):
        cluster.resolve("etcd")


def test_a_role_without_its_session_is_not_healthy_whatever_it_says(cluster, sessions):
    assert component(cluster, "querynode-1").health == "healthy"
    sessions.pop(next(one.session for one in cluster._nodes("querynode") if one.name == "querynode-1"))
    assert component(cluster, "querynode-1").health == "unhealthy"


def test_the_session_of_a_killed_container_does_not_speak_for_the_new_one(cluster, sessions, service):
    one = next(one for one in cluster._nodes("querynode") if one.name == "querynode-1")
    assert component(cluster, one.name).health == "healthy"
    service("querynode-1")["State"]["StartedAt"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    assert component(cluster, one.name).health != "healthy"
    sessions[one.session] = 100
    assert component(cluster, one.name).health == "healthy"


def test_a_session_taken_for_the_former_runs_counts_once_that_ones_lease_has_ended(
    cluster, sessions, service
):
    assert component(cluster, "querynode-1").health == "healthy"
    state = service("querynode-1")["State"]
    state["StartedAt"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    assert component(cluster, "querynode-1").health == "starting"
    state["StartedAt"] = f"{datetime.now(UTC) - timedelta(seconds=20):%Y-%m-%dT%H:%M:%S.%fZ}"
    assert component(cluster, "querynode-1").health == "healthy"


def test_what_was_not_started_yet_has_no_former_session(cluster, sessions, service):
    state = service("querynode-1")["State"]
    ours = state["StartedAt"]
    state |= {"Status": "created", "StartedAt": "0001-01-01T00:00:00Z"}
    assert component(cluster, "querynode-1").health == "waiting"
    state |= {"Status": "running", "StartedAt": ours}  # its session was seen in the same look already
    assert component(cluster, "querynode-1").health == "healthy"


def test_docker_tells_how_the_others_are(cluster, sessions, service):
    service("log-1")["State"]["Health"]["Status"] = "unhealthy"
    service("log-2")["State"]["Status"] = "paused"
    service("log-3")["NetworkSettings"]["Networks"] = {}
    health = {one.name: (one.health, one.note) for one in cluster.components() if one.role == "log"}
    assert health["log-1"][0] == "unhealthy"
    assert health["log-2"] == ("hung", "fault: hang")
    assert health["log-3"] == ("unhealthy", "fault: partition")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("crash", ("kill", "--signal=KILL")),
        ("stop", ("kill", "--signal=TERM")),
        ("hang", ("pause",)),
        ("restart", ("restart", "--time=15")),
        ("partition", ("network", "disconnect", "halab-course_default")),
    ],
)
def test_a_fault_is_one_word_to_docker_about_the_container_that_was_meant(
    cluster, sessions, docker, service, kind, told
):
    fault = cluster.inject(kind, "active rootcoord")
    assert (fault.kind, fault.target, fault.component) == (kind, "active rootcoord", "rootcoord-1")
    assert docker.told[-1] == (*told, service("rootcoord-1")["Id"])
    (event,) = cluster.events()
    assert (event.kind, event.by, event.detail) == (f"fault:{kind}", "user", "active rootcoord")
    assert abs(event.time - fault.at) < 1


def test_what_is_broken_is_not_broken_twice(cluster, sessions, service):
    service("rootcoord-1")["State"]["Status"] = "paused"
    with pytest.raises(FaultError, match="already has a fault"):
        cluster.inject("crash", cluster.resolve("rootcoord-1"))
    with pytest.raises(FaultError, match="nothing to break"):
        cluster.inject("crash", "datacoord-1")
    with pytest.raises(FaultError, match="no fault 'fire'"):
        cluster.inject("fire", "rootcoord-1")


def test_undoing_depends_on_what_docker_tells(cluster, sessions, docker, service):
    service("rootcoord-1")["State"]["Status"] = "paused"
    service("rootcoord-2")["State"]["Status"] = "exited"
    cluster.heal("rootcoord-1")
    assert docker.told[-1] == ("unpause", service("rootcoord-1")["Id"])
    cluster.heal("rootcoord-2")
    assert docker.told[-1] == ("restart", "--time=0", service("rootcoord-2")["Id"])


def test_after_a_partition_a_container_has_its_names_again(cluster, sessions, docker, service):
    one = service("etcd-1")
    one["NetworkSettings"]["Networks"]["halab-course_default"]["Aliases"] += ["also-etcd"]
    cluster.inject("partition", "etcd-1")
    one["NetworkSettings"]["Networks"] = {}
    cluster.heal("etcd-1")
    connected = next(words for words in docker.told if words[:2] == ("network", "connect"))
    assert {"--alias=etcd-1", "--alias=also-etcd"} <= set(connected)
    assert connected[-2:] == ("halab-course_default", one["Id"])


def test_a_speed_limit_is_a_quota_that_ends_with_the_block(cluster, sessions, docker, service):
    nodes = [service(f"querynode-{number}")["Id"] for number in (1, 2, 3)]
    with cluster.slow("querynode", 0.2, 0.1):
        assert docker.told[-1] == ("update", "--cpus=0.2", *nodes)
    assert docker.told[-3:] == [("update", "--cpus=1", identity) for identity in nodes]


def test_only_query_nodes_are_removed_and_never_the_last_one(cluster, sessions, docker, service, inspected):
    with pytest.raises(FaultError, match="Only query nodes"):
        cluster.remove("rootcoord-1")
    cluster.remove("querynode-3")
    identity = service("querynode-3")["Id"]
    assert docker.told[-2:] == [("stop", "--time=15", identity), ("rm", "--volumes", identity)]
    inspected.remove(service("querynode-2"))
    inspected.remove(service("querynode-3"))
    with pytest.raises(FaultError, match="last query node"):
        cluster.remove("querynode-1")


def test_what_is_left_after_taking_down_is_an_error_that_names_it(docker, home):
    with pytest.raises(ClusterError, match="are left"):
        projects.remove("course", docker)


def test_a_cluster_that_was_taken_down_says_so(cluster, inspected):
    inspected.clear()
    with pytest.raises(ClusterNotFound, match="taken down"):
        cluster.components()


def test_without_the_course_file_nothing_is_started(docker, home, monkeypatch, tmp_path):
    (tmp_path / "cards").mkdir()
    (tmp_path / "course").mkdir()
    monkeypatch.setenv("HALAB_COURSE", str(tmp_path))
    monkeypatch.setattr(startup, "find_docker", lambda: docker)
    with pytest.raises(ClusterError, match=r"docker-compose\.yml"):
        startup.start("course")
    assert docker.told == []


def test_each_line_of_milvus_has_a_file_whose_image_is_the_one_that_is_meant(monkeypatch):
    for variable in ("HALAB_MILVUS_IMAGE", "HALAB_CURRENT_IMAGE"):
        monkeypatch.delenv(variable, raising=False)
    for line, image in projects.IMAGES.items():
        text = projects.file(line).read_text()
        assert image in text
        (variable,) = (name for name, value in projects.settings("ha", 10, 1, line).items() if value == image)
        assert f"${{{variable}:-milvusdb/milvus:v" in text
    assert projects.settings("ha", 10, 1, "2.6", "mine:1")["HALAB_CURRENT_IMAGE"] == "mine:1"


def test_a_line_or_a_profile_that_has_no_file_is_refused(docker, home, monkeypatch):
    monkeypatch.setattr(startup, "find_docker", lambda: docker)
    with pytest.raises(ClusterError, match=r"no file for Milvus 2\.4"):
        startup.start("course", milvus="2.4")
    with pytest.raises(ClusterError, match="profile ha only"):
        startup.start("course", "small", milvus="2.6")


def test_one_that_runs_is_not_taken_for_another_line(cluster, docker, sessions, monkeypatch):
    monkeypatch.setattr(startup, "find_docker", lambda: docker)
    assert startup.start("course", milvus="2.5").milvus == "2.5"
    with pytest.raises(ClusterExists, match=r"roles of Milvus 2\.5, not 3\.0"):
        startup.start("course", milvus="3.0")


def test_a_one_way_cut_says_what_it_needs_where_it_cannot_be_made(cluster, sessions, monkeypatch):
    monkeypatch.setattr(container_faults.os, "geteuid", lambda: 1000)
    with pytest.raises(FaultError, match="found: no root") as told:
        cluster.inject("mute", "active rootcoord")
    assert "partition" in told.value.hint
    monkeypatch.setattr(container_faults.os, "geteuid", lambda: 0)
    monkeypatch.setattr(container_faults.shutil, "which", lambda _: None)
    with pytest.raises(FaultError, match="no nsenter, iptables"):
        cluster.inject("mute", "active rootcoord")


def test_a_one_way_cut_is_a_rule_that_healing_deletes(cluster, sessions, monkeypatch):
    changes = []
    monkeypatch.setattr(
        container_faults,
        "_change_drop_rule",
        lambda container, change: changes.append((container.name, change)),
    )
    cluster.inject("mute", "active rootcoord")
    assert component(cluster, "rootcoord-1").note == "fault: mute"
    cluster.heal("rootcoord-1")
    assert changes == [("rootcoord-1", "--insert"), ("rootcoord-1", "--delete")]
    assert component(cluster, "rootcoord-1").note == ""
