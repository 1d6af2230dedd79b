"""up, status, down, fault, heal, restart, logs: what needs no cluster."""

import pytest
from typer.testing import CliRunner

from halab import cli
from halab.errors import ClusterError, ClusterNotFound


@pytest.mark.parametrize(
    "arguments", [["status"], ["down"], ["heal"], ["fault", "crash", "log"], ["logs", "log"]]
)
def test_a_cluster_that_does_not_run_is_told_not_traced(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path))
    result = CliRunner().invoke(cli.app, arguments)
    assert isinstance(result.exception, ClusterNotFound)
    assert "halab up" in result.exception.hint


def test_the_embedded_engine_has_one_milvus_and_says_so():
    result = CliRunner().invoke(cli.app, ["up", "--engine", "embedded", "--milvus", "2.6"])
    assert isinstance(result.exception, ClusterError)
    assert '"compose"' in result.exception.hint


def test_taking_everything_down_where_nothing_runs_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path))
    result = CliRunner().invoke(cli.app, ["down", "--all"])
    assert result.exit_code == 0
    assert "nothing to take down" in result.output
