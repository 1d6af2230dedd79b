import sys

import pytest

from halab.cluster.compose import owner_watch
from halab.cluster.compose.docker import find_docker
from halab.errors import ClusterError

ANSWERS = """#!/bin/sh
case "$1 $2" in
  "compose version") echo "{compose}"; exit {compose_status} ;;
  "version --format") {server} ;;
esac
echo "Cannot connect to the Docker daemon" >&2
exit 1
"""
SERVER = """echo '{"Version": "28.2", "Components": [{"Name": "%s"}]}'; exit 0"""


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """Puts a command `docker` that answers so on an otherwise empty path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    find_docker.cache_clear()

    def put(compose="2.26.1", compose_status=0, server=":"):
        script = tmp_path / "docker"
        text = ANSWERS.replace("{compose}", compose).replace("{compose_status}", str(compose_status))
        script.write_text(text.replace("{server}", server))
        script.chmod(0o755)

    yield put
    find_docker.cache_clear()


def test_a_docker_that_answers_is_found_with_its_version(on_path):
    on_path(server=SERVER % "Engine")
    found = find_docker()
    assert (found.product, found.version) == ("docker", "28.2")


def test_a_podman_behind_its_socket_is_told_apart(on_path):
    on_path(server=SERVER % "Podman Engine")
    assert find_docker().product == "podman"


@pytest.mark.parametrize(
    ("answers", "words", "advice"),
    [
        (None, "was not found", "The embedded engine needs neither"),
        ({"compose": "1.29.2"}, "found 1.29.2", "docker-compose-plugin"),
        ({"compose": "", "compose_status": 1}, "no Compose plugin", "docker-compose-plugin"),
        ({}, "does not answer: Cannot connect", "systemctl start docker"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(on_path, answers, words, advice):
    if answers is not None:
        on_path(**answers)
    with pytest.raises(ClusterError, match=words) as error:
        find_docker()
    assert advice in error.value.hint


def test_an_owner_watch_takes_down_what_its_owner_left(monkeypatch):
    monkeypatch.setattr(owner_watch, "_POLL", 0.01)
    done = []
    owner_watch.watch(2**22 + 1, 0.0, lambda: True, lambda: done.append("down"))  # no such process
    assert done == ["down"]


def test_an_owner_watch_ends_when_nothing_is_owned():
    owner_watch.watch(1, 0.0, lambda: False, lambda: sys.exit("it must not take anything down"))
