"""The contract with Milvus 2.6 and 3.0, on stand-ins: what does not hold is named, and nothing else.

That it holds of Milvus itself is not tested here, and cannot be: `make test-compose-current`.
"""

import itertools
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from pymilvus.exceptions import MilvusException

from compose import contract
from compose.contract import ASSUMPTIONS, ROLES, Subject, failing
from halab.cluster.protocol import Component, Session
from halab.errors import NotReady

METRICS = "milvus_proxy_req_count 1\nmilvus_proxy_sq_latency_bucket 1\nmilvus_wal_last_confirmed_time_tick 1"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time that passes by being looked at and slept through."""
    now = itertools.count(step=0.01)
    slept = []
    monkeypatch.setattr(
        contract,
        "time",
        SimpleNamespace(monotonic=lambda: next(now) + sum(slept), sleep=slept.append),
    )


class StandIn:
    """A Milvus 3.0 as the course thinks it is; each `but` makes it another."""

    ttl = 30.0

    def __init__(self, *but):
        self.but = but
        self.faults = []
        self.keys = set()
        self.leaders = [(0.0, "mixcoord-1")]  # each from its moment on
        self.parts = {
            f"{role}-{number}": role for role, count in ROLES.items() for number in range(1, count + 1)
        }
        if "a log of its own" in but:
            self.parts["log-1"] = "log"

    @property
    def leader(self):
        now = contract.time.monotonic()
        return [name for since, name in self.leaders if since <= now][-1]

    def components(self):
        return [
            Component(name, role, self.address(name), None, self.health(name), self.state(name))
            for name, role in self.parts.items()
        ]

    def address(self, name):
        return f"{name}:{22223 if 'another port' in self.but and 'streaming' in name else 22222}"

    def health(self, name):
        return "unhealthy" if "an ill standby" in self.but and name == "mixcoord-2" else "healthy"

    def state(self, name):
        if self.parts[name] != "mixcoord":
            return ""
        return "active" if name == self.leader or "two active" in self.but else "standby"

    def sessions(self):
        version = "2.6.22" if "another version" in self.but else "3.0.1"
        lease = 60.0 if "another lease" in self.but else self.ttl
        return [
            Session(
                "mixcoord" if name == self.leader else name,
                json.dumps({"Address": f"{name}:22222", "Version": version}), "1", lease, lease,
            )
            for name in self.parts if name.startswith(contract.WITH_A_SESSION)
        ]  # fmt: skip

    def active(self, role):
        return SimpleNamespace(name=self.leader)

    @contextmanager
    def fault(self, kind, name):
        self.faults.append(name)
        if name == self.leader and "nobody takes over" not in self.but:
            waits = 29 if kind == "crash" or "a stop like a crash" in self.but else 1
            other = "mixcoord-2" if name == "mixcoord-1" else "mixcoord-1"
            self.leaders.append((contract.time.monotonic() + waits, other))
        if "lossy" in self.but and name.startswith("streaming"):
            self.keys.clear()
        try:
            yield
        finally:
            self.faults.remove(name)
        if "no way back" in self.but and name.startswith("query"):
            raise NotReady(f"{name} is down")

    def insert(self, key):
        if any(lost in self.but and any(name.startswith(lost) for name in self.faults)
               for lost in ("proxy", "querynode")):  # fmt: skip
            raise MilvusException(message="no answer")
        self.keys.add(key)

    def found(self, key):
        return key in self.keys


def failing_in(*but):
    milvus = StandIn(*but)
    metrics = "milvus_proxy_req_count 1" if "other names" in but else METRICS
    said = []
    names = failing(Subject("3.0", milvus, milvus, lambda part: metrics), say=said.append)
    assert len(said) == len(ASSUMPTIONS), "the others are tried all the same"
    return names


def test_of_a_milvus_as_the_course_thinks_it_is_everything_holds():
    assert failing_in() == []


@pytest.mark.parametrize(
    ("but", "names"),
    [
        ("a log of its own", ["the_roles"]),
        ("an ill standby", ["healthy"]),
        ("another version", ["the_version"]),
        ("another port", ["the_sessions"]),
        ("another lease", ["the_lease"]),
        ("two active", ["one_leads", "a_crash_is_taken_over", "a_planned_stop_hands_over"]),
        ("other names", ["the_metrics"]),
        ("nobody takes over", ["a_crash_is_taken_over", "a_planned_stop_hands_over"]),
        ("a stop like a crash", ["a_planned_stop_hands_over"]),
        ("lossy", ["a_streaming_node_is_replaced"]),
        ("proxy", ["a_lost_proxy_stalls_nobody"]),
        ("querynode", ["a_copy_serves_on"]),
        ("no way back", ["a_copy_serves_on"]),
    ],
)
def test_what_does_not_hold_is_named_and_nothing_else(but, names):
    assert failing_in(but) == names


def test_what_was_found_instead_is_said():
    said = []
    milvus = StandIn("another lease")
    failing(Subject("3.0", milvus, milvus, lambda part: METRICS), (contract.the_lease,), said.append)
    assert said[0].startswith("FAILS  the_lease:")
    assert "leases of [60.0] s" in said[0]
