"""The last readiness check: a collection is created, loaded and searched through a proxy, then dropped.

Usage: python readiness_check.py URI SECONDS   (exit status 0: a search answered)
It is started together with the cluster, so that the import of the client takes no extra time; for the same
reason it imports nothing of halab.
"""

from __future__ import annotations

import socket
import sys
import time
from urllib.parse import urlsplit

from pymilvus import DataType, MilvusClient
from pymilvus.client.types import LoadState
from pymilvus.exceptions import MilvusException

from halab.translation import gettext

__all__ = ["search_scratch_collection"]

NAME = "halab_ready_check"
DIM = 4
LOADED_WITHIN = 20.0  # seconds


def search_scratch_collection(uri: str, seconds: float) -> None:
    """Search a scratch collection, trying again for `seconds`; raises the last error when time is up."""
    deadline = time.monotonic() + seconds
    _await_port(uri, deadline)
    while True:
        try:
            _search_once(uri)
        except MilvusException as error:
            if time.monotonic() > deadline:
                raise
            print(gettext("not yet: {error}").format(error=error), flush=True)
            time.sleep(0.1)
        else:
            return


def _await_port(uri: str, deadline: float) -> None:
    """Wait until the proxy listens. A client made before that is costly, and looks again ever less often."""
    address = urlsplit(uri)
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address.hostname or "", address.port or 0), timeout=1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return


def _search_once(uri: str) -> None:
    client = MilvusClient(uri, timeout=5)
    try:
        client.drop_collection(NAME, timeout=5)
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
        index = client.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="IP")
        client.create_collection(NAME, schema=schema, num_shards=1, timeout=30)
        # Without waiting: the client checks only twice a second whether an index or a load is done.
        client.create_index(NAME, index, sync=False, timeout=10)
        client.load_collection(NAME, _async=True, timeout=10)
        client.insert(
            NAME, [{"id": n, "vector": [float(n == i) for i in range(DIM)]} for n in range(DIM)], timeout=10
        )
        _search_when_loaded(client)
        client.drop_collection(NAME, timeout=10)
    finally:
        client.close()


def _search_when_loaded(client: MilvusClient) -> None:
    until = time.monotonic() + LOADED_WITHIN
    while client.get_load_state(NAME, timeout=5)["state"] != LoadState.Loaded and time.monotonic() < until:
        time.sleep(0.02)
    hits = client.search(NAME, [[1.0, 0, 0, 0]], limit=1, consistency_level="Strong", timeout=10)
    if not hits[0]:
        raise MilvusException(message=gettext("the scratch collection answered without its rows"))


if __name__ == "__main__":
    search_scratch_collection(sys.argv[1], float(sys.argv[2]))
