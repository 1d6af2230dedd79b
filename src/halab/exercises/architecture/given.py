"""Exercise 3: what a learner is given: sessions, a cluster of etcd by zones, and a topology."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Part", "Sessions", "Topology", "Variant", "Violation", "Zones"]

Violation = tuple[str, str]

Part = dict[str, int | bool]


@dataclass(frozen=True, slots=True)
class Sessions:
    """Keys and JSON values as etcd has them, and what is so: by role the active id, and those that wait."""

    data: dict[str, str]
    active: dict[str, int | None]
    standby: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Zones:
    """Members of etcd by zone, and the zones that etcd cannot lose, in alphabetical order."""

    members: dict[str, int]
    fatal: list[str]


@dataclass(frozen=True, slots=True)
class Topology:
    """A topology's text, the same as dicts by part, and the violations in it: part, rule."""

    text: str
    parts: dict[str, Part]
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's numbers."""

    sessions: Sessions
    losses: int
    zones: Zones
    topology: Topology
