"""`halab lab` as a learner starts it: a real JupyterLab server, asked over HTTP."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
import websocket

pytestmark = pytest.mark.browser

LESSON = "course/06-failover-timeline.ipynb"


@pytest.fixture
def server(course, tmp_path):
    """The URL of a running server, its token and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: str(tmp_path / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    log = tmp_path / "server.log"
    (tmp_path / "HOME").mkdir()
    (tmp_path / "HOME" / ".profile").write_text("PATH=/usr/bin:/bin\n")  # as many systems' profiles do
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "halab", "lab", "--no-browser", "--port", str(port)],
            env=os.environ | own | {"HALAB_COURSE": str(course)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield *_printed_url(log, process), process
    finally:
        process.terminate()
        process.wait(15)


def _printed_url(log, process, timeout=60.0):
    end = time.monotonic() + timeout
    while time.monotonic() < end and process.poll() is None:
        found = re.search(
            r"(http://127\.0\.0\.1:\d+)/lab/tree/course/00-start-here\.ipynb\?token=(\w+)", log.read_text()
        )
        if found:
            return found[1], found[2]
        time.sleep(0.1)
    pytest.fail(f"no URL was printed:\n{log.read_text()[-2000:]}")


def test_a_learner_gets_a_url_and_their_own_copies_behind_a_token(course, server):
    url, token, process = server
    with httpx.Client(base_url=url, headers={"Authorization": f"token {token}"}, trust_env=False) as client:
        assert client.get(f"/api/contents/{LESSON}").json()["type"] == "notebook"
        assert (course / "work" / LESSON).is_file()
        assert client.get("/api/contents/solutions").status_code == 404
        news = client.get("/lab/api/settings/@jupyterlab/apputils-extension:notification").json()
        assert news["schema"]["properties"]["fetchNews"]["default"] == "false"
        page = client.get("/lab").text
        assert "@jupyter/nbgrader:formgrader" in page.split('"disabledExtensions"')[1].split("]")[0]
    assert httpx.get(f"{url}/api/contents/{LESSON}", trust_env=False).status_code == 403
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    assert {address for one in family for address in listening(one)} == {"127.0.0.1"}


def test_a_terminal_finds_halab_though_the_profile_sets_the_path_anew(server):
    url, token, _ = server
    with httpx.Client(base_url=url, headers={"Authorization": f"token {token}"}, trust_env=False) as client:
        terminal = client.post("/api/terminals").json()["name"]
    address = url.replace("http", "ws", 1) + f"/terminals/websocket/{terminal}?token={token}"
    connection = websocket.create_connection(address, timeout=30, origin=url)
    try:
        connection.send(json.dumps(["stdin", "command -v halab\r"]))
        shown = ""
        while str(Path(sys.executable).with_name("halab")) not in shown:
            kind, *text = json.loads(connection.recv())  # ends with an error after 30 s of silence
            shown += text[0] if kind == "stdout" else ""
    finally:
        connection.close()


def test_settings_are_kept_with_the_learner_s_work_and_not_with_the_account(course, server, tmp_path):
    url, token, _ = server
    theme = "@jupyterlab/apputils-extension:themes"
    with httpx.Client(base_url=url, headers={"Authorization": f"token {token}"}, trust_env=False) as client:
        changed = client.put(f"/lab/api/settings/{theme}", json={"raw": '{"theme": "JupyterLab Dark"}'})
        assert changed.status_code == 204
        layout = {"data": {}, "metadata": {"id": "default"}}
        assert client.put("/lab/api/workspaces/default", json=layout).status_code == 204
    kept = course / "work" / ".halab" / "jupyter"
    assert list(kept.glob("settings/**/themes.jupyterlab-settings"))
    assert list(kept.glob("workspaces/*.jupyterlab-workspace"))
    assert not list((tmp_path / "HOME").rglob("*jupyterlab*"))


def listening(process):
    """The addresses a process listens on; none if it has just ended."""
    try:
        return {one.laddr.ip for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    except psutil.NoSuchProcess:
        return set()
