import time
from datetime import UTC, datetime

import pytest

import halab
from halab.cluster.protocol import Event
from halab.course.predictions import predict
from halab.errors import ClusterError, MeasurementError
from halab.lessons import reading_balanced
from halab.lessons.reading_balanced import (
    BALANCER_QUESTIONS,
    balancer_here,
    compare_connection_spread,
    compare_crash,
)
from halab.measure.experiments.behind_balancer import (
    KEPT_CONNECTIONS,
    NEW_CONNECTIONS,
    NO_BALANCER,
    ONE_CONNECTION,
)
from halab.measure.journal.journal_file import FaultRecord, Header, Journal, Phase
from halab.models.samples import Outcome, Sample
from support.scripted_milvus import ScriptedCluster

FULLER_PROXY, PROXY_CRASH = dict.fromkeys(question.experiment for question in BALANCER_QUESTIONS)


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def made(operations, length=60, **parts):
    """Ten searches a second of each kind, of which the tenth is lost; begun now."""
    samples = [
        Sample(name, n, n / 10, n / 10, n / 10 + 0.005, Outcome.FAIL if n == 10 else Outcome.OK)
        for name in operations
        for n in range(length)
    ]
    header = Header(
        "lab", "embedded", "ha", 10.0, {"milvus": "2.3.5"}, 0, {}, datetime.now(UTC).isoformat(), 10.0, 1.0,
        tuple(operations), dict.fromkeys(operations, 1.0), False,
    )  # fmt: skip
    return Journal.write(header, samples=samples, **parts)


def crash(*events, **more):
    return made(
        (KEPT_CONNECTIONS, NEW_CONNECTIONS, NO_BALANCER),
        faults=[FaultRecord("crash", "proxy-1", "proxy-1", 1.0, 2.0)],
        events=[Event(at, name, kind, "balancer", detail) for at, name, kind, detail in events],
        **more,
    )


COUNTS = (
    (0.0, "proxy-1", "connections", "3"),
    (0.0, "proxy-2", "connections", "3"),
    (1.1, "proxy-1", "connections", "0"),
    (1.2, "proxy-2", "connections", "6"),
)


def test_the_table_of_a_crash_says_who_noticed_and_where_they_went():
    predict(5, PROXY_CRASH, kept=1, new=2.5)
    time.sleep(0.01)
    table = compare_crash(crash(*COUNTS, (1.5, "proxy-1", "down", ""), (2.5, "proxy-1", "up", "")))
    assert table.rows == (
        ("kept connections", "1", "0.10", "1", "0", "60"),
        ("new connections", "2.5", "0.10", "1", "0", "60"),
        ("no balancer", "-", "0.10", "1", "0", "60"),
    )
    text = " ".join(repr(table).split())
    assert "proxy-2: before the fault 3 and 3, before it was undone 0 and 6, in the end 0 and 6." in text
    assert "The balancer took proxy-1 out 0.5 s after" in text
    assert "The balancer took proxy-1 in again 1.5 s after" in text


def test_a_fault_that_the_checks_missed_and_an_outage_that_is_not_over_are_said():
    table = compare_crash(crash(*COUNTS, length=12))
    assert table.rows[0][2] == "not over"
    assert "its checks went on passing" in table.remarks[1]


def test_the_table_of_a_crowd_says_who_got_whom():
    predict(5, FULLER_PROXY, roundrobin=3)
    time.sleep(0.01)
    phases = [
        Phase("roundrobin", 0, 1, {"clients": 8}, {"proxy-1": 8.0, "proxy-2": 0.0}),
        Phase("leastconn", 1, 2, {"clients": 8}, {"proxy-1": 4.0, "proxy-2": 4.0}),
        Phase("random", 1, 2, {"clients": 8}, {"proxy-1": 4.0, "proxy-2": 4.0}),
        Phase(ONE_CONNECTION, 2, 3, {"clients": 48}, {"proxy-1": 0.0, "proxy-2": 1.0}),
    ]
    table = compare_connection_spread(made(("search",), phases=phases))
    assert table.rows == (
        ("roundrobin", "3", "8", "0"),
        ("leastconn", "-", "4", "4"),
        ("random", "-", "4", "4"),
    )
    assert "48 users asked over one connection" in table.remarks[0]
    assert "proxy-1 0, proxy-2 1" in table.remarks[0]


def test_other_journals_are_refused():
    with pytest.raises(MeasurementError, match="behind"):
        compare_crash(crash())
    with pytest.raises(MeasurementError, match="connection_spread"):
        compare_connection_spread(made(("search",)))


def test_it_is_said_in_a_sentence_that_there_is_no_balancer(capsys, monkeypatch):
    with halab.cluster(engine="simulated") as cluster:
        assert not balancer_here(cluster)
    assert "A balancer is not simulated" in capsys.readouterr().out
    monkeypatch.setattr(reading_balanced, "find_haproxy", missing)
    assert not balancer_here(ScriptedCluster())
    assert "the rest goes on. Install it." in capsys.readouterr().out
    monkeypatch.setattr(reading_balanced, "find_haproxy", lambda: "/usr/sbin/haproxy")
    assert balancer_here(ScriptedCluster())


def missing():
    raise ClusterError("It is not installed here.", hint="Install it.")
