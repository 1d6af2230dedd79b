"""A Docker that answers, and one highly available cluster of the shipped file for all tests of a run.

`make test-compose` brings a Docker of its own, with images built here. With another Docker, the official images are pulled:
`.venv/bin/python -m pytest -m compose tests/compose`.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from halab.cluster.compose import docker as command_line
from halab.cluster.compose import engine
from halab.cluster.embedded.ports import free_ports
from halab.errors import ClusterError

ROOT = Path(__file__).parents[2]
PROJECT = "halab-course"


class Compose:
    """`docker compose` as a user types it, in the folder of the course."""

    def __init__(self, **variables):
        self.env = {**os.environ, "HALAB_PORT": str(free_ports(1)[0]), **variables}

    def __call__(self, *words, timeout=300):
        return docker("compose", *words, env=self.env, timeout=timeout)

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.env['HALAB_PORT']}"


def docker(*words, env=None, timeout=60):
    done = subprocess.run(
        ["docker", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"docker {' '.join(words)}:\n{done.stderr[-2000:]}"
    return done.stdout


def inspected(project=PROJECT):
    """What Docker says of each container of a project, by service."""
    ids = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}").split()
    found = json.loads(docker("inspect", *ids)) if ids else []
    return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}


def left_of(project=PROJECT):
    """Whatever of a project Docker still has: containers, networks, volumes."""
    label = f"label=com.docker.compose.project={project}"
    lists = (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q"))
    return [(words[0], one) for words in lists for one in docker(*words, "--filter", label).split()]


@pytest.fixture(scope="session", autouse=True)
def the_docker():
    """Skips, by name, where no Docker can be asked."""
    try:
        return command_line.find_docker()
    except ClusterError as error:
        pytest.skip(f"no Docker Engine with Compose v2: {error.message.splitlines()[0]}")


@pytest.fixture(scope="session")
def compose(the_docker, tmp_path_factory):
    """The user's command. Whatever the tests did: in the end nothing of the cluster is left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("halab")))
        assert not left_of(), f"there is a cluster {PROJECT} already: halab down, or docker compose --profile '*' down -v"
        compose = Compose(HALAB_TTL="10")
        yield compose
        compose("--profile", "*", "down", "--volumes")
        assert not left_of()


@pytest.fixture(scope="session")
def course(compose):
    """The profile ha of the shipped file, brought up as a user does, and ready."""
    compose("up", "--detach", "--wait", "--wait-timeout", "240", timeout=300)
    return engine.attach("course")
