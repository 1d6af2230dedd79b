"""The course's drill on simulated clusters; `tests/notebooks/test_drill.py` runs it on real ones."""

import json

import pytest

import halab
from halab.cluster.simulated import SimulatedCluster
from halab.errors import DrillError, MeasurementError
from halab.measure.journal.journal_file import FaultRecord, Header, Journal
from halab.measure.probing.addresses import DEGRADED, TWO_ADDRESSES, Application
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome, Sample
from halab.protect.drill.rehearsal import Unanswered, rehearse, roll_back, unanswered
from halab.protect.drill.runbook import Drill, Step, load_state


@pytest.fixture
def app():
    return Application(
        *(Retriever(halab.cluster(name, engine="simulated", profile="small"), replicas=1) for name in "ab")
    )


def test_a_simulated_drill_goes_through_all_steps_and_claims_nothing(app, tmp_path):
    done = rehearse(app, tmp_path / "drill")
    assert [one.status for one in done.report.records] == ["done"] * 8
    assert done.report.simulated
    assert done.report.verdict.startswith("SIMULATED")
    assert (done.report.rto, done.report.rpo_rows, done.journal.count) == (None, None, None)
    assert {(fault.kind, fault.target) for fault in done.journal.faults} == {("lose", "primary")}
    assert json.loads((tmp_path / "drill/report.json").read_text())["simulated"]
    assert all(part.health == "healthy" for part in app.homes["primary"].cluster.components())
    assert "SIMULATED" in done.report.page()


def test_a_drill_is_never_overwritten(app, tmp_path):
    with pytest.raises(DrillError, match="already there"):
        rehearse(app, tmp_path)


@pytest.mark.parametrize("step", ["loss", "service"])
def test_a_drill_that_was_interrupted_is_explained_and_rolled_back(app, tmp_path, monkeypatch, step):
    folder, primary = tmp_path / "drill", app.homes["primary"].cluster
    slept = primary.sleep

    def interrupted(seconds):
        path = folder / "state.json"
        if path.exists() and load_state(path).status(step) == "running":
            raise KeyboardInterrupt
        slept(seconds)

    monkeypatch.setattr(primary, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rehearse(app, folder)
    with pytest.raises(DrillError, match="was cut off in the step"):
        rehearse(app, folder)
    report = roll_back(folder, primary)
    assert {one.status for one in report.records} == {"undone", "waiting"}
    assert report.wrong == ["It was cut off and rolled back."]
    assert json.loads((folder / "report.json").read_text())["simulated"]
    assert all(part.health == "healthy" for part in primary.components())
    with pytest.raises(DrillError, match="has ended"):
        roll_back(folder, primary)


def test_a_standby_that_is_unhealthy_stops_it_before_anything_begins(app, tmp_path):
    app.homes["standby"].cluster.inject("crash", "any query node")
    with pytest.raises(halab.errors.NotReady):
        rehearse(app, tmp_path / "drill")
    assert not (tmp_path / "drill").exists()


def test_a_drill_that_was_cut_off_is_rolled_back_by_another_process(tmp_path):
    class Primary(SimulatedCluster):
        healed = ()

        def heal(self, name):
            self.healed = (*self.healed, name)

    def choose(facts):
        facts.component = "proxy-1"

    def lose(facts):
        raise KeyboardInterrupt

    steps = [Step("standby", "Verify", 9, lambda _: ""), Step("loss", "Lose", 9, lose, choose)]
    with pytest.raises(KeyboardInterrupt):
        Drill(steps, tmp_path / "state.json", clock=lambda: 0.0).run()
    primary = Primary(profile="small")
    assert [one.status for one in roll_back(tmp_path, primary).records] == ["undone", "undone"]
    assert primary.healed == ("proxy-1",)


def test_rows_that_users_wrote_on_the_standby_are_named_when_a_drill_is_rolled_back(tmp_path):
    def interrupt(facts):
        raise KeyboardInterrupt

    steps = [Step("service", "Verify", 9, lambda _: ""), Step("failback", "Home", 9, interrupt)]
    with pytest.raises(KeyboardInterrupt):
        Drill(steps, tmp_path / "state.json", clock=lambda: 0.0).run()
    report = roll_back(tmp_path, SimulatedCluster(profile="small"))
    assert "are there only: bring them home" in report.records[-1].note


def journal(kind="lose"):
    names = ("search", TWO_ADDRESSES)
    header = Header(
        "lab", "embedded", "small", 10.0, {}, 0, {}, "2026-11-25T12:00:00+00:00", 10.0, 1.0, names,
        dict.fromkeys(names, 1.0), False,
    )  # fmt: skip
    samples = [
        Sample(
            name, number, number / 10, number / 10, number / 10 + 0.01,
            Outcome.FAIL if name == "search" and 20 <= number < 50 else Outcome.OK,
            DEGRADED if name == TWO_ADDRESSES and 20 <= number < 50 else "",
        )
        for name in names
        for number in range(100)
    ]  # fmt: skip
    return Journal.write(header, samples=samples, faults=[FaultRecord(kind, "primary", "proxy-1", 2.0, 8.0)])


def test_a_question_counts_from_the_loss_on_and_a_degraded_answer_is_an_answer():
    assert unanswered(journal()) == (
        Unanswered("search", 80, 30, 0), Unanswered(TWO_ADDRESSES, 80, 0, 30),
    )  # fmt: skip
    with pytest.raises(MeasurementError, match="not the journal of a drill"):
        unanswered(journal("crash"))
