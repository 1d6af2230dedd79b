"""Exercise 3: made-up sessions, clusters of etcd and topologies, of which is known what is so.

Nothing here was read off a cluster, but the sessions have the form that Milvus 2.3.5 gives them. A topology
is written part by part, and each part that breaks a rule is noted when it is written: nothing reads it back
that could share a learner's mistake.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial

from halab.exercises.architecture.given import Part, Sessions, Topology, Variant, Violation, Zones
from halab.exercises.learner_numbers import per_learner

__all__ = ["RULES", "make_sessions", "make_sound_topology", "make_topology", "make_zones", "variant"]

RULES = ("etcd-size", "standby", "query-nodes", "proxies", "one-address", "redundant", "anti-affinity")
COORDINATORS = ("rootcoord", "querycoord", "datacoord", "indexcoord")
WORKERS = ("proxy", "querynode", "datanode", "indexnode")


def make_sessions(rng: random.Random) -> Sessions:
    """A cluster's sessions: ids of one and two digits, one role without an active member, and a counter."""
    ids = iter(rng.sample(range(2, 60), 40))
    entries: list[tuple[str, str]] = [("id", str(rng.randrange(60, 99)))]
    active: dict[str, int | None] = {}
    standby: dict[str, list[int]] = {}
    orphaned = rng.choice(COORDINATORS)
    for role in COORDINATORS:
        servers = [next(ids) for _ in range(rng.randrange(2, 5))]
        sessions = {server: _session_json(rng, role, server) for server in servers}
        entries += [(f"{role}-{server}", session) for server, session in sessions.items()]
        leads = None if role == orphaned else servers.pop(rng.randrange(len(servers)))
        if leads is not None:
            entries.append((role, sessions[leads]))
            _session_json(rng, role, leads)  # drawn, so that all numbers after it stay as learners know them
        active[role], standby[role] = leads, sorted(servers)
    for role in WORKERS:
        servers = [next(ids) for _ in range(rng.randrange(1, 4))]
        entries += [(f"{role}-{server}", _session_json(rng, role, server)) for server in servers]
    rng.shuffle(entries)
    return Sessions(dict(entries), active, standby)


def _session_json(rng: random.Random, role: str, server: int) -> str:
    address = f"127.0.0.1:{rng.randrange(20_000, 32_000)}"
    return json.dumps({"ServerID": server, "ServerName": role, "Address": address, "Version": "2.3.5"})


def make_zones(rng: random.Random) -> Zones:
    """Members of etcd spread over two to five zones, some of them with more than others."""
    names = rng.sample(("amber", "beech", "cedar", "dune", "elm", "fjord"), rng.randrange(2, 6))
    members = {name: rng.randrange(1, 4) for name in names}
    total = sum(members.values())
    return Zones(members, sorted(name for name, here in members.items() if 2 * (total - here) <= total))


def make_topology(rng: random.Random) -> Topology:
    """A topology that breaks at least three rules, its parts in any order."""
    while True:
        written = _Writer(rng, rng.sample(RULES, rng.randrange(3, len(RULES) + 1))).write()
        if len(written.violations) >= 3:
            return written


def make_sound_topology(rng: random.Random) -> Topology:
    """A topology that breaks no rule."""
    return _Writer(rng, []).write()


class _Writer:
    """Writes a topology's parts, and beside them the violations it puts there on purpose."""

    def __init__(self, rng: random.Random, broken: list[str]) -> None:
        self.rng = rng
        self.broken = broken
        self.parts: dict[str, Part] = {}
        self.violations: list[Violation] = []
        self.copies = rng.randrange(1, 4)

    def write(self) -> Topology:
        blocks: list[Callable[[], None]] = [
            self.search,
            lambda: self.part("etcd", self.etcd(), "etcd-size"),
            lambda: self.part("log", self.redundant(), "redundant"),
            lambda: self.part("storage", self.redundant(), "redundant"),
            lambda: self.part("proxy", self.proxies(), "proxies", ("loadBalancer", "one-address")),
            lambda: self.part("queryNode", self.query_nodes(), "query-nodes"),
            lambda: self.part("dataNode", (self.rng.randrange(1, 4), False), ""),
            *(partial(self.coordinator, name) for name in ("rootCoord", "queryCoord", "dataCoord")),
        ]
        self.rng.shuffle(blocks)
        for block in blocks:
            block()
        return Topology(_yaml(self.parts), self.parts, tuple(sorted(self.violations)))

    def breaks(self, rule: str) -> bool:
        return rule in self.broken and self.rng.random() < 0.75

    def search(self) -> None:
        self.parts["search"] = {"replicaNumber": self.copies}

    def etcd(self) -> tuple[int, bool]:
        wrong = self.breaks("etcd-size")
        return self.rng.choice((1, 2, 4, 6)) if wrong else self.rng.choice((3, 5, 7)), wrong

    def redundant(self) -> tuple[int, bool]:
        wrong = self.breaks("redundant")
        return 1 if wrong else self.rng.randrange(2, 5), wrong

    def proxies(self) -> tuple[int, bool]:
        wrong = self.breaks("proxies")
        return 1 if wrong else self.rng.randrange(2, 4), wrong

    def query_nodes(self) -> tuple[int, bool]:
        wrong = self.breaks("query-nodes")
        # One node a copy is the tempting mistake.
        least = self.copies + 1
        return (self.copies if wrong else least + self.rng.randrange(2)), wrong

    def coordinator(self, name: str) -> None:
        replicas = self.rng.randrange(1, 4)
        self.part(name, (replicas, False), "", ("activeStandby", "standby") if replicas > 1 else None)

    def part(
        self, name: str, replicas: tuple[int, bool], rule: str, switch: tuple[str, str] | None = None
    ) -> None:
        """One part: how many, and its switches, which may be off or not there at all."""
        count, wrong = replicas
        if wrong:
            self.violations.append((name, rule))
        rows: list[tuple[str, int | bool]] = [("replicas", count)]
        spread = ("antiAffinity", "anti-affinity") if count > 1 else None
        for key, broken in filter(None, (switch, spread)):
            rows += self.switched(name, key, broken)
        self.rng.shuffle(rows)
        self.parts[name] = dict(rows)

    def switched(self, name: str, key: str, rule: str) -> list[tuple[str, int | bool]]:
        if not self.breaks(rule):
            return [(key, True)]
        self.violations.append((name, rule))
        return [] if self.rng.random() < 0.5 else [(key, False)]


def _yaml(parts: dict[str, Part]) -> str:
    lines = []
    for name, part in parts.items():
        lines += [f"{name}:", *(f"  {key}: {str(value).lower()}" for key, value in part.items())]
    return "\n".join(lines) + "\n"


@per_learner(card=3)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(make_sessions(rng), rng.randrange(2, 9), make_zones(rng), make_topology(rng))
