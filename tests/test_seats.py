"""docs/seats.md: its commands run as they stand there, beside a course that cannot be written."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from support.hub_seats import HubSeat

pytestmark = pytest.mark.browser  # it waits for servers, as a browser does

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```bash\n(.*?)^```", (ROOT / "docs" / "seats.md").read_text(), re.M | re.S)
EXERCISE = "exercises/06-failover-timeline/06-failover-timeline.ipynb"


def block(inside: str) -> str:
    (found,) = (one for one in BLOCKS if inside in one)
    return found


@contextmanager
def running(commands: str, home: Path, *programs: Path):
    """Run commands for a while; the course in /opt/course is read-only, as is all but `home`."""
    if not shutil.which("bwrap"):
        pytest.skip("needs bubblewrap: bwrap is not on PATH")
    home.mkdir()
    binaries = ":".join(map(str, (Path(sys.executable).parent, *programs)))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("HALAB", "JUPYTER"))
    }
    environment |= {"HOME": str(home), "USER": "ada", "PATH": f"{binaries}:{os.environ['PATH']}"}
    box = ["bwrap", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    box += ["--tmpfs", "/opt", "--ro-bind", str(ROOT), "/opt/course", "--bind", str(home), str(home)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [*box, "bash", "-c", commands],
            cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(psutil.NoSuchProcess):  # from within: the Hub ends its seats and its proxy
            for child in psutil.Process(process.pid).children(recursive=True):
                child.terminate()
        process.wait(30)


def wait_for(told, process, home, seconds=60):
    """What `told` returns as soon as it is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if answer := told():
            return answer
        time.sleep(0.2)
    pytest.fail((home / "log").read_text()[-3000:])


def test_a_shared_server_s_user_works_in_their_own_home_beside_a_course_they_cannot_write(tmp_path):
    home = tmp_path / "home"
    with running(block("halab lab --no-browser"), home) as process:
        found = wait_for(
            lambda: re.search(r"(http://127\.0\.0\.1:\d+)/lab\S*token=(\w+)", (home / "log").read_text()),
            process, home,
        )  # fmt: skip
        with httpx.Client(headers={"Authorization": f"token {found[2]}"}, trust_env=False) as client:
            assert client.get(f"{found[1]}/api/contents/{EXERCISE}").json()["type"] == "notebook"
    assert (home / "work" / EXERCISE).is_file()


def test_three_seats_of_a_hub_are_one_system_user_and_hand_in_three_files(tmp_path):
    home, programs = tmp_path / "home", ROOT / "node_modules" / ".bin"
    if not (programs / "configurable-http-proxy").exists():
        pytest.skip("needs configurable-http-proxy: run make check once")
    with running(block("jupyterhub --config"), home, programs) as process:
        wait_for(_answers, process, home)
        seats = [HubSeat("http://127.0.0.1:8000", name, "choose-one") for name in ("ada", "bo", "王伟")]
        for seat in seats:
            seat.wait()
            assert seat.api.get(f"/api/contents/{EXERCISE}").json()["type"] == "notebook"
            assert seat.api.get("/api/contents/solutions").status_code == 404
            assert (
                "nbgrader:formgrader"
                in seat.api.get("/lab").text.split('"disabledExtensions"')[1].split("]")[0]
            )
        for seat in seats:
            assert f"1 exercise and 0 journals of {seat.learner}" in seat.run(
                "from halab.classroom.hand_in import hand_in; print(hand_in().sentence())"
            )
        shared = home / "halab-hub" / "class"
        assert sorted(file.name for file in (shared / "hand-ins").iterdir()) == [
            f"hand-in-{name}.zip" for name in ("ada", "bo", "王伟")
        ]
        for seat in seats:
            seat.stop()


def _answers():
    try:
        return httpx.get("http://127.0.0.1:8000/hub/login", trust_env=False).is_success
    except httpx.TransportError:
        return False
