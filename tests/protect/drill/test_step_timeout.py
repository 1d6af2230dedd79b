"""Work that hangs: it is stopped or left in time, and does nothing afterwards."""

import signal
import threading
import time
from functools import partial

import pytest

from halab.errors import DrillError
from halab.protect.drill import runbook as drills
from halab.protect.drill.runbook import Drill, Step, load_state
from halab.protect.drill.step_timeout import Overran, bounded


def pauses():
    while True:
        time.sleep(0.01)


@pytest.fixture
def gate():
    """A lock that is held: who acquires it hangs, and hears nothing, until it is released."""
    lock = threading.Lock()
    lock.acquire()
    yield lock
    if lock.locked():
        lock.release()


def none_left():
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if not [one for one in threading.enumerate() if one.name == "bounded work"]:
            return True
        time.sleep(0.01)
    return False


def test_work_in_time_gives_its_value_or_its_error():
    assert bounded(lambda: 3, 5) == 3
    with pytest.raises(ZeroDivisionError):
        bounded(lambda: 1 / 0, 5)


def test_work_that_waits_in_python_is_stopped_and_cleans_up():
    cleaned = []

    def work():
        try:
            pauses()
        except Exception:  # what swallows failures does not swallow this
            cleaned.append("swallowed")
        finally:
            cleaned.append("up")

    with pytest.raises(Overran, match="and was stopped"):
        bounded(work, 0.1)
    assert cleaned == ["up"]
    assert none_left()


def test_work_that_hears_nothing_is_left_and_does_nothing_when_it_comes_back(gate):
    harm = []

    def work():
        gate.acquire()
        harm.append("done")

    began = time.monotonic()
    with pytest.raises(Overran, match="was left"):
        bounded(work, 0.1, margin=0.1)
    assert time.monotonic() - began < 5
    gate.release()
    assert none_left()
    assert not harm


def test_ctrl_c_stops_the_work_too():
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            bounded(pauses, 30)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert none_left()


@pytest.mark.parametrize("phase", ["precheck", "do", "verify"])
def test_a_drill_goes_on_to_undo_when_a_step_hangs_and_the_step_does_no_harm_later(
    tmp_path, gate, monkeypatch, phase
):
    monkeypatch.setattr(drills, "bounded", partial(bounded, margin=0.1))
    world, undone = [], []

    def hangs(facts):
        facts["half"] = "written"
        gate.acquire()
        facts["all"] = "written"
        world.append("harm")
        return ""

    def step(name, deadline=5.0, **given):
        given = {"do": lambda facts: "", **given}
        return Step(name, name, deadline, **given, undo=lambda facts: undone.append(name))

    steps = [step("one"), step("two", 0.2, **{phase: hangs}), step("three")]
    began = time.monotonic()
    state = Drill(steps, tmp_path / "state.json", clock=time.monotonic).run()
    assert time.monotonic() - began < 0.2 + 0.1 + 3  # deadline, margin, and a busy machine
    ended = "refused" if phase == "precheck" else "failed"
    assert [one.status for one in state.records] == ["undone", ended, "waiting"]
    assert "was left" in state.records[1].note
    assert undone == (["one"] if phase == "precheck" else ["two", "one"])
    gate.release()
    assert none_left()
    assert not world
    assert state.facts == load_state(tmp_path / "state.json").facts == {}


def test_an_undo_that_hangs_is_said_and_the_rest_is_undone(tmp_path, gate, monkeypatch):
    monkeypatch.setattr(drills, "bounded", partial(bounded, margin=0.1))
    undone = []

    def fails(facts):
        raise DrillError("broken")

    steps = [
        Step("one", "one", 5, lambda facts: "", undo=lambda facts: undone.append("one")),
        Step("two", "two", 0.2, fails, undo=lambda facts: gate.acquire() and undone.append("two")),
    ]
    state = Drill(steps, tmp_path / "state.json", clock=time.monotonic).run()
    assert "NOT UNDONE: did not end" in state.records[1].note
    assert undone == ["one"]
    gate.release()
    assert none_left()
    assert undone == ["one"]
