"""The workload: a small RAG retriever over the course's own cards. A search is a question; an outage is an
unanswered one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

from halab.cluster.protocol import Cluster, Component
from halab.errors import MeasurementError
from halab.folders import course_root
from halab.measure.journal.journal_file import RowCount
from halab.measure.probing.embedding import DIMENSIONS, Embedding, Passage, questions, read_passages
from halab.measure.probing.milvus_collections import (
    TIMEOUT,
    create_collection,
    create_flat_index,
    drop_collections,
    keys_present,
    retry_for,
    silence_pymilvus,
    wait_until_loaded,
)
from halab.measure.probing.operations import (
    UNANSWERED,
    AlterAlias,
    Insert,
    KnownRowSearch,
    NamedOperation,
    Operation,
    Renamed,
    Search,
    SearchOnNewConnection,
    error_text,
)
from halab.measure.probing.progress_line import DONE, ProgressLine
from halab.measure.probing.row_counting import count_rows, tally
from halab.models.samples import OPERATIONS, Outcome, Sample
from halab.translation import Language, gettext, gettext_noop, language, ngettext, speaking

__all__ = ["KNOWN_ROW_SEARCH", "SETTLE", "Retriever", "SimulatedRetriever"]

KNOWN_ROW_SEARCH = gettext_noop("search for known rows")
"""A search that is ok only if its best hit is a passage."""

SETTLE = 10.0
"""Seconds a lab waits for what it does not find, such as rows before they are called lost."""

_BATCH = 1000  # rows between two flushes: far below what the embedded log keeps (about 14,000 rows of 64-d)
_CLOSING = 10.0  # seconds to drop the collections


def _language_of_cards() -> Language:
    return language() if (course_root() / "cards" / language()).is_dir() else "en"


class Retriever:
    """Answers questions from the cards through a cluster. A context manager; `close` drops its collections.

    It reads the cards in the learner's language, and its searches ask in it; in English where there are none.

    It makes four collections: `<name>` holds the passages, loaded with `replicas` query replicas;
    `<name>_written` takes the rows of insert probes (loaded once, so that they can be counted);
    `<name>_left` and `<name>_right` are empty, and the metadata probes point an alias to one or the other.
    A search so never meets a probe's row, and a metadata call never touches a collection that is searched.

    `dropped` is the number of passages that were acknowledged and are not there: not 0 means that the log
    lost them. Of a simulated cluster `Retriever(cluster)` makes a `SimulatedRetriever`. Raises
    MeasurementError if the collections cannot be made, or if there are no cards to read.
    """

    simulated = False

    def __new__(cls, cluster: Cluster, *_: Any, **__: Any) -> Retriever:
        """The class that suits the cluster's engine, as pathlib.Path does for the platform."""
        return object.__new__(SimulatedRetriever if cluster.engine == "simulated" else cls)

    def __init__(
        self,
        cluster: Cluster,
        replicas: int = 3,
        name: str = "halab_cards",
        *,
        cards: str | Path | None = None,
    ) -> None:
        self.cluster = cluster
        self.replicas = replicas
        self.name = name
        with speaking(_language_of_cards()):
            self.passages = read_passages(cards or course_root() / "cards" / language())
            self._questions = questions()
        self.dropped = 0
        texts = [passage.full for passage in self.passages]
        self._embedding = Embedding(texts)
        self._vectors = self._embedding(texts)
        self._client: Any = None
        self._open()

    def _open(self) -> None:
        silence_pymilvus()
        try:
            self._client = MilvusClient(self.cluster.uri, timeout=TIMEOUT)
            self._create()
        except UNANSWERED as error:
            with suppress(MeasurementError):
                self.close()
            raise MeasurementError(
                gettext("the retriever's collections could not be made: {error_text}").format(
                    error_text=error_text(error)
                ),
                hint=gettext(
                    "see `halab status`; {replicas} replicas need as many healthy query nodes"
                ).format(replicas=self.replicas),
            ) from None

    @property
    def insert_collection(self) -> str:
        """The collection that takes the rows of insert probes."""
        return f"{self.name}_written"

    # -- asking -------------------------------------------------------------------------------------------

    def ask(self, question: str, limit: int = 3, timeout: float = 5.0) -> list[Passage]:
        """The passages nearest to a question, best first.

        None are found if they were deleted, and for some seconds also by a copy whose query node comes back
        or leaves (Milvus 2.3.5). Raises MeasurementError if there is no answer: at once if the proxy is gone,
        else after `timeout` seconds.
        """
        hits = self._nearest(self._embedding([question])[0], limit, timeout)
        return [replace(self.passages[index], score=score) for index, score in hits]

    def _nearest(self, vector: NDArray[np.float32], limit: int, timeout: float) -> list[tuple[int, float]]:
        """The indices of the nearest passages and their scores, best first."""
        try:
            hits = self._client.search(self.name, [vector.tolist()], limit=limit, timeout=timeout)[0]
        except UNANSWERED as error:
            raise MeasurementError(
                gettext("the question was not answered: {error_text}").format(error_text=error_text(error)),
                hint=gettext("see `halab status`, and ask again when every role is healthy"),
            ) from None
        return [(hit["id"], hit["distance"]) for hit in hits]

    def wait_until_searchable(self, timeout: float = SETTLE) -> bool:
        """Wait until all questions find passages, whichever copy is asked; False if not within `timeout` s.

        A cluster that is healthy again may still give answers without a hit (see operations.py).
        """
        end = time.monotonic() + timeout
        while not self._all_find():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def _all_find(self) -> bool:
        with suppress(MeasurementError):
            return all(self.ask(question, timeout=1.0) for question in self._questions)
        return False

    # -- copies -------------------------------------------------------------------------------------------

    def serving_node(self) -> Component:
        """The query node that answers for the passages: the shard leader of the first replica.

        Raises MeasurementError if none leads now.
        """
        leaders = self._leader_addresses()
        nodes = {component.address: component for component in self.cluster.components()}
        if not leaders or leaders[0] not in nodes:
            raise MeasurementError(
                gettext("no query node answers for {name} now").format(name=self.name),
                hint=gettext("see `halab status`, and ask again when every role is healthy"),
            )
        return nodes[leaders[0]]

    def copies_on(self) -> list[str]:
        """The query nodes that answer for the passages, one for each copy: their names.

        Raises MeasurementError if the cluster does not say.
        """
        names = {component.address: component.name for component in self.cluster.components()}
        try:
            return sorted(names.get(address, address) for address in self._leader_addresses())
        except UNANSWERED as error:
            raise MeasurementError(
                gettext("the cluster does not tell which query nodes hold the passages"),
                hint=gettext("see `halab status`, and ask again when every role is healthy"),
            ) from error

    def set_replicas(self, replicas: int) -> float:
        """Load the passages in another number of copies; the seconds during which no search was answered.

        Milvus 2.3.5 changes it by a release and a new load. Raises MeasurementError if there are fewer query
        nodes than copies: then the passages stay as they were.
        """
        nodes = sum(component.role == "querynode" for component in self.cluster.components())
        if not 1 <= replicas <= nodes:
            raise MeasurementError(
                gettext("{replicas} copies need as many query nodes, and there are {nodes}").format(
                    replicas=replicas, nodes=nodes
                ),
                hint=gettext('add one first: cluster.add("querynode")'),
            )
        self.replicas = replicas
        return self._load_again()

    def _load_again(self) -> float:
        began = time.monotonic()
        try:
            self._client.release_collection(self.name)
            self._client.load_collection(self.name, replica_number=self.replicas)
        except UNANSWERED as error:
            raise MeasurementError(
                gettext("the passages could not be loaded in {replicas} copies: {error_text}").format(
                    replicas=self.replicas, error_text=error_text(error)
                ),
                hint=gettext("see `halab status`; make the retriever again: Retriever(cluster)"),
            ) from None
        return time.monotonic() - began

    def _leader_addresses(self) -> list[str]:
        """Asked by a raw call: pymilvus' client tells the leaders' ids but not their addresses."""
        described = retry_for(partial(self._client.describe_collection, self.name), _CLOSING)
        request = milvus_pb2.GetReplicasRequest(
            collectionID=described["collection_id"], with_shard_nodes=True
        )
        with grpc.insecure_channel(self.cluster.uri.removeprefix("http://")) as channel:
            answer = milvus_pb2_grpc.MilvusServiceStub(channel).GetReplicas(request, timeout=TIMEOUT)
        return [shard.leader_addr for replica in answer.replicas for shard in replica.shard_replicas]

    # -- operations for the prober ------------------------------------------------------------------------

    def operations(self, *names: str) -> list[Operation]:
        """Probes by name, all four if none is named: "search", "strong search" (with Strong consistency),
        "insert" and "metadata call". Searches go through the questions in turn.

        Raises MeasurementError for another name.
        """
        chosen = names or OPERATIONS
        if unknown := [name for name in chosen if name not in OPERATIONS]:
            raise MeasurementError(
                gettext("there is no operation {name!r}").format(name=unknown[0]),
                hint=gettext("choose from {operations}").format(operations=", ".join(OPERATIONS)),
            )
        return [self._operation(name) for name in chosen]

    def _operation(self, name: str) -> Operation:
        uri = self.cluster.uri
        if name == "insert":
            return Insert(uri, self.insert_collection, self._probe_row, self._fields(self.insert_collection))
        if name == "metadata call":
            return AlterAlias(uri, f"{self.name}_alias", self._sides())
        return Search(
            uri, self.name, self._embedding(self._questions).tolist(), strong=name == "strong search"
        )

    def search_via(self, uri: str, *, new_connection: bool = False) -> Search:
        """Searches through another address than the cluster's own, such as a balancer's.

        They share one connection that is kept, or with `new_connection` each makes one of its own. Raises
        MeasurementError if simulated.
        """
        kind = SearchOnNewConnection if new_connection else Search
        return kind(uri, self.name, self._embedding(self._questions).tolist())

    def known_row_search(self) -> Operation:
        """A search that is ok only if it finds a passage, whatever else the collection answers."""
        vectors = self._embedding(self._questions).tolist()
        return KnownRowSearch(self.cluster.uri, self.name, vectors, len(self.passages), name=KNOWN_ROW_SEARCH)

    def insert_into_passages(self) -> Operation:
        """Inserts into the passages' own collection, of rows that no question finds before a passage."""
        return Insert(self.cluster.uri, self.name, _zero_row, self._fields(self.name))

    def _fields(self, collection: str) -> list[dict[str, Any]]:
        try:
            fields: list[dict[str, Any]] = self._client.describe_collection(collection)["fields"]
        except UNANSWERED as error:
            raise MeasurementError(
                gettext("the retriever no longer reaches its cluster: {error_text}").format(
                    error_text=error_text(error)
                ),
                hint=gettext(
                    "if the cluster was started again, make the retriever again: Retriever(cluster)"
                ),
            ) from None
        return fields

    def _probe_row(self, key: int) -> dict[str, Any]:
        return {"id": key, "vector": self._vectors[key % len(self._vectors)].tolist()}

    # -- counting -----------------------------------------------------------------------------------------

    def count(
        self, samples: Iterable[Sample] | None = None, collection: str = "", timeout: float = 0.0
    ) -> RowCount:
        """Count rows with Strong consistency: those of the insert probes among `samples`, or the passages.

        The probes wrote into `collection`, by default `insert_collection`. Rows that were acknowledged and
        are not found stand in `missing`, after they were looked for again for `timeout` seconds (see
        `count_rows`). Raises MeasurementError if the cluster does not answer within a minute, and on the
        simulated engine, which keeps no rows.
        """
        if samples is None:
            rows = [Sample("insert", key, 0, 0, 0, Outcome.OK, key=key) for key in range(len(self.passages))]
            return tally(rows, self._present(self.name, [*range(len(rows))]))
        return count_rows(
            list(samples), partial(self._present, collection or self.insert_collection), timeout
        )

    def _present(self, collection: str, keys: Iterable[int]) -> set[int]:
        try:
            return keys_present(self._client, collection, list(keys))
        except UNANSWERED as error:
            raise MeasurementError(
                gettext("the rows of {collection} could not be counted: {error_text}").format(
                    collection=collection, error_text=error_text(error)
                ),
                hint=gettext("see `halab status`; when every role is healthy, count again"),
            ) from None

    # -- collections --------------------------------------------------------------------------------------

    def _sides(self) -> tuple[str, str]:
        return f"{self.name}_left", f"{self.name}_right"

    def _collections(self) -> tuple[str, ...]:
        return (self.name, self.insert_collection, *self._sides())

    def _create(self) -> None:
        began = time.monotonic()
        on_progress = ProgressLine(lambda: time.monotonic() - began)
        on_progress(gettext("making collections"))
        drop_collections(self._client, self._collections())
        for collection in self._collections():
            create_collection(self._client, collection, DIMENSIONS)
        self._client.create_alias(self._sides()[0], f"{self.name}_alias")
        rows = [{"id": index, "vector": vector.tolist()} for index, vector in enumerate(self._vectors)]
        for first in range(0, len(rows), _BATCH):
            on_progress(
                gettext("writing passages"),
                gettext(" from {first} of {count}, and flushing them").format(
                    first=first + 1, count=len(rows)
                ),
            )
            self._client.insert(self.name, rows[first : first + _BATCH])
            self._client.flush(self.name)
        self._load(partial(on_progress, gettext("loading them into the query nodes")))
        on_progress(gettext("counting them"))
        self.dropped = len(self.count().missing)
        copies = ngettext("{count} copy", "{count} copies", self.replicas).format(count=self.replicas)
        on_progress(DONE, gettext(": {count} passages in {copies}").format(count=len(rows), copies=copies))
        if self.dropped:
            print(
                gettext("The log dropped {dropped} of {count} passages: they cannot be found.").format(
                    dropped=self.dropped, count=len(self.passages)
                )
            )

    def _load(self, on_wait: partial[None]) -> None:
        """Load both collections side by side: each waits for the cluster's own timetable, not for work."""
        for collection, replicas in ((self.name, self.replicas), (self.insert_collection, 1)):
            create_flat_index(self._client, collection)
            self._client.load_collection(collection, replica_number=replicas, _async=True)
        end = time.monotonic() + TIMEOUT
        for collection in (self.name, self.insert_collection):
            wait_until_loaded(self._client, collection, end - time.monotonic(), on_wait)

    def close(self) -> None:
        """Drop the collections and disconnect. Raises MeasurementError if the cluster cannot drop them."""
        if self._client is None:
            return
        try:
            retry_for(partial(drop_collections, self._client, self._collections()), _CLOSING)
        except UNANSWERED as error:
            raise MeasurementError(
                gettext("the collections of {name} could not be dropped: {error_text}").format(
                    name=self.name, error_text=error_text(error)
                ),
                hint=gettext(
                    "they go when the cluster goes down, or when the next retriever of that name is made"
                ),
            ) from None
        finally:
            self._client.close()
            self._client = None

    def __enter__(self) -> Retriever:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except MeasurementError:
            # What went wrong first is the better message.
            if kind is None:
                raise

    def __repr__(self) -> str:
        lost = gettext(", {dropped} DROPPED by the log").format(dropped=self.dropped) if self.dropped else ""
        return gettext("Retriever({name}: {count} passages, {place}{lost})").format(
            name=self.name, count=len(self.passages), place=self._where(), lost=lost
        )

    def _where(self) -> str:
        return gettext("{replicas} replica(s)").format(replicas=self.replicas)


