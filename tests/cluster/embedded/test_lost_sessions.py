"""Who lives on without a session in etcd is started again, and nobody else."""

import asyncio
from types import SimpleNamespace

import pytest

from halab.cluster.embedded import lost_sessions
from halab.cluster.embedded.lost_sessions import PATIENCE, LostSessions


class Table:
    """A table of one standby, which has a session or not."""

    def __init__(self):
        self.standby = SimpleNamespace(
            name="rootcoord-2", process=SimpleNamespace(is_milvus=True), running=True, fault="", started=0.0
        )
        self.etcd = SimpleNamespace(leader="etcd-1")
        self.session = False
        self.restarted = []

    def of_roles(self):
        return [self.standby]

    def has_session(self, child):
        return self.session

    async def restart(self, child, grace, by, kind, why):
        self.restarted.append((child.name, by, kind))
        child.started = lost_sessions.time.monotonic()


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(lost_sessions, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def looks(table, clock, seconds, lost):
    for _ in range(int(seconds)):
        asyncio.run(lost.restart_lost())
        clock.now += 1


def test_a_standby_without_a_session_is_started_again_once_it_had_time_enough(clock):
    table = Table()
    lost = LostSessions(table)
    looks(table, clock, PATIENCE, lost)
    assert table.restarted == []
    looks(table, clock, 2, lost)
    assert table.restarted == [("rootcoord-2", "supervisor", "restarted")]
    looks(table, clock, 5, lost)
    assert len(table.restarted) == 1  # the new one has its time too


@pytest.mark.parametrize("why", ["session", "etcd", "fault", "down"])
def test_who_has_a_session_or_can_have_none_is_left_alone(clock, why):
    table = Table()
    if why == "session":
        table.session = True
    elif why == "etcd":
        table.etcd.leader = ""
    elif why == "fault":
        table.standby.fault = "hang"
    else:
        table.standby.running = False
    looks(table, clock, 3 * PATIENCE, LostSessions(table))
    assert table.restarted == []
