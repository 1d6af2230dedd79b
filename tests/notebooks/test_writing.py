"""Lesson 4 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.measure.experiments.load import CLIENT, MACHINE
from halab.measure.experiments.write_cost import costs
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.models.samples import Outcome

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(600)]
SLUG = "04-writing"
SHORT = """
written = lesson.writing(cluster, repeats=4, writes=3, filled=20_000)
lesson.keep(written, 4)
"""


@pytest.fixture(scope="module")
def journal(run_real) -> Journal:
    """What the lesson measured on the real cluster."""
    _, (found,), _ = run_real(SLUG, {"run": SHORT})
    return found


def test_the_lesson_runs_simulated_and_says_what_it_cannot_know(run_lesson, tmp_path) -> None:
    lesson, (found,) = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert found.simulated
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert "加载时间和内存没有模拟" in shown
    assert "这些数字来自模型" in shown
    assert costs(found).rows[0].load is None


@pytest.mark.alone
@pytest.mark.cluster
def test_every_write_was_acknowledged_and_then_found(journal: Journal) -> None:
    assert not journal.simulated
    assert experiment_of(journal) == "insert and strong search with 1, 2, 3 replicas"
    assert all(one.outcome is Outcome.OK for one in journal.samples())
    assert len(journal.samples("insert")) == 3 * 4 * 3
    for row in costs(journal).rows:
        assert row.turns == 4
        assert 0 < row.acknowledged.median < row.everywhere.median < 10


@pytest.mark.alone
@pytest.mark.cluster
def test_three_replicas_write_no_three_times_as_long_and_take_more_memory(journal: Journal) -> None:
    one, _, three = costs(journal).rows
    assert three.ratio is not None
    # A wide bound for a busy machine; what is ruled out is one copy after the other.
    assert three.ratio.low < 3
    assert one.memory is not None
    assert three.memory is not None
    assert three.memory > 0
    assert all(row.load is not None and 0 < row.load < 60 for row in costs(journal).rows)


@pytest.mark.alone
@pytest.mark.cluster
def test_every_process_was_watched_beside_the_writes(journal: Journal) -> None:
    writes = [phase for phase in journal.phases if phase.name == "write"]
    for phase in writes:
        assert {CLIENT, MACHINE, "log", "proxy-1", "querynode-1"} <= set(phase.usage)
