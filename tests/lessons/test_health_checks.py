"""Lesson 9's tables, on the simulated engine: prediction, card, formula and measurement side by side."""

import re
from pathlib import Path

import pytest
import yaml

from halab.cluster.simulated import SimulatedCluster
from halab.lessons import card_findings
from halab.lessons import health_checks as lesson
from halab.measure.experiments import kubelet_experiments
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.experiments.kubelet_experiments import OutageChecks
from halab.measure.journal import title_marks
from halab.measure.journal.experiment_name import experiment_of
from halab.translation import speaking


@pytest.fixture(autouse=True)
def _own_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def test_a_hang_is_shown_step_by_step_and_beside_prediction_card_and_formula() -> None:
    lesson.PredictionForm(9, lesson.QUESTIONS).lock(
        {f"noticed, {question.experiment}": 7 for question in lesson.QUESTIONS}
    )
    cluster = SimulatedCluster()
    hang = lesson.health_check(
        cluster,
        "hang any query node",
        pod=lesson.usual_pod(lesson.TUNED_PROBE),
        retriever=lesson.Retriever(cluster),
    )
    followed = dict(lesson.what_followed(hang).rows)
    ((_, _, said, card, formula, noticed, ready),) = lesson.compare_detection(hang).rows
    assert (said, card, formula) == ("7 s", "6 s", "6 to 9 s")
    assert noticed in followed.values()
    assert followed["ready again"] == ready
    said = lesson.results(hang)["detection-after"]
    assert (said.verdict, said.measured) == ("incomparable", ())  # nothing simulated is laid beside the card
    assert lesson.what_followed(hang).remarks[0].startswith("SIMULATED")


def test_what_proves_nothing_is_told_in_each_table_and_on_the_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for room in (card_findings, title_marks):
        monkeypatch.setattr(room, "objections", lambda journal: ("The machine was busy.",))
    cluster = SimulatedCluster()
    pod = lesson.usual_pod(lesson.TUNED_PROBE)
    retriever = lesson.Retriever(cluster)
    watched = lesson.health_check(cluster, "crash any query node", pod=pod, retriever=retriever, watch=True)
    assert lesson.results(watched)["detection-after"].verdict == "unproven"
    out, noticed, *_ = lesson.what_followed(watched).rows
    assert out[0].startswith("out of service: the process ")
    assert noticed[0] == "noticed: the exit was seen"
    assert lesson.compare_detection(watched).rows[0][4] == "no probe is needed"
    with speaking("zh"):
        done = [row[0] for row in lesson.what_followed(watched).rows]
    assert not re.search("[a-z]", "".join(done)), done
    told = "Proves nothing: " + experiment_of(watched)
    for table in (lesson.what_followed(watched), lesson.compare_detection(watched)):
        assert any(remark.startswith(told) for remark in table.remarks)


def test_a_run_begins_when_what_the_last_one_broke_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = SimulatedCluster()
    retriever = lesson.Retriever(cluster)
    copies, asked = [2, 2, 3], []
    monkeypatch.setattr(retriever, "simulated", False)
    monkeypatch.setattr(retriever, "copies_on", lambda: ["a node"] * copies.pop(0))
    monkeypatch.setattr(retriever, "wait_until_searchable", lambda: asked.append(len(copies)))
    monkeypatch.setattr(kubelet_experiments.time, "sleep", lambda _: None)
    lesson.health_check(
        cluster, "hang any query node", pod=lesson.usual_pod(lesson.TUNED_PROBE), retriever=retriever
    )
    assert asked == [0, 0, 0], "each copy has a node, and more than one look found all well"


def test_a_few_late_checks_are_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = SimulatedCluster()
    run = lesson.dependency_outage(cluster, retriever=lesson.Retriever(cluster))
    for healthy, told in ((93, True), (96, False), (0, False)):
        monkeypatch.setattr(lesson, "outage_checks", lambda _, n=healthy: OutageChecks(96, n, 240, 91))
        assert (
            any("only have been late" in line for line in lesson.compare_outage_checks(run).remarks) == told
        )


def test_the_values_are_those_that_the_course_ships() -> None:
    assert "livenessProbe" in lesson.values_yaml()


@pytest.mark.parametrize(("noticed", "verdict", "by"), [(5.0, "held", ""), (7.5, "broken", "a hang")])
def test_the_card_holds_or_is_broken_by_the_learners_own_hang(
    monkeypatch: pytest.MonkeyPatch, noticed: float, verdict: str, by: str
) -> None:
    probes = {"liveness": lesson.TUNED_PROBE}
    times = lesson.experiments.DetectionTimes(noticed, None, None, None)
    monkeypatch.setattr(lesson, "health_probes_of", lambda journal: probes)
    monkeypatch.setattr(lesson, "detection_times", lambda journal: times)
    monkeypatch.setattr(card_findings, "provenance", lambda *journals: "measured")
    cluster = SimulatedCluster()
    retriever = lesson.Retriever(cluster)
    run = experiment(cluster, "hang any query node", retriever=retriever, seconds=1, progress=False)
    said = lesson.results(run)["detection-after"]
    assert (said.verdict, said.by.in_("en"), said.measured) == (verdict, by, (noticed,))
    assert said.words.in_("zh").endswith("秒后被发现（实测）。")


def test_the_values_are_the_same_in_chinese_but_for_their_comments() -> None:
    with speaking("en"):
        english = lesson.values_yaml()
    with speaking("zh"):
        chinese = lesson.values_yaml()
    assert "探针" in chinese
    assert yaml.safe_load(chinese) == yaml.safe_load(english)
