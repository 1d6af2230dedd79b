"""Lesson 6 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rpo, rto
from halab.measure.journal.summaries import summary

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]
SLUG = "06-failover-timeline"
EXPERIMENTS = ["crash", "crash", "crash", "hang", "stop", "crash", "crash"]


@pytest.fixture(scope="module")
def journals(run_real) -> list[Journal]:
    """What the lesson measured on the real cluster, in the order of its experiments."""
    _, found, _ = run_real(SLUG)
    return found


def test_the_lesson_runs_simulated_and_says_so(run_lesson, tmp_path) -> None:
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert [experiment_of(journal).split()[0] for journal in found] == EXPERIMENTS
    assert all(journal.simulated for journal in found)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert shown.count("模拟") > len(EXPERIMENTS)
    assert "这是以前录下的，不是在这里测的" in shown


@pytest.mark.cluster
def test_every_experiment_was_measured_and_none_simulated(journals: list[Journal]) -> None:
    kinds = [experiment_of(journal).split()[0] for journal in journals]
    assert kinds == EXPERIMENTS
    assert not any(journal.simulated for journal in journals)
    assert [journal.header.ttl for journal in journals] == [10] * 5 + [5] * 2


@pytest.mark.cluster
def test_each_fault_of_the_coordinator_was_noticed_and_survived(journals: list[Journal]) -> None:
    for journal in journals:
        if "rootcoord" in experiment_of(journal):
            outage = rto(journal.samples("search"), journal.faults[0].at)
            assert outage is not None, "nobody noticed"
            assert 0.5 < outage < 60, experiment_of(journal)


@pytest.mark.cluster
def test_no_acknowledged_row_was_lost(journals: list[Journal]) -> None:
    counted = [journal for journal in journals if "insert" in journal.header.operations]
    assert len(counted) == 6
    assert [rpo(journal) for journal in counted] == [0] * 6


@pytest.mark.cluster
def test_three_copies_lose_fewer_searches_than_one(journals: list[Journal]) -> None:
    one, three = (unanswered(journal, "search") for journal in journals[1:3])
    assert three < one


@pytest.mark.cluster
def test_users_with_retries_notice_less(journals: list[Journal]) -> None:
    last = journals[-1]
    assert unanswered(last, "search with retries") < unanswered(last, "search")


def unanswered(journal: Journal, operation: str) -> int:
    row = next(row for row in summary(journal).rows if row.operation == operation)
    return row.bad
