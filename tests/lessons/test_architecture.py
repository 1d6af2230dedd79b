import time
from datetime import UTC, datetime

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.predictions import predict
from halab.lessons import architecture
from halab.lessons.architecture import compare_parts, copies, read_sessions, results, show_run
from halab.measure.journal import title_marks
from halab.measure.journal.journal_file import FaultRecord, Header, Journal
from halab.measure.probing.retriever import Retriever
from halab.models.samples import OPERATIONS, Outcome, Sample


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def made(*targets, bad=(), simulated=False, started=None):
    """Ten seconds of probes, a fault in second 3; `bad` operations fail for one second."""
    header = Header(
        "lab", "simulated" if simulated else "embedded", "ha", 10.0, {"milvus": "2.3.5"}, 0, {},
        started or datetime.now(UTC).isoformat(), 10.0, 1.0, OPERATIONS, dict.fromkeys(OPERATIONS, 1.0),
        simulated,
    )  # fmt: skip
    samples = [
        Sample(
            name, number, number / 10, number / 10, number / 10 + 0.01,
            Outcome.FAIL if name in bad and 30 <= number < 40 else Outcome.OK,
        )
        for name in OPERATIONS
        for number in range(100)
    ]  # fmt: skip
    faults = [FaultRecord("crash", target, target, 3.0, 3.5) for target in targets]
    return Journal.write(header, samples=samples, faults=faults, events=[])


def test_the_sessions_name_who_is_active_and_say_what_is_simulated():
    with SimulatedCluster() as cluster:
        table = read_sessions(cluster)
        assert ("rootcoord", "active", "rootcoord-1", "10 of 10 s") in table.rows
        assert not [row for row in table.rows if row[0].startswith("querynode")]
        assert table.remarks[0].startswith("SIMULATED")
        assert "3 stand by" in table.remarks[1]
        assert "rootcoord-1" in table._repr_html_()


def test_prediction_and_measurement_stand_side_by_side():
    predict(3, "crash etcd leader, crash etcd follower", metadata_seconds=2)
    time.sleep(0.01)
    table = compare_parts(
        made("etcd leader", "etcd follower", bad=("metadata call",)), made("standby rootcoord")
    )
    none = "not noticed"
    assert table.rows == (
        ("crash etcd leader, crash etcd follower", "2 s", none, none, none, "1.0 s"),
        ("crash standby rootcoord", "-", none, none, none, none),
    )
    assert "SIMULATED" not in repr(table)
    assert "NOTHING" not in repr(table)


def test_what_was_said_of_metadata_calls_stands_beside_the_run():
    predict(3, "crash etcd leader", metadata_seconds=2)
    time.sleep(0.01)
    run = made("etcd leader", bad=("metadata call",))
    assert show_run(run).sentence.startswith("You said 2 s; metadata calls were back 1.0 s after the fault")
    assert not show_run(run, operation="search").sentence.startswith("You said")


def test_a_table_says_which_of_its_runs_proves_nothing(monkeypatch):
    doubted, sound = made("etcd leader"), made("standby rootcoord")
    monkeypatch.setattr(
        title_marks, "objections", lambda run: ("It was busy.",) if run.digest == doubted.digest else ()
    )
    table = compare_parts(doubted, sound)
    assert table.title.startswith("PROVES NOTHING: ")
    assert table.remarks[0].startswith("Proves nothing: crash etcd leader. It was busy.")
    both = compare_parts(doubted, doubted)
    assert both.remarks[0].startswith(
        "These prove nothing: crash etcd leader; crash etcd leader. Of the first:"
    )
    assert both.remarks[0].count("It was busy.") == 1


def test_a_prediction_made_afterwards_does_not_count_and_a_simulation_says_so():
    journal = made("etcd leader", started="2026-01-01T00:00:00+00:00", simulated=True)
    predict(3, "crash etcd leader", metadata_seconds=1)
    table = compare_parts(journal)
    assert table.rows[0][1] == "-"
    assert table.remarks[0].startswith("SIMULATED")
    said = results(journal)["coordinator-copies"]
    assert said.words.in_("en").endswith("crash etcd leader: metadata call not noticed (simulated).")
    assert said.words.in_("zh").endswith("etcd 的领导者被杀：元数据操作没受影响（模拟）。")


def test_the_card_s_three_copies_are_broken_by_two_of_which_one_was_lost():
    said = results(made("active rootcoord", bad=("metadata call",)))["coordinator-copies"]
    assert (said.verdict, said.measured) == ("broken", (2,))
    assert "根协调器的主用进程被杀：元数据操作停了 1.0 秒" in said.words.in_("zh")
    assert results(made("etcd leader"))["coordinator-copies"].verdict == ""


def test_copies_are_told_in_a_sentence():
    retriever = Retriever(SimulatedCluster(), replicas=2)
    assert str(copies(retriever)) == "2 of 2 copies answer: querynode-1, querynode-2."


def test_copies_are_asked_for_until_the_answer_is_steady(monkeypatch):
    monkeypatch.setattr(architecture.time, "sleep", lambda _: None)
    retriever = Retriever(SimulatedCluster(), replicas=2)
    answers = iter([["a", "b"], [], ["b"], ["b"], ["b"]])
    monkeypatch.setattr(retriever, "copies_on", lambda: next(answers))
    assert str(copies(retriever)) == "1 of 2 copies answer: b. 1 has no query node now."
