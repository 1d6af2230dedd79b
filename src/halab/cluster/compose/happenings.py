"""What Docker tells of while it happens, and who did it: the user, Milvus itself, or Docker's restart policy.

Docker remembers only its last 256 events and health checks fill them within seconds, so a thread listens for
as long as the cluster is held. What halab itself does to containers is written down beside (`Diary`): Docker
tells that a container was killed, and not that it was a fault called "active rootcoord".
"""

from __future__ import annotations

import atexit
import json
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from halab.cluster.compose.docker import PROJECT, Docker
from halab.cluster.protocol import Event

__all__ = ["Deed", "Diary", "Listener", "history"]

By = Literal["user", "supervisor"]
_WANTED = ("start", "die", "kill", "pause", "unpause", "oom")
_SIGNALS = {137: "signal SIGKILL", 143: "signal SIGTERM", 139: "signal SIGSEGV", 134: "signal SIGABRT"}


@dataclass(frozen=True, slots=True)
class Deed:
    """What halab did to a container, from `time` to `until` (seconds since 1970); `id` is the container's."""

    time: float
    until: float
    id: str
    component: str
    kind: str
    by: By
    detail: str = ""


class Diary:
    """The deeds of every process that holds this cluster: a file in the cluster's folder, a line each."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "deeds.jsonl"

    def write(self, deed: Deed) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(deed)) + "\n")

    def read(self) -> list[Deed]:
        try:
            lines = self._path.read_text().splitlines()
        except OSError:
            return []
        return [Deed(**json.loads(line)) for line in lines]


class Listener:
    """Collects a project's events from `since` (seconds since 1970) on, for as long as this process lives."""

    def __init__(self, docker: Docker, project: str, since: float) -> None:
        filters = [f"--filter=event={event}" for event in _WANTED]
        self._process = subprocess.Popen(
            [
                docker.command, "events", f"--since={since:.3f}", "--format={{json .}}",
                f"--filter=label={PROJECT}={project}", *filters,
            ],
            env=docker.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._heard: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, name="halab-docker-events", daemon=True).start()
        atexit.register(self.close)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._heard.append(json.loads(line))

    def heard(self) -> list[dict[str, Any]]:
        return list(self._heard)

    def close(self) -> None:
        """End it. Twice is once."""
        atexit.unregister(self.close)
        self._process.kill()
        self._process.wait()


def history(
    heard: Iterable[Mapping[str, Any]], deeds: Iterable[Deed], names: Mapping[str, str]
) -> list[Event]:
    """Docker's events and halab's deeds as one history; times are moved to this machine's monotonic clock.

    `names` are the components by their container's id. A container that ends without having been told to
    has ended by itself, and what starts it then is Docker's restart policy: it counts as the supervisor.
    """
    deeds = [deed for deed in deeds if deed.id in names]
    offset = time.monotonic() - time.time()
    found = [Event(one.time + offset, one.component, one.kind, one.by, one.detail) for one in deeds]
    told: dict[str, bool] = {}  # by container: somebody told Docker to end it
    ended: dict[str, str] = {}  # by container: how it ended by itself
    for one in sorted(heard, key=lambda each: each["timeNano"]):
        at, identity, action = one["timeNano"] / 1e9, one["Actor"]["ID"], one["Action"]
        component = names.get(identity)
        if component is None:
            continue
        known = any(deed.id == identity and deed.time - 0.05 <= at <= deed.until + 0.05 for deed in deeds)
        event = _event(
            action, one["Actor"].get("Attributes") or {}, told.get(identity, False), ended.get(identity)
        )
        if action == "kill":
            told[identity] = True
        elif action == "oom":
            ended[identity] = "out of memory"
        elif action == "die" and not told.get(identity):
            ended.setdefault(identity, _how(one["Actor"].get("Attributes") or {}))
        elif action == "start":
            told.pop(identity, None)
            ended.pop(identity, None)
        if event is not None and not (known and action != "die"):
            kind, by, detail = event
            found.append(Event(at + offset, component, kind, by, detail))
    return sorted(found, key=lambda event: event.time)


_Told = tuple[str, Literal["user", "milvus", "supervisor"], str]


def _event(action: str, attributes: Mapping[str, str], told: bool, ended: str | None) -> _Told | None:
    """What one of Docker's events is called here, and whose doing it was."""
    if action == "die":
        how = ended or _how(attributes)
        return ("ended", "user", how) if told else ("exited", "milvus", how)
    if action == "start":
        return ("restarted", "supervisor", f"after it exited ({ended})") if ended else ("started", "user", "")
    if action == "pause":
        return ("paused", "user", "")
    return ("continued", "user", "") if action == "unpause" else None


def _how(attributes: Mapping[str, str]) -> str:
    code = int(attributes.get("exitCode") or 0)
    return _SIGNALS.get(code, f"status {code}")
