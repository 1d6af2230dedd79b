"""What lesson 6 says of a run to the claims of card 6."""

from dataclasses import replace
from pathlib import Path

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.cards import card
from halab.lessons.failover_timeline import requests, results
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.journal.journal_file import Journal
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
    assert said["outage-total"].words.en.endswith(" s; search, TTL 10 s (simulated).")
    assert all("（模拟）" in finding.words.zh for finding in said.values())
    assert {finding.verdict for finding in said.values()} == {"incomparable"}


def test_the_verdict_on_the_card_follows_the_run() -> None:
    cluster = SimulatedCluster()
    run = experiment(cluster, "crash active rootcoord", retriever=Retriever(cluster), progress=False)
    real = Journal.write(
        replace(run.header, engine="embedded", simulated=False), samples=run.samples(), faults=run.faults
    )
    said = results(real)
    assert said["failed-requests"].verdict == "broken"
    assert "failed" in said["failed-requests"].by.en
    assert said["outage-total"].verdict == ("held" if said["outage-total"].measured[0] <= 15 else "broken")


def test_an_operation_that_never_failed_has_no_outage_to_tell() -> None:
    cluster = SimulatedCluster()
    quiet = experiment(cluster, "crash index node 1", retriever=Retriever(cluster), progress=False)
    (claim,) = results(quiet)
    assert claim == "failed-requests"
    assert results(quiet)[claim].words.en.startswith(f"0 of {len(quiet.samples('search'))} failed; search")


def test_requests_are_written_as_signs() -> None:
    answered, failed, unknown = requests(".x?")
    assert [one.outcome for one in (answered, failed, unknown)] == ["ok", "fail", "unknown"]
    assert [one.intended for one in (answered, failed, unknown)] == [0, 1, 2]
