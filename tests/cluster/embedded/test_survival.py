"""The table of what survives, against real faults: parts are killed and nobody starts them again.

A cluster of its own for each fault: what is left of one would judge the next. All of them take a quarter of
an hour, so every run has the telling ones, and HALAB_SURVEY=1 the whole table (after a change to it, say).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import grpc
import pytest
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from halab.cluster.embedded import embedded_cluster
from halab.measure.probing.prober import probe
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome
from halab.models.survival import Member, verdicts

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

TTL = 10.0
RATE = 10.0
LATE = 5.0  # seconds at the end that tell whether an operation works again
TRIES = 3
BRIEF = 20  # unanswered requests, two seconds' worth, that still count as hardly noticed

SMALL = {"datanode": 15, "log": 15, "proxy": 15}  # seconds each is watched
HA: list[tuple[str, ...]] = [("active rootcoord",), ("any querynode",)]
if os.environ.get("HALAB_SURVEY"):
    SMALL |= dict.fromkeys(
        ("querynode", "rootcoord", "querycoord", "datacoord", "indexnode", "objectstore"), 15
    )
    SMALL |= {"etcd": 90}  # what runs goes on until it misses its session
    HA += [("active querycoord",), ("active datacoord",), ("standby rootcoord",)]
    HA += [("datanode-1", "datanode-2"), ("proxy-2",), ("etcd leader",)]


def losing(profile: str, targets: tuple[str, ...], seconds: float) -> None:
    """Compare the table with what a cluster does.

    A table that is wrong is wrong each time; a machine that lets requests pass their deadline is not.
    """
    for _ in range(TRIES):
        if not (wrong := _differences(profile, targets, seconds)):
            return
    assert wrong == {}, "the table says the first, the cluster the second"


def _differences(profile: str, targets: tuple[str, ...], seconds: float) -> dict[str, tuple[str, set[str]]]:
    """Kill these parts of a fresh cluster, watch for so long, and compare with the table: what differs."""
    copies = 3 if profile == "ha" else 1
    with embedded_cluster.start("survival", profile, TTL) as cluster:
        retriever = Retriever(cluster, replicas=copies)
        client = MilvusClient(cluster.uri, timeout=10)
        client.create_collection("spare", dimension=8, metric_type="IP")
        client.insert("spare", [{"id": i, "vector": [float(i)] * 8} for i in range(100)])
        client.flush("spare")
        client.release_collection("spare")
        parts = [
            Member(one.name, _serves(one), one.ha_state in ("active", "leader"))
            for one in cluster.components()
        ]
        with probe(cluster, retriever.operations(), rate=RATE) as run:
            cluster.sleep(2)
            struck = run.elapsed
            down = [cluster.resolve(target).name for target in targets]
            for name in down:
                cluster.inject("crash", name)
            cluster.sleep(seconds)
            ended = run.elapsed
        seen = {
            operation: _seen([s for s in run.journal.samples(operation) if s.intended >= struck], ended)
            for operation in run.journal.header.operations
        }
        seen["flush"] = _works(lambda: client.flush(retriever.insert_collection, timeout=10))
        seen["load"] = _works(lambda: client.load_collection("spare", timeout=10))
    said = {verdict.operation: verdict.fate for verdict in verdicts(parts, down, copies)}
    return {name: (fate, seen[name]) for name, fate in said.items() if fate not in seen[name]}


def _serves(component) -> str:
    return "entry" if component.name == "proxy-1" else component.role


def _seen(samples, ended: float) -> set[str]:
    """The fates that what was seen agrees with. A short interruption may pass for none on a busy machine."""
    bad = sum(sample.outcome is not Outcome.OK for sample in samples)
    late = Counter(sample.outcome is Outcome.OK for sample in samples if sample.intended >= ended - LATE)
    if late[False] > late[True]:
        return {"stops"}
    return ({"survives"} if bad <= BRIEF else set()) | ({"degrades"} if bad else set())


def _works(call: Callable[[], object]) -> set[str]:
    try:
        call()
    except (MilvusException, grpc.RpcError):  # the client lets some deadlines through as gRPC raised them
        return {"stops"}
    return {"survives", "degrades"}


@pytest.mark.parametrize("role", SMALL)
def test_a_single_part_of_the_small_profile(real_home, role) -> None:
    losing("small", (role,), SMALL[role])


@pytest.mark.parametrize("targets", HA, ids=" and ".join)
def test_parts_of_the_highly_available_profile(real_home, targets) -> None:
    losing("ha", targets, 22)
