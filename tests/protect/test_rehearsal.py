"""The course's drill on simulated clusters, and what of it can be checked without any; `test_lesson_10.py`
runs it on real ones."""

import json

import pytest
from typer.testing import CliRunner

import halab
from halab.cli import app as cli
from halab.cluster.simulated import SimulatedCluster
from halab.errors import DrillError, MeasurementError
from halab.measure import Header, Journal, Retriever
from halab.measure.addresses import DEGRADED, TWO_ADDRESSES, Application
from halab.measure.journal import FaultRecord
from halab.models.samples import Outcome, Sample
from halab.protect.drill import Drill, Step, load_state
from halab.protect.rehearsal import Unanswered, rehearse, roll_back, unanswered


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


def test_a_standby_that_is_unhealthy_stops_it_before_anything_begins(app, tmp_path):
    app.homes["standby"].cluster.fault("crash", "any query node")
    with pytest.raises(halab.errors.NotReady):
        rehearse(app, tmp_path / "drill")
    assert not (tmp_path / "drill").exists()


def test_a_drill_that_was_cut_off_is_taken_back_by_another_process(tmp_path):
    class Primary(SimulatedCluster):
        healed = ()

        def heal(self, name):
            self.healed = (*self.healed, name)

    def lose(facts):
        facts["component"] = "proxy-1"
        raise KeyboardInterrupt

    steps = [Step("standby", "Verify", 9, lambda _: ""), Step("loss", "Lose", 9, lose)]
    with pytest.raises(KeyboardInterrupt):
        Drill(steps, tmp_path / "state.json", clock=lambda: 0.0).run()
    # The step that was cut off had not written its facts: another process knows what stands on disk.
    state = load_state(tmp_path / "state.json")
    state.facts["component"] = "proxy-1"
    (tmp_path / "state.json").write_text(state.text())
    primary = Primary(profile="small")
    assert [one.status for one in roll_back(tmp_path, primary).records] == ["undone", "undone"]
    assert set(primary.healed) == {"proxy-1"}


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
    with pytest.raises(MeasurementError, match="no drill"):
        unanswered(journal("crash"))


def test_the_command_needs_two_running_clusters_and_a_drill_to_take_back(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path))
    same = CliRunner().invoke(cli, ["drill", str(tmp_path / "d"), "--primary", "a", "--standby", "a"])
    assert isinstance(same.exception, DrillError)
    none = CliRunner().invoke(cli, ["drill", str(tmp_path / "d")])
    assert isinstance(none.exception, halab.errors.ClusterNotFound)
