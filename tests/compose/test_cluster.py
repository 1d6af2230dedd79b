"""The shipped file in real containers: ready, reached through HAProxy, broken, mended, nothing lost.

How long anything takes is not asserted: only that it comes back, and what is there then.
"""

import json
import socket
import time
import urllib.request
from collections import Counter

import pytest
from pymilvus import MilvusClient

from halab.measure.experiments.fault_experiment import experiment
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome

pytestmark = [pytest.mark.compose, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def retriever(course):
    with Retriever(course, replicas=3, name="compose_cards") as retriever:
        yield retriever


def health(user):
    return {name: one["State"].get("Health", {}).get("Status") for name, one in user.containers().items()}


def test_everything_is_healthy_and_nobody_else_can_reach_it(user, course):
    assert set(health(user).values()) == {"healthy"}
    assert len(health(user)) == 23
    for name, one in user.containers().items():
        published = [port for ports in one["NetworkSettings"]["Ports"].values() for port in ports or ()]
        assert {port["HostIp"] for port in published} <= {"127.0.0.1"}, name


def test_of_two_coordinators_one_is_active_and_milvus_has_our_settings(course):
    for role in ("rootcoord", "querycoord", "datacoord"):
        standings = Counter(one.ha_state for one in course.components() if one.role == role)
        assert len(standings) == 2, standings
    assert course.ttl == 10
    assert course.active("etcd")


def test_what_is_inserted_through_haproxy_is_found_through_it(user, course):
    assert course.uri == f"http://127.0.0.1:{user.port}"
    client = MilvusClient(course.uri)
    client.create_collection("door", dimension=4, metric_type="L2", consistency_level="Strong")
    client.insert("door", [{"id": number, "vector": [number, 1, 0, 0]} for number in range(100)])
    (hits,) = client.search("door", [[100.0, 1.0, 0.0, 0.0]], limit=3)
    assert [hit["id"] for hit in hits] == [99, 98, 97]
    client.drop_collection("door")


def test_haproxy_gives_each_proxy_its_turn(user, course):
    before = connections(user)
    for _ in range(4):
        socket.create_connection(("127.0.0.1", user.port), timeout=5).close()
    until = time.monotonic() + 10
    while not all(now > before[proxy] for proxy, now in connections(user).items()):
        assert time.monotonic() < until, connections(user)
        time.sleep(0.2)


def connections(user):
    """How many connections each proxy has had from HAProxy."""
    ask = r"exec 3<>/dev/tcp/127.0.0.1/8404; printf 'GET /;csv HTTP/1.0\r\n\r\n' >&3; cat <&3"
    container = user.containers()["balancer"]["Id"]
    rows = [line.split(",") for line in user.types("exec", container, "bash", "-c", ask).splitlines()]
    return {row[1]: int(row[7]) for row in rows if row[0] == "proxies" and row[1].startswith("proxy-")}


@pytest.mark.parametrize("fault", ["crash active rootcoord", "partition active rootcoord"])
def test_the_standby_takes_over_from_a_coordinator_that_is_gone_or_cut_off(course, retriever, fault):
    before = course.active("rootcoord").name
    journal = survived(course, retriever, fault, seconds=13)
    assert journal.faults[0].component == before
    assert course.active("rootcoord").name != before


def test_one_member_of_each_kind_may_go_at_once(course, retriever):
    """A query node, a broker, an etcd member and a proxy: whatever has another one behind it."""
    faults = ["crash any query node", "crash log-1", "crash etcd leader", "crash proxy-1"]
    # A query node that is back may find nothing for some seconds more, before it holds its copy again.
    journal = survived(course, retriever, faults, seconds=13, after=12)
    assert len(journal.faults) == 4


def survived(course, retriever, faults, seconds, after=2):
    """The journal of faults after which all is answered again and nothing acknowledged is lost."""
    journal = experiment(
        course, faults, retriever=retriever, before=1, seconds=seconds, after=after, rate=10, progress=False
    )
    count = journal.count
    assert count is not None, journal.notes
    assert count.acknowledged > 0
    assert count.missing == ()
    # A timeout is not a failure: those rows may be there, and are counted apart.
    assert count.found == count.acknowledged + count.unknown_present + count.failed_present
    print(f"{faults}: {count}")
    for operation in journal.header.operations:
        last = journal.samples(operation)[-5:]
        assert [one.outcome for one in last] == [Outcome.OK] * 5, (operation, last)
    return journal


def test_a_broker_that_was_away_has_caught_up_and_the_log_has_three_copies(user, course):
    held = {
        name: set(user.types("exec", one["Id"], "ls", "/var/lib/kafka/data/log").split())
        for name, one in user.containers().items()
        if name.startswith("log-")
    }
    topics = [{one for one in names if "-dml_" in one} for names in held.values()]
    assert topics[0]
    assert topics[0] == topics[1] == topics[2]


def test_prometheus_sees_every_member_has_the_rules_and_tells_alertmanager(user, course):
    up = ("compose", "--profile", "ha", "--profile", "monitoring")
    user.types(*up, "up", "--detach", "--no-recreate", "prometheus", "alertmanager")
    try:
        port = user.types(*up, "port", "prometheus", "9090").rpartition(":")[2].strip()
        rules = {rule["name"] for group in ask(port, "rules")["groups"] for rule in group["rules"]}
        assert {"MilvusNoStandby", "MilvusRequestsFail", "EtcdHasNoLeader"} <= rules
        deadline = time.monotonic() + 60
        while (seen := answering(port)) != {"milvus": 15, "milvus-etcd": 3}:
            assert time.monotonic() < deadline, seen
            time.sleep(0.5)
        (told,) = ask(port, "alertmanagers")["activeAlertmanagers"]
        assert told["url"] == "http://alertmanager:9093/api/v2/alerts"
        pages = user.types(*up, "port", "alertmanager", "9093").strip()
        with urllib.request.urlopen(f"http://{pages}/-/ready", timeout=5) as answer:
            assert answer.status == 200
    finally:
        user.types(*up, "rm", "--stop", "--force", "--volumes", "prometheus", "alertmanager")


def answering(port):
    """How many members of each kind answer Prometheus."""
    found = ask(port, "query?query=sum%20by%20(job)%20(up)")["result"]
    return {one["metric"]["job"]: int(one["value"][1]) for one in found}


def ask(port, what):
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{what}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            time.sleep(0.2)
    raise AssertionError("Prometheus does not answer")
