"""Lesson 5's read-scaling lab and lesson 6, top to bottom in containers, without a front end.

Both join the cluster that the other tests share; lesson 6 ends it, so this file comes last.
"""

import pytest

from halab.cluster.compose import projects
from halab.measure.experiments.read_scaling import scaling
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rpo, rto
from halab.models.samples import Outcome

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1500)]
SHORT = """
shared = lesson.reading(cluster, repeats=2, seconds=1, warm_up=0.5, rows=5000)
lesson.keep(shared, 5)
"""
LIMITED = """
limited = lesson.reading(cluster, limit=lesson.Limit(share=0.2), repeats=2, seconds=1, warm_up=0.5, rows=5000)
lesson.keep(limited, 5)
"""
# What Docker changes nothing of is measured on the embedded cluster, by tests/notebooks/.
ELSEWHERE = "pass"
ELSEWHERE_IN_6 = (
    *("predict-node", "run-one-copy", "run-three-copies", "plot-three-copies", "run-hang", "run-stop"),
    "compare-failovers",
    *("retry-client", "run-retries", "summary-retries"),
)
LEFT_RUNNING = "print('the cluster stays for the next test')"
NO_BALANCER = "retriever = None  # its second half, behind a HAProxy, has a test of its own"


@pytest.fixture(scope="module")
def reads(course, run_lesson, tmp_path_factory) -> list[Journal]:
    """What lesson 5 measured: nodes that share the machine, and nodes with a quota each."""
    cells = {"run": SHORT, "run-limited": LIMITED, "balancer-here": NO_BALANCER, "clean-up": LEFT_RUNNING}
    _, found = run_lesson(tmp_path_factory.mktemp("reads"), "compose", "05-reading", cells)
    return found


def test_read_scaling_is_measured_with_dockers_own_limit(reads) -> None:
    assert [one.header.engine for one in reads] == ["compose", "compose"]
    assert any("docker update --cpus" in note for note in reads[1].notes)
    for journal in reads:
        bad = [one for one in journal.samples() if one.outcome is not Outcome.OK]
        assert len(bad) <= len(journal.samples()) / 50
        one, _, three = scaling(journal, beyond=()).rows
        assert one.rate is not None
        assert three.ratio is not None
        assert one.rate.median > 5
        assert three.ratio.low < 3.5


def test_the_limit_ends_with_the_lab(course, reads) -> None:
    assert {one.cpus for one in course._nodes("querynode")} == {0.75}


@pytest.fixture(scope="module")
def failovers(course, reads, run_lesson, tmp_path_factory) -> list[Journal]:
    """A crash, a partition, and a crash with a short lease, by lesson 6, which ends the cluster."""
    cells = dict.fromkeys(ELSEWHERE_IN_6, ELSEWHERE)
    _, found = run_lesson(tmp_path_factory.mktemp("failovers"), "compose", "06-failover-timeline", cells)
    assert not projects.exists("course"), "the lesson left a cluster"
    return found


def test_lesson_6_measures_a_crash_a_partition_and_a_short_lease(failovers) -> None:
    assert [experiment_of(journal).split()[0] for journal in failovers] == ["crash", "partition", "crash"]
    assert {journal.header.engine for journal in failovers} == {"compose"}
    assert [journal.header.ttl for journal in failovers] == [10, 10, 5]


def test_each_loss_of_the_active_coordinator_was_noticed_and_survived(failovers) -> None:
    for journal in failovers:
        outage = rto(journal.samples("search"), journal.faults[0].at)
        assert outage is not None, experiment_of(journal)
        assert 0.5 < outage < 60, experiment_of(journal)


def test_no_acknowledged_row_was_lost(failovers) -> None:
    assert [rpo(journal) for journal in failovers] == [0, 0, 0]
