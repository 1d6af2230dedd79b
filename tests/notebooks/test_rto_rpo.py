"""Lesson 7 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.measure.experiments.disaster import UNFLUSHED, Rows, loss
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]
SLUG = "07-rto-rpo"
DISASTERS = ["crash any data node", "crash any query node", "crash every Milvus process", "crash log"]


@pytest.fixture(scope="module")
def journals(run_real) -> dict[str, Journal]:
    """What the lesson measured on the real cluster, by disaster."""
    _, found, _ = run_real(SLUG)
    return {experiment_of(journal): journal for journal in found}


def test_the_lesson_runs_simulated_and_says_what_it_cannot_count(run_lesson, tmp_path) -> None:
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert [experiment_of(journal) for journal in found] == DISASTERS
    assert all(journal.simulated and journal.count is None for journal in found)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert shown.count("不保存行") >= len(DISASTERS)
    assert "没有数过" in shown


@pytest.mark.cluster
def test_every_disaster_was_measured_and_its_rows_counted(journals: dict[str, Journal]) -> None:
    assert list(journals) == DISASTERS
    for journal in journals.values():
        assert not journal.simulated
        assert journal.count is not None, journal.notes
        assert all(rows.acknowledged > 0 for rows in loss(journal).rows), loss(journal)


@pytest.mark.cluster
@pytest.mark.parametrize("disaster", DISASTERS[:3])
def test_while_the_log_lives_no_acknowledged_row_is_lost(journals: dict[str, Journal], disaster: str) -> None:
    assert loss(journals[disaster]).missing == 0


@pytest.mark.cluster
def test_with_the_log_go_the_rows_that_were_not_flushed_and_no_older_one(
    journals: dict[str, Journal],
) -> None:
    lost = loss(journals["crash log"])
    assert unflushed(journals["crash log"]).missing == unflushed(journals["crash log"]).acknowledged
    assert (lost.rows[0].when, lost.rows[0].missing) == ("before the flush", 0)
    assert lost.window is not None
    assert lost.window > 1


@pytest.mark.cluster
def test_inserts_came_back_by_themselves(journals: dict[str, Journal]) -> None:
    for journal in journals.values():
        last = [sample.outcome.value for sample in journal.samples("insert")][-20:]
        assert "ok" in last, experiment_of(journal)


def unflushed(journal: Journal) -> Rows:
    return next(rows for rows in loss(journal).rows if rows.when == UNFLUSHED)
