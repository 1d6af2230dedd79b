"""Lesson 12 from top to bottom, without a front end, on two real clusters: two of its five faults."""

import pytest

from halab.lessons.rag_service_runs import DEGRADED, WRONG
from halab.measure.journal.experiment_name import experiment_of
from halab.models.samples import Outcome

# Alone: seven services ask 140 questions a second, which no measurement beside it would survive.
pytestmark = [pytest.mark.notebook, pytest.mark.cluster, pytest.mark.alone, pytest.mark.timeout(600)]

TWO = """trials = {"coordinator crashes": crash, "cluster lost": lesson.trial(users, "cluster lost")}
for trial in trials.values():
    print(lesson.keep(trial.journal, 12))"""


@pytest.fixture(scope="module")
def real(run_real):
    """What was shown, and the two journals."""
    lesson, journals, _ = run_real("12-rag-service", {"run-five": TWO})
    shown = {
        cell.id: "".join(out.get("data", {}).get("text/plain", "") for out in cell.outputs)
        for cell in lesson.cells
        if cell.cell_type == "code"
    }
    return shown, journals


def bad(journal, client):
    return [sample for sample in journal.samples(client) if sample.outcome is not Outcome.OK]


def test_an_ingest_loses_nothing_while_a_data_coordinator_dies(real):
    row = next(line for line in real[0]["ingest"].splitlines() if line.strip()[:1].isdigit())
    passages, acknowledged, lost, twice, _ = row.split()
    assert passages == acknowledged
    assert (lost, twice) == ("0", "0")


def test_the_protected_service_answers_what_the_naive_one_does_not(real):
    for journal in real[1]:
        naive, *_, protected = journal.header.operations
        assert len(bad(journal, naive)) > 40, experiment_of(journal)
        assert len(bad(journal, protected)) < len(bad(journal, naive)) / 10, experiment_of(journal)


def test_no_degraded_answer_passes_for_a_good_one(real):
    for journal in real[1]:
        protected = journal.samples(journal.header.operations[-1])
        assert sum(sample.error.startswith(DEGRADED) for sample in protected) > 20
        assert not [sample for sample in protected if sample.error.startswith(WRONG)]


def test_a_new_index_is_switched_to_and_back_while_users_ask(real):
    row = next(line for line in real[0]["reindex"].splitlines() if line.strip()[:1].isdigit())
    questions, well, degraded, bad = map(int, row.split())
    assert questions == well + degraded + bad
    assert questions > 60
    assert well > 0.9 * questions
    assert bad == 0
