"""Docker's events, and who caused each: the user, Milvus itself, or Docker's restart policy.

Docker keeps only its last 256 events and health checks fill them within seconds, so a thread listens for as
long as a `ComposeCluster` object lives. What halab does to containers is recorded beside them (`ActionLog`):
Docker reports that a container was killed, but not that it was the fault "crash" of "active rootcoord".
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
from typing import Any

from halab.cluster.compose.docker import PROJECT, Docker
from halab.cluster.protocol import Actor, Event

__all__ = ["Action", "ActionLog", "EventListener", "history"]

_WANTED = ("start", "die", "kill", "pause", "unpause", "oom")
_SLACK = 0.05  # seconds between a command's end and Docker's event of it
_SIGNALS = {137: "signal SIGKILL", 143: "signal SIGTERM", 139: "signal SIGSEGV", 134: "signal SIGABRT"}


@dataclass(frozen=True, slots=True)
class Action:
    """What halab did to a container: the command ran from `began` to `until`, and took effect at `time`.

    All three are seconds since 1970. `id` is the container's.
    """

    began: float
    time: float
    until: float
    id: str
    component: str
    kind: str
    by: Actor
    detail: str = ""

    def covers(self, at: float) -> bool:
        """True if a Docker event at this time is an effect of this action."""
        return self.began - _SLACK <= at <= self.until + _SLACK


class ActionLog:
    """The actions of every process that holds this cluster: one JSONL file in the cluster's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "actions.jsonl"

    def write(self, action: Action) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(action)) + "\n")

    def read(self) -> list[Action]:
        try:
            lines = self._path.read_text().splitlines()
        except OSError:
            return []
        return [Action(**json.loads(line)) for line in lines]


class EventListener:
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
        self._events: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, name="halab-docker-events", daemon=True).start()
        atexit.register(self.close)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.append(json.loads(line))

    def events(self) -> list[dict[str, Any]]:
        """Every event received so far, as Docker prints it."""
        return list(self._events)

    def first(self, identity: str, since: float) -> float:
        """When a container's first event since then was (seconds since 1970); 0 if none was received."""
        times = [event["timeNano"] / 1e9 for event in self.events() if event["Actor"]["ID"] == identity]
        return min((at for at in times if at >= since), default=0.0)

    def close(self) -> None:
        """Stop listening. Twice is once."""
        atexit.unregister(self.close)
        self._process.kill()
        self._process.wait()


def history(
    docker_events: Iterable[Mapping[str, Any]], actions: Iterable[Action], names: Mapping[str, str]
) -> list[Event]:
    """Docker's events and halab's actions as one history; times are moved to this machine's monotonic clock.

    `names` are the components by their container's id. A container that ends without having been told to
    has exited by itself, and what starts it then is Docker's restart policy: it counts as the supervisor.
    """
    actions = [action for action in actions if action.id in names]
    offset = time.monotonic() - time.time()
    merged = [
        Event(action.time + offset, action.component, action.kind, action.by, action.detail)
        for action in actions
    ]
    containers = {identity: _ContainerState() for identity in names}
    for event in sorted(docker_events, key=lambda event: event["timeNano"]):
        at, identity = event["timeNano"] / 1e9, event["Actor"]["ID"]
        if identity not in containers:
            continue
        cause = next((action for action in actions if action.id == identity and action.covers(at)), None)
        attributes = event["Actor"].get("Attributes") or {}
        change = containers[identity].after(event["Action"], attributes, cause)
        if change is not None:
            merged.append(Event(at + offset, names[identity], *change))
    return sorted(merged, key=lambda event: event.time)


@dataclass
class _ContainerState:
    """What a container's next event depends on: who told it to stop, and how it exited by itself."""

    stopped_by: Actor | None = None
    exit: str = ""

    def after(
        self, event: str, attributes: Mapping[str, str], cause: Action | None
    ) -> tuple[str, Actor, str] | None:
        """Docker's next event as (kind, by, detail); None if it needs no line, or `cause` is the line."""
        if event == "kill":
            self.stopped_by = cause.by if cause else "user"
        elif event == "oom":
            self.exit = "out of memory"
        elif event == "die":
            how = self.exit or _exit_text(attributes)
            if self.stopped_by:
                return ("ended", self.stopped_by, how)
            self.exit = how
            return ("exited", "milvus", how)
        elif event == "start":
            exited, self.stopped_by, self.exit = self.exit, None, ""
            if cause is None:
                again = f"after it exited ({exited})"
                return ("restarted", "supervisor", again) if exited else ("started", "user", "")
        elif cause is None:
            return ({"pause": "paused", "unpause": "continued"}[event], "user", "")
        return None


def _exit_text(attributes: Mapping[str, str]) -> str:
    code = int(attributes.get("exitCode") or 0)
    return _SIGNALS.get(code, f"status {code}")
