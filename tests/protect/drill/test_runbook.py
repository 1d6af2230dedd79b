"""Drills as data: order, refusals, deadlines, undoing, and the state on disk."""

import json
import os
import threading
from dataclasses import replace

import pytest

from halab.errors import DrillError, HalabError
from halab.protect.drill.runbook import Drill, Step, load_state


class World:
    """What steps did, in order, and a clock that they move."""

    def __init__(self):
        self.did, self.now = [], 100.0

    def step(self, name, *, takes=1.0, deadline=10.0, precheck=None, do=None, verify=None, undo=None):
        def acts(kind, error):
            def act(facts):
                self.did.append(f"{kind} {name}")
                if kind == "do":
                    self.now += takes
                    facts.answers[name] = str(self.now)
                if error is not None:
                    raise error
                return f"{name} found"

            return act

        return Step(
            name, name.title(), deadline, acts("do", do), precheck=acts("check", precheck),
            verify=acts("verify", verify), undo=acts("undo", undo),
        )  # fmt: skip

    def drill(self, folder, *steps):
        return Drill(steps, folder / "state.json", clock=lambda: self.now)


@pytest.fixture
def world():
    return World()


def test_each_step_is_checked_done_and_verified_in_order(world, tmp_path):
    state = world.drill(tmp_path, world.step("one"), world.step("two", takes=2)).run()
    assert world.did == ["check one", "do one", "verify one", "check two", "do two", "verify two"]
    assert state.passed
    assert [(one.began, one.ended, one.note) for one in state.records] == [
        (0.0, 1.0, "one found"), (1.0, 3.0, "two found"),
    ]  # fmt: skip
    assert load_state(tmp_path / "state.json") == state


def test_a_failed_precheck_stops_before_the_step_and_undoes_what_was_done(world, tmp_path):
    steps = [world.step("one"), world.step("two", precheck=HalabError("sick")), world.step("three")]
    state = world.drill(tmp_path, *steps).run()
    assert world.did == ["check one", "do one", "verify one", "check two", "undo one"]
    assert [one.status for one in state.records] == ["undone", "refused", "waiting"]
    assert state.stopped_at.note == "sick"


@pytest.mark.parametrize("where", ["do", "verify"])
def test_a_step_that_fails_is_undone_too_and_the_last_is_undone_first(world, tmp_path, where):
    steps = [world.step("one"), world.step("two"), world.step("three", **{where: HalabError("broken")})]
    state = world.drill(tmp_path, *steps).run()
    assert [did for did in world.did if did.startswith("undo")] == ["undo three", "undo two", "undo one"]
    assert [one.status for one in state.records] == ["undone", "undone", "failed"]
    assert not state.passed


def test_a_step_that_ends_well_but_late_has_failed(world, tmp_path):
    state = world.drill(tmp_path, world.step("one", takes=11)).run()
    assert state.records[0].status == "failed"
    assert "its deadline is 10 s" in state.records[0].note
    assert "undo one" in world.did


def test_after_a_step_that_commits_a_failure_undoes_only_what_came_later(world, tmp_path):
    steps = [
        world.step("one"),
        replace(world.step("two"), commits=True),
        world.step("three"),
        world.step("four", do=HalabError("broken")),
    ]
    state = world.drill(tmp_path, *steps).run()
    assert [did for did in world.did if did.startswith("undo")] == ["undo four", "undo three"]
    assert [one.status for one in state.records] == ["done", "done", "undone", "failed"]


def test_what_cannot_be_undone_is_said_and_the_rest_is_undone(world, tmp_path):
    steps = [
        world.step("one"),
        world.step("two", undo=HalabError("stuck")),
        world.step("three", do=HalabError("broken")),
    ]
    state = world.drill(tmp_path, *steps).run()
    assert "NOT UNDONE: stuck" in state.records[1].note
    assert state.records[1].status == "done"
    assert state.records[0].status == "undone"


def test_a_drill_that_is_interrupted_leaves_its_state_as_it_was_written_last(world, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        world.drill(tmp_path, world.step("one"), world.step("two", do=KeyboardInterrupt())).run()
    state = load_state(tmp_path / "state.json")
    assert [one.status for one in state.records] == ["done", "running"]
    assert (state.facts.answers, "undo two" in world.did) == ({"one": "101.0"}, False)


def test_what_takes_effect_at_once_is_done_by_the_drill_itself(world, tmp_path):
    def here(kind):
        return lambda facts: world.did.append(
            f"{kind} {threading.current_thread() is threading.main_thread()}"
        )

    step = replace(world.step("one"), on_start=here("on_start"), on_done=here("on_done"))
    world.drill(tmp_path, step).run()
    assert world.did == ["check one", "on_start True", "do one", "on_done True", "verify one"]


def test_what_a_step_that_failed_had_found_out_is_in_the_state(world, tmp_path):
    state = world.drill(tmp_path, world.step("one", do=HalabError("broken"))).run()
    assert state.facts.answers == {"one": "101.0"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "halab-drill", "version": 2}', "[" * 100_000])
def test_a_damaged_state_is_refused_in_words(tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(DrillError, match="not the state of a drill"):
        load_state(tmp_path / "state.json")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.touch() or os.truncate(path, 10 << 30)])
def test_a_state_that_is_a_pipe_or_endless_is_refused_in_words(tmp_path, make):
    make(tmp_path / "state.json")
    with pytest.raises(DrillError, match="not the state of a drill"):
        load_state(tmp_path / "state.json")


def test_a_state_that_is_not_there_is_refused(world, tmp_path):
    with pytest.raises(DrillError, match="there is no drill"):
        load_state(tmp_path / "nowhere.json")
    world.drill(tmp_path, world.step("one")).run()
    assert json.loads((tmp_path / "state.json").read_text())["format"] == "halab-drill"
