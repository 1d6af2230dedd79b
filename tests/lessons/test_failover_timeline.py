"""What lesson 6 says of a run to the claims of card 6."""

from pathlib import Path

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.cards import card
from halab.lessons.failover_timeline import requests, results
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.probing.retriever import Retriever


@pytest.fixture(autouse=True)
def _own_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def test_results_speak_to_claims_of_the_card_and_say_that_they_are_simulated() -> None:
    cluster = SimulatedCluster()
    said = results(
        experiment(cluster, "crash active rootcoord", retriever=Retriever(cluster), progress=False)
    )
    assert set(said) <= set(card(6, "en").claims)
    assert said["outage-total"].endswith(" s (search, simulated, TTL 10 s)")
    assert all("simulated" in text for text in said.values())


def test_an_operation_that_never_failed_has_no_outage_to_tell() -> None:
    cluster = SimulatedCluster()
    quiet = experiment(cluster, "crash index node 1", retriever=Retriever(cluster), progress=False)
    assert results(quiet) == {
        "failed-requests": f"0 of {len(quiet.samples('search'))} (search, simulated, TTL 10 s)"
    }


def test_requests_are_written_as_signs() -> None:
    answered, failed, unknown = requests(".x?")
    assert [one.outcome for one in (answered, failed, unknown)] == ["ok", "fail", "unknown"]
    assert [one.intended for one in (answered, failed, unknown)] == [0, 1, 2]
