import json
import math

import pytest

from halab.cluster.protocol import Cluster
from halab.cluster.simulated import SimulatedCluster
from halab.errors import FaultError, NotReady, TargetError
from halab.models.faults import FaultKind
from halab.models.milvus_versions import ARCHITECTURES
from halab.models.samples import Outcome


def bad(cluster: SimulatedCluster, operation: str, replicas: int = 3) -> list[float]:
    samples = cluster.simulate(0, cluster.now(), [operation], replicas=replicas)
    return [sample.intended for sample in samples if sample.outcome != Outcome.OK]


def test_it_is_a_cluster_and_says_that_it_is_simulated() -> None:
    cluster = SimulatedCluster()
    assert isinstance(cluster, Cluster)
    assert cluster.engine == "simulated"
    assert cluster.uri == ""
    assert all(part.note == "simulated" for part in cluster.components())


def test_profiles_have_their_members() -> None:
    names = [part.name for part in SimulatedCluster().components()]
    assert {"rootcoord-1", "rootcoord-2", "etcd-3", "querynode-3", "log", "objectstore", "proxy-2"} <= set(
        names
    )
    assert len(SimulatedCluster(profile="small").components()) == 10
    with pytest.raises(ValueError, match="ha, small"):
        SimulatedCluster(profile="large")


def test_virtual_time_passes_only_when_it_is_let() -> None:
    cluster = SimulatedCluster()
    assert cluster.now() == 0
    cluster.sleep(3600)
    assert cluster.now() == 3600
    with pytest.raises(ValueError, match="seconds"):
        cluster.sleep(-1)


def test_the_standby_takes_over_when_the_lease_of_the_active_one_has_expired() -> None:
    cluster = SimulatedCluster(ttl=10)
    fault = cluster.inject("crash", "active rootcoord")
    assert fault.component == "rootcoord-1"
    cluster.sleep(5)
    assert cluster.active("rootcoord").name == "rootcoord-1"
    cluster.sleep(7)
    assert cluster.active("rootcoord").name == "rootcoord-2"
    assert cluster.resolve("rootcoord-1").health == "down"
    fault.undo()
    cluster.wait_healthy()
    assert cluster.resolve("rootcoord-1").ha_state == "standby"
    kinds = [(event.component, event.kind, event.by) for event in cluster.events()]
    assert kinds == [
        ("rootcoord-1", "fault:crash", "user"),
        ("rootcoord-2", "active", "milvus"),
        ("rootcoord-1", "started", "user"),
    ]


def test_leaving_the_block_undoes_the_fault_and_waits_until_all_is_well() -> None:
    cluster = SimulatedCluster()
    with cluster.fault("crash", "query node 1") as fault:
        cluster.sleep(20)
        assert fault.undone_at is None
    assert fault.undone_at == 20
    assert all(part.health == "healthy" for part in cluster.components())
    assert cluster.now() > 20


def test_every_operation_is_out_for_as_long_as_the_timeline_says() -> None:
    cluster = SimulatedCluster(seed=3)
    cluster.sleep(5)
    with cluster.fault("crash", "active rootcoord") as fault:
        cluster.sleep(25)
    for operation in ("search", "insert", "metadata call"):
        failed = bad(cluster, operation)
        assert failed[0] == pytest.approx(5, abs=0.1)
        assert failed[-1] == pytest.approx(5 + fault.timeline.back, abs=0.1)


def test_a_shorter_lease_makes_a_shorter_outage() -> None:
    failed = []
    for ttl in (3.0, 30.0):
        cluster = SimulatedCluster(ttl=ttl)
        with cluster.fault("crash", "active rootcoord"):
            cluster.sleep(60)
        failed.append(len(bad(cluster, "insert")))
    assert failed[0] < failed[1] / 4


def test_a_standby_is_not_missed() -> None:
    cluster = SimulatedCluster()
    with cluster.fault("crash", "standby rootcoord"):
        cluster.sleep(30)
    assert bad(cluster, "insert") == []


def test_without_a_standby_the_outage_lasts_until_the_fault_is_undone() -> None:
    cluster = SimulatedCluster(profile="small")
    with cluster.fault("crash", "rootcoord-1"):
        cluster.sleep(40)
    cluster.sleep(20)
    failed = bad(cluster, "insert")
    assert 40 < failed[-1] < 45
    assert cluster.active("rootcoord").name == "rootcoord-1"


