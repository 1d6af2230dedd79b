"""Collections to load: one for each number of query replicas, alike but for that.

Each holds the same number of rows, flushed and loaded. While it is loaded the clock runs and the memory of
the query nodes is read before and after, so that what a replica costs there is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from pymilvus import MilvusClient
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import milvus_pb2

from halab.cluster.protocol import Cluster
from halab.errors import MeasurementError
from halab.measure.experiments.load import closed_loop
from halab.measure.journal.journal_file import Phase
from halab.measure.probing.milvus_collections import (
    TIMEOUT,
    create_collection,
    create_flat_index,
    drop_collections,
    silence_pymilvus,
    wait_until_loaded,
)
from halab.measure.probing.operations import UNANSWERED, Insert, Operation, Search, error_text
from halab.models.samples import Outcome
from halab.translation import gettext

__all__ = ["DIMENSIONS", "InsertMany", "ReadYourWriteSearch", "ReplicaCollections", "key_vector", "questions"]

DIMENSIONS = 128
_BATCH = 5000  # rows a request while a collection is filled: 2.5 MB, below gRPC's limits
_QUERIES = 2**62  # keys that no row has: their vectors are far from every row's


def key_vector(key: int) -> NDArray[np.float32]:
    """A unit vector of 128 dimensions that belongs to this key and is far from every other key's."""
    vector = np.random.default_rng(key).standard_normal(DIMENSIONS).astype(np.float32)
    normed: NDArray[np.float32] = vector / np.linalg.norm(vector)
    return normed


def questions(count: int) -> list[list[float]]:
    """Unit vectors to search for, the same each time; none is that of a row. Shape (count, 128)."""
    return [key_vector(_QUERIES + number).tolist() for number in range(count)]


