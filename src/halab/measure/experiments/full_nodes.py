"""A query node lost while the others are full: what it held is loaded nowhere, until there is room.

No memory is filled. Milvus looks before each load whether the node is beyond its limit (90 % of the memory by
default); here that limit is lowered, while the cluster runs, until every query node is beyond it. What is
loaded stays, and nothing more is taken, which is what a full node does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymilvus import MilvusClient

from halab.cluster.embedded.embedded_cluster import EmbeddedCluster
from halab.errors import MeasurementError
from halab.measure.experiments.shard_leader import shard_leader
from halab.measure.probing.milvus_collections import (
    TIMEOUT,
    create_collection,
    create_flat_index,
    drop_collections,
    silence_pymilvus,
    wait_until_loaded,
)
from halab.measure.probing.operations import UNANSWERED, error_text
from halab.translation import gettext

__all__ = ["FullNodes", "lose_a_node_when_full"]

LIMIT = "queryCoord.overloadedMemoryThresholdPercentage"
_USUAL, _FULL = "90", "0.1"  # per cent of the machine's memory
_READ_WITHIN = 6.0  # seconds: Milvus looks for changed settings every 5
_COLLECTION = "halab_full_nodes"
_SEGMENTS, _ROWS, _DIM = 3, 500, 64
_REFUSAL = "load segment failed, OOM if load"
_LOOK = 0.5  # seconds between two questions


@dataclass(frozen=True, slots=True)
class FullNodes:
    """What became of a collection of one copy whose node was lost.

    `before` of `asked` rows were found with all nodes up; `full` is the most that any question found in
    `watched` seconds after the loss, while the others were full, None if none was answered; `error` is the
    last answer without a result. `refused` counts the loads that Milvus refused, in its own log. `whole` is
    seconds from the moment there was room until all rows were found; None if they were not.
    """

    lost: str
    asked: int
    before: int
    full: int | None
    watched: float
    error: str
    refused: int
    whole: float | None


def lose_a_node_when_full(
    cluster: EmbeddedCluster,
    watch: float = 20.0,
    patience: float = 40.0,
    on_progress: Callable[[str], None] = lambda _: None,
) -> FullNodes:
    """Kill the query node that leads a collection of one copy while the others are full; then give them room.

    `watch` is how many seconds without room are looked at, and should be above the session TTL; `patience`
    bounds what comes after. The cluster is as it was afterwards. Raises MeasurementError if the collection
    cannot be made; ClusterError.
    """
    silence_pymilvus()
    client = MilvusClient(cluster.uri, timeout=TIMEOUT)
    try:
        on_progress(gettext("loading a collection of one copy"))
        vectors = _load(client)
        return _lose(cluster, client, vectors, watch, patience, on_progress)
    except UNANSWERED as error:
        raise MeasurementError(
            gettext("the collection was not loaded: {error}").format(error=error_text(error)),
            hint=gettext("see `halab status`, and try again when every role is healthy"),
        ) from None
    finally:
        cluster.set_config(LIMIT, _USUAL)
        cluster.wait_healthy()
        drop_collections(client, [_COLLECTION])
        client.close()


def _lose(
    cluster: EmbeddedCluster,
    client: Any,
    vectors: list[list[float]],
    watch: float,
    patience: float,
    on_progress: Callable[[str], None],
) -> FullNodes:
    before, _ = _found(client, vectors)
    on_progress(gettext("lowering the limit of memory until every query node is full"))
    cluster.set_config(LIMIT, _FULL)
    time.sleep(_READ_WITHIN)
    leader = shard_leader(cluster, _COLLECTION)
    on_progress(gettext("{name} is lost, and the others are full").format(name=leader))
    fault = cluster.inject("crash", leader)
    try:
        full, error = _watched(client, vectors, watch)
        refused = sum(
            line.count(_REFUSAL)
            for part in cluster.components()
            if part.role == "querynode" and part.name != leader
            for line in cluster.logs(part.name, 2000).splitlines()
        )
        on_progress(gettext("giving the others room"))
        cluster.set_config(LIMIT, _USUAL)
        whole = _whole_after(client, vectors, patience)
    finally:
        fault.undo()
    return FullNodes(leader, len(vectors), before or 0, full, watch, error, refused, whole)


def _load(client: Any) -> list[list[float]]:
    """Make a collection of as many segments as there are query nodes, with one copy; a vector of each."""
    drop_collections(client, [_COLLECTION])
    create_collection(client, _COLLECTION, _DIM)
    create_flat_index(client, _COLLECTION)
    directions = np.random.default_rng(0).normal(size=(_SEGMENTS, _ROWS, _DIM))
    rows = (directions / np.linalg.norm(directions, axis=2, keepdims=True)).tolist()
    for segment, vectors in enumerate(rows):
        keyed = [{"id": segment * _ROWS + number, "vector": vector} for number, vector in enumerate(vectors)]
        client.insert(_COLLECTION, keyed)
        client.flush(_COLLECTION)  # a segment of its own
    client.load_collection(_COLLECTION, replica_number=1, _async=True)
    wait_until_loaded(client, _COLLECTION)
    return [vectors[0] for vectors in rows]


def _found(client: Any, vectors: list[list[float]]) -> tuple[int | None, str]:
    """How many of the rows are found, each by its own vector; None and the error if there was no answer."""
    try:
        answers = client.search(_COLLECTION, vectors, limit=1, timeout=2.0)
    except UNANSWERED as error:
        return None, error_text(error)
    keys = range(0, _SEGMENTS * _ROWS, _ROWS)
    return sum(bool(hits) and hits[0]["id"] == key for key, hits in zip(keys, answers, strict=True)), ""


def _watched(client: Any, vectors: list[list[float]], seconds: float) -> tuple[int | None, str]:
    until = time.monotonic() + seconds
    most: int | None = None
    last = ""
    while time.monotonic() < until:
        hits, error = _found(client, vectors)
        if hits is not None:
            most = max(hits, most or 0)
        last = error or last
        time.sleep(_LOOK)
    return most, last


def _whole_after(client: Any, vectors: list[list[float]], patience: float) -> float | None:
    began = time.monotonic()
    while (waited := time.monotonic() - began) < patience:
        if _found(client, vectors)[0] == len(vectors):
            return waited
        time.sleep(_LOOK)
    return None
