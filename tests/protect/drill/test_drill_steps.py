"""The steps of the course's drill, as far as they can be checked without a cluster."""

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from halab.errors import DrillError
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.probing.addresses import Application
from halab.protect.backup.writer import backup
from halab.protect.drill import drill_steps
from halab.protect.drill.drill_steps import DrillSteps
from halab.protect.drill.runbook import Drill, Facts, Targets


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

    monkeypatch.setattr(drill_steps, hangs, late)
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
