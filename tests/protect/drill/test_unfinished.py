"""A drill that was cut off: it is noticed, explained, and held by one process."""

import signal
import subprocess
import sys

import pytest

from halab.errors import DrillError
from halab.protect.drill.runbook import Facts, Record, State, load_state
from halab.protect.drill.unfinished import (
    STATE,
    check_primary,
    cluster_missing_error,
    describe,
    is_unfinished,
    lock,
    mark_clusters,
    refuse_unfinished,
    remove_marks,
)

NAMES = ("backup", "standby", "loss", "failover", "service", "measure", "figures", "failback")


def cut_off(done, status="running"):
    """A state in which so many steps are done and the next one has this status."""
    records = [Record(name, name.title(), "halab", 30.0) for name in NAMES]
    for at, record in enumerate(records[: done + 1]):
        record.status, record.began = ("done" if at < done else status), float(at)
    facts = Facts(primary="ours", standby="theirs", component="proxy-1")
    return State("Drill", "2026-11-25T12:00:00+00:00", 0.0, records, facts)


class Cluster:
    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        folder.mkdir()


@pytest.fixture
def clusters(tmp_path):
    return [Cluster(tmp_path / "ours"), Cluster(tmp_path / "theirs")]


@pytest.fixture
def folder(tmp_path, clusters):
    """A drill's folder as a kill in step 4 leaves it."""
    folder = tmp_path / "monday"
    cut_off(3).save(folder / STATE)
    mark_clusters(clusters, folder)
    return folder


def test_a_second_drill_notices_it_in_its_folder_and_on_either_cluster(folder, clusters, tmp_path):
    with pytest.raises(DrillError, match=r"cut off in the step “Failover”.*the primary is lost") as caught:
        refuse_unfinished(folder, [])
    assert f"halab drill {folder} --roll-back" in caught.value.hint
    for cluster in clusters:
        with pytest.raises(DrillError, match=r"monday was cut off"):
            refuse_unfinished(tmp_path / "tuesday", [cluster])
    (folder / "report.json").write_text("{}")
    remove_marks(clusters, folder)
    refuse_unfinished(folder, clusters)
    assert not is_unfinished(folder)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (cut_off(1, "waiting"), r"before the step “Standby”, 1 s after it began; nothing was lost"),
        (cut_off(2), r"in the step “Loss”.*the primary is lost \(proxy-1 was killed\)"),
        (cut_off(4), "in the step “Service”.*the standby is in charge, read-only"),
        (cut_off(5), "in the step “Measure”.*the standby is in charge\n"),
        (cut_off(8), "before its report was written.*the primary is in charge again"),
        (cut_off(4, "failed"), "while it was being undone"),
    ],
)
def test_where_it_stands_is_said_in_words(tmp_path, state, words):
    error = describe(tmp_path, state)
    with pytest.raises(DrillError, match=words):
        raise error
    assert "--roll-back" in error.hint


def test_one_process_runs_it(folder):
    with (
        lock(folder),
        pytest.raises(DrillError, match="running now, in another process"),
    ):
        refuse_unfinished(folder, [])
    with lock(folder):
        pass


def test_a_primary_that_was_started_again_is_not_taken_for_the_old_one(folder, clusters):
    primary = clusters[0]
    check_primary(primary, folder, cut_off(3))
    (primary.folder / "drill.json").unlink()
    with pytest.raises(DrillError, match=r"primary 'ours' was started again since; its rows went too"):
        check_primary(primary, folder, cut_off(3))


@pytest.mark.parametrize(("done", "hint"), [(3, "halab restore"), (5, "the standby stays in charge")])
def test_what_is_possible_when_the_primary_ended_with_its_owner(tmp_path, done, hint):
    error = cluster_missing_error(tmp_path, cut_off(done))
    assert "ended with the process that had started it" in error.message
    assert hint in error.hint


KILLED = """
import sys, time
from halab.protect.drill.runbook import Drill, Step
def do(name):
    def do(facts):
        facts.answers[name] = name
        if name == "two":
            print("there", flush=True)
            time.sleep(60)
        return name
    return do
Drill([Step(n, n, 90, do(n)) for n in ("one", "two", "three")], sys.argv[1], clock=time.monotonic).run()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_killed_in_a_step_leaves_a_state_that_says_so(tmp_path, how):
    path = tmp_path / STATE
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Where the tests run in the background of a shell, their children would ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        assert process.stdout.readline() == "there\n"
        process.send_signal(how)
        assert process.wait(20) != 0
    state = load_state(path)
    assert [one.status for one in state.records] == ["done", "running", "waiting"]
    assert state.facts.answers == {"one": "one"}
    with pytest.raises(DrillError, match="cut off in the step “two”"):
        refuse_unfinished(tmp_path, [])
