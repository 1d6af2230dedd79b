"""Which engine a name or a word leads to. Nothing is started."""

import pytest
from typer.testing import CliRunner

from halab.cli import app
from halab.cluster import attach_cluster, open_cluster, starter
from halab.cluster.compose import compose_cluster, projects, startup
from halab.errors import ClusterError, ClusterNotFound


def test_every_engine_that_runs_something_is_started_by_its_name():
    assert starter("compose") is startup.start
    assert starter("embedded").__module__ == "halab.cluster.embedded.embedded_cluster"


@pytest.mark.parametrize("ask", [lambda: open_cluster(engine="cloud"), lambda: starter("cloud")])
def test_an_unknown_engine_is_told_with_those_there_are(ask):
    with pytest.raises(ClusterError, match="no engine 'cloud'") as told:
        ask()
    assert "compose" in told.value.hint


def test_the_environment_chooses_the_engine_for_the_command_too(monkeypatch):
    monkeypatch.setenv("HALAB_ENGINE", "cloud")
    assert isinstance(CliRunner().invoke(app, ["up"]).exception, ClusterError)


def test_a_cluster_in_containers_is_found_where_no_process_has_that_name(home, monkeypatch):
    monkeypatch.setattr(projects, "exists", lambda name: name == "course")
    monkeypatch.setattr(compose_cluster, "attach", lambda name: f"{name} in containers")
    assert attach_cluster("course") == "course in containers"
    with pytest.raises(ClusterNotFound):
        attach_cluster("other")


def test_what_runs_already_is_joined_by_whoever_names_no_engine(home, monkeypatch):
    monkeypatch.delenv("HALAB_ENGINE", raising=False)
    monkeypatch.setattr(projects, "exists", lambda name: name == "course")
    monkeypatch.setattr(startup, "start", lambda name, *_, **__: f"{name} in containers")
    assert open_cluster("course") == "course in containers"
    assert open_cluster("course", engine="simulated").engine == "simulated"


def test_a_simulated_cluster_cannot_be_brought_up_by_the_command(monkeypatch):
    monkeypatch.setenv("HALAB_ENGINE", "simulated")
    said = CliRunner().invoke(app, ["up"]).exception
    assert isinstance(said, ClusterError)
    assert "runs nothing" in said.message
