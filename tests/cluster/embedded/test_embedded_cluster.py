"""The real cluster: started, broken, measured, taken down. Needs Linux x86-64 and some minutes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import pairwise

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from halab.cluster.embedded import embedded_cluster, ports
from halab.cluster.embedded.outside_files import MILVUS, MILVUS_OF_ROOT
from halab.cluster.protocol import Cluster
from halab.errors import (
    ClusterError,
    ClusterExists,
    ClusterNotFound,
    FaultError,
    MeasurementError,
    NotReady,
    TargetError,
)
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.experiments.load import CLIENT, MACHINE, bottlenecks, rate
from halab.measure.experiments.throughput import cores_of, speeds, throughput
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.journal_parts import in_phase
from halab.measure.journal.outage import outages, rpo, rto
from halab.measure.probing.retriever import Retriever

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

HALAB = (sys.executable, "-m", "halab")
LAB = """
import halab
cluster = halab.cluster("killed", profile="small")
cluster.inject("crash", "index node")
"""


def processes_of(cluster):
    """Every process of a cluster, its supervisor too."""
    pids = [component.pid for component in cluster.components() if component.pid]
    supervisor = psutil.Process(pids[0]).parent()
    return [supervisor, *[psutil.Process(pid) for pid in pids]]


def gone(processes):
    return all(not p.is_running() or p.status() == psutil.STATUS_ZOMBIE for p in processes)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)


# -- one cluster, broken and healed -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def retriever(ha):
    with Retriever(ha, replicas=3) as retriever:
        yield retriever


def test_a_ready_cluster_is_healthy_with_one_active_of_each_coordinator(ha):
    assert isinstance(ha, Cluster)
    found = ha.components()
    assert len(found) == 19
    assert {component.health for component in found} == {"healthy"}
    ha_state = Counter((component.role, component.ha_state) for component in found)
    for role in ("rootcoord", "querycoord", "datacoord"):
        assert ha_state[role, "active"] == ha_state[role, "standby"] == 1
    assert ha_state["etcd", "leader"] == 1
    assert ha_state["etcd", "follower"] == 2


def test_the_active_coordinator_alone_holds_its_role_s_key_on_a_lease(ha):
    sessions = {session.key: session for session in ha.sessions()}
    active = ha.active("rootcoord")
    assert json.loads(sessions["rootcoord"].value)["Address"] == active.address
    assert sum(key.startswith("rootcoord-") for key in sessions) == 2
    assert sessions["rootcoord"].lease
    assert sessions["rootcoord"].granted == ha.ttl
    assert 0 < sessions["rootcoord"].left <= ha.ttl


def test_a_query_node_is_added_used_and_removed_while_questions_are_answered(ha, retriever):
    added = ha.add("querynode")
    assert len(ha.components()) == 20
    retriever.set_replicas(4)
    assert added.name in retriever.copies_on()
    retriever.set_replicas(3)
    ha.remove(added)
    assert len(ha.components()) == 19
    # The copy that leaves may answer with nothing, and call that a success, until it has found another node.
    assert retriever.wait_until_searchable(60)
    with pytest.raises(MeasurementError, match="as many query nodes"):
        retriever.set_replicas(4)
    with pytest.raises(FaultError, match="Only query nodes"):
        ha.add("proxy")
    ha.wait_healthy()
    retriever.set_replicas(3)  # a copy that had only the removed node gets another by this alone


def test_two_members_of_etcd_are_lost_at_once_and_come_back(ha, retriever):
    faults = ["crash etcd leader", "crash etcd follower"]
    journal = experiment(ha, faults, retriever=retriever, before=1, seconds=3, after=1, progress=False)
    assert [f"{fault.kind} {fault.target}" for fault in journal.faults] == faults
    assert len({fault.component for fault in journal.faults}) == 2
    assert any(sample.outcome.value != "ok" for sample in journal.samples("metadata call"))
    assert {component.health for component in ha.components()} == {"healthy"}


def test_a_question_is_answered_by_three_replicas(ha, retriever):
    assert retriever.wait_until_searchable(60)
    assert retriever.ask("How long does a failover take?")
    replicas = retriever._client.describe_replica(retriever.name)
    assert len(replicas) == 3
    assert retriever.dropped == 0


def test_a_closed_loop_finds_how_many_searches_each_number_of_replicas_answers(ha):
    journal = throughput(
        ha, "read", replicas=(1, 2), repeats=2, seconds=1.0, warm_up=0.3, clients=4, rows=100
    )
    journal.verify()
    turns = [phase for phase in journal.phases if phase.name == "search"]
    assert sorted((turn.settings["replicas"], turn.settings["repeat"]) for turn in turns) == [
        (1, 0), (1, 1), (2, 0), (2, 1),
    ]  # fmt: skip
    assert [phase.name for phase in journal.phases].count("load") == 2
    due = [[s for s in journal.samples() if t.start <= s.intended < t.end] for t in turns]
    # What the warm-up sent, hundreds, does not count. A client may be held up between clock and request.
    assert 0 <= len(journal.samples()) - sum(map(len, due)) <= 4 * len(turns)
    everything = {component.name for component in ha.components()} | {CLIENT, MACHINE}
    for turn in turns:
        assert set(turn.usage) == everything
        assert all(used["memory"] > 0 and used["cores"] >= 0 for used in turn.usage.values())
        assert sum(cores_of(turn, "querynode")) > 0

    table = speeds(journal)
    for row in table.rows:
        rates = [rate(in_phase(journal, t), t) for t in turns if t.settings["replicas"] == row.replicas]
        assert row.repeats == len(rates) == 2
        assert 0 < min(rates) <= row.rate.low <= row.rate.median <= row.rate.high <= max(rates)
        assert 0 < row.p50 <= row.p99
        sent = [s for t in turns if t.settings["replicas"] == row.replicas for s in in_phase(journal, t)]
        assert row.bad == sum(sample.outcome != "ok" for sample in sent) < len(sent)
    others = [bottlenecks(in_phase(journal, turn), turn, os.cpu_count()) for turn in turns]
    assert any(others) == any("The pace may not be the cluster's own" in remark for remark in table.remarks)


def test_an_open_loop_writes_at_its_rate_whatever_becomes_of_the_rows(ha):
    journal = throughput(
        ha, "write", replicas=(1,), repeats=2, seconds=1.0, warm_up=0.3, arrivals=20, batch=10, rows=0
    )
    turns = [phase for phase in journal.phases if phase.name == "insert"]
    assert len(turns) == 2
    for turn in turns:
        sent = in_phase(journal, turn)
        assert 15 <= len(sent) <= 21
        gaps = [b.intended - a.intended for a, b in pairwise(sent)]
        assert all(gap == pytest.approx(0.05, abs=1e-3) for gap in gaps)
        assert turn.settings == {
            "replicas": 1,
            "repeat": turn.settings["repeat"],
            "batch": 10,
            "arrivals": 20,
        }
    keys = [sample.key for sample in journal.samples()]
    assert len(set(keys)) == len(keys)
    assert "20 requests a second" in repr(speeds(journal))


def test_etcd_the_log_and_the_store_listen_on_loopback_only(ha):
    for component in ha.components():
        if component.role in ("etcd", "log", "objectstore"):
            listening = [
                c.laddr.ip
                for c in psutil.Process(component.pid).net_connections("inet")
                if c.status == "LISTEN"
            ]
            assert listening
            assert set(listening) <= {"127.0.0.1", "::1"}, component.name


def test_a_crash_of_the_active_root_coordinator_is_an_outage_and_loses_no_acknowledged_row(
    ha, retriever, tmp_path
):
    before = ha.active("rootcoord").name
    journal = experiment(
        ha, "crash active rootcoord", retriever=retriever, before=2, seconds=18, after=2, progress=False
    )
    assert journal.faults[0].component == before
    at = journal.faults[0].at
    for operation in ("search", "insert", "metadata call"):
        found = rto(journal.samples(operation), at)
        assert found is not None, operation
        # The lease of 10 s is renewed every 3.3 s, so it ends 6.7 to 10 s later; then activation and clients.
        assert 4 < found < 25, operation
        assert outages(journal.samples(operation))
    assert journal.count.acknowledged > 100
    assert rpo(journal) == 0
    assert ha.active("rootcoord").name != before  # the standby took over, and the old one is standby again
    assert ha.resolve(before).ha_state == "standby"
    path = tmp_path / "journal.jsonl"
    journal.save(path)
    assert rto(Journal.load(path).samples("search"), at) == rto(journal.samples("search"), at)


def test_after_a_crash_of_a_query_node_its_copies_answer_while_its_lease_still_runs(ha, retriever):
    # With one copy nothing can answer before the lease of 10 s has run out and the data is loaded elsewhere.
    # How many do is the machine's affair: a busy one lets all searches pass their deadline now and then.
    assert any(answered_within_the_lease(ha, retriever) for _ in range(3))


def answered_within_the_lease(ha, retriever):
    """The searches that found something in the first five seconds after a crash of a query node."""
    journal = experiment(
        ha, "crash query node 1", retriever=retriever, before=2, seconds=14, after=2, progress=False
    )
    at = journal.faults[0].at
    assert rpo(journal) == 0
    ha.wait_healthy()
    meanwhile = [sample for sample in journal.samples("search") if at < sample.sent < at + 5]
    return [sample for sample in meanwhile if sample.outcome == "ok"]


def test_a_fault_is_undone_even_when_the_lab_fails(ha):
    def lab():
        with ha.fault("crash", "index node"):
            assert ha.resolve("index node").health == "down"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lab()
    assert ha.resolve("index node").health == "healthy"


def test_a_killed_member_comes_back_with_its_own_settings(ha):
    before = ha.resolve("etcd follower")
    argv = psutil.Process(before.pid).cmdline()
    with ha.fault("crash", before):
        pass
    after = ha.resolve(before.name)
    assert after.pid != before.pid
    assert after.address == before.address
    assert [a for a in psutil.Process(after.pid).cmdline() if "cluster-state" not in a] == [
        a for a in argv if "cluster-state" not in a
    ]


def test_a_hung_role_exits_when_it_wakes_and_the_supervisor_says_it_restarted_it(ha):
    began = ha.now()
    node = ha.resolve("data node 2")
    with ha.fault("hang", node):
        assert ha.resolve(node.name).health == "hung"
        ha.sleep(14)  # longer than its lease
    wait_for(lambda: ha.resolve(node.name).restarts == 1, 30, "the supervisor's restart")
    ha.wait_healthy()
    told = [(event.kind, event.by) for event in ha.events(began) if event.component == node.name]
    assert told[0] == ("fault:hang", "user")
    assert ("exited", "milvus") in told
    assert ("restarted", "supervisor") in told
    assert "supervisor" in ha.resolve(node.name).note


def test_a_second_fault_on_the_same_component_is_refused(ha):
    with ha.fault("crash", "index node"), pytest.raises(FaultError, match="already has a fault"):
        ha.inject("hang", "index node")


def test_a_fault_that_does_not_exist_and_a_target_that_does_not(ha):
    with pytest.raises(FaultError, match="explode"):
        ha.inject("explode", "index node")
    with pytest.raises(TargetError, match="ambiguous"):
        ha.inject("crash", "query node")


def test_waiting_for_health_gives_up_and_says_what_it_waited_for(ha):
    fault = ha.inject("crash", "index node")
    with pytest.raises(NotReady, match="indexnode-1 is down"):
        ha.wait_healthy(timeout=0.5)
    fault.undo()
    ha.wait_healthy()


def test_another_process_attaches_to_the_running_cluster(ha):
    script = "import halab; c = halab.cluster('ha'); print(c.owned, c.active('etcd').name)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.split()[0] == "False"
    assert ha.status()["phase"] == "ready"  # and it is still there


def test_the_same_name_with_other_settings_is_an_error_that_names_both(ha):
    with pytest.raises(ClusterExists, match="profile ha and TTL 10"):
        embedded_cluster.start("ha", "small", 5)
    assert embedded_cluster.start("ha").profile == "ha"  # nothing else was asked for: it is used as it is


def test_the_command_shows_what_the_library_knows(ha):
    shown = subprocess.run(
        [*HALAB, "status", "-n", "ha", "--json"], capture_output=True, text=True, check=True
    )
    assert {c["name"] for c in json.loads(shown.stdout)["components"]} == {c.name for c in ha.components()}


# -- several clusters, and their ends ---------------------------------------------------------------------


def test_a_second_cluster_lives_beside_the_first_and_its_end_leaves_nothing(ha, real_home):
    with embedded_cluster.start("beside", "small", 5) as second:
        mine = {p for process in second.spec.processes for p in process.ports.values()}
        assert not mine & {p for process in ha.spec.processes for p in process.ports.values()}
        assert {found.name for found in embedded_cluster.clusters()} >= {"ha", "beside"}
        processes, folder, held = processes_of(second), second.folder, second.spec.socket.parent
    wait_for(lambda: gone(processes), 5, "the end of every process")
    assert not folder.exists()
    assert not held.exists()
    # Closed connections linger in TIME_WAIT on these ports; what matters is that nobody listens.
    assert not mine & {c.laddr.port for c in psutil.net_connections("inet") if c.status == "LISTEN"}
    assert ha.status()["phase"] == "ready"
    with pytest.raises(ClusterNotFound):
        embedded_cluster.attach("beside")


def test_two_that_start_the_same_cluster_get_one(real_home):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(embedded_cluster.start("twice", "small", 10)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert sorted(cluster.owned for cluster in found) == [False, True]
        assert found[0].spec == found[1].spec
    finally:
        embedded_cluster.remove(found[0].folder)


def test_nothing_outlives_a_jupyter_kernel_that_was_killed_in_the_middle_of_a_lab(real_home):
    # The supervisor lets the cluster go when its owner is gone, whatever killed it.
    manager, client = start_new_kernel(kernel_name="python3")
    client.execute_interactive(LAB, timeout=120, output_hook=lambda _: None)
    cluster = embedded_cluster.attach("killed")
    processes, folder = processes_of(cluster), cluster.folder
    assert cluster.resolve("index node").health == "down"  # it is in the middle of a fault
    os.kill(manager.provisioner.pid, signal.SIGKILL)
    wait_for(lambda: gone(processes), 10, "the end of every process")
    wait_for(lambda: not folder.exists(), 5, "the end of the folder")
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_nothing_outlives_a_supervisor_that_was_killed(real_home):
    with embedded_cluster.start("orphans", "small", 10) as cluster:
        supervisor, *processes = processes_of(cluster)
        supervisor.kill()
        wait_for(lambda: gone(processes), 10, "the end of every process")
    assert not cluster.folder.exists()  # a killed supervisor cannot remove it; taking it down does
    assert outside_files_of(cluster, processes) == []


def outside_files_of(cluster, processes):
    """What Milvus keeps outside the cluster's folder, for this cluster."""
    left = [
        path
        for folder in (MILVUS, MILVUS_OF_ROOT)
        for path in folder.glob(f"*{cluster.spec.socket.parent.name}*")
    ]
    return left + [path for process in processes for path in MILVUS.glob(f"server_id_{process.pid}")]


