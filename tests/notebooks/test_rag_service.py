"""Lesson 12 from top to bottom, in Chinese, on two real clusters: two of its five faults."""

import pytest

from halab.certificate.evidence import measurement
from halab.lessons.rag_service_runs import DEGRADED, WRONG
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.validity import objections
from halab.models.samples import Outcome
from halab.translation import LazyText

# Alone: seven services ask 140 questions a second, which no measurement beside it would survive.
pytestmark = [pytest.mark.notebook, pytest.mark.cluster, pytest.mark.alone, pytest.mark.timeout(600)]

TWO = """trials = {"coordinator crashes": crash, "cluster lost": lesson.trial(users, "cluster lost")}
for trial in trials.values():
    print(lesson.keep(trial.journal, 12))"""


@pytest.fixture(scope="module")
def real(run_real):
    """What was shown, the two journals, and the learner's folder."""
    lesson, journals, work = run_real("12-rag-service", {"run-five": TWO}, "zh")
    shown = {
        cell.id: "".join(out.get("data", {}).get("text/plain", "") for out in cell.outputs)
        for cell in lesson.cells
        if cell.cell_type == "code"
    }
    return shown, journals, work


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
    row = real[0]["reindex"].splitlines()[-1]  # below the table's heading, and what the lane said before it
    questions, well, degraded, bad = map(int, row.split())
    assert questions == well + degraded + bad
    assert questions > 60
    assert well > 0.9 * questions
    assert bad == 0


def test_its_journals_are_evidence_for_the_tenth_item_unless_the_machine_was_busy(real):
    for journal, path in zip(real[1], sorted((real[2] / "journals").glob("12-*.jsonl")), strict=True):
        kept = measurement(path, 12)
        assert objections(journal) if isinstance(kept, LazyText) else kept.pin.card == 12


def test_in_the_drill_the_service_answers_nearly_everything_and_nothing_wrongly(real):
    numbers = [line.split()[-4:] for line in real[0]["drill"].splitlines()]
    rows = [[*map(int, row)] for row in numbers if len(row) == 4 and all(map(str.isdigit, row))]
    one_address, _, service = rows
    assert one_address[1] > 40
    assert service[1] < one_address[1] / 10
    assert service[2] == 0
    assert service[3] > 20
