"""What lesson 6 says of a run to the claims of card 6."""

from dataclasses import replace
from pathlib import Path

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.cards import card
from halab.course.predictions import predict
from halab.lessons.failover_timeline import compare_failovers, cut_off, requests, results
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
    assert said["outage-total"].words.in_("en").endswith(" s; search, TTL 10 s (simulated).")
    assert all("（模拟）" in finding.words.in_("zh") for finding in said.values())
    assert {finding.verdict for finding in said.values()} == {"incomparable"}


def test_the_verdict_on_the_card_follows_the_run() -> None:
    cluster = SimulatedCluster()
    run = experiment(cluster, "crash active rootcoord", retriever=Retriever(cluster), progress=False)
    real = Journal.write(
        replace(run.header, engine="embedded", simulated=False), samples=run.samples(), faults=run.faults
    )
    said = results(real)
    assert said["failed-requests"].verdict == "broken"
    assert "failed" in said["failed-requests"].by.in_("en")
    assert said["outage-total"].verdict == ("held" if said["outage-total"].measured[0] <= 15 else "broken")


def test_an_operation_that_never_failed_has_no_outage_to_tell() -> None:
    cluster = SimulatedCluster()
    quiet = experiment(cluster, "crash index node 1", retriever=Retriever(cluster), progress=False)
    (claim,) = results(quiet)
    assert claim == "failed-requests"
    told = str(results(quiet)[claim].words)
    assert told.startswith(f"0 of {len(quiet.samples('search'))} failed; search")


def test_losses_stand_side_by_side_with_what_may_differ_by_chance() -> None:
    cluster = SimulatedCluster()
    retriever = Retriever(cluster)
    faults = ("crash active rootcoord", "stop active rootcoord")
    runs = [experiment(cluster, fault, retriever=retriever, progress=False) for fault in faults]
    shown = repr(compare_failovers(*runs))
    assert "SIMULATED" in shown
    assert all(fault in shown for fault in faults)
    assert "two thirds" in " ".join(shown.split())


def test_requests_are_written_as_signs() -> None:
    answered, failed, unknown = requests(".x?")
    assert [one.outcome for one in (answered, failed, unknown)] == ["ok", "fail", "unknown"]
    assert [one.intended for one in (answered, failed, unknown)] == [0, 1, 2]


def test_where_no_network_can_be_cut_a_recorded_run_is_shown_and_called_so(tmp_path: Path) -> None:
    cluster = SimulatedCluster()
    predict(6, "partition active rootcoord", last_failure=7.0, failed_requests=140)
    shown = cut_off(cluster, "active rootcoord", retriever=Retriever(cluster))
    assert repr(shown).startswith("RECORDED, not measured here: a cut network is not simulated.")
    journal = shown.run.journal
    assert journal.verify() is None
    assert (journal.header.engine, journal.faults[0].kind, journal.simulated) == (
        "compose",
        "partition",
        False,
    )
    assert f"This run is of {journal.header.started[:10]}, in containers" in shown.said
    assert "It counts for nothing" in str(shown.said)
    assert shown._repr_html_().index("RECORDED") < shown._repr_html_().index('role="img"')
    assert "You said 7 s;" in shown.run.sentence
    assert "run the cell again" not in shown.run.sentence
    assert list(tmp_path.glob("journals/*")) == [], "nothing was kept"
