"""The disk quota of Milvus filled: it refuses every insert from then on, and goes on answering searches.

The quota is made small while the cluster runs, and rows are written until it is used up. No disk is filled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from pymilvus import MilvusClient

from halab.cluster.embedded.embedded_cluster import EmbeddedCluster
from halab.errors import MeasurementError
from halab.measure.probing.milvus_collections import (
    TIMEOUT,
    create_collection,
    drop_collections,
    silence_pymilvus,
)
from halab.measure.probing.operations import UNANSWERED, error_text
from halab.translation import gettext

__all__ = ["full_disk"]

QUOTA = "quotaAndLimits.limitWriting.diskProtection.diskQuota"
_SMALL, _NO_LIMIT = "1", "-1"  # MB, of all collections together
_COLLECTION = "halab_full_disk"
_ROWS, _DIM = 500, 128  # of a batch: a quarter of a MB
_LOOK = 0.5  # seconds between two inserts


@contextmanager
def full_disk(
    cluster: EmbeddedCluster, patience: float = 60.0, on_progress: Callable[[str], None] = lambda _: None
) -> Iterator[str]:
    """Fill the disk quota; the block runs while Milvus refuses inserts, and gets what one of them was told.

    Afterwards there is no quota again, and the rows that filled it are gone. Raises MeasurementError if
    Milvus still takes inserts after `patience` seconds, or again refuses them that long after the block.
    """
    silence_pymilvus()
    client = MilvusClient(cluster.uri, timeout=TIMEOUT)
    try:
        drop_collections(client, [_COLLECTION])
        create_collection(client, _COLLECTION, _DIM)
        cluster.set_config(QUOTA, _SMALL)
        on_progress(gettext("writing until Milvus refuses"))
        yield _refusal(client, patience)
    finally:
        cluster.set_config(QUOTA, _NO_LIMIT)
        with suppress(*UNANSWERED):  # what the block raised is to be heard of
            _await_inserts(client, patience)
            drop_collections(client, [_COLLECTION])
        client.close()


def _refusal(client: Any, patience: float) -> str:
    """Write and flush until an insert is refused: the quota counts what lies in the store."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if told := _told(client):
            return told
        with suppress(*UNANSWERED):
            client.flush(_COLLECTION)
        time.sleep(_LOOK)
    raise MeasurementError(
        gettext("Milvus refused no insert within {patience:g} s").format(patience=patience),
        hint=gettext("does every role answer? halab status"),
    )


def _await_inserts(client: Any, patience: float) -> None:
    until = time.monotonic() + patience
    while told := _told(client):
        if time.monotonic() > until:
            raise MeasurementError(
                gettext("Milvus still refuses inserts, though it has no quota: {told}").format(told=told),
                hint=gettext("start the cluster again"),
            )
        time.sleep(_LOOK)


def _told(client: Any) -> str:
    """What an insert of a batch was told; "" if it was taken."""
    vectors = np.random.default_rng().normal(size=(_ROWS, _DIM)).tolist()
    try:
        client.insert(_COLLECTION, [{"id": key, "vector": vector} for key, vector in enumerate(vectors)])
    except UNANSWERED as error:
        return error_text(error)
    return ""