class InsertMany(Insert):
    """Many rows a request. The vector of a request's first row is its key's `key_vector`, to search for."""

    def __init__(self, uri: str, collection: str, rows: int, fields: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(uri, collection, lambda key: {"id": key, "vector": key_vector(key).tolist()}, fields)
        self.rows = rows
        self._template: Any = None

    def start(self) -> None:
        super().start()
        # Built once: what the client spends on a request would be taken for the service's time.
        self._template = self._built(range(self.rows))

    def key(self, number: int) -> int:
        """The primary key of a request's first row."""
        return self._first_key + number * self.rows

    def _built(self, keys: Sequence[int]) -> Any:
        return Prepare.row_insert_param(
            self.collection, [dict(self._row(key)) for key in keys], "", self._fields
        )

    def _request(self, number: int) -> tuple[Any, int | None]:
        key = self.key(number)
        request = milvus_pb2.InsertRequest()
        request.CopyFrom(self._template)
        for field in request.fields_data:
            if field.field_name == "id":
                field.scalars.long_data.data[:] = range(key, key + self.rows)
            else:
                field.vectors.float_vector.data[:DIMENSIONS] = key_vector(key).tolist()
        return request, key


class ReadYourWriteSearch(Search):
    """A Strong search for one row by its `key_vector`: it fails if another row is found, or none."""

    def __init__(self, uri: str, collection: str, key: int) -> None:
        super().__init__(uri, collection, [key_vector(key).tolist()], strong=True, limit=1)
        self._wanted = key

    def rejection_reason(self, keys: Sequence[int]) -> str:
        return super().rejection_reason(keys) or (
            "the new row is not there" if self._wanted not in keys else ""
        )


class ReplicaCollections:
    """A collection for each number in `replicas`, filled with `rows` rows; a context manager.

    `phases` tell of the loading: seconds until every replica was loaded, and by how many bytes the query
    nodes grew. Raises MeasurementError if a collection cannot be made, or does not hold its rows.
    """

    def __init__(
        self,
        cluster: Cluster,
        replicas: Sequence[int],
        rows: int,
        on_progress: Callable[[str], None] = lambda _: None,
        name: str = "halab_load",
    ) -> None:
        if cluster.engine == "simulated":
            raise MeasurementError(
                gettext("a simulated cluster has no speed to measure"),
                hint=gettext("measure on the embedded engine"),
            )
        self.cluster, self.rows, self.phases = cluster, rows, list[Phase]()
        self._names = {number: f"{name}_{number}" for number in replicas}
        self._on_progress = on_progress
        silence_pymilvus()
        self._client = MilvusClient(cluster.uri, timeout=TIMEOUT)
        try:
            self._drop()
            for number in replicas:
                self._create(number)
        except BaseException as error:
            with suppress(*UNANSWERED):
                self._drop()
            self._client.close()
            if not isinstance(error, UNANSWERED):
                raise
            raise MeasurementError(
                gettext("the collections could not be made: {error_text}").format(
                    error_text=error_text(error)
                ),
                hint=gettext(
                    "see `halab status`; {replicas} replicas need as many healthy query nodes"
                ).format(replicas=max(replicas)),
            ) from None

    def insert(self, replicas: int, rows: int = 1000) -> InsertMany:
        """Inserts of `rows` rows each into the collection with so many replicas."""
        collection = self._names[replicas]
        fields = self._client.describe_collection(collection)["fields"]
        return InsertMany(self.cluster.uri, collection, rows, fields)

    def search(self, replicas: int, vectors: int = 100) -> Operation:
        """Bounded searches in the collection with so many replicas, for one vector after the other."""
        return Search(self.cluster.uri, self._names[replicas], questions(vectors))

    def read_your_write(self, replicas: int, key: int) -> ReadYourWriteSearch:
        """Strong searches for one row of the collection with so many replicas."""
        return ReadYourWriteSearch(self.cluster.uri, self._names[replicas], key)

    def processes(self) -> dict[str, int]:
        """The process ids of the cluster's components by name."""
        return {
            component.name: component.pid
            for component in self.cluster.components()
            if component.pid is not None
        }

    def __enter__(self) -> ReplicaCollections:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._drop()
        except UNANSWERED as error:
            if kind is None:
                raise MeasurementError(
                    gettext("the collections could not be dropped: {error_text}").format(
                        error_text=error_text(error)
                    ),
                    hint=gettext("they go when the cluster goes down"),
                ) from None
        finally:
            self._client.close()

    def _create(self, replicas: int) -> None:
        collection = self._names[replicas]
        self._on_progress(gettext("filling the collection with {copies}").format(copies=_copies(replicas)))
        create_collection(self._client, collection, DIMENSIONS)
        create_flat_index(self._client, collection)
        self._fill(replicas)
        self._on_progress(gettext("loading {copies}").format(copies=_copies(replicas)))
        self._load(replicas)
        self._count(collection)

    def _fill(self, replicas: int) -> None:
        if not self.rows:
            return
        batch = min(self.rows, _BATCH)
        insert = self.insert(replicas, batch)
        insert.start()
        try:
            samples = closed_loop(insert, requests=self.rows // batch, deadline=TIMEOUT)
        finally:
            insert.stop()
        if bad := [sample for sample in samples if sample.outcome is not Outcome.OK]:
            raise MeasurementError(
                gettext("rows could not be written: {error}").format(error=bad[0].error),
                hint=gettext("see `halab status`"),
            )
        self.rows = len(samples) * batch
        self._client.flush(self._names[replicas])

    def _load(self, replicas: int) -> None:
        collection = self._names[replicas]
        before, began = self._memory(), self.cluster.now()
        self._client.load_collection(collection, replica_number=replicas, _async=True)
        wait_until_loaded(self._client, collection)
        loaded = self.cluster.now()
        figures = {"load": round(loaded - began, 3), "memory": float(self._memory() - before)}
        settings: dict[str, float] = {"replicas": replicas, "rows": self.rows}
        self.phases.append(Phase("load", began, loaded, settings, figures))

    def _memory(self) -> int:
        nodes = [
            component.pid
            for component in self.cluster.components()
            if component.role == "querynode" and component.pid
        ]
        return sum(int(psutil.Process(pid).memory_info().rss) for pid in nodes)

    def _count(self, collection: str) -> None:
        counted = self._client.query(
            collection, "", ["count(*)"], consistency_level="Strong", timeout=TIMEOUT
        )[0]["count(*)"]
        if counted != self.rows:
            raise MeasurementError(
                gettext("{collection} should hold {rows} rows and holds {found}").format(
                    collection=collection, rows=self.rows, found=counted
                ),
                hint=gettext("the log dropped some; take fewer rows, or start the cluster again"),
            )

    def _drop(self) -> None:
        drop_collections(self._client, self._names.values())


def _copies(replicas: int) -> str:
    return (
        gettext("one replica") if replicas == 1 else gettext("{replicas} replicas").format(replicas=replicas)
    )