def test_what_milvus_writes_outside_goes_with_the_cluster(real_home):
    with embedded_cluster.start("tidy", "small", 10) as cluster:
        processes = processes_of(cluster)
        assert len(outside_files_of(cluster, processes)) >= 2 * 6  # a pid file and a server id each
    assert outside_files_of(cluster, processes) == []


def test_a_stopped_supervisor_is_told_at_once_and_can_be_taken_down(real_home):
    cluster = embedded_cluster.start("paused", "small", 10)
    processes = processes_of(cluster)
    processes[0].suspend()
    wait_for(lambda: processes[0].status() == psutil.STATUS_STOPPED, 5, "the stop")
    with pytest.raises(ClusterError, match=rf"process {processes[0].pid}, is stopped") as caught:
        cluster.components()
    assert f"kill -CONT {processes[0].pid}" in caught.value.hint
    with pytest.raises(ClusterError, match="is stopped"):
        embedded_cluster.start("paused")  # nobody's cluster is replaced because it does not answer
    processes[0].resume()
    assert {component.health for component in cluster.components()} == {"healthy"}
    processes[0].suspend()
    cluster.down()
    wait_for(lambda: gone(processes), 10, "the end of every process")
    assert not cluster.folder.exists()


def test_nothing_outlives_an_owner_that_was_killed_while_the_cluster_was_starting(real_home):
    command = [*HALAB, "up", "-n", "early", "--profile", "small"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as owner:
        wait_for(lambda: embedded_cluster.is_running("early"), 60, "the supervisor")
        wait_for(lambda: len(embedded_cluster.attach("early").components()) > 3, 60, "its first processes")
        supervisor, *_ = processes_of(embedded_cluster.attach("early"))
        family = [supervisor, *supervisor.children()]  # the scratch search is no component, but it is there
        owner.kill()
        wait_for(lambda: gone(family), 10, "the end of every process")


def test_a_cluster_held_by_the_command_ends_with_the_command(real_home):
    with subprocess.Popen(
        [*HALAB, "up", "-n", "held", "--profile", "small"], stdout=subprocess.PIPE
    ) as command:
        wait_for(
            lambda: (
                embedded_cluster.is_running("held")
                and embedded_cluster.attach("held").status()["phase"] == "ready"
            ),
            100,
            "up",
        )
        processes = processes_of(embedded_cluster.attach("held"))
        command.kill()
        wait_for(lambda: gone(processes), 10, "the end of every process")


def test_a_detached_cluster_stays_until_it_is_taken_down(real_home):
    subprocess.run([*HALAB, "up", "-d", "-n", "stays", "--profile", "small"], check=True, capture_output=True)
    processes = processes_of(embedded_cluster.attach("stays"))
    time.sleep(2)
    assert not any(gone([process]) for process in processes)
    subprocess.run([*HALAB, "down", "-n", "stays"], check=True, capture_output=True)
    wait_for(lambda: gone(processes), 5, "the end of every process")


def test_a_home_may_be_long_and_have_blanks_and_chinese_letters(real_home, monkeypatch):
    home = real_home / "my clusters 集群" / ("h" * 200)
    monkeypatch.setenv("HALAB_HOME", str(home))
    with embedded_cluster.start("far", "small", 10) as cluster:
        assert cluster.folder.is_relative_to(home)
        assert {component.health for component in cluster.components()} == {"healthy"}
    assert not cluster.folder.exists()


def test_a_cluster_may_be_taken_down_while_it_starts(real_home):
    with subprocess.Popen(
        [*HALAB, "up", "-n", "young", "--profile", "small"], stderr=subprocess.PIPE
    ) as owner:
        wait_for(lambda: embedded_cluster.is_running("young"), 60, "the supervisor")
        wait_for(lambda: len(embedded_cluster.attach("young").components()) > 3, 60, "its first processes")
        processes = processes_of(embedded_cluster.attach("young"))
        embedded_cluster.remove(embedded_cluster.folder_of("young"))
        wait_for(lambda: gone(processes), 10, "the end of every process")
        _, said = owner.communicate(timeout=60)
    assert owner.returncode != 0
    assert b"Traceback" not in said
    assert not embedded_cluster.exists("young")


def test_a_start_that_cannot_succeed_says_what_it_waited_for(real_home, monkeypatch):
    monkeypatch.setattr(embedded_cluster, "free_ports", taken_ports)
    with pytest.raises(NotReady) as caught:
        embedded_cluster.start("stuck", "small", 10)
    taken_ports.holder.close()
    assert "Awaited" in caught.value.message
    assert "Its last lines" in caught.value.message
    assert "halab doctor" in caught.value.hint
    embedded_cluster.remove(embedded_cluster.folder_of("stuck"))


def taken_ports(count, taken):
    """Ports of which one is taken after the check: what a program that starts meanwhile would do."""
    found = ports.free_ports(count, taken)
    taken_ports.holder = socket.socket()
    taken_ports.holder.bind(("127.0.0.1", found[0]))
    taken_ports.holder.listen()
    return found
