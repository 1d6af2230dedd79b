"""Seats of a JupyterHub, as their learners' browsers use them: log in, start, open, run code."""

import asyncio
import json
import time
import uuid
from urllib.parse import quote

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect


class HubSeat:
    """One learner's seat. Whoever makes it is logged in, and the Hub starts it; `wait` until it has."""

    def __init__(self, hub, learner, password):
        self.learner = learner
        self._browser = httpx.Client(base_url=hub, follow_redirects=True, timeout=120, trust_env=False)
        self._browser.get("/hub/login")
        said = {"username": learner, "password": password, "_xsrf": self._xsrf()}
        assert self._browser.post("/hub/login", data=said).is_success
        user = f"/hub/api/users/{quote(learner)}"
        made = self._browser.post(f"{user}/tokens", json={}, headers={"X-XSRFToken": self._xsrf()})
        self._headers = {"Authorization": f"token {made.raise_for_status().json()['token']}"}
        self._hub = httpx.Client(headers=self._headers, timeout=120, trust_env=False)
        self._user = f"{hub}{user}"
        place = f"{hub}/user/{quote(learner)}"
        self.api = httpx.Client(base_url=place, headers=self._headers, timeout=120, trust_env=False)
        self._socket = place.replace("http://", "ws://")

    def _xsrf(self):
        return next(cookie.value for cookie in self._browser.cookies.jar if cookie.name == "_xsrf")

    def wait(self, seconds=120):
        end = time.monotonic() + seconds
        while not self._hub.get(self._user).json()["servers"].get("", {}).get("ready"):
            assert time.monotonic() < end, f"the seat of {self.learner} did not start"
            time.sleep(0.3)

    def stop(self):
        self._hub.delete(f"{self._user}/server")
        for client in (self._browser, self._hub, self.api):
            client.close()

    def run(self, code, path="course/06-failover-timeline.ipynb", seconds=300):
        """Run code in a new kernel of a notebook, and return what it printed. Raises what the code raised."""
        asked = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        session = self.api.post("/api/sessions", json=asked).raise_for_status().json()
        try:
            return asyncio.run(asyncio.wait_for(self._run(session["kernel"]["id"], code), seconds))
        finally:
            self.api.delete(f"/api/sessions/{session['id']}")

    async def _run(self, kernel, code):
        request = HTTPRequest(f"{self._socket}/api/kernels/{kernel}/channels", headers=self._headers)
        socket = await websocket_connect(request)
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": "", "session": uuid.uuid4().hex, "date": ""}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {
            "channel": "shell",
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
        }
        await socket.write_message(json.dumps(message))
        try:
            return await _printed(socket, header["msg_id"])
        finally:
            socket.close()
            while await socket.read_message() is not None:  # else it is closed after the loop has ended
                pass


async def _printed(socket, message):
    """What the kernel printed for a message, once it has replied to it."""
    printed = []
    while True:
        said = json.loads(await socket.read_message())
        if said["parent_header"].get("msg_id") != message:
            continue
        match said["msg_type"]:
            case "stream":
                printed.append(said["content"]["text"])
            case "error":
                raise RuntimeError("\n".join(said["content"]["traceback"]))
            case "execute_reply":
                return "".join(printed)
