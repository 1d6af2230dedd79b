"""Drills on two real clusters: cut off by Ctrl-C and by a kill, rolled back; and one that passes."""

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
from halab.measure.journal.journal_file import Journal
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
        output = process.stdout.read()
    return process.returncode, " ".join(output.split())


def is_running(folder, step):
    try:
        return load_state(f"{folder}/state.json").status(step) == "running"
    except DrillError:
        return False


def test_a_drill_that_is_cut_off_is_rolled_back_and_the_next_one_passes(primary, tmp_path):
    monday, tuesday = str(tmp_path / "monday"), str(tmp_path / "tuesday")
    status, output = cut_off([monday], "loss", signal.SIGINT)
    assert status == 130, output
    assert "was cut off in the step “Lose the primary”" in output
    refused = CliRunner().invoke(app, ["drill", tuesday])
    assert "cut off in the step “Lose the primary”" in refused.exception.message
    back = CliRunner().invoke(app, ["drill", monday, "--roll-back"])
    assert back.exit_code == 0, back.output
    assert "Rolled back" in back.output
    assert all(part.health == "healthy" for part in primary.components())
    verdict = json.loads((tmp_path / "monday" / "report.json").read_text())["verdict"]
    assert verdict == "Not passed: it was cut off and rolled back."
    again = CliRunner().invoke(app, ["drill", monday, "--roll-back"])
    assert "has ended" in again.exception.message

    assert cut_off([tuesday], "failover", signal.SIGKILL)[0] == -signal.SIGKILL
    refused = CliRunner().invoke(app, ["drill", str(tmp_path / "wednesday")])
    assert "cut off in the step “Fail over”" in refused.exception.message
    assert "no other is in charge" in refused.exception.message
    assert CliRunner().invoke(app, ["drill", tuesday, "--roll-back"]).exit_code == 0

    last = CliRunner().invoke(app, ["drill", str(tmp_path / "wednesday"), "--rto", "1"])
    report = json.loads((tmp_path / "wednesday" / "report.json").read_text())
    assert [one["status"] for one in report["steps"]] == ["done"] * 8, last.output
    assert (report["verdict"], last.exit_code) == ("Passed, with targets missed.", 1)
    assert report["rpo_rows"] > 0
    assert report["lost_at_home"] == 0
    primary.wait_healthy()

    journal = Journal.load(tmp_path / "wednesday" / "journal.jsonl")
    assert not journal.count.missing
    assert [fault.kind for fault in journal.faults] == ["lose"]
    assert not (tmp_path / "wednesday" / "drill.lock").exists()
