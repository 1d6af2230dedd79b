"""Child processes, the orphan killer, log and etcd views: the parts of the supervisor that need no Milvus."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import httpx
import psutil
import pytest

from halab.cluster import etcd
from halab.cluster.embedded import (
    binaries,
    disk_use,
    health_monitor,
    log_server,
    orphan_killer,
    process_table,
)
from halab.cluster.embedded.child_process import Child, tail
from halab.cluster.embedded.health_monitor import HealthMonitor, health_of
from halab.cluster.embedded.process_faults import ProcessFaults, Refused
from halab.cluster.embedded.process_table import BackgroundTasks, ProcessTable
from halab.cluster.embedded.settings import Command
from halab.cluster.embedded.spec import Process

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def child(tmp_path):
    made = Child(
        Process(name="proxy-1", role="proxy", ports={"grpc": 1}), Command(SLEEPER, dict(os.environ), tmp_path)
    )
    yield made
    made.kill()


@pytest.fixture
def table(tmp_path, child, monkeypatch):
    """A process table of one child, which does not hear that it is to stop."""
    monkeypatch.setattr(process_table, "find_binaries", lambda: None)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True)"
    child.command = Command([sys.executable, "-c", f"{deaf}; time.sleep(60)"], dict(os.environ), tmp_path)
    made = ProcessTable(SimpleNamespace(processes=[], folder=tmp_path), BackgroundTasks(pytest.fail))
    made.children[child.name] = child
    made.start(child, "user", "started")
    until(lambda: child.output.read_text())
    return made


def test_a_fault_undone_while_its_process_is_restarted_starts_no_second_one(table, child):
    faults = ProcessFaults(table)

    async def both():
        await faults.inject(child, "hang", child.name)
        restart = asyncio.create_task(table.restart(child, 0.3, "supervisor", "restarted", "kubelet"))
        await asyncio.sleep(0.1)
        with pytest.raises(Refused, match="being restarted"):
            await faults.inject(child, "hang", child.name)
        await asyncio.gather(restart, faults.undo(child), table.restart(child, 0.3, "user", "started", "x"))

    asyncio.run(both())
    assert [event.kind for event in table.events] == ["started", "fault:hang", "killed", "restarted"]
    assert child.running
    assert not child.fault


def test_a_takeover_is_an_event_of_milvus_and_the_first_leader_is_none(monkeypatch):
    told = []
    children = {
        name: SimpleNamespace(name=name, running=True, process=SimpleNamespace(role="etcd"))
        for name in ("etcd-1", "etcd-2")
    }
    table = SimpleNamespace(
        children=children,
        spec=SimpleNamespace(etcd_endpoints=list, prefix="p"),
        address=lambda child: child.name,
        record=lambda *event: told.append(event),
    )
    leader = iter(("etcd-1", "etcd-1", "", "etcd-2", "etcd-2"))

    async def read(*_):
        return etcd.EtcdView(members=frozenset(children), leader=next(leader))

    monkeypatch.setattr(health_monitor, "read_etcd", read)
    monitor = HealthMonitor(table, None)
    for _ in range(5):
        asyncio.run(monitor.note_takeovers())
    assert told == [("etcd-2", "leader", "milvus", "took over from etcd-1")]


def test_a_child_tells_how_it_is(child):
    assert health_of(child) == "waiting"
    child.start()
    assert health_of(child) == "starting"
    child.healthy = True
    assert health_of(child) == "healthy"
    child.fault = "hang"
    assert health_of(child) == "hung"
    child.kill()
    child.reap()
    assert health_of(child) == "down"


def test_an_ended_child_is_reaped_once_with_what_ended_it(child):
    child.start()
    assert not child.reap()
    child.signal(signal.SIGKILL)
    until(child.reap)
    assert child.last_exit == "signal SIGKILL"
    assert not child.reap()
    assert health_of(child) == "down"


def test_a_stopped_child_can_be_killed(child):
    child.start()
    child.signal(signal.SIGSTOP)
    child.kill()
    assert child.reap()


@pytest.mark.skipif(
    sys.platform != "linux", reason="the parent-death signal is Linux only; others have the orphan killer"
)
def test_a_child_dies_with_its_parent(tmp_path):
    script = (
        "import os, time\n"
        "from pathlib import Path\n"
        "from halab.cluster.embedded.child_process import Child\n"
        "from halab.cluster.embedded.settings import Command\n"
        "from halab.cluster.embedded.spec import Process\n"
        f"command = Command({SLEEPER!r}, dict(os.environ), Path({str(tmp_path)!r}))\n"
        "c = Child(Process(name='p', role='proxy'), command)\n"
        "c.start(); print(c.popen.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_the_orphan_killer_kills_what_a_dead_supervisor_left(tmp_path):
    with subprocess.Popen(SLEEPER) as left, subprocess.Popen(SLEEPER) as master:
        orphan_killer.record(tmp_path, [left.pid])
        watching = subprocess.Popen(
            [sys.executable, "-m", orphan_killer.__name__, str(master.pid), str(tmp_path)]
        )
        time.sleep(0.3)
        assert left.poll() is None
        master.kill()
        assert left.wait(10) == -signal.SIGKILL
        assert watching.wait(10) == 0


def test_a_reused_pid_is_not_killed(tmp_path):
    with subprocess.Popen(SLEEPER) as other:
        (tmp_path / orphan_killer.PIDS).write_text(json.dumps([[other.pid, 12345.0]]))
        assert orphan_killer.kill_recorded(tmp_path) == []
        assert other.poll() is None
        other.kill()


def test_the_end_of_a_log_is_cut_to_what_one_can_read(tmp_path):
    path = tmp_path / "output.log"
    path.write_text("\n".join(["x" * 5000, *map(str, range(100))]))
    assert tail(path, lines=2) == "98\n99"
    assert tail(tmp_path / "absent") == "(no output)"


def test_a_log_beyond_its_bound_keeps_its_newest_part(tmp_path):
    path = tmp_path / "output.log"
    path.write_bytes(b"old\n" * (disk_use.OUTPUT_MOST // 4 + 1) + b"newest\n")
    disk_use.truncate_output(path)
    assert path.stat().st_size == disk_use.OUTPUT_KEPT
    assert path.read_bytes().endswith(b"newest\n")


def test_an_owner_is_known_by_its_start_time_too():
    me = psutil.Process()
    assert orphan_killer.is_alive(me.pid, me.create_time())
    assert not orphan_killer.is_alive(me.pid, me.create_time() - 100)


def kv(key, **session):
    return {
        "key": base64.b64encode(f"p/meta/session/{key}".encode()).decode(),
        "value": base64.b64encode(json.dumps(session).encode()).decode() if session else "NQ==",
    }


def test_sessions_say_who_is_active_and_a_counter_is_no_session():
    answers = {
        "/v3/maintenance/status": {"header": {"member_id": "7"}, "leader": "7"},
        "/v3/kv/range": {
            "kvs": [
                kv("id"),
                kv("rootcoord", Address="a:1", ServerID=3),
                kv("rootcoord-3", Address="a:1", ServerID=3),
                kv("rootcoord-4", Address="a:2", ServerID=4),
                kv("proxy-9", Address="a:9", ServerID=9),
            ]
        },
    }

    def answer(request):
        if request.url.port == 2:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=answers[request.url.path])

    async def look():
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await etcd.read_etcd(client, ["127.0.0.1:1", "127.0.0.1:2"], "p")

    view = asyncio.run(look())
    assert view.members == {"127.0.0.1:1"}
    assert view.leader == "127.0.0.1:1"
    assert view.sessions == {"a:1": 3, "a:2": 4, "a:9": 9}
    assert view.active == {"rootcoord": "a:1"}


def test_an_etcd_that_is_gone_is_an_empty_view():
    async def look():
        transport = httpx.MockTransport(lambda _: httpx.Response(503))
        async with httpx.AsyncClient(transport=transport) as client:
            return await etcd.read_etcd(client, ["127.0.0.1:1"], "p")

    assert asyncio.run(look()) == etcd.EtcdView()


@pytest.mark.skipif(bool(binaries.platform_problem()), reason=f"no log here: {binaries.platform_problem()}")
def test_the_log_serves_on_loopback_and_says_what_it_keeps(tmp_path):
    with subprocess.Popen([sys.executable, log_server.__file__, str(tmp_path)]) as log:
        try:
            until((tmp_path / "log.json").exists, 20)
            state = json.loads((tmp_path / "log.json").read_text())
            assert len(state["brokers"]) == 3
            assert all(broker.startswith("127.0.0.1:") for broker in state["brokers"])
            assert state["retention"] in (log_server.DEFAULT_RETENTION, log_server.RAISED_RETENTION)
            if sys.platform == "linux":
                assert state["retention"] == log_server.RAISED_RETENTION
                listening = [
                    c for c in psutil.Process(log.pid).net_connections("inet") if c.status == "LISTEN"
                ]
                assert listening
                assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
        finally:
            log.kill()
