"""Lesson 3 from top to bottom, without a front end: on the real cluster, and simulated."""

import math

import pytest

from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.summaries import summary

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]
SLUG = "03-architecture"
TWO = "crash etcd leader, crash etcd follower"
FAULTS = [
    "crash standby rootcoord",
    "crash active rootcoord",
    "crash etcd follower",
    "crash etcd leader",
    TWO,
]
# What a learner waits for and a test need not.
SHORTER = {"where-now": "lesson.copies(retriever)"}


@pytest.fixture(scope="module")
def journals(run_real) -> dict[str, Journal]:
    """What the lesson measured on the real cluster, by fault."""
    lesson, found, _ = run_real(SLUG, SHORTER)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert "querynode-4" in shown
    return {experiment_of(journal): journal for journal in found}


def test_the_lesson_runs_simulated_and_says_so(run_lesson, tmp_path) -> None:
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert [experiment_of(journal) for journal in found] == FAULTS
    assert all(journal.simulated for journal in found)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert shown.count("模拟") >= len(FAULTS) + 3


def row(journal: Journal, operation: str):
    return next(row for row in summary(journal).rows if row.operation == operation)


@pytest.mark.cluster
def test_every_fault_was_measured_and_lost_no_row(journals: dict[str, Journal]) -> None:
    assert list(journals) == FAULTS
    for journal in journals.values():
        assert not journal.simulated
        assert journal.count is not None, journal.notes
        assert journal.count.missing == ()


@pytest.mark.cluster
def test_two_coordinators_are_enough_for_one_loss(journals: dict[str, Journal]) -> None:
    found = row(journals["crash active rootcoord"], "metadata call")
    assert found.rto is not None
    assert not math.isinf(found.rto), "the standby took over while the dead one was still dead"


@pytest.mark.cluster
def test_metadata_stops_without_a_majority_of_etcd_and_for_less_with_one(
    journals: dict[str, Journal],
) -> None:
    lost = row(journals[TWO], "metadata call")
    assert lost.bad > lost.sent / 4
    for fault in ("crash etcd follower", "crash etcd leader"):
        kept = row(journals[fault], "metadata call")
        assert kept.bad < lost.bad
