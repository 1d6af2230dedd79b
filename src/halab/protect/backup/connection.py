"""How the tools of this room reach a cluster, and how they report that it refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymilvus import MilvusClient

from halab.cluster.protocol import Cluster
from halab.cluster.running_cluster import RunningCluster
from halab.cluster.simulated import SimulatedCluster
from halab.errors import BackupError
from halab.measure.probing.milvus_collections import TIMEOUT, silence_pymilvus, wait_until_loaded
from halab.measure.probing.operations import UNANSWERED, error_text
from halab.protect.backup.manifest import DEFAULT_DATABASE
from halab.translation import gettext

__all__ = ["LOAD_TIMEOUT", "connected", "load", "refusals"]

LOAD_TIMEOUT = 300.0
"""Seconds for a collection, or a partition, to be loaded."""


@contextmanager
def connected(source: Cluster | MilvusClient | str, database: str = DEFAULT_DATABASE) -> Iterator[Any]:
    """A client of a database of a cluster or an address, closed on leaving; a client that is given is yielded
    as it is, and reaches its own database only.

    Raises BackupError for a simulated cluster, for another database than the default one of a client that is
    given, and if nothing answers at the address.
    """
    if isinstance(source, SimulatedCluster):
        raise BackupError(
            gettext("a simulated cluster keeps no rows, so there is nothing to back up or to restore into"),
            hint=gettext("take the embedded engine"),
        )
    uri = source.uri if isinstance(source, RunningCluster) else source
    if not isinstance(uri, str):
        if database != DEFAULT_DATABASE:
            raise BackupError(
                gettext('a client was given, and the database "{database}" was asked for').format(
                    database=database
                ),
                hint=gettext("give the address instead, or a client of that database and names without it"),
            )
        yield source
        return
    silence_pymilvus()
    with refusals(gettext("the cluster at {uri} was not reached").format(uri=uri)):
        client = MilvusClient(uri, db_name=database, timeout=TIMEOUT)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def refusals(what: str, hint: str = "") -> Iterator[None]:
    """Turn an error of Milvus, or of the connection, into a BackupError whose message begins with `what`."""
    healthy = gettext("see `halab status`, and try again when every role is healthy")
    try:
        yield
    except UNANSWERED as error:
        raise BackupError(f"{what}: {error_text(error)}", hint=hint or healthy) from None


def load(client: Any, name: str, replicas: int) -> None:
    """Load a collection and wait until it is; raises MilvusException after five minutes."""
    client.load_collection(name, replica_number=replicas, _async=True)
    wait_until_loaded(client, name, LOAD_TIMEOUT)
