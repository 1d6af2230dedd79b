"""Lesson 8 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.models.samples import Outcome
from halab.protect.backup.mistake import data_loss_report

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(600)]
SLUG = "08-safety"
MISTAKES = ["delete rows", "drop collection"]


@pytest.fixture(scope="module")
def journals(run_real) -> dict[str, Journal]:
    """What the lesson measured on the real cluster, by mistake."""
    _, found, _ = run_real(SLUG)
    return {experiment_of(journal): journal for journal in found}


def test_the_lesson_runs_simulated_and_says_what_it_cannot_do(run_lesson, tmp_path) -> None:
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert [experiment_of(journal) for journal in found] == MISTAKES
    assert all(journal.simulated and journal.count is None for journal in found)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert "没有备份" in " ".join(shown.split())
    assert "没有数过" in shown


@pytest.mark.cluster
@pytest.mark.parametrize("name", MISTAKES)
def test_what_was_in_the_backup_came_back_and_what_came_later_did_not(
    journals: dict[str, Journal], name: str
) -> None:
    journal = journals[name]
    assert any("passages are there" in note for note in journal.notes), journal.notes
    before, _, since, *_, after = data_loss_report(journal).rows
    assert (before.missing, after.missing) == (0, 0), data_loss_report(journal)
    assert since.missing == since.acknowledged > 0
    assert data_loss_report(journal).restore_seconds is not None


@pytest.mark.cluster
def test_the_service_went_on_while_every_copy_had_forgotten(journals: dict[str, Journal]) -> None:
    journal, found = journals["delete rows"], data_loss_report(journals["delete rows"])
    assert found.still_found < found.searches / 2
    at = journal.faults[0].at
    answered = [one for one in journal.samples("search") if at + 1 < one.sent < at + 3]
    assert sum(one.outcome is Outcome.OK for one in answered) > 0.8 * len(answered)


@pytest.mark.cluster
def test_a_dropped_collection_answers_nothing_until_it_is_restored(journals: dict[str, Journal]) -> None:
    found = data_loss_report(journals["drop collection"])
    assert found.still_found == 0
    assert found.searches > 0