def test_a_process_that_hung_beyond_its_lease_exits_and_the_supervisor_starts_it() -> None:
    cluster = SimulatedCluster()
    with cluster.fault("hang", "active querycoord"):
        cluster.sleep(20)
        assert cluster.resolve("querycoord-1").health == "hung"
    by = [(event.kind, event.by) for event in cluster.events() if event.component == "querycoord-1"]
    assert by[1:] == [("continued", "user"), ("exited", "milvus"), ("started", "supervisor")]
    assert cluster.resolve("querycoord-1").restarts == 1


def test_a_short_hang_is_not_noticed_by_etcd() -> None:
    cluster = SimulatedCluster(ttl=10)
    with cluster.fault("hang", "active rootcoord"):
        cluster.sleep(2)
    cluster.sleep(30)
    assert cluster.active("rootcoord").name == "rootcoord-1"
    assert max(bad(cluster, "insert")) < 2


def test_a_restart_is_over_sooner_than_the_lease() -> None:
    cluster = SimulatedCluster(ttl=30)
    with cluster.fault("restart", "active rootcoord") as fault:
        cluster.sleep(1)
    cluster.sleep(60)
    assert fault.timeline.back < 5
    assert max(bad(cluster, "insert")) < 5
    standings = [part.ha_state for part in cluster.components() if part.role == "rootcoord"]
    assert sorted(standings) == ["active", "standby"]


def test_etcd_survives_one_member_and_not_two() -> None:
    cluster = SimulatedCluster()
    with cluster.fault("crash", "etcd leader"):
        cluster.sleep(10)
        assert bad(cluster, "metadata call") == []
        assert cluster.active("etcd").name != "etcd-1"
        with cluster.fault("crash", "etcd follower"):
            cluster.sleep(10)
        assert len(bad(cluster, "strong search")) > 100
        assert len(bad(cluster, "metadata call")) > 100
        assert bad(cluster, "search") == bad(cluster, "insert") == []


def test_replicas_spare_the_search() -> None:
    cluster = SimulatedCluster()
    with cluster.fault("crash", "query node 1"):
        cluster.sleep(30)
    assert len(bad(cluster, "search", replicas=3)) * 5 < len(bad(cluster, "search", replicas=1))


def test_there_is_always_exactly_one_leader_of_a_role_when_all_are_healthy() -> None:
    for kind in ("crash", "hang", "stop", "restart"):
        for wait in (0, 1, 5, 12, 20):
            for target in ("active rootcoord", "standby datacoord", "etcd leader", "active querycoord"):
                cluster = SimulatedCluster()
                with cluster.fault(kind, target):  # type: ignore[arg-type]
                    cluster.sleep(wait)
                cluster.sleep(60)
                for role in ("rootcoord", "querycoord", "datacoord", "etcd"):
                    leads = [
                        p
                        for p in cluster.components()
                        if p.role == role and p.ha_state in ("active", "leader")
                    ]
                    assert len(leads) == 1, (kind, wait, target, role)
                    assert leads[0].health == "healthy"


def test_what_cannot_be_done_is_said() -> None:
    cluster = SimulatedCluster()
    with pytest.raises(TargetError, match="ambiguous"):
        cluster.inject("crash", "query node")
    with pytest.raises(FaultError, match="explode"):
        cluster.inject("explode", "log")  # type: ignore[arg-type]
    cluster.inject("crash", "log")
    with pytest.raises(FaultError, match="down"):
        cluster.inject("crash", "log")
    with pytest.raises(NotReady, match="log is down"):
        cluster.wait_healthy(timeout=5)


def test_the_same_seed_gives_the_same_samples() -> None:
    def run(seed: int) -> object:
        cluster = SimulatedCluster(seed=seed)
        with cluster.fault("crash", "active rootcoord"):
            cluster.sleep(20)
        return cluster.simulate(0, 20)

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_query_node_comes_and_goes_while_the_cluster_runs():
    cluster = SimulatedCluster()
    added = cluster.add("querynode")
    assert (added.name, added.health) == ("querynode-4", "healthy")
    assert "querynode-4" in {json.loads(session.value)["Address"] for session in cluster.sessions()}
    cluster.remove("querynode-4")
    assert sum(each.role == "querynode" for each in cluster.components()) == 3
    assert [event.kind for event in cluster.events()] == ["added", "removed"]


