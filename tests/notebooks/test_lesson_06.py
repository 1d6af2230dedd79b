"""Lesson 6 from top to bottom, without a front end, on the real cluster."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from halab.course.lesson import experiment_of
from halab.course.paths import course_root
from halab.measure import Journal, rpo, rto, summary

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.cluster,
    pytest.mark.skipif(sys.platform != "linux", reason="needs the real embedded cluster: Linux x86-64"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> list[Journal]:
    """What the lesson measured, in the order of its experiments."""
    work = tmp_path_factory.mktemp("work")
    lesson = nbformat.read(course_root() / "course" / "06-failover-timeline.ipynb", as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(work))
        patch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("clusters")))
        NotebookClient(lesson, timeout=300, resources={"metadata": {"path": str(work)}}).execute()
    paths = sorted(Path(work, "journals").glob("06-*.jsonl"))
    return sorted(map(Journal.load, paths), key=lambda journal: journal.header.started)


def test_every_experiment_was_measured_and_none_simulated(journals: list[Journal]) -> None:
    kinds = [experiment_of(journal).split()[0] for journal in journals]
    assert kinds == ["crash", "crash", "crash", "hang", "stop", "crash", "crash"]
    assert not any(journal.simulated for journal in journals)
    assert [journal.header.ttl for journal in journals] == [10] * 5 + [5] * 2


def test_each_fault_of_the_coordinator_was_noticed_and_survived(journals: list[Journal]) -> None:
    for journal in journals:
        if "rootcoord" in experiment_of(journal):
            outage = rto(journal.samples("search"), journal.faults[0].at)
            assert outage is not None, "nobody noticed"
            assert 0.5 < outage < 60, experiment_of(journal)


def test_no_acknowledged_row_was_lost(journals: list[Journal]) -> None:
    counted = [journal for journal in journals if "insert" in journal.header.operations]
    assert len(counted) == 6
    assert [rpo(journal) for journal in counted] == [0] * 6


def test_three_copies_lose_fewer_searches_than_one(journals: list[Journal]) -> None:
    one, three = (unanswered(journal, "search") for journal in journals[1:3])
    assert three < one


def test_users_with_retries_notice_less(journals: list[Journal]) -> None:
    last = journals[-1]
    assert unanswered(last, "search with retries") < unanswered(last, "search")


def unanswered(journal: Journal, operation: str) -> int:
    row = next(row for row in summary(journal).rows if row.operation == operation)
    return row.failed + row.unknown
