"""A Docker that answers, and one highly available cluster of the shipped file for all tests of a run.

`make test-compose` brings a Docker of its own, with images built here. With another Docker, the official
images are pulled: `.venv/bin/python -m pytest -m compose tests/compose`.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from halab.cluster.compose import compose_cluster, docker
from halab.cluster.embedded.ports import free_ports
from halab.errors import ClusterError

ROOT = Path(__file__).parents[2]
PROJECT = "halab-course"
LABEL = f"label=com.docker.compose.project={PROJECT}"


class User:
    """Somebody with Docker in the folder of the course."""

    def __init__(self):
        self.port = free_ports(1)[0]
        self.env = {**os.environ, "HALAB_PORT": str(self.port)}

    def types(self, *words, timeout=300):
        done = subprocess.run(
            ["docker", *words], cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=timeout,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"docker {' '.join(words)}:\n{done.stderr[-2000:]}"
        return done.stdout

    def containers(self):
        """What Docker says of each container of the cluster, by service."""
        ids = self.types("ps", "-aq", "--filter", LABEL).split()
        found = json.loads(self.types("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def left(self):
        """Whatever Docker still has of the cluster: containers, networks, volumes."""
        lists = (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q"))
        return [one for words in lists for one in self.types(*words, "--filter", LABEL).split()]


@pytest.fixture(scope="session", autouse=True)
def the_docker():
    """Skips, by name, where no Docker can be asked."""
    try:
        return docker.find_docker()
    except ClusterError as error:
        pytest.skip(f"no Docker with Compose v2: {error.message.splitlines()[0]}")


@pytest.fixture(scope="session")
def user(the_docker):
    return User()


@pytest.fixture(scope="session")
def room(user, tmp_path_factory):
    """No cluster in the beginning, and in the end none, whatever the tests did."""
    assert not user.left(), "There is a cluster already: docker compose --profile '*' down -v"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("halab")))
        yield
    user.types("compose", "--profile", "*", "down", "--volumes")
    assert not user.left()


@pytest.fixture(scope="session")
def course(user, room):
    """The profile ha of the shipped file, brought up as the README says, and healthy."""
    user.types("compose", "up", "--detach", "--wait", "--wait-timeout", "240")
    return compose_cluster.attach("course")
