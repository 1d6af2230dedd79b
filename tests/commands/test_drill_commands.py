"""The command `halab drill` where it cannot begin or roll back; tests/protect runs it on real clusters."""

import pytest
from typer.testing import CliRunner

from halab.cli import app
from halab.errors import ClusterNotFound, DrillError
from halab.protect.drill.runbook import Facts, Record, State
from halab.protect.drill.unfinished import STATE


@pytest.fixture(autouse=True)
def no_clusters(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path):
    """The folder of a drill whose process was killed in its first step."""
    record = Record("backup", "Verify the newest backup", "halab", 30.0, "running", 0.0)
    state = State("Drill", "2026-11-25T12:00:00+00:00", 0.0, [record], Facts(primary="ours"))
    state.save(tmp_path / "monday" / STATE)
    return tmp_path / "monday"


def drill(*arguments):
    return CliRunner().invoke(app, ["drill", *map(str, arguments)])


def test_a_drill_needs_two_clusters_that_run(tmp_path):
    same = drill(tmp_path / "d", "--primary", "a", "--standby", "a")
    assert isinstance(same.exception, DrillError)
    assert isinstance(drill(tmp_path / "d").exception, ClusterNotFound)


def test_a_drill_whose_primary_is_gone_is_not_rolled_back(folder):
    run = drill(folder, "--roll-back")
    assert isinstance(run.exception, DrillError)
    assert "primary 'ours' no longer runs" in run.exception.message


def test_where_there_is_no_drill_or_it_has_ended_nothing_is_rolled_back(folder, tmp_path):
    none = drill(tmp_path / "friday", "--roll-back")
    assert isinstance(none.exception, DrillError)
    assert "there is no drill" in none.exception.message
    (folder / "report.json").write_text("{}")
    ended = drill(folder, "--roll-back")
    assert "has ended" in ended.exception.message
