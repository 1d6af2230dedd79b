"""Docker without a daemon: what it said of a real cluster on its way up, and a command that only notes."""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from halab.cluster.compose.docker import Docker

# Docker 20.10.24, project halab-course: 23 containers. Both data coordinators had just ended, and Docker was
# about to start them again; the balancer was made and not started yet. Shortened to what is read of it.
RECORDED = json.loads(Path(__file__).with_name("inspect.json").read_text())


@dataclass(frozen=True)
class Notes(Docker):
    """A Docker that answers with a record, and notes what it is told to do."""

    command: str = "docker"
    told: list[tuple[str, ...]] = field(default_factory=list)
    inspected: list[dict] = field(default_factory=list)

    def run(self, *arguments, check=True):
        self.told.append(arguments)
        return ""

    def ids(self, project):
        return [one["Id"] for one in self.inspected]

    def inspect(self, ids):
        return [one for one in self.inspected if one["Id"] in ids]


@pytest.fixture
def inspected():
    """The record, free to change: services by name."""
    return copy.deepcopy(RECORDED)


@pytest.fixture
def service(inspected):
    """The record of one service's container."""
    found = {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in inspected}
    return found.__getitem__


@pytest.fixture
def docker(inspected):
    return Notes(inspected=inspected)
