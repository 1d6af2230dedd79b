"""Work that hangs: it is abandoned in time, and what it does afterwards changes nothing that counts."""

import signal
import threading
import time

import pytest

from halab.errors import DrillError
from halab.protect.drill.runbook import Drill, Facts, Step, load_state
from halab.protect.drill.step_timeout import StepTimeout, run_with_timeout


@pytest.fixture
def gate():
    """A lock that is held: who acquires it hangs until it is released."""
    lock = threading.Lock()
    lock.acquire()
    yield lock
    if lock.locked():
        lock.release()


def run(work, seconds):
    return run_with_timeout(work, seconds, what="its work", deadline=9)


def abandoned_threads_end():
    """Wait until no abandoned step runs any more."""
    for thread in [one for one in threading.enumerate() if one.name == "drill step"]:
        thread.join(5)
        assert not thread.is_alive()


def test_work_in_time_gives_its_value_or_its_error():
    assert run(lambda: 3, 5) == 3
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0, 5)


def test_an_error_of_the_work_is_not_taken_for_its_deadline():
    def work():
        raise TimeoutError("a socket's")

    with pytest.raises(TimeoutError, match="a socket's"):
        run(work, 5)


def test_work_that_hangs_is_abandoned_and_the_error_says_what_was_awaited(gate):
    began = time.monotonic()
    with pytest.raises(StepTimeout, match="its work did not end within the step's deadline of 9 s"):
        run(gate.acquire, 0.1)
    assert time.monotonic() - began < 5
    assert all(one.daemon for one in threading.enumerate() if one.name == "drill step")
    gate.release()
    abandoned_threads_end()


def test_work_that_has_not_begun_when_its_time_is_over_never_begins(monkeypatch):
    begun, threads = [], []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: threads.append(thread))
    with pytest.raises(StepTimeout):
        run(lambda: begun.append(True), 0.05)
    threads[0].run()
    assert not begun


def test_ctrl_c_ends_the_waiting(gate):
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(gate.acquire, 30)
    finally:
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("phase", ["precheck", "do", "verify"])
def test_a_drill_undoes_when_a_step_hangs_and_the_late_step_changes_nothing(tmp_path, gate, phase):
    undone, switched, late = [], [], []

    def hangs(facts):
        facts.component = "half"
        gate.acquire()
        facts.component = "late"
        late.append(phase)
        return "late"

    def step(name, deadline=5.0, **phases):
        phases = {"do": lambda facts: "", **phases}
        return Step(name, name, deadline, **phases, undo=lambda facts: undone.append(name))

    hanging = {phase: hangs, "on_done": lambda facts: switched.append("switched")}
    steps = [step("one"), step("two", 0.2, **hanging), step("three")]
    path = tmp_path / "state.json"
    state = Drill(steps, path, clock=time.monotonic).run()
    ended = "refused" if phase == "precheck" else "failed"
    assert [one.status for one in state.records] == ["undone", ended, "waiting"]
    assert "the step's deadline of 0.2 s" in state.records[1].note
    assert undone == (["one"] if phase == "precheck" else ["two", "one"])
    written, switched_in_time = path.read_text(), list(switched)
    assert switched_in_time == (["switched"] if phase == "verify" else [])

    gate.release()
    abandoned_threads_end()
    assert late == [phase]  # it did come back, and nothing came of it:
    assert (path.read_text(), switched) == (written, switched_in_time)
    assert state.facts == load_state(path).facts == Facts()
    assert undone == (["one"] if phase == "precheck" else ["two", "one"])


def test_no_phase_begins_after_a_late_one(tmp_path, gate):
    verified = []
    hanging = Step("one", "one", 0.2, lambda facts: gate.acquire() and "", verify=verified.append)
    Drill([hanging], tmp_path / "state.json", clock=time.monotonic).run()
    gate.release()
    abandoned_threads_end()
    assert not verified


def test_an_undo_that_hangs_is_said_and_the_rest_is_undone(tmp_path, gate):
    undone = []

    def fails(facts):
        raise DrillError("broken")

    steps = [
        Step("one", "one", 5, lambda facts: "", undo=lambda facts: undone.append("one")),
        Step("two", "two", 0.2, fails, undo=lambda facts: gate.acquire()),
    ]
    state = Drill(steps, tmp_path / "state.json", clock=time.monotonic).run()
    assert "NOT UNDONE: its undoing did not end" in state.records[1].note
    assert undone == ["one"]
