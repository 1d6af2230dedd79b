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
_SLACK = 0.05  # seconds between a command's end and Docker's word of it
_SIGNALS = {137: "signal SIGKILL", 143: "signal SIGTERM", 139: "signal SIGSEGV", 134: "signal SIGABRT"}


@dataclass(frozen=True, slots=True)
class Deed:
    """What halab did to a container, from `began` to `until`; it happened at `time` (seconds since 1970).

    `id` is the container's.
    """

    began: float
    time: float
    until: float
    id: str
    component: str
    kind: str
    by: By
    detail: str = ""

    def covers(self, at: float) -> bool:
        """True if what Docker tells of this time is this deed."""
        return self.began - _SLACK <= at <= self.until + _SLACK


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

    def first(self, identity: str, since: float) -> float:
        """When the first event of a container since then was (seconds since 1970); 0 if none was heard."""
        times = [one["timeNano"] / 1e9 for one in self.heard() if one["Actor"]["ID"] == identity]
        return min((at for at in times if at >= since), default=0.0)

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
    fates = {identity: _Fate() for identity in names}
    for one in sorted(heard, key=lambda each: each["timeNano"]):
        at, identity = one["timeNano"] / 1e9, one["Actor"]["ID"]
        if identity not in fates:
            continue
        deed = next((each for each in deeds if each.id == identity and each.covers(at)), None)
        told = fates[identity].after(one["Action"], one["Actor"].get("Attributes") or {}, deed)
        if told is not None:
            found.append(Event(at + offset, names[identity], *told))
    return sorted(found, key=lambda event: event.time)


@dataclass
class _Fate:
    """What has become of one container: whether somebody told it to end, and how it ended by itself."""

    told_by: By | None = None
    ended: str = ""

    def after(
        self, action: str, attributes: Mapping[str, str], deed: Deed | None
    ) -> tuple[str, Literal["user", "milvus", "supervisor"], str] | None:
        """What Docker's next event is called here, and whose doing it was; None if a deed tells it."""
        if action == "kill":
            self.told_by = deed.by if deed else "user"
        elif action == "oom":
            self.ended = "out of memory"
        elif action == "die":
            how = self.ended or _how(attributes)
            if self.told_by:
                return ("ended", self.told_by, how)
            self.ended = how
            return ("exited", "milvus", how)
        elif action == "start":
            ended, self.told_by, self.ended = self.ended, None, ""
            if deed is None:
                again = f"after it exited ({ended})"
                return ("restarted", "supervisor", again) if ended else ("started", "user", "")
        elif deed is None:
            return ({"pause": "paused", "unpause": "continued"}[action], "user", "")
        return None


def _how(attributes: Mapping[str, str]) -> str:
    code = int(attributes.get("exitCode") or 0)
    return _SIGNALS.get(code, f"status {code}")
