"""Lesson 1 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.summaries import summary
from halab.models.samples import Outcome, Sample

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]
SLUG = "01-essence"


def bad(journal: Journal) -> dict[str, int]:
    return {row.operation: row.bad for row in summary(journal).rows}


def answered_in_lease(journal: Journal, operation: str) -> list[Sample]:
    """Requests of the first five seconds after the fault that were answered; the lease takes ten."""
    at = journal.faults[0].at
    during = [one for one in journal.samples(operation) if at + 0.5 < one.intended < at + 5]
    assert during
    return [one for one in during if one.outcome is Outcome.OK]


@pytest.fixture(scope="module")
def journals(run_real) -> list[Journal]:  # type: ignore[no-untyped-def]
    """What the lesson measured on the real cluster, in the order of its experiments."""
    _, found, _ = run_real(SLUG)
    return found


def test_the_lesson_runs_simulated_and_says_so(run_lesson, tmp_path) -> None:  # type: ignore[no-untyped-def]
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert len(found) == 3
    assert all(journal.simulated for journal in found)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert shown.count("模拟") > len(found)


@pytest.mark.cluster
def test_every_experiment_was_measured_and_none_simulated(journals: list[Journal]) -> None:
    assert [experiment_of(journal) for journal in journals][1:] == ["crash proxy-1", "crash proxy-2"]
    assert experiment_of(journals[0]).startswith("crash querynode-")
    assert not any(journal.simulated for journal in journals)


@pytest.mark.cluster
def test_one_copy_notices_what_three_hardly_do(journals: list[Journal]) -> None:
    # Before the lease ends nobody takes the single copy over. How many of the others' answers are late is the
    # machine's affair: one that is busy lets searches pass their deadline.
    one, three = (
        answered_in_lease(journals[0], f"search, {copies}") for copies in ("one copy", "three copies")
    )
    assert one == []
    assert three


@pytest.mark.cluster
def test_a_spare_proxy_s_death_holds_up_metadata_calls(journals: list[Journal]) -> None:
    assert bad(journals[2])["metadata call"] > 20


@pytest.mark.cluster
def test_nothing_moves_clients_to_the_other_proxy(journals: list[Journal]) -> None:
    for operation in ("search", "strong search", "insert", "metadata call"):
        samples = journals[1].samples(operation)
        fault = journals[1].faults[0]
        during = [one for one in samples if fault.at + 0.5 < one.intended < fault.at + 7.5]
        assert during
        assert all(one.outcome != "ok" for one in during), operation
