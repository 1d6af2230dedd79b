"""The passages in Milvus. Two collections, `<name>_a` and `<name>_b`, and an alias `<name>` that says which
one answers: so a new index is filled and verified beside the old one, and switched to in one call.

Who prepares uses pymilvus' client, with retries of our own around it. Who answers uses `Address`, which
speaks gRPC through pymilvus' stubs: the client tries a refused request again until its timeout and longer,
which no retry budget knows of (pymilvus 3.0.2, measured: 6 requests and 1.6 s for one with a timeout of 1 s).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its C core tells lost connections on stderr

import grpc
import numpy as np
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient
from pymilvus.client.prepare import Prepare
from pymilvus.client.search_result import SearchResult
from pymilvus.exceptions import MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2_grpc
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from halab.errors import RagError
from halab.measure.probing.milvus_collections import (
    aliases_of,
    create_flat_index,
    drop_collections,
    silence_pymilvus,
    wait_until_loaded,
)
from halab.measure.probing.operations import UNANSWERED, error_text
from halab.rag.documents import Passage
from halab.translation import gettext

__all__ = ["Address", "Done", "PassageCollection"]

Done = Callable[[list[Passage] | None, str], None]
"""Called once with the passages of an answer, or with None and what went wrong."""

_CALL = 10.0  # seconds for one call that prepares
_KEYS_A_QUERY = 1000
_FIELDS = {"source": 4096, "heading": 2048, "text": 16384}  # and how many bytes each may have
_CHANNEL = (
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),  # gRPC's own default is two minutes: longer than any outage here
)
T = TypeVar("T")


class PassageCollection:
    """Passages in Milvus under one name. Calls are tried for `patience` seconds, with growing random pauses.

    Raises RagError when the patience is over, or if the collection was made with other vectors.
    """

    def __init__(
        self, uri: str, name: str = "halab_rag", *, replicas: int = 1, patience: float = 60.0
    ) -> None:
        silence_pymilvus()
        self.uri, self.name, self.replicas = uri, name, replicas
        self._patience = patience
        self._made: Any = None

    def _try(self, doing: str, call: Callable[[Any], T]) -> T:
        """Call with a client, made anew after each failure: an old one may hang on to a dead proxy."""

        def attempt() -> T:
            try:
                self._made = self._made or MilvusClient(self.uri, timeout=_CALL)
                return call(self._made)
            except UNANSWERED:
                self._made = None
                raise

        tries = Retrying(
            retry=retry_if_exception_type(UNANSWERED),
            stop=stop_after_delay(self._patience),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            reraise=True,
        )
        try:
            return tries(attempt)
        except UNANSWERED as error:
            raise RagError(
                gettext("{doing} failed for {patience:g} s: {error_text}").format(
                    doing=doing, patience=self._patience, error_text=error_text(error)
                ),
                hint=gettext(
                    "nothing is lost; see `halab status`, and do it again when every role is healthy"
                ),
            ) from None

    @property
    def sides(self) -> tuple[str, str]:
        return f"{self.name}_a", f"{self.name}_b"

    def current(self) -> str:
        """The side that answers now; "" if there is none yet."""

        def look(client: Any) -> str:
            made = [side for side in self.sides if client.has_collection(side)]
            return next((side for side in made if self.name in aliases_of(client, side)), "")

        return self._try(gettext("looking for the collection"), look)

    def other(self) -> str:
        """The side that does not answer now."""
        return self.sides[self.current() == self.sides[0]]

    def open(self, vectors_name: str, dimensions: int) -> str:
        """The side that answers; made, loaded and given the alias if there is none.

        Raises RagError if it holds vectors of another name.
        """
        side = self.current()
        if not side:
            side = self.sides[0]
            self.make(side, vectors_name, dimensions)
            self.switch(side)
        holds = self._try(gettext("reading the collection"), lambda client: client.describe_collection(side))
        if holds["description"] != vectors_name:
            raise RagError(
                gettext("{side} holds vectors called {description!r}, and these are {vectors_name!r}").format(
                    side=side, description=holds["description"], vectors_name=vectors_name
                ),
                hint=gettext("index the documents anew beside it: `halab rag reindex`"),
            )
        return side

    def make(self, side: str, vectors_name: str, dimensions: int) -> None:
        """Make a side, empty and loaded, in place of what it was."""

        def create(client: Any) -> None:
            drop_collections(client, [side])
            schema = MilvusClient.create_schema(auto_id=False, description=vectors_name)
            schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=32)
            for field, longest in _FIELDS.items():
                schema.add_field(field, DataType.VARCHAR, max_length=longest)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
            client.create_collection(side, schema=schema, num_shards=1)
            create_flat_index(client, side)
            client.load_collection(side, replica_number=self.replicas, _async=True)
            wait_until_loaded(client, side)

        self._try(gettext("making {side}").format(side=side), create)

    def write(self, side: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Upsert: a passage that is there already, by its key, is replaced and not doubled."""
        rows = [
            {"id": p.key, "source": p.source, "heading": p.heading, "text": p.text, "vector": vector.tolist()}
            for p, vector in zip(passages, vectors, strict=True)
        ]
        self._try(
            gettext("writing {count} passages").format(count=len(rows)),
            lambda client: client.upsert(side, rows, timeout=_CALL),
        )

    def remove(self, side: str, keys: Iterable[str]) -> None:
        """Delete the passages with these keys; those that are not there are no error."""
        for batch in _batches(list(keys)):
            self._try(gettext("removing passages"), partial(_delete, side=side, keys=batch))

    def present(self, side: str, keys: Iterable[str]) -> list[str]:
        """The keys among these that a Strong query finds: once for each row, so that a double shows."""
        ids: list[str] = []
        for batch in _batches(list(keys)):
            query = partial(_query, side=side, filter=f"id in {batch}".replace("'", '"'), field="id")
            ids += [row["id"] for row in self._try(gettext("counting passages"), query)]
        return ids

    def sources(self, side: str) -> dict[str, str]:
        """The source of every passage that is there, by key."""

        def read(client: Any) -> dict[str, str]:
            rows = client.query_iterator(
                side, batch_size=_KEYS_A_QUERY, filter='id != ""', output_fields=["source"]
            )
            try:
                return {row["id"]: row["source"] for batch in iter(rows.next, []) for row in batch}
            finally:
                rows.close()

        return self._try(gettext("reading what is there"), read)

    def count(self, side: str) -> int:
        """How many rows there are, by a Strong count."""
        query = partial(_query, side=side, filter="", field="count(*)")
        return int(self._try(gettext("counting passages"), query)[0]["count(*)"])

    def flush(self, side: str) -> None:
        """Have what was written put into the object store."""
        self._try("flushing", lambda client: client.flush(side, timeout=_CALL * 3))

    def switch(self, side: str) -> None:
        """Let this side answer from now on: one call, after which every question goes there."""

        def point(client: Any) -> None:
            if any(
                self.name in aliases_of(client, each) for each in self.sides if client.has_collection(each)
            ):
                client.alter_alias(side, self.name)
            else:
                client.create_alias(side, self.name)

        self._try(gettext("switching to {side}").format(side=side), point)

    def drop(self) -> None:
        """Drop both sides and the alias."""
        self._try(gettext("dropping the collections"), lambda client: drop_collections(client, self.sides))


