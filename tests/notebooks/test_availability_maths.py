"""Lesson 2 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.lessons.availability_maths import failover_time, outages_of
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rpo, rto

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]
SLUG = "02-availability-maths"
REPEATS = 2  # as few as give an interval
FEWER = {"how-often": f"repeats = {REPEATS}"}


def repeated(journals: list[Journal]) -> list[Journal]:
    return [journal for journal in journals if experiment_of(journal) == "crash active rootcoord"]


def shown(lesson, name: str) -> str:  # type: ignore[no-untyped-def]
    """What a cell put out, as text."""
    cell = next(cell for cell in lesson.cells if cell.id == name)
    return "\n".join(str(one.get("text", "") or one.data.get("text/plain", "")) for one in cell.outputs)


@pytest.fixture(scope="module")
def real(run_real):  # type: ignore[no-untyped-def]
    """The executed lesson and what it measured on the real cluster."""
    lesson, found, _ = run_real(SLUG, FEWER)
    return lesson, found


def test_the_lesson_runs_simulated_and_says_so(run_lesson, tmp_path) -> None:  # type: ignore[no-untyped-def]
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, FEWER, "zh")
    assert len(repeated(found)) == REPEATS
    assert len(found) == REPEATS + 1
    assert all(journal.simulated for journal in found)
    for name in ("summary-repeats", "price-list", "run-log"):
        assert "模拟" in shown(lesson, name), name
    assert f"，{REPEATS} 次运行" in shown(lesson, "price-list")


def test_by_default_it_repeats_five_times(run_lesson) -> None:  # type: ignore[no-untyped-def]
    import nbformat

    from halab.course.paths import course_root

    lesson = nbformat.read(course_root() / "course" / f"{SLUG}.ipynb", as_version=4)
    assert next(cell.source for cell in lesson.cells if cell.id == "how-often") == "repeats = 5"


@pytest.mark.cluster
def test_every_repeat_was_measured_and_none_simulated(real) -> None:  # type: ignore[no-untyped-def]
    _, journals = real
    assert len(repeated(journals)) == REPEATS
    assert not any(journal.simulated for journal in journals)
    assert [rpo(journal) for journal in repeated(journals)] == [0] * REPEATS


@pytest.mark.cluster
def test_the_failover_has_a_length_and_two_runs_give_no_interval(real) -> None:  # type: ignore[no-untyped-def]
    lesson, journals = real
    lengths = outages_of(repeated(journals))
    assert all(0.5 < length < 60 for length in lengths)
    mean = failover_time(repeated(journals)).mean
    assert f"{mean:.1f} s on average; two are too few" in shown(lesson, "summary-repeats")
    assert f"measured, {REPEATS} runs" in shown(lesson, "price-list")
    assert "SIMULATED" not in shown(lesson, "price-list")


@pytest.mark.cluster
def test_three_copies_of_the_data_do_not_help_without_the_log(real) -> None:  # type: ignore[no-untyped-def]
    _, journals = real
    (log,) = (journal for journal in journals if experiment_of(journal) == "hang log")
    outage = rto(log.samples("insert"), log.faults[0].at)
    assert outage is not None
    assert outage > 6, "nothing took over while the log was frozen"
