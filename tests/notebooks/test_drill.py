"""Lesson 10 from top to bottom, without a front end: on two real clusters, and simulated."""

import json
from pathlib import Path

import pytest

from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.protect.drill.rehearsal import unanswered

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(600)]
SLUG = "10-drill"


@pytest.fixture(scope="module")
def real(run_real) -> tuple[Journal, Path]:
    """What the lesson measured on the real clusters: the journal, and the drill's folder."""
    _, (journal,), work = run_real(SLUG)
    (drill,) = (work / "drills").iterdir()
    return journal, drill


def test_the_lesson_runs_simulated_and_says_what_it_cannot_do(run_lesson, tmp_path) -> None:
    lesson, (journal,) = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert experiment_of(journal) == "lose primary"
    assert journal.simulated
    assert journal.count is None
    shown = " ".join("\n".join(str(cell.get("outputs", "")) for cell in lesson.cells).split())
    assert "模拟：步骤都走了一遍" in shown
    assert "模拟的集群不保存行" in shown
    assert "模拟：没有测任何集群" in shown


@pytest.mark.cluster
def test_the_drill_passed_and_nothing_was_lost_on_the_way_home(real: tuple[Journal, Path]) -> None:
    journal, drill = real
    report = json.loads((drill / "report.json").read_text())
    assert report["verdict"].startswith("Passed"), report
    assert [step["status"] for step in report["steps"]] == ["done"] * 8
    assert report["rto"] > 3
    assert report["rpo_rows"] > 0
    assert report["lost_at_home"] == 0
    assert journal.count is not None
    assert not journal.count.missing


@pytest.mark.cluster
def test_two_addresses_answer_what_one_does_not(real: tuple[Journal, Path]) -> None:
    one, two = unanswered(real[0])
    assert one.unanswered > 20
    assert two.unanswered < one.unanswered / 4
    assert two.degraded > 20
    assert one.degraded == 0


@pytest.mark.cluster
def test_every_file_of_the_drill_is_there(real: tuple[Journal, Path]) -> None:
    names = {path.name for path in real[1].iterdir()}
    assert names >= {"state.json", "journal.jsonl", "report.html", "report.md", "report.png", "drills.ics"}
    assert {"backup", "failback"} <= names