def _query(client: Any, *, side: str, filter: str, field: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.query(
        side, filter, [field], timeout=_CALL, consistency_level="Strong"
    )
    return rows


def _delete(client: Any, *, side: str, keys: list[str]) -> None:
    client.delete(side, ids=keys, timeout=_CALL)


def _batches(keys: list[str]) -> Iterable[list[str]]:
    return (keys[first : first + _KEYS_A_QUERY] for first in range(0, len(keys), _KEYS_A_QUERY))


class Address:
    """One proxy, and the one collection that is searched through it.

    `standby` is True if it belongs to a cluster that is not in charge: its passages may be older.
    """

    def __init__(self, uri: str, collection: str, *, name: str = "", standby: bool = False) -> None:
        self.name = name or uri
        self.standby = standby
        self._collection = collection
        self._channel = grpc.insecure_channel(uri.removeprefix("http://").rstrip("/"), options=_CHANNEL)
        self._search = milvus_pb2_grpc.MilvusServiceStub(self._channel).Search

    def search(
        self, vector: NDArray[np.float32], limit: int, timeout: float | None, done: Done
    ) -> Callable[[], Any]:
        """Ask, and return at once with what cancels the request; `done` is called from another thread.

        No answer within `timeout` seconds is a failure; without one it may be awaited for ever.
        """
        request = Prepare.search_requests_with_expr(
            self._collection,
            "vector",
            {"metric_type": "IP", "params": {}},
            limit,
            data=[vector.tolist()],
            output_fields=[*_FIELDS],
            use_default_consistency=False,
            consistency_level=common_pb2.ConsistencyLevel.Bounded,
            guarantee_timestamp=2,
        )
        call = self._search.future(request, timeout=timeout)
        call.add_done_callback(lambda ended: done(*_outcome(ended)))
        cancel: Callable[[], Any] = call.cancel
        return cancel

    def close(self) -> None:
        self._channel.close()


def _outcome(ended: Any) -> tuple[list[Passage] | None, str]:
    if ended.code() is not grpc.StatusCode.OK:
        return None, f"{ended.code().name}: {ended.details()}"[:200]
    answer = ended.result()
    if answer.status.code or answer.status.error_code:
        return None, error_text(MilvusException(message=answer.status.reason))
    hits = SearchResult(answer.results)[0]
    return [Passage(**{field: hit["entity"][field] for field in _FIELDS}) for hit in hits], ""