class SimulatedRetriever(Retriever):
    """The retriever of a simulated cluster, which has no database: questions are answered from memory."""

    simulated = True

    def _open(self) -> None:
        """Nothing to make."""

    def _nearest(self, vector: NDArray[np.float32], limit: int, timeout: float) -> list[tuple[int, float]]:
        scores = self._vectors @ vector
        return [(int(index), float(scores[index])) for index in np.argsort(-scores, kind="stable")[:limit]]

    def serving_node(self) -> Component:
        """The first healthy query node: they are all alike."""
        return self.cluster.resolve("any query node")

    def copies_on(self) -> list[str]:
        """As many query nodes as there are replicas, in order."""
        nodes = [node.name for node in self.cluster.components() if node.role == "querynode"]
        return nodes[: self.replicas]

    def _load_again(self) -> float:
        return 0.0

    def _operation(self, name: str) -> Operation:
        return NamedOperation(name, self.replicas)

    def search_via(self, uri: str, *, new_connection: bool = False) -> Search:
        raise MeasurementError(
            gettext("a simulated cluster has no other address"), hint=gettext("ask on the embedded engine")
        )

    def known_row_search(self) -> Operation:
        return Renamed(self._operation("search"), KNOWN_ROW_SEARCH)

    def insert_into_passages(self) -> Operation:
        return self._operation("insert")

    def count(
        self, samples: Iterable[Sample] | None = None, collection: str = "", timeout: float = 0.0
    ) -> RowCount:
        raise MeasurementError(
            gettext("a simulated cluster keeps no rows, so there is nothing to count"),
            hint=gettext("count on the embedded engine"),
        )

    def _where(self) -> str:
        return gettext("from memory (SIMULATED cluster)")


def _zero_row(key: int) -> dict[str, Any]:
    """A row whose inner product with any question is 0."""
    return {"id": key, "vector": [0.0] * DIMENSIONS}
