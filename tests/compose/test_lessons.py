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
    """What lesson 6 measured, in the order of its experiments; its cluster is gone afterwards."""
    _, found = run_lesson(tmp_path_factory.mktemp("failovers"), "compose", "06-failover-timeline")
    assert not projects.exists("course"), "the lesson left a cluster"
    return found


def test_lesson_6_measures_every_experiment_and_the_partition_too(failovers) -> None:
    kinds = [experiment_of(one).split()[0] for one in failovers]
    assert kinds == ["crash", "crash", "crash", "hang", "partition", "stop", "crash", "crash"]
    assert {one.header.engine for one in failovers} == {"compose"}
    assert [one.header.ttl for one in failovers] == [10] * 6 + [5] * 2


def test_each_loss_of_the_active_coordinator_was_noticed_and_survived(failovers) -> None:
    for journal in failovers:
        if "rootcoord" in experiment_of(journal):
            outage = rto(journal.samples("search"), journal.faults[0].at)
            assert outage is not None, experiment_of(journal)
            assert 0.5 < outage < 60, experiment_of(journal)


def test_no_acknowledged_row_was_lost(failovers) -> None:
    counted = [one for one in failovers if "insert" in one.header.operations]
    assert len(counted) == 7
    assert [rpo(one) for one in counted] == [0] * 7
