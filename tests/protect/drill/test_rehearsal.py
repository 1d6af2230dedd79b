"""The course's drill on simulated clusters, and what of it can be checked without any cluster;
`tests/notebooks/test_drill.py` runs it on real ones."""

import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

import halab
from halab.cluster.simulated import SimulatedCluster
from halab.errors import DrillError, MeasurementError
from halab.measure import Header, Journal, Retriever
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.journal.journal_file import FaultRecord
from halab.measure.probing.addresses import DEGRADED, TWO_ADDRESSES, Application
from halab.models.samples import Outcome, Sample
from halab.protect.backup.writer import backup
from halab.protect.drill import rehearsal
from halab.protect.drill.rehearsal import DrillSteps, Unanswered, rehearse, roll_back, unanswered
from halab.protect.drill.runbook import Drill, Facts, Step, Targets, load_state


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


class Clock:
    """As much of a cluster as the steps before the loss ask for."""

    engine, name, versions = "embedded", "lab", {"milvus": "2.3.5"}

    def now(self):
        return 0.0

    def sleep(self, seconds):
        pass


class Home:
    simulated, name = False, "cards"

    def __init__(self):
        self.cluster = Clock()


class Run:
    elapsed = 0.0

    def __init__(self, cluster):
        self.cluster = cluster

    def counts(self):
        return {}


@pytest.fixture
def steps(milvus, tmp_path):
    """A drill whose nightly backup was made from a Milvus in memory."""
    milvus.fill(rows=30)
    backup(milvus, tmp_path / "backup", ["cards"])
    app = Application(Home(), Home())
    run = Run(app.homes["primary"].cluster)
    return DrillSteps(app, tmp_path, ExperimentSteps(run, progress=False), 0.0, 1.0)


def test_a_sound_and_recent_backup_is_found_good(steps):
    assert steps._verify_backup(Facts()).startswith("30 rows")


def test_a_corrupt_backup_stops_the_drill_before_any_harm(steps, tmp_path):
    file = next((tmp_path / "backup").rglob("*.parquet"))
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    state = steps.drill(Targets()).run()
    assert [one.status for one in state.records] == ["failed", *["waiting"] * 7]
    assert not state.facts.component


def test_a_backup_that_is_too_old_and_a_standby_of_another_version_stop_it_too(steps):
    with pytest.raises(DrillError, match="at most -1 s may be lost"):
        steps._verify_backup(Facts(targets=Targets(60, -1)))
    steps.standby.cluster.versions = {"milvus": "2.4.0"}
    with pytest.raises(DrillError, match="upgrade the standby first"):
        steps._verify_standby(Facts())


def test_a_known_answer_is_waited_for_while_a_node_that_is_back_finds_nothing(steps):
    answers = iter([[], [SimpleNamespace(text="five seconds")]])
    steps.app.homes["primary"].ask = lambda question, limit: next(answers)
    facts = Facts(answers={"How long?": "five seconds"})
    steps._check_answers("primary", facts)
    steps.app.homes["primary"].ask = lambda question, limit: [SimpleNamespace(text="another")]
    with pytest.raises(DrillError, match="otherwise than the primary did"):
        steps._check_answers("primary", facts)


@pytest.mark.parametrize(
    ("step", "hangs", "in_charge"), [("failover", "restore", "primary"), ("failback", "backup", "standby")]
)
def test_a_step_that_comes_back_late_switches_no_address(
    steps, tmp_path, monkeypatch, step, hangs, in_charge
):
    gate, returned = threading.Event(), threading.Event()

    def late(*_, **__):
        gate.wait(30)
        returned.set()
        return SimpleNamespace(rows={"cards": 30})

    monkeypatch.setattr(rehearsal, hangs, late)
    monkeypatch.setattr(steps, "_check_primary_back", lambda facts: None)
    monkeypatch.setattr(steps, "_merge", lambda folder: 30)
    book = steps.app.book
    book.current = in_charge
    hanging = next(one for one in steps._steps() if one.name == step)
    state = Drill([replace(hanging, deadline=0.2)], tmp_path / "state.json", clock=time.monotonic).run()
    assert "the step's deadline of 0.2 s" in state.records[0].note
    assert (book.current, book.writable) == (in_charge, True)
    gate.set()
    assert returned.wait(5)
    for thread in [one for one in threading.enumerate() if one.name == "drill step"]:
        thread.join(5)
    assert (book.current, book.writable) == (in_charge, True)
