"""Lesson 11 from top to bottom on the real cluster, in Chinese: an upgrade twice, and who is paged."""

import shutil
from itertools import pairwise

import pytest

from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.outage import rpo
from halab.monitoring.dashboard import panels
from halab.translation import speaking

# Alone: it starts fourteen processes at once, twice, which no measurement beside it would survive.
pytestmark = [pytest.mark.notebook, pytest.mark.cluster, pytest.mark.alone, pytest.mark.timeout(900)]


# The careful plan takes two minutes, a page and its end as long: tests/monitoring has a page of each kind.
SHORTER = {
    "run-one-at-a-time": "careful = hasty",
    "run-drain": "drained = killed = hasty\nlesson.price(drained, killed)",
    "run-watch": "seen = lesson.pages(watched)\nseen",
    "run-quiet": "quiet = lesson.pages(watched)",
    "try-rule": "rule = 'alert: Mine\\nexpr: up == 0'",
    "live-rule": "lesson.pages(watched, rule=rule)",
}


@pytest.fixture(scope="module")
def run(run_real):
    return run_real("11-operate-it", SHORTER, "zh")


def text_of(lesson, cell_id):
    (cell,) = [cell for cell in lesson.cells if cell.id == cell_id]
    return "\n".join(
        str(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in cell.outputs
    )


def test_every_process_of_milvus_was_restarted_roles_side_by_side_and_no_row_is_lost(run):
    _, (journal,), _ = run
    assert experiment_of(journal) == "rolling restart, all roles at once"
    restarts = [fault for fault in journal.faults if fault.kind == "restart"]
    assert len({fault.component for fault in restarts}) == 14
    assert any(before.undone_at > after.at for before, after in pairwise(restarts))
    assert rpo(journal) == 0
    assert not any("did not become healthy" in note for note in journal.notes), journal.notes


def test_the_dashboard_is_drawn_of_what_prometheus_saw(run):
    lesson, _, _ = run
    shown = text_of(lesson, "draw-dashboard")
    if not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")):
        assert "什么也没有测" in shown
        return
    with speaking("zh"):
        assert all(panel.title in shown for panel in panels())


def test_what_a_lost_node_held_fits_nowhere_while_the_others_are_full(run):
    lesson, _, _ = run
    shown = text_of(lesson, "run-full")
    assert "没有回答" in shown
    assert "全部，" in shown
    assert "据节点自己的日志：0。" not in shown


def test_what_was_not_done_yet_is_told(run):
    lesson, _, _ = run
    assert "还没有" in text_of(lesson, "advice")