def test_only_query_nodes_come_and_go_and_never_the_last():
    with pytest.raises(FaultError, match="Only query nodes"):
        SimulatedCluster().add("rootcoord")
    with pytest.raises(FaultError, match="Only query nodes"):
        SimulatedCluster().remove("proxy-2")
    with pytest.raises(FaultError, match="last"):
        SimulatedCluster(profile="small").remove("query node")


def test_the_active_coordinator_alone_holds_the_bare_key():
    cluster = SimulatedCluster()
    keys = {session.key: json.loads(session.value)["Address"] for session in cluster.sessions()}
    assert keys["rootcoord"] == "rootcoord-1"
    assert sum(key.startswith("rootcoord-") for key in keys) == 2
    with cluster.fault("crash", "active rootcoord"):
        cluster.sleep(15)
        keys = {session.key: json.loads(session.value)["Address"] for session in cluster.sessions()}
        assert keys["rootcoord"] == "rootcoord-2"


def test_a_partition_is_not_simulated_and_says_where_it_can_be_had() -> None:
    cluster = SimulatedCluster()
    with pytest.raises(FaultError, match="not simulated") as told:
        cluster.inject("partition", "active rootcoord")
    assert "compose" in told.value.hint


def test_what_ends_grows_or_heals_a_cluster_says_in_words_what_it_did():
    cluster = SimulatedCluster()
    assert repr(cluster.remove("querynode-3")).startswith("querynode-3 was stopped for good")
    cluster.inject("crash", "proxy-1")
    assert repr(cluster.heal("proxy-1")).startswith("proxy-1: its fault is undone")
    assert "nothing is left" in repr(cluster.down())


def test_todays_milvus_has_todays_parts_and_says_that_it_was_read() -> None:
    cluster = SimulatedCluster(milvus="2.6")
    roles = {part.role for part in cluster.components()}
    assert {"mixcoord", "streamingnode"} < roles
    assert not roles & {"rootcoord", "indexnode"}
    assert cluster.ttl == ARCHITECTURES["2.6"].sessions[-1].ttl
    assert "from documentation" in cluster.versions["milvus"]
    assert all("from documentation" in part.note for part in cluster.components())


def longest(cluster: SimulatedCluster, kind: FaultKind, target: str, operation: str) -> float:
    """Seconds that an operation is out of service after a fault; 0 if it is not."""
    cluster.inject(kind, target)
    cluster.sleep(60)
    spans = [outage.end - outage.start for outage in cluster.outages(2) if outage.operation == operation]
    return max(spans, default=0.0)


def test_what_no_longer_holds_in_todays_milvus_is_seen_not_to() -> None:
    """A lost proxy stalls nobody, and a planned stop of the coordinator waits for no lease."""
    assert longest(SimulatedCluster(), "crash", "proxy-2", "strong search") > 5
    assert longest(SimulatedCluster(milvus="2.6"), "crash", "proxy-2", "strong search") == 0
    crash = longest(SimulatedCluster(milvus="2.6"), "crash", "active mixcoord", "insert")
    assert longest(SimulatedCluster(milvus="2.6"), "stop", "active mixcoord", "insert") < 5 < crash


def test_a_lost_streaming_node_stops_writes_until_another_has_its_channels() -> None:
    assert 10 < longest(SimulatedCluster(milvus="2.6"), "crash", "streamingnode-1", "insert") < 60
    alone = SimulatedCluster(profile="small", milvus="2.6")
    assert longest(alone, "crash", "streamingnode", "insert") == math.inf


def test_without_a_log_of_its_own_the_object_store_is_what_writes_wait_for() -> None:
    assert longest(SimulatedCluster(milvus="2.6"), "crash", "objectstore", "insert") == 0
    assert longest(SimulatedCluster(milvus="2.6 woodpecker"), "crash", "objectstore", "insert") == math.inf


def test_a_version_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\.6 woodpecker"):
        SimulatedCluster(milvus="4.0")
