"""The query node that leads a collection's shard: without it no search of that copy is answered."""

from __future__ import annotations

import json

from pymilvus import MilvusClient

from halab.cluster.protocol import Cluster
from halab.errors import MeasurementError
from halab.measure.probing.milvus_collections import TIMEOUT
from halab.translation import gettext

__all__ = ["shard_leader"]


def shard_leader(cluster: Cluster, collection: str) -> str:
    """The component that leads the first shard of the collection's first copy.

    Raises MeasurementError if no component is known by its address.
    """
    client = MilvusClient(cluster.uri, timeout=TIMEOUT)
    try:
        number = client.describe_replica(collection)[0].shards[0].shard_leader
    finally:
        client.close()
    sessions = [json.loads(session.value) for session in cluster.sessions()]
    address = next((each["Address"] for each in sessions if each.get("ServerID") == number), None)
    for part in cluster.components():
        if part.address == address:
            return part.name
    raise MeasurementError(
        gettext("no process is known to lead {collection}").format(collection=collection),
        hint=gettext("see `halab status`, and try again when every role is healthy"),
    )
