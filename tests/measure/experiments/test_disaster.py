"""Losses counted from journals made by hand, and a disaster in virtual time."""

from dataclasses import replace

import pytest

from halab.cluster.protocol import Event
from halab.cluster.simulated import SimulatedCluster
from halab.errors import MeasurementError, TargetError
from halab.measure.experiments.disaster import EVERYTHING, UNFLUSHED, disaster, loss
from halab.measure.journal.journal_file import FaultRecord, RowCount
from halab.measure.journal.summaries import summary
from halab.measure.probing.retriever import Retriever

FAULT = FaultRecord("crash", "log", "log", at=3.0, undone_at=4.0)
FLUSH = [Event(1.0, "written", "flush began", "user"), Event(2.0, "written", "flush returned", "user")]


def rows(samples, pattern):
    return [replace(sample, key=100 + sample.number) for sample in samples(pattern, "insert")]


def test_rows_are_told_apart_by_when_they_were_acknowledged(samples, journal):
    # Ten rows a second: 0 to 9 before the flush, 10 to 19 while it ran, 20 to 29 unflushed; the disaster.
    inserts = rows(samples, "." * 30 + "x" * 10 + "." * 10)
    gone = (*range(115, 130), 141)
    counted = RowCount(acknowledged=40, unknown=0, failed=10, found=24, missing=gone)
    found = loss(journal(inserts, faults=[FAULT], events=FLUSH, count=counted))
    assert [(each.when, each.acknowledged, each.missing) for each in found.rows] == [
        ("before the flush", 10, 0),
        ("while it was flushed", 10, 5),
        (UNFLUSHED, 10, 10),
        ("after the disaster", 10, 1),
    ]
    assert found.missing == 16
    # The first row that is gone was acknowledged 1.505 s into the run.
    assert found.window == pytest.approx(3.0 - 1.505)
    assert UNFLUSHED in repr(found)
    assert "missing afterwards" in found._repr_html_()


def test_a_row_under_way_when_the_flush_began_is_not_said_to_be_flushed(samples, journal):
    (early,) = rows(samples, ".")
    under_way = replace(early, intended=0.9, sent=0.9, done=1.1)
    late = replace(early, intended=1.9, sent=1.9, done=2.1)
    counted = RowCount(acknowledged=2, unknown=0, failed=0, found=2)
    found = loss(journal([under_way, late], faults=[FAULT], events=FLUSH, count=counted))
    assert [each.acknowledged for each in found.rows] == [0, 2, 0, 0]


def test_nothing_lost_is_a_window_of_zero_and_not_counted_is_not_zero(samples, journal):
    inserts = rows(samples, "." * 30 + "?" * 5 + "." * 15)
    counted = RowCount(acknowledged=45, unknown=5, failed=0, found=48, unknown_present=3)
    found = loss(journal(inserts, faults=[FAULT], count=counted))
    assert (found.missing, found.window) == (0, 0.0)
    assert [each.when for each in found.rows] == ["before the disaster", "after the disaster"]
    assert "Of 5 inserts without an answer and 0 refused ones, 3 are there all the same." in found.remarks
    unknown = loss(journal(inserts, faults=[FAULT]))
    assert (unknown.missing, unknown.window) == (None, None)
    assert "not counted" in repr(unknown)


def test_a_journal_without_a_disaster_is_refused_with_what_to_do(samples, journal):
    with pytest.raises(MeasurementError, match="with a fault and with inserts") as caught:
        loss(journal(samples("..", "search"), faults=[FAULT]))
    assert "disaster(cluster" in caught.value.hint


@pytest.mark.parametrize("target", [EVERYTHING, "log", "any data node"])
def test_a_simulated_disaster_is_one_fault_that_is_undone_and_says_it_counts_nothing(target):
    cluster = SimulatedCluster()
    journal = disaster(cluster, target, retriever=Retriever(cluster))
    assert journal.simulated
    (fault,) = journal.faults
    assert fault.target == target
    assert fault.at < (fault.undone_at or 0) < 30
    assert {each.health for each in cluster.components()} == {"healthy"}
    assert loss(journal).missing is None
    assert any("keeps no rows" in note for note in journal.notes)
    crashed = [event.component for event in journal.events if event.kind == "fault:crash"]
    assert len(crashed) == (len(cluster.components()) - 5 if target == EVERYTHING else 1)


def test_with_every_process_gone_nothing_is_answered_and_then_it_is():
    cluster = SimulatedCluster()
    journal = disaster(cluster, retriever=Retriever(cluster), down=2.0)
    for row in summary(journal).rows:
        assert row.rto is not None
        assert 2.0 <= row.rto < 60


def test_a_target_that_names_nothing_is_told_before_anything_is_written():
    cluster = SimulatedCluster()
    with pytest.raises(TargetError):
        disaster(cluster, "any dragon", retriever=Retriever(cluster))
    assert cluster.now() == 0


def test_what_was_struck_is_mended_even_if_the_next_blow_fails():
    cluster = SimulatedCluster()
    parts = iter(range(3))

    def inject(kind, target):
        if next(parts) == 2:
            raise RuntimeError("no more")
        return SimulatedCluster.inject(cluster, kind, target)

    cluster.inject = inject
    with pytest.raises(RuntimeError, match="no more"):
        disaster(cluster, retriever=Retriever(cluster))
    cluster.wait_healthy()
    assert {each.health for each in cluster.components()} == {"healthy"}
