"""Exercise 11: what a learner is given: series and rules, a goal, and clusters to upgrade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["EVERY", "TICK", "Cluster", "Data", "Goal", "Outage", "Series", "Upgrade", "Variant", "upgrade"]

Data = dict[str, Any]

Series = Sequence[float | None]

EVERY = 15
"""Seconds from one scrape to the next."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A series with an outage that begins at scrape `at` and does not end."""

    kind: str
    at: int
    series: tuple[float | None, ...]

    @property
    def data(self) -> Data:
        return {"kind": self.kind, "at": self.at, "series": list(self.series)}


@dataclass(frozen=True, slots=True)
class Goal:
    """What a rule must do: stay silent in the `healthy` series, and page at most `within` seconds after each
    outage's first scrape."""

    within: int
    healthy: tuple[tuple[float | None, ...], ...]
    outages: tuple[Outage, ...]

    @property
    def data(self) -> Data:
        """As the learner gets it."""
        return {
            "every": EVERY,
            "within": self.within,
            "healthy": [list(series) for series in self.healthy],
            "outages": [outage.data for outage in self.outages],
        }


TICK = 10
"""Seconds from one question to the plan to the next."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster to upgrade: the role of each process, which of each kind of coordinator is active, and the
    ticks that a process takes for each stage. `broken` names the one that comes back only as far as the stage
    `stuck`; it is "" if all come back."""

    roles: dict[str, str]
    active: tuple[str, ...]
    ticks: dict[str, dict[str, int]]
    most_away: int
    patience: int  # seconds
    broken: str = ""
    stuck: str = "starting"


@dataclass(slots=True)
class _Process:
    name: str
    role: str
    active: bool
    updated: bool = False
    status: str = "serving"
    lasted: int = 0  # ticks in this status


@dataclass(slots=True)
class Upgrade:
    """An upgrade under way: what a plan is told, what it did, and which rules it broke (topics of hints)."""

    cluster: Cluster
    processes: list[_Process]
    actions: list[str] = field(default_factory=list)
    broke: set[str] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """Whether the plan has ended it, or has missed the moment to halt."""
        return self.actions[-1:] in (["done"], ["halt"]) or "halt" in self.broke

    @property
    def complete(self) -> bool:
        """Whether the plan ended with every process new and serving."""
        whole = all(process.updated and process.status == "serving" for process in self.processes)
        return whole and self.actions[-1:] == ["done"]

    @property
    def waited_out(self) -> bool:
        """Whether a process has not come back for longer than the patience."""
        return any(
            process.status != "serving" and process.lasted * TICK > self.cluster.patience
            for process in self.processes
        )

    def state(self) -> Data:
        """What the plan is told."""
        return {
            "seconds": len(self.actions) * TICK,
            "patience": self.cluster.patience,
            "most_away": self.cluster.most_away,
            "processes": [
                {
                    "name": process.name,
                    "role": process.role,
                    "active": process.active,
                    "updated": process.updated,
                    "healthy": process.status != "starting",
                    "status": process.status,
                    "lasted": process.lasted * TICK,
                }
                for process in self.processes
            ],
        }

    def knows(self, action: str) -> bool:
        """Whether this is an action that can be taken here."""
        verb, _, name = action.partition(" ")
        known = any(process.name == name for process in self.processes)
        return action in ("wait", "done", "halt") or (verb in ("drain", "restart") and known)

    def act(self, action: str) -> None:
        """Do what the plan said, and let TICK seconds pass."""
        verb, _, name = action.partition(" ")
        if action == "halt" and not self.waited_out:
            self.broke.add("early")
        elif action != "halt" and self.waited_out:
            self.broke.add("halt")
        self.actions.append(action)
        for process in self.processes:
            if process.name == name:
                self._take(process, verb)
        for process in self.processes:
            self._pass(process)

    def _take(self, chosen: _Process, verb: str) -> None:
        """Take a process out of service, or restart one that has handed over."""
        if chosen.updated or (verb == "drain" and chosen.role != "querynode"):
            self.broke.add("all")
            return
        if chosen.status == "serving":
            self._take_from_service(chosen)
        if verb == "drain":
            if chosen.status == "serving":
                chosen.status, chosen.lasted = "draining", 0
            return
        if chosen.role == "querynode" and chosen.status != "drained":
            self.broke.add("drain")
        chosen.status, chosen.lasted, chosen.updated = "starting", 0, True
        if chosen.active:
            self._hand_over(chosen)

    def _take_from_service(self, chosen: _Process) -> None:
        away = [process for process in self.processes if process.status != "serving"]
        if self._too_many(chosen, [process for process in away if process.status != "loading"]):
            self.broke.add("away")
        elif self._too_many(chosen, away):
            self.broke.add("loading")

    def _too_many(self, chosen: _Process, away: list[_Process]) -> bool:
        return len(away) >= self.cluster.most_away or any(process.role == chosen.role for process in away)

    def _hand_over(self, chosen: _Process) -> None:
        others = [
            process for process in self.processes if process.role == chosen.role and process is not chosen
        ]
        if not all(process.updated for process in others):
            self.broke.add("order")
        heir = next((process for process in others if process.status == "serving"), None)
        if heir:
            chosen.active, heir.active = False, True

    def _pass(self, process: _Process) -> None:
        """Let a tick pass for a process: to the next stage once this one has taken its time."""
        process.lasted += 1
        stuck = process.name == self.cluster.broken and process.status == self.cluster.stuck
        if process.status in ("serving", "drained") or stuck:
            return
        if process.lasted >= self.cluster.ticks[process.name][process.status]:
            after = {"draining": "drained", "loading": "serving"}
            loads = process.role == "querynode"
            process.status, process.lasted = after.get(process.status, "loading" if loads else "serving"), 0


def upgrade(cluster: Cluster) -> Upgrade:
    """An upgrade of which nothing is done yet."""
    return Upgrade(
        cluster,
        [_Process(name, role, name in cluster.active) for name, role in cluster.roles.items()],
    )


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise. `readings` are series with a rule each."""

    readings: list[tuple[list[float | None], Data]]
    goal: Goal
    clusters: list[Cluster]
