"""How the tools of this room reach a cluster, and how they say that it refused."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymilvus import MilvusClient
from pymilvus.client.types import LoadState
from pymilvus.exceptions import MilvusException

from halab.cluster.protocol import Cluster
from halab.cluster.running_cluster import RunningCluster
from halab.cluster.simulated import SimulatedCluster
from halab.errors import BackupError
from halab.measure.probing.operations import UNANSWERED, error_text

__all__ = ["connected", "load", "refusals"]

_PATIENCE = 60.0  # seconds for one call
_LOADING = 300.0  # seconds for a collection to be loaded
_STEP = 0.1  # seconds between two looks


@contextmanager
def connected(source: Cluster | MilvusClient | str) -> Iterator[Any]:
    """A client of a cluster, an address, or the client itself that was given."""
    if isinstance(source, SimulatedCluster):
        raise BackupError(
            "a simulated cluster keeps no rows, so there is nothing to back up or to restore into",
            hint="take the embedded engine",
        )
    uri = source.uri if isinstance(source, RunningCluster) else source
    if not isinstance(uri, str):
        yield source
        return
    # Its errors are raised as ours; what it also prints would read as a failure.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    with refusals(f"the cluster at {uri} was not reached"):
        client = MilvusClient(uri, timeout=_PATIENCE)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def refusals(
    what: str, hint: str = "see `halab status`, and try again when every role is healthy"
) -> Iterator[None]:
    """Milvus' refusals as a BackupError that begins with `what`."""
    try:
        yield
    except UNANSWERED as error:
        raise BackupError(f"{what}: {error_text(error)}", hint=hint) from None


def load(client: Any, name: str, replicas: int) -> None:
    """Load a collection and wait until it is. Raises MilvusException."""
    client.load_collection(name, replica_number=replicas, _async=True)
    end = time.monotonic() + _LOADING
    while client.get_load_state(name)["state"] != LoadState.Loaded:
        if time.monotonic() > end:
            raise MilvusException(message=f"{name} was not loaded within {_LOADING:g} s")
        time.sleep(_STEP)
