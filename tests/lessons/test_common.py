"""What a lesson does with a measurement: keep it, and lay it beside prediction and card."""

from pathlib import Path

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.identity import learner_id
from halab.course.paths import journals
from halab.course.predictions import predict
from halab.lessons import common
from halab.lessons.common import keep, kept, show_run, table
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.retriever import Retriever


@pytest.fixture(autouse=True)
def _own_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def measure(ttl: float = 10) -> Journal:
    cluster = SimulatedCluster(ttl=ttl)
    return experiment(cluster, "crash active rootcoord", retriever=Retriever(cluster), progress=False)


def test_a_kept_journal_is_found_again_whole() -> None:
    journal = measure()
    said = keep(journal, 6)
    (path,) = journals(6)
    assert path.name.startswith("06-")
    assert "-crash-active-rootcoord-" in path.name
    assert repr(said) == f"Kept for card 6: crash active rootcoord, in journals/{path.name}"
    assert keep(journal, 6) == said
    assert journals(6) == [path]
    (again,) = kept(6)
    assert (again.samples(), again.faults) == (journal.samples(), journal.faults)
    assert (again.header.learner, journal.header.learner) == (learner_id(), "")
    assert kept(5) == []


def test_a_run_that_proves_nothing_is_kept_and_said_not_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halab.lessons.common.objections", lambda _: ("The machine was busy.",))
    assert str(keep(measure(), 6)).endswith("proves nothing, so it does not count. The machine was busy.")


def test_another_ttl_is_another_experiment() -> None:
    predict(6, "crash active rootcoord", failed_requests=0)
    short = measure(ttl=5)
    assert experiment_of(short) == "crash active rootcoord with TTL 5 s"
    assert "your prediction" not in repr(show_run(short))


def test_a_table_shows_numbers_words_and_lists() -> None:
    made = table("T", ("a", "b", "c", "d", "e"), [("x", 0.123456, 1234567.8, ["log", "etcd"], True)])
    assert made.rows == (("x", "0.1235", "1,234,568", "log, etcd", "yes"),)
    assert table("T", ("a",), [([],), (3,)]).rows == (("none",), ("3",))


def test_a_run_is_shown_beside_prediction_and_card() -> None:
    predict(6, "crash active rootcoord", first_failure=1, last_failure=4, failed_requests=7)
    said = repr(show_run(measure()))
    assert said.startswith("Simulated. You said 4 s; searches were back ")
    assert "your prediction: fails from 1 to 4 s" in said
    assert "the card: fails from 0 to 12 s" in said


def test_a_run_without_a_prediction_in_time_is_shown_without_one() -> None:
    journal = measure()
    predict(6, "crash active rootcoord", failed_requests=0)
    predict(6, "hang active rootcoord", failed_requests=0)
    assert "your prediction" not in repr(show_run(journal))
    assert "nothing would fail" in show_run(measure()).sentence


def test_a_run_that_was_not_predicted_is_asked_for_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    form = common.PredictionForm(6, "crash active rootcoord with TTL 5 s")
    cluster = SimulatedCluster(ttl=5)
    settings = {"retriever": Retriever(cluster), "seconds": 1, "progress": False}
    common.experiment(cluster, "crash active rootcoord", **settings)
    assert "You have not predicted this run: crash active rootcoord with TTL 5 s" in capsys.readouterr().out
    form.lock({"failed_requests": 0})
    common.experiment(cluster, "crash active rootcoord", **settings)
    assert "not predicted" not in capsys.readouterr().out


def test_a_card_s_claim_is_shown_where_it_speaks_of_a_single_outage() -> None:
    journal = measure()
    assert "the card: nothing fails" in repr(show_run(journal, 1))
    assert "the card: fails from 0 to 12 s" in repr(show_run(journal, 6))
    assert "the card" not in repr(show_run(journal, 7))
