"""Lesson 9 from top to bottom, without a front end: on the real cluster, and simulated."""

import pytest

from halab.measure.experiments.kubelet_experiments import (
    detection_times,
    outage_checks,
    restarts,
    tcp_http_passes,
)
from halab.measure.journal.journal_file import Journal
from halab.models.health_probes import TUNED, detection

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]
SLUG = "09-health-checks"
SLACK = 3.0  # seconds a busy machine may be late
# The last hang is the learner's choice and takes a minute; benchmarks/health_probes.py measures it.
SHORT = {"chosen": "chosen = hang"}


@pytest.fixture(scope="module")
def journals(run_real) -> list[Journal]:
    """What the lesson measured on the real cluster, in order."""
    _, found, _ = run_real(SLUG, SHORT)
    return found


def test_the_lesson_runs_simulated_and_says_so(run_lesson, tmp_path) -> None:
    lesson, found = run_lesson(tmp_path, "simulated", SLUG, language="zh")
    assert len(found) == 8
    assert all(journal.simulated for journal in found)
    shown = "\n".join(str(cell.get("outputs", "")) for cell in lesson.cells)
    assert shown.count("模拟") >= 4


@pytest.mark.cluster
def test_crash_and_hang_were_noticed_within_their_ranges(journals: list[Journal]) -> None:
    for journal, kind in zip(journals, ("crash", "hang"), strict=False):
        span, found = detection(TUNED, kind), detection_times(journal)
        assert not journal.simulated
        assert found.verdict is not None
        assert span.least - 0.5 <= found.verdict <= span.most + SLACK
        assert found.ready is not None
        assert found.ready > found.verdict


@pytest.mark.cluster
def test_a_hang_passed_tcp_and_did_not_answer(journals: list[Journal]) -> None:
    found = tcp_http_passes(journals[2])
    assert found.tcp_passed == found.tcp > 3
    assert found.http > found.http_passed <= 1  # the probe under way when it struck


@pytest.mark.cluster
def test_an_exit_was_seen_without_a_probe(journals: list[Journal]) -> None:
    verdict = detection_times(journals[3]).verdict
    assert verdict is not None
    assert verdict < 1 + SLACK


@pytest.mark.cluster
def test_a_tight_probe_restarted_a_healthy_process(journals: list[Journal]) -> None:
    tight, patient = journals[4:6]
    assert restarts(tight) > restarts(patient) == 0


@pytest.mark.cluster
def test_health_was_mostly_green_while_searches_went_unanswered(journals: list[Journal]) -> None:
    found = outage_checks(journals[6])
    assert found.healthy > 0.7 * found.checks > 0
    assert found.answered < 0.9 * found.searches
