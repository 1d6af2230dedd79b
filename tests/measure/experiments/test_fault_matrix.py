"""Each fault on each part of a real cluster: it heals, and no acknowledged row is lost.

The loss of the log is not here: that one loses rows, and lesson 7 counts them.

A short TTL, and no more time with the fault than a takeover needs: what is asked here is not how long
anything takes, but what is there afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from halab.cluster.embedded import embedded_cluster
from halab.cluster.embedded.embedded_cluster import EmbeddedCluster
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rpo
from halab.measure.probing.retriever import Retriever

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

TTL = 3.0
WITH_FAULT = 4.0  # seconds: the lease ends within them, and a standby is active
COORDINATORS = ("rootcoord", "querycoord", "datacoord")
PARTS = (
    *((f"active {role}",) for role in COORDINATORS),
    ("any querynode",),
    ("datanode-1",),
    ("datanode-1", "datanode-2"),
    ("proxy-1",),  # the one that the client uses
    ("proxy-2",),
    ("etcd leader",),
    ("objectstore",),
)
MATRIX = [
    *(("crash", part) for part in PARTS),
    *(("hang", part) for part in PARTS),
    ("crash", ("standby rootcoord",)),
    ("crash", ("etcd leader", "etcd follower")),
    ("crash", ("indexnode-1",)),
    ("hang", ("indexnode-1",)),
    ("hang", ("log",)),
]


@pytest.fixture(scope="module")
def matrix(real_home: object) -> Iterator[tuple[EmbeddedCluster, Retriever]]:
    with (
        embedded_cluster.start("matrix", "ha", TTL) as cluster,
        Retriever(cluster, replicas=3) as retriever,
    ):
        yield cluster, retriever


def broken(cluster: EmbeddedCluster, retriever: Retriever, kind: str, part: tuple[str, ...]) -> Journal:
    """The journal of a fault; the cluster is whole afterwards, and a question is answered."""
    faults = [f"{kind} {target}" for target in part]
    journal = experiment(
        cluster, faults, retriever=retriever, before=1, seconds=WITH_FAULT, after=1, rate=10, progress=False
    )  # fmt: skip
    assert [f"{fault.kind} {fault.target}" for fault in journal.faults] == faults
    cluster.wait_healthy(120)
    assert retriever.wait_until_searchable(60), journal.notes
    return journal


@pytest.mark.parametrize(
    ("kind", "part"), MATRIX, ids=lambda value: value if value in ("crash", "hang") else "+".join(value)
)
def test_no_acknowledged_row_is_lost(
    matrix: tuple[EmbeddedCluster, Retriever], kind: str, part: tuple[str, ...]
) -> None:
    journal = broken(*matrix, kind, part)
    assert journal.count is not None, journal.notes
    assert journal.count.acknowledged > 0
    assert rpo(journal) == 0
    assert journal.count.missing == ()


def test_the_matrix_has_25_cells() -> None:
    assert len(set(MATRIX)) == len(MATRIX) == 25
