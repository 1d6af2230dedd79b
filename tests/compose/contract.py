"""What the course says of Milvus 2.6 and 3.0, asked of Milvus 2.6 or 3.0 itself, in containers.

    make test-compose-current                                             for 3.0; takes five to ten minutes
    .venv/bin/python tests/compose/contract.py --milvus 2.6

One line for each assumption; one that does not hold is named, with what was found, and the others are tried
all the same. It needs Docker with Compose v2, the network for the images, and 8 GiB of memory.

IT WAS NEVER RUN where the course is made: no registry can be reached there, and no package carries Milvus
2.6. Its own logic was, on stand-ins: tests/cluster/compose/test_contract.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import yaml
from pymilvus import MilvusClient

from halab.cluster import is_running
from halab.cluster.compose import projects
from halab.cluster.compose.startup import start
from halab.cluster.protocol import Component
from halab.cluster.running_cluster import RunningCluster
from halab.errors import HalabError
from halab.folders import course_root
from halab.measure.probing.milvus_collections import create_collection, create_flat_index, wait_until_loaded
from halab.measure.probing.operations import UNANSWERED

NAME = "contract"
ROLES = {
    "etcd": 3,
    "objectstore": 1,
    "mixcoord": 2,
    "streamingnode": 2,
    "querynode": 3,
    "datanode": 2,
    "proxy": 2,
}
WITH_A_SESSION = ("mixcoord", "streamingnode", "querynode", "datanode")
PATIENCE = 60.0  # seconds beyond what the course says


class NotSo(Exception):
    """An assumption does not hold; the message says what was found instead."""


def expect(holds: object, found: str) -> None:
    if not holds:
        raise NotSo(found)


class Rows(Protocol):
    """A collection with two copies. Both raise what pymilvus raises if Milvus does not answer."""

    def insert(self, key: int) -> None: ...
    def found(self, key: int) -> bool: ...


class RealRows:
    """`Rows` in a real cluster."""

    def __init__(self, uri: str) -> None:
        self._client = MilvusClient(uri, timeout=PATIENCE)
        create_collection(self._client, NAME, 2)
        create_flat_index(self._client, NAME)
        self._client.load_collection(NAME, replica_number=2, _async=True)
        wait_until_loaded(self._client, NAME)

    def insert(self, key: int) -> None:
        self._client.upsert(NAME, [{"id": key, "vector": [1.0, 0.0]}], timeout=5)

    def found(self, key: int) -> bool:
        hits: Any = self._client.query(NAME, ids=[key], consistency_level="Strong", timeout=5)
        return bool(hits)


@dataclass
class Subject:
    """What is asked: a cluster, rows in it, and each component's metrics by name."""

    milvus: str
    cluster: RunningCluster
    rows: Rows
    metrics: Callable[[Component], str]

    def members(self, *roles: str) -> list[Component]:
        return [part for part in self.cluster.components() if part.role in roles]

    def answers_within(self, seconds: float, key: int) -> None:
        """An insert of this key is acknowledged and found, tried again and again for `seconds`."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.rows.insert(key)
                expect(self.rows.found(key), f"row {key} was acknowledged and is not found")
            except UNANSWERED as error:
                expect(time.monotonic() < until, f"no insert within {seconds:g} s: {error}")
                time.sleep(0.2)
            else:
                return

    def active_but(self, former: str, seconds: float) -> float:
        """Wait until another mixcoord than `former` is active; how long that took."""
        began = time.monotonic()
        while True:
            active = [part.name for part in self.members("mixcoord") if part.ha_state == "active"]
            waited = time.monotonic() - began
            if len(active) == 1 and active != [former]:
                return waited
            expect(waited < seconds, f"after {waited:.0f} s the active one is {active or 'nobody'}")
            time.sleep(0.1)


Assumption = Callable[[Subject], None]


def the_roles(subject: Subject) -> None:
    """The containers are mixcoord, streamingnode, querynode, datanode and proxy, and Milvus accepts each."""
    count = Counter(part.role for part in subject.cluster.components())
    expect(count == ROLES, f"there are {dict(count)}")


def healthy(subject: Subject) -> None:
    """/healthz says 200 of every role, of the standby too."""
    ill = [part.name for part in subject.cluster.components() if part.health != "healthy"]
    expect(not ill, f"not healthy: {', '.join(ill)}")


def the_version(subject: Subject) -> None:
    """Every session in etcd tells the version that was asked for."""
    versions = {json.loads(session.value)["Version"] for session in subject.cluster.sessions()}
    expect(versions, "no session in etcd under by-dev/meta/session/")
    expect(all(version.startswith(subject.milvus) for version in versions), f"there are {sorted(versions)}")


def the_sessions(subject: Subject) -> None:
    """Every role but the proxies has a session in etcd under its address."""
    there = {json.loads(session.value)["Address"] for session in subject.cluster.sessions()}
    without = [part.name for part in subject.members(*WITH_A_SESSION) if part.address not in there]
    expect(not without, f"without one: {', '.join(without)}; there are {', '.join(sorted(there))}")


def the_lease(subject: Subject) -> None:
    """Every session has the lease that common.session.ttl asks for."""
    leases = {session.granted for session in subject.cluster.sessions()}
    expect(leases == {subject.cluster.ttl}, f"there are leases of {sorted(leases)} s")


def one_leads(subject: Subject) -> None:
    """One mixcoord holds the key `mixcoord`, the other stands by under a key of its own."""
    states = sorted(part.ha_state for part in subject.members("mixcoord"))
    expect(states == ["active", "standby"], f"they are {states}")
    keys = sorted(session.key for session in subject.cluster.sessions() if session.key.startswith("mixcoord"))
    expect("mixcoord" in keys, f"their keys are {keys}")


def rows_are_found(subject: Subject) -> None:
    """What was inserted is found, through the balancer."""
    subject.answers_within(10, 1)


def the_metrics(subject: Subject) -> None:
    """The proxies and streaming nodes have the metrics that the alert rules ask for."""
    table = yaml.safe_load((course_root() / "docs" / "production" / "metrics.yaml").read_text())
    text = "\n".join(subject.metrics(part) for part in subject.members("proxy", "streamingnode"))
    wanted = [name for name in table if name.startswith(("milvus_proxy_", "milvus_wal_"))]
    missing = [name for name in wanted if name not in text]
    expect(not missing, f"not there: {', '.join(missing)}")


def a_crash_is_taken_over(subject: Subject) -> None:
    """The active mixcoord is killed: the standby is active once the lease has run out, and rows are found."""
    active = subject.cluster.active("mixcoord").name
    with subject.cluster.fault("crash", active):
        subject.active_but(active, subject.cluster.ttl + PATIENCE)
        subject.answers_within(PATIENCE, 2)
        expect(subject.rows.found(1), "a row that was acknowledged before is lost")


def a_planned_stop_hands_over(subject: Subject) -> None:
    """The active mixcoord is told to stop: it gives its lease back, and nobody waits until that runs out."""
    active = subject.cluster.active("mixcoord").name
    with subject.cluster.fault("stop", active):
        waited = subject.active_but(active, subject.cluster.ttl + PATIENCE)
    expect(waited < subject.cluster.ttl / 2, f"the standby was active after {waited:.0f} s")


def a_streaming_node_is_replaced(subject: Subject) -> None:
    """A streaming node is killed: the other takes over its channels, and no acknowledged row is lost."""
    subject.answers_within(10, 3)
    for name in [part.name for part in subject.members("streamingnode")]:
        with subject.cluster.fault("crash", name):
            subject.answers_within(subject.cluster.ttl + PATIENCE, 4)
            expect(subject.rows.found(3), f"without {name} a row that was acknowledged is lost")


def a_lost_proxy_stalls_nobody(subject: Subject) -> None:
    """A proxy is killed: strong searches go on, since no proxy sends time ticks any more."""
    with subject.cluster.fault("crash", "proxy-1"):
        subject.answers_within(10, 5)


def a_copy_serves_on(subject: Subject) -> None:
    """A query node is killed: the collection's other copy answers."""
    with subject.cluster.fault("crash", "querynode-1"):
        subject.answers_within(subject.cluster.ttl + PATIENCE, 6)


