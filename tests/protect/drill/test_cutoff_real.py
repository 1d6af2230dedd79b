"""A drill on two real clusters that is cut off twice, by Ctrl-C and by a kill, and comes to its end."""

import json
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from halab.cli import app
from halab.cluster.embedded import embedded_cluster
from halab.errors import DrillError
from halab.measure import Journal
from halab.protect.drill.runbook import load_state

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def primary(real_home):
    with (
        embedded_cluster.start("primary", "small", 10) as primary,
        embedded_cluster.start("standby", "small", 10),
    ):
        yield primary


def hears_ctrl_c():
    """Also where the tests themselves run in the background of a shell, which has its children ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def cut_off(arguments, step, how):
    """Run `halab drill` until a step is under way, and cut it off there; its exit status and output."""
    command = [sys.executable, "-m", "halab", "drill", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=hears_ctrl_c
    )
    with process:
        end = time.monotonic() + 120
        while not is_running(arguments[0], step):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < end, f"{step} did not begin"
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(how)
        said = process.stdout.read()
    return process.returncode, " ".join(said.split())


def is_running(folder, step):
    try:
        return any(
            one.name == step and one.status == "running" for one in load_state(f"{folder}/state.json").records
        )
    except DrillError:
        return False


def test_a_drill_that_is_cut_off_twice_is_gone_on_with_to_its_end(primary, tmp_path):
    folder = str(tmp_path / "monday")
    status, said = cut_off([folder], "loss", signal.SIGINT)
    assert status == 130, said
    assert "was cut off in the step “Lose the primary”" in said
    assert cut_off([folder, "--resume"], "failover", signal.SIGKILL)[0] == -signal.SIGKILL
    second = CliRunner().invoke(app, ["drill", str(tmp_path / "tuesday")])
    assert "cut off in the step “Fail over”" in second.exception.message
    assert "no other is in charge" in second.exception.message

    last = CliRunner().invoke(app, ["drill", folder, "--resume", "--rto", "1"])
    report = json.loads((tmp_path / "monday" / "report.json").read_text())
    assert [one["status"] for one in report["steps"]] == ["done"] * 8, last.output
    assert report["verdict"].startswith("Passed")
    assert (len(report["resumed"]), last.exit_code) == (2, 1)
    assert report["rpo_rows"] > 0
    assert report["lost_at_home"] == 0
    assert report["targets"]["rto"] == 60
    primary.wait_healthy()

    journal = Journal.load(tmp_path / "monday" / "journal.jsonl")
    assert not journal.count.missing
    assert any("no probe was sent" in note for note in journal.notes)
    assert [fault.kind for fault in journal.faults] == ["lose"]
    left = {path.name for path in (tmp_path / "monday").iterdir()}
    assert not left & {"samples.jsonl", "drill.lock"}
    again = CliRunner().invoke(app, ["drill", folder, "--resume"])
    assert "at its end" in again.exception.message
