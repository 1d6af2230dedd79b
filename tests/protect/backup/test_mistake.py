"""A mistake on the simulated engine, which keeps no rows; tests/notebooks measures it on a real one."""

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.errors import MeasurementError
from halab.measure.probing.retriever import KNOWN_ROW_SEARCH, Retriever
from halab.protect.backup.mistake import data_loss_report, mistake


@pytest.fixture
def retriever():
    with Retriever(SimulatedCluster("lab", "ha", 10)) as retriever:
        yield retriever


def test_a_simulated_cluster_forgets_nothing_and_says_so(retriever):
    journal = mistake(retriever.cluster, "drop collection", retriever=retriever)
    assert journal.simulated
    assert [(fault.kind, fault.target) for fault in journal.faults] == [("drop", "collection")]
    assert set(journal.header.operations) == {"search", KNOWN_ROW_SEARCH, "insert"}
    found = data_loss_report(journal)
    assert (found.last_found, found.restore_seconds, found.window) == (None, None, None)
    assert "keeps no rows" in " ".join(repr(found).split())
    assert "not counted" in repr(found)


def test_a_mistake_there_is_not_is_refused(retriever):
    with pytest.raises(MeasurementError, match="drop table"):
        mistake(retriever.cluster, "drop table", retriever=retriever)