ASSUMPTIONS: tuple[Assumption, ...] = (
    the_roles, healthy, the_version, the_sessions, the_lease, one_leads, rows_are_found, the_metrics,
    a_crash_is_taken_over, a_planned_stop_hands_over, a_streaming_node_is_replaced,
    a_lost_proxy_stalls_nobody, a_copy_serves_on,
)  # fmt: skip


def failing(
    subject: Subject, assumptions: Iterable[Assumption] = ASSUMPTIONS, say: Callable[[str], None] = print
) -> list[str]:
    """Try each assumption, say what became of it, and give the names of those that do not hold."""
    names = []
    for assumption in assumptions:
        try:
            assumption(subject)
        except (NotSo, HalabError, httpx.HTTPError, *UNANSWERED) as error:
            names.append(assumption.__name__)
            say(f"FAILS  {assumption.__name__}: {assumption.__doc__}\n       Found: {error}")
        else:
            say(f"holds  {assumption.__name__}: {assumption.__doc__}")
    return names


def read_metrics(cluster: RunningCluster) -> Callable[[Component], str]:
    return lambda part: (
        httpx.get(f"http://127.0.0.1:{cluster.loopback_port(part.name, 9091)}/metrics", timeout=10.0).text
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--milvus", choices=["2.6", "3.0"], default="3.0", help="which line; 3.0 by default")
    milvus = parser.parse_args().milvus
    print(f"Milvus {milvus}: {projects.IMAGES[milvus]}, by docker-compose.current.yml", flush=True)
    try:
        with start(NAME, milvus=milvus) as cluster:
            names = failing(Subject(milvus, cluster, RealRows(cluster.uri), read_metrics(cluster)))
    except (HalabError, *UNANSWERED) as error:
        sys.exit(f"FAILS  it_starts: every container becomes healthy and a search is answered.\n{error}")
    if is_running(NAME):
        names.append("nothing_is_left")
    if names:
        sys.exit(f"These do not hold: {', '.join(names)}. Please report them, with your Docker's version.")
    print("All hold.")


if __name__ == "__main__":
    main()
