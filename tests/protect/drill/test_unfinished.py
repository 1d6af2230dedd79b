"""A drill that was cut off: it is noticed, explained, held by one process, and gone on with."""

import json
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from halab.cli import app as cli
from halab.errors import DrillError
from halab.models.samples import Outcome, Sample
from halab.protect.drill.runbook import Drill, Record, State, Step, load_state
from halab.protect.drill.unfinished import (
    STATE,
    SampleLog,
    address_book,
    check_clusters,
    cluster_missing_error,
    describe,
    is_unfinished,
    lock,
    mark_clusters,
    read_samples,
    refuse_unfinished,
    remove_marks,
)

NAMES = ("backup", "standby", "loss", "failover", "service", "measure", "report", "failback")


def cut_off(done, status="running", failed=None):
    """A state in which so many steps are done and the next one has this status."""
    records = [Record(name, name.title(), "halab", 30.0) for name in NAMES]
    for at, record in enumerate(records[: done + 1]):
        record.status, record.began = ("done" if at < done else status), float(at)
    setting = {"primary": "ours", "standby": "theirs"}
    return State(
        "Drill", "2026-11-25T12:00:00+00:00", 0.0, records, {"component": "proxy-1", "setting": setting}
    )


class Cluster:
    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        folder.mkdir()


@pytest.fixture
def clusters(tmp_path):
    return {"primary": Cluster(tmp_path / "ours"), "standby": Cluster(tmp_path / "theirs")}


@pytest.fixture
def folder(tmp_path, clusters):
    """A drill's folder as a kill in step 4 leaves it."""
    folder = tmp_path / "monday"
    folder.mkdir()
    (folder / STATE).write_text(cut_off(3).text())
    mark_clusters(clusters, folder)
    return folder


def test_a_second_drill_notices_it_in_its_folder_and_on_either_cluster(folder, clusters, tmp_path):
    with pytest.raises(DrillError, match=r"cut off in the step “Failover”.*the primary is lost") as caught:
        refuse_unfinished(folder, {})
    assert f"halab drill {folder} --resume" in caught.value.hint
    for role in clusters:
        with pytest.raises(DrillError, match=r"monday was cut off"):
            refuse_unfinished(tmp_path / "tuesday", {role: clusters[role]})
    (folder / "report.json").write_text("{}")
    remove_marks(clusters, folder)
    refuse_unfinished(folder, clusters)
    assert not is_unfinished(folder)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (cut_off(1, "waiting"), r"before the step “Standby”, 1 s after it began; nothing was lost"),
        (cut_off(2), r"in the step “Loss”.*the primary is lost \(proxy-1 was killed\)"),
        (cut_off(4), "in the step “Service”.*the standby is in charge, read-only"),
        (cut_off(5), "in the step “Measure”.*the standby is in charge\n"),
        (cut_off(8), "before its report was written.*the primary is in charge again"),
        (cut_off(4, "failed"), "while it was being undone"),
    ],
)
def test_where_it_stands_is_said_in_words(tmp_path, state, said):
    error = describe(tmp_path, state)
    with pytest.raises(DrillError, match=said):
        raise error
    assert "--roll-back" in error.hint
    assert ("--resume" in error.hint) == ("being undone" not in said)


def test_who_is_in_charge_follows_from_what_is_done():
    books = [address_book(cut_off(done)) for done in range(9)]
    assert [book.current for book in books] == ["primary"] * 4 + ["standby"] * 4 + ["primary"]
    assert [book.writable for book in books] == [True] * 4 + [False] + [True] * 4


def test_one_process_runs_it(folder):
    with (
        lock(folder),
        pytest.raises(DrillError, match="running now, in another process"),
    ):
        refuse_unfinished(folder, {})
    with lock(folder):
        pass


def test_a_cluster_that_was_started_again_is_not_taken_for_the_old_one(folder, clusters):
    check_clusters(clusters, folder, cut_off(3))
    (clusters["standby"].folder / "drill.json").unlink()
    with pytest.raises(DrillError, match=r"standby 'theirs' was started again since; its rows went too"):
        check_clusters(clusters, folder, cut_off(3))


@pytest.mark.parametrize(
    ("role", "done", "hint"),
    [
        ("primary", 3, "halab restore"),
        ("primary", 5, "the standby stays in charge"),
        ("standby", 3, "--roll-back"),
    ],
)
def test_what_is_possible_when_a_cluster_died_with_its_owner(tmp_path, role, done, hint):
    error = cluster_missing_error(role, "ours", tmp_path, cut_off(done))
    assert "ended with the process that had started it" in error.message
    assert hint in error.hint


def test_the_command_says_so_when_the_clusters_are_gone(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "home"))
    for flag in ("--resume", "--roll-back"):
        run = CliRunner().invoke(cli, ["drill", str(folder), flag])
        assert isinstance(run.exception, DrillError)
        assert "no longer runs" in run.exception.message
    both = CliRunner().invoke(cli, ["drill", str(folder), "--resume", "--roll-back"])
    assert both.exit_code == 2
    none = CliRunner().invoke(cli, ["drill", str(tmp_path / "friday"), "--resume"])
    assert isinstance(none.exception, DrillError)
    (folder / "report.json").write_text("{}")
    ended = CliRunner().invoke(cli, ["drill", str(folder), "--resume"])
    assert "at its end" in ended.exception.message


def test_no_probe_is_lost_but_the_one_that_was_being_written(tmp_path):
    samples = [Sample("insert", n, n, n, n + 0.01, Outcome.OK, key=n) for n in range(3)]
    log = SampleLog(tmp_path)
    for sample in samples:
        log(sample)
    log.close()
    log(samples[0])  # one that comes late is no error
    with (tmp_path / "samples.jsonl").open("a") as file:
        file.write('{"operation": "insert", "num')
    assert read_samples(tmp_path) == samples
    assert read_samples(tmp_path / "nowhere") == []


KILLED = """
import sys, time
from halab.protect.drill.runbook import Drill, Step
def do(name):
    def do(facts):
        facts[name] = True
        if name == "two":
            print("there", flush=True)
            time.sleep(60)
        return name
    return do
Drill([Step(n, n, 90, do(n)) for n in ("one", "two", "three")], sys.argv[1], clock=time.monotonic).run()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_killed_in_a_step_leaves_a_drill_that_goes_on(tmp_path, how):
    path, undone = tmp_path / STATE, []
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
    assert [one.status for one in load_state(path).records] == ["done", "running", "waiting"]
    steps = [
        Step(name, name, 90, lambda facts: "", undo=lambda facts, name=name: undone.append(name))
        for name in ("one", "two", "three")
    ]
    state = Drill(steps, path, clock=time.monotonic).run()
    assert state.passed
    assert undone == ["two"]
    assert (len(state.resumed), set(state.facts)) == (1, {"one"})
    assert json.loads(path.read_text())["resumed"] == state.resumed
    Drill(steps, path, clock=time.monotonic).roll_back()
    with pytest.raises(DrillError, match="taken back"):
        Drill(steps, path, clock=time.monotonic).run()
