"""What the engine adds to the file: growing and shrinking, a cut one way, an end that nothing prevents."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from halab.cli import app
from halab.cluster import open_cluster
from halab.cluster.compose import projects
from halab.cluster.compose.docker import PROJECT
from halab.errors import TargetError

pytestmark = [pytest.mark.compose, pytest.mark.timeout(180)]
OWNER = """
import os, subprocess, time
from halab.cluster.compose import projects
from halab.cluster.compose import owner_watch
from halab.cluster.compose.docker import find_docker

docker = find_docker()
env = docker.environment(**projects.settings("small", 10, 19531, "2.5"))
command = docker.compose("halab-guarded", projects.file("2.5"), "up", "--detach", "etcd")
subprocess.run(command, env=env, check=True, capture_output=True)
projects.folder("guarded").mkdir(parents=True)
projects.record_owner("guarded")
owner_watch.start_owner_watch("guarded", env)
print("up", flush=True)
time.sleep(600)
"""


def command(*words):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.output


def test_the_commands_find_what_docker_compose_started(course):
    seen = json.loads(command("status", "--json"))
    assert (seen["uri"], len(seen["components"])) == (course.uri, 22)
    assert command("logs", "etcd leader", "--lines", "3").strip()
    before = course.resolve("indexnode-1").pid
    assert "healthy after" in command("restart", "indexnode-1")
    assert course.resolve("indexnode-1").pid != before
    command("fault", "hang", "indexnode-1")
    assert course.resolve("indexnode-1").health == "hung"
    assert "Healed: indexnode-1" in command("heal")


def test_a_notebook_that_names_no_engine_joins_it(course, monkeypatch):
    monkeypatch.delenv("HALAB_ENGINE", raising=False)
    with open_cluster(progress=lambda _: None) as joined:
        assert (joined.engine, joined.uri) == ("compose", course.uri)
    assert projects.exists("course"), "who joined does not take it down"


def test_a_query_node_is_added_and_removed_while_the_cluster_runs(course):
    added = course.add("querynode")
    assert (added.name, added.health) == ("querynode-4", "healthy")
    assert {one.by for one in course.events() if (one.component, one.kind) == ("querynode-4", "added")} == {
        "user"
    }
    course.remove(added)
    with pytest.raises(TargetError):
        course.resolve("querynode-4")
    course.wait_healthy()


def test_a_coordinator_whose_words_are_lost_loses_its_lease(course):
    before = course.active("rootcoord").name
    with course.fault("mute", "active rootcoord") as fault:
        assert course.resolve(before).note == "fault: mute"
        until = time.monotonic() + 40
        while (now := next((one.name for one in leaders(course)), before)) == before:
            assert time.monotonic() < until, "the standby did not take over"
            time.sleep(0.5)
    assert fault.component == before
    assert course.active("rootcoord").name == now


def leaders(cluster):
    """The root coordinators that are active now: none, while one has lost its lease and none has won it."""
    return [one for one in cluster.components() if (one.role, one.ha_state) == ("rootcoord", "active")]


def test_a_cluster_ends_with_its_owner_even_if_that_is_killed(the_docker, tmp_path):
    env = {**os.environ, "HALAB_HOME": str(tmp_path)}
    owner = subprocess.Popen([sys.executable, "-c", OWNER], env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout.readline() == "up\n"
        assert projects.exists("guarded")
        owner.send_signal(signal.SIGKILL)
        until = time.monotonic() + 60
        while left(the_docker):
            assert time.monotonic() < until, left(the_docker)
            time.sleep(0.3)
    finally:
        owner.kill()
        owner.communicate()
        projects.remove("guarded")


def left(docker):
    """Containers, networks and volumes of the guarded project."""
    label = f"--filter=label={PROJECT}=halab-guarded"
    lists = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
    return [one for words in lists for one in docker.run(*words, "--quiet", label).split()]
