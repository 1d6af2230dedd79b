"""What every workload does with collections: make, index, load, wait for the load, look for rows, drop.

Collections have a primary key "id", a vector "vector" with a FLAT index and the inner product, and one shard.
Calls raise what pymilvus raises (`operations.UNANSWERED`), so that each caller can say what it was for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from pymilvus import DataType, MilvusClient
from pymilvus.client.types import LoadState
from pymilvus.exceptions import MilvusException

from halab.measure.probing.operations import UNANSWERED
from halab.translation import gettext

__all__ = [
    "TIMEOUT",
    "aliases_of",
    "create_collection",
    "create_flat_index",
    "drop_collections",
    "keys_present",
    "retry_for",
    "silence_pymilvus",
    "wait_until_loaded",
]

TIMEOUT = 60.0
"""Seconds for a call that prepares or counts; no such call is part of a measurement."""

_LOOK = 0.05  # seconds between two looks at a load
_RETRY = 0.5  # seconds between two tries of a call
_KEYS_A_QUERY = 10_000  # Milvus answers at most 16,384 rows

T = TypeVar("T")


def silence_pymilvus() -> None:
    """Its errors are raised as ours; the tracebacks it also prints would read as a failed cell."""
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)


def create_collection(client: Any, name: str, dimensions: int) -> None:
    """Make an empty collection of int64 keys and float vectors with one shard, neither indexed nor loaded."""
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
    client.create_collection(name, schema=schema, num_shards=1)


def create_flat_index(client: Any, name: str) -> None:
    """Index the vectors by brute force (FLAT), compared by inner product."""
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")
    client.create_index(name, index)


def wait_until_loaded(
    client: Any, name: str, timeout: float = TIMEOUT, on_wait: Callable[[], None] = lambda: None
) -> None:
    """Wait until every replica of a collection is loaded; `on_wait` is called before each look.

    Raises MilvusException if that takes longer than `timeout` seconds.
    """
    end = time.monotonic() + timeout
    while client.get_load_state(name)["state"] != LoadState.Loaded:
        on_wait()
        if time.monotonic() > end:
            raise MilvusException(
                message=gettext("{name} was not loaded within {timeout:g} s").format(
                    name=name, timeout=timeout
                )
            )
        time.sleep(_LOOK)


def aliases_of(client: Any, name: str) -> list[str]:
    """By the description: Milvus 2.3.5 does not list aliases in another database than the default one."""
    return list(client.describe_collection(name).get("aliases") or ())


def drop_collections(client: Any, names: Iterable[str]) -> None:
    """Release and drop those of the collections that are there, and their aliases."""
    for name in names:
        if client.has_collection(name):
            for alias in aliases_of(client, name):
                client.drop_alias(alias)
            client.release_collection(name)
            client.drop_collection(name)


def keys_present(client: Any, name: str, keys: Sequence[int]) -> set[int]:
    """Those of the primary keys that a Strong query finds now; each batch is tried for `TIMEOUT` seconds."""
    present: set[int] = set()
    for first in range(0, len(keys), _KEYS_A_QUERY):
        batch = list(keys[first : first + _KEYS_A_QUERY])
        query = partial(
            client.query, name, f"id in {batch}", ["id"], timeout=TIMEOUT, consistency_level="Strong"
        )
        present.update(row["id"] for row in retry_for(query, TIMEOUT))
    return present


def retry_for(call: Callable[[], T], seconds: float) -> T:
    """Try again until `seconds` have passed: pymilvus gives up at once on a proxy that is just back."""
    end = time.monotonic() + seconds
    while True:
        try:
            return call()
        except UNANSWERED:
            if time.monotonic() > end:
                raise
        time.sleep(_RETRY)
