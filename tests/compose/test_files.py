"""Docker Compose accepts both files for every profile, and they say what their first lines promise."""

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.compose

ROOT = Path(__file__).parents[2]
CURRENT = ("--file", "docker-compose.current.yml")
LAPTOP = 8192  # MiB: what Docker Desktop takes of a laptop with 16 GiB
HA = {
    "etcd": 3, "log": 3, "objectstore": 1, "rootcoord": 2, "querycoord": 2, "datacoord": 2,
    "querynode": 3, "datanode": 2, "indexnode": 2, "proxy": 2, "balancer": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def services(user):
    def services(*words):
        return json.loads(user.types("compose", *words, "config", "--format", "json"))["services"]

    return services


def count(services):
    """How many services there are of each role."""
    roles = [one["labels"]["org.halab.role"] for one in services.values()]
    return {role: roles.count(role) for role in roles}


def memory(services):
    """The sum of the limits, MiB."""
    limits = (one["deploy"]["resources"]["limits"] for one in services.values())
    return sum(int(limit["memory"]) for limit in limits) / 2**20


def test_without_a_word_it_is_the_profile_ha(services):
    assert count(services()) == HA


def test_small_is_one_of_each(services):
    assert count(services("--profile", "small")) == dict.fromkeys(HA, 1)


def test_monitoring_comes_beside_any(services):
    assert count(services("--profile", "ha", "--profile", "monitoring")) == HA | {"monitoring": 3}


def test_the_second_file_has_the_roles_of_current_milvus(services):
    assert count(services(*CURRENT)) == {
        "etcd": 3, "objectstore": 1, "mixcoord": 2, "streamingnode": 2, "querynode": 3, "datanode": 2,
        "proxy": 2, "balancer": 1,
    }  # fmt: skip


@pytest.mark.parametrize("words", [(), ("--profile", "small"), ("--profile", "*"), CURRENT])
def test_every_port_is_on_this_machine_only_and_every_image_has_a_version(services, words):
    for name, one in services(*words).items():
        assert all(port["host_ip"] == "127.0.0.1" for port in one.get("ports", [])), name
        assert re.search(r":v?\d+\.\d+", one["image"]), name
        assert one["restart"] == "unless-stopped", name


@pytest.mark.parametrize("words", [(), CURRENT])
def test_the_limits_add_up_to_what_the_file_says_and_to_a_laptop(services, words):
    text = (ROOT / (words[1] if words else "docker-compose.yml")).read_text()
    total = memory(services(*words))
    assert f"{total:.0f} in all" in text
    assert total <= LAPTOP


def test_each_is_watched_by_a_check_of_its_own(services):
    watched = services("--profile", "ha", "--profile", "small") | services(*CURRENT)
    assert all(one["healthcheck"]["retries"] <= 3 for one in watched.values())
