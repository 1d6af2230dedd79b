"""The workload: a small RAG retriever over the course's own cards. A search is a question; an outage is an
unanswered one.

The embedding is light and deterministic: TF-IDF, then truncated SVD to 64 dimensions, normalised, compared by
inner product (latent semantic analysis; scikit-learn's user guide, "Truncated SVD"). It finds passages that
share words with the question, which is enough to tell an answer from none.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import grpc
import numpy as np
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient
from pymilvus.client.types import LoadState
from pymilvus.exceptions import MilvusException
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from halab.cluster.protocol import Cluster, Component
from halab.errors import MeasurementError
from halab.folders import course_root
from halab.measure.journal.journal_file import RowCount
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
from halab.models.samples import OPERATIONS, Outcome, Sample

__all__ = [
    "KNOWN_ROW_SEARCH",
    "QUESTIONS",
    "SETTLE",
    "Embedding",
    "Passage",
    "Retriever",
    "read_passages",
    "tally",
]  # fmt: skip

DIMENSIONS = 64
KNOWN_ROW_SEARCH = "search for known rows"
"""A search that is ok only if its best hit is a passage."""
QUESTIONS = (
    "How long does a failover take?",
    "Who notices that the primary is down?",
    "How many requests fail while the standby takes over?",
    "What is the difference between RTO and RPO?",
    "Does a replica protect me from a wrong delete?",
    "How many copies do I need for 99.99 percent?",
    "Why does etcd have an odd number of members?",
    "Do three replicas make writing three times slower?",
    "When should a health check restart a process?",
    "What does a disaster recovery drill verify?",
)

_BATCH = 1000  # rows between two flushes: far below what the embedded log keeps (about 14,000 rows of 64-d)
_COUNT_BATCH = 10_000  # keys asked for in one query; Milvus answers at most 16,384 rows
_CLOSING = 10.0  # seconds to drop the collections
SETTLE = 10.0  # seconds a lab waits for what it does not find, such as rows before they are called lost
_AGAIN = 1.0  # seconds until rows that were not found are looked for again
_TIMEOUT = 60.0  # seconds for a call that prepares or counts; no such call is part of a measurement


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a card. `score` is its inner product with the question, from -1 to 1 (0 when just read)."""

    text: str
    source: str
    score: float = 0.0


def read_passages(folder: str | Path) -> list[Passage]:
    """The paragraphs of the Markdown files in a folder, without front matter, headings and table rules.

    Raises MeasurementError if there are none.
    """
    passages = [
        Passage(text, path.stem)
        for path in sorted(Path(folder).glob("*.md"))
        for text in _paragraphs(path.read_text(encoding="utf-8"))
    ]
    if not passages:
        raise MeasurementError(
            f"the retriever found no cards (*.md) in {folder}",
            hint="run it in the course's folder, or pass cards=<a folder of Markdown files>",
        )
    return passages


def _paragraphs(markdown: str) -> Iterable[str]:
    body = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    for block in re.split(r"\n\s*\n", body):
        lines = [line for line in block.splitlines() if not re.match(r"\s*(#|\|[\s|:-]+\|$)", line)]
        text = re.sub(r"[*_`|]+", " ", " ".join(lines))
        text = " ".join(text.split())
        if text:
            yield text


class Embedding:
    """Turns texts into unit vectors of 64 dimensions, fitted to the passages it is to find."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._terms = TfidfVectorizer(sublinear_tf=True)
        weights = self._terms.fit_transform(texts)
        # Few or short texts span fewer than 64 dimensions; the rest stay zero.
        rank = min(DIMENSIONS, weights.shape[1] - 1, weights.shape[0])
        self._svd = TruncatedSVD(max(1, rank), random_state=0).fit(weights)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text; a text that shares no word with the passages becomes zeros."""
        reduced = self._svd.transform(self._terms.transform(texts))
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        vectors[:, : reduced.shape[1]] = reduced
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors


class Retriever:
    """Answers questions from the cards through a cluster. A context manager; `close` drops its collections.

    It makes four collections: `<name>` holds the passages, loaded with `replicas` query replicas;
    `<name>_written` takes the rows of insert probes (loaded once, so that they can be counted);
    `<name>_left` and `<name>_right` are empty, and the metadata probes point an alias to one or the other.
    A search so never meets a probe's row, and a metadata call never touches a collection that is searched.

    On the simulated engine there is no database: questions are answered from memory, and `simulated` is True.

    `dropped` is the number of passages that were acknowledged and are not there: not 0 means that the log
    lost them.
    """

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
        self.simulated = cluster.engine == "simulated"
        self.passages = read_passages(cards or course_root() / "cards" / "en")
        self.dropped = 0
        self._embedding = Embedding([passage.text for passage in self.passages])
        self._vectors = self._embedding([passage.text for passage in self.passages])
        self._client: Any = None
        if not self.simulated:
            # Its errors are raised as ours; the tracebacks it also prints would read as a failed cell.
            logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
            self._client = _LazyClient(cluster.uri)
            try:
                self._create()
            except UNANSWERED as error:
                with suppress(MeasurementError):
                    self.close()
                raise MeasurementError(
                    f"the retriever's collections could not be made: {error_text(error)}",
                    hint=f"see `halab status`; {replicas} replicas need as many healthy query nodes",
                ) from None

    @property
    def insert_collection(self) -> str:
        """The collection that takes the rows of insert probes."""
        return f"{self.name}_written"

    def ask(self, question: str, limit: int = 3, timeout: float = 5.0) -> list[Passage]:
        """The passages nearest to a question, best first.

        None are found if they were deleted, and for some seconds also by a copy whose query node comes back
        or leaves (Milvus 2.3.5). Raises MeasurementError if there is no answer: at once if the proxy is gone,
        else after `timeout` seconds.
        """
        vector = self._embedding([question])[0]
        if self.simulated:
            scores = self._vectors @ vector
            best = np.argsort(-scores, kind="stable")[:limit]
            return [self._passage(int(index), float(scores[index])) for index in best]
        try:
            hits = self._client.search(self.name, [vector.tolist()], limit=limit, timeout=timeout)[0]
        except UNANSWERED as error:
            raise MeasurementError(
                f"the question was not answered: {error_text(error)}",
                hint="see `halab status`, and ask again when every role is healthy",
            ) from None
        return [self._passage(hit["id"], hit["distance"]) for hit in hits]

    def wait_until_searchable(self, timeout: float = SETTLE) -> bool:
        """Wait until all questions find passages, whichever copy is asked; False if not within `timeout` s.

        A cluster that is healthy again may still give answers without a hit (see operations.py).
        """
        end = time.monotonic() + timeout
        while not self._found_by_all():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def _found_by_all(self) -> bool:
        with suppress(MeasurementError):
            return all(self.ask(question, timeout=1.0) for question in QUESTIONS)
        return False

    def serving_node(self) -> Component:
        """The query node that answers for the passages: the shard leader of the first replica.

        Simulated query nodes are all alike, so there it is the first healthy one. Raises MeasurementError if
        none leads now.
        """
        if self.simulated:
            return self.cluster.resolve("any query node")
        leaders = self._leader_addresses()
        nodes = {each.address: each for each in self.cluster.components()}
        if not leaders or leaders[0] not in nodes:
            raise MeasurementError(
                f"no query node answers for {self.name} now",
                hint="see `halab status`, and ask again when every role is healthy",
            )
        return nodes[leaders[0]]

    def copies_on(self) -> list[str]:
        """The query nodes that answer for the passages, one for each copy: their names.

        Raises MeasurementError if the cluster does not say.
        """
        if self.simulated:
            nodes = [each.name for each in self.cluster.components() if each.role == "querynode"]
            return nodes[: self.replicas]
        names = {each.address: each.name for each in self.cluster.components()}
        try:
            return sorted(names.get(address, address) for address in self._leader_addresses())
        except UNANSWERED as error:
            raise MeasurementError(
                "the cluster does not tell which query nodes hold the passages",
                hint="see `halab status`, and ask again when every role is healthy",
            ) from error

    def set_replicas(self, replicas: int) -> float:
        """Load the passages in another number of copies; the seconds during which no search was answered.

        Milvus 2.3.5 changes it by a release and a new load. Raises MeasurementError if there are fewer query
        nodes than copies: then the passages stay as they were.
        """
        nodes = sum(each.role == "querynode" for each in self.cluster.components())
        if not 1 <= replicas <= nodes:
            raise MeasurementError(
                f"{replicas} copies need as many query nodes, and there are {nodes}",
                hint='add one first: cluster.add("querynode")',
            )
        self.replicas = replicas
        if self.simulated:
            return 0.0
        began = time.monotonic()
        try:
            self._client.release_collection(self.name)
            self._client.load_collection(self.name, replica_number=replicas)
        except UNANSWERED as error:
            raise MeasurementError(
                f"the passages could not be loaded in {replicas} copies: {error_text(error)}",
                hint="see `halab status`; make the retriever again: Retriever(cluster)",
            ) from None
        return time.monotonic() - began

    def operations(self, *names: str) -> list[Operation]:
        """Probes by name, all four if none is named: "search", "strong search" (with Strong consistency),
        "insert" and "metadata call". Searches go through the questions in turn."""
        chosen = names or OPERATIONS
        if unknown := [name for name in chosen if name not in OPERATIONS]:
            raise MeasurementError(
                f"there is no operation {unknown[0]!r}", hint=f"choose from {', '.join(OPERATIONS)}"
            )
        return [
            NamedOperation(name, self.replicas) if self.simulated else self._operation(name)
            for name in chosen
        ]

    def search_via(self, uri: str, *, new_connection: bool = False) -> Search:
        """Searches through another address than the cluster's own, such as a balancer's.

        They share one connection that is kept, or with `new_connection` each makes one of its own. Raises
        MeasurementError if simulated.
        """
        if self.simulated:
            raise MeasurementError(
                "a simulated cluster has no other address", hint="ask on the embedded engine"
            )
        kind = SearchOnNewConnection if new_connection else Search
        return kind(uri, self.name, self._embedding(QUESTIONS).tolist())

    def known_row_search(self) -> Operation:
        """A search that counts only if it finds a passage, whatever else the collection answers."""
        if self.simulated:
            return Renamed(NamedOperation("search", self.replicas), KNOWN_ROW_SEARCH)
        vectors = self._embedding(QUESTIONS).tolist()
        return KnownRowSearch(self.cluster.uri, self.name, vectors, len(self.passages), name=KNOWN_ROW_SEARCH)

    def writing(self) -> Operation:
        """Inserts into the passages' own collection, of rows that no question finds before a passage."""
        if self.simulated:
            return NamedOperation("insert", self.replicas)
        return Insert(self.cluster.uri, self.name, _zero_row, self._fields(self.name))

    def _operation(self, name: str) -> Operation:
        uri = self.cluster.uri
        if name == "insert":
            return Insert(uri, self.insert_collection, self._probe_row, self._fields(self.insert_collection))
        if name == "metadata call":
            return AlterAlias(uri, f"{self.name}_alias", self._sides())
        return Search(uri, self.name, self._embedding(QUESTIONS).tolist(), strong=name == "strong search")

    def _fields(self, collection: str) -> list[dict[str, Any]]:
        try:
            fields: list[dict[str, Any]] = self._client.describe_collection(collection)["fields"]
        except UNANSWERED as error:
            raise MeasurementError(
                f"the retriever no longer reaches its cluster: {error_text(error)}",
                hint="if the cluster was started again, make the retriever again: Retriever(cluster)",
            ) from None
        return fields

    def count(
        self, samples: Iterable[Sample] | None = None, collection: str = "", timeout: float = 0.0
    ) -> RowCount:
        """Count rows with Strong consistency: those of the insert probes among `samples`, or the passages.
        The probes wrote into `collection`, by default `insert_collection`.

        Rows that were acknowledged and are not found stand in `missing`, after they were looked for again for
        `timeout` seconds: just after a query node had come back, one look missed exactly the rows of a
        flushed segment (seen with 2.3.5 on a busy machine), and what is only late is not lost. Raises
        MeasurementError if the cluster does not answer within a minute, and on the simulated engine, which
        keeps no rows.
        """
        if self.simulated:
            raise MeasurementError(
                "a simulated cluster keeps no rows, so there is nothing to count",
                hint="count on the embedded engine",
            )
        if samples is None:
            rows = [Sample("insert", key, 0, 0, 0, Outcome.OK, key=key) for key in range(len(self.passages))]
            return tally(rows, self._present(self.name, [*range(len(rows))]))
        samples = list(samples)
        keys = sorted(sample.key for sample in samples if sample.key is not None)
        collection = collection or self.insert_collection
        count = tally(samples, found := self._present(collection, keys))
        at_first = len(count.missing)
        end = time.monotonic() + timeout
        while count.missing and time.monotonic() < end:
            time.sleep(_AGAIN)
            count = tally(samples, found := found | self._present(collection, count.missing))
        return replace(count, late=at_first - len(count.missing))

    def close(self) -> None:
        """Drop the collections and disconnect. Raises MeasurementError if the cluster cannot drop them."""
        if self._client is None:
            return
        try:
            _retry_for(self._drop, _CLOSING)
        except UNANSWERED as error:
            raise MeasurementError(
                f"the collections of {self.name} could not be dropped: {error_text(error)}",
                hint="they go when the cluster goes down, or when the next retriever of that name is made",
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
        where = "from memory (SIMULATED cluster)" if self.simulated else f"{self.replicas} replica(s)"
        lost = f", {self.dropped} DROPPED by the log" if self.dropped else ""
        return f"Retriever({self.name}: {len(self.passages)} passages, {where}{lost})"

    def _leader_addresses(self) -> list[str]:
        """Asked by a raw call: pymilvus' client tells the leaders' ids but not their addresses."""
        described = _retry_for(partial(self._client.describe_collection, self.name), _CLOSING)
        request = milvus_pb2.GetReplicasRequest(
            collectionID=described["collection_id"], with_shard_nodes=True
        )
        with grpc.insecure_channel(self.cluster.uri.removeprefix("http://")) as channel:
            answer = milvus_pb2_grpc.MilvusServiceStub(channel).GetReplicas(request, timeout=_TIMEOUT)
        return [shard.leader_addr for replica in answer.replicas for shard in replica.shard_replicas]

    def _passage(self, index: int, score: float) -> Passage:
        passage = self.passages[index]
        return Passage(passage.text, passage.source, score)

    def _sides(self) -> tuple[str, str]:
        return f"{self.name}_left", f"{self.name}_right"

    def _create(self) -> None:
        began = time.monotonic()
        say = ProgressLine(lambda: time.monotonic() - began)
        say("making collections")
        self._drop()
        for collection in (self.name, self.insert_collection, *self._sides()):
            self._client.create_collection(collection, schema=self._schema(), num_shards=1)
        self._client.create_alias(self._sides()[0], f"{self.name}_alias")
        rows = [{"id": index, "vector": vector.tolist()} for index, vector in enumerate(self._vectors)]
        for first in range(0, len(rows), _BATCH):
            say("writing passages", f" from {first + 1} of {len(rows)}, and flushing them")
            self._client.insert(self.name, rows[first : first + _BATCH])
            self._client.flush(self.name)
        self._load(say)
        say("counting them")
        self.dropped = len(self.count().missing)
        say(DONE, f": {len(rows)} passages in {self.replicas} {'copy' if self.replicas == 1 else 'copies'}")
        if self.dropped:
            print(f"The log dropped {self.dropped} of {len(self.passages)} passages: they cannot be found.")

    def _load(self, say: ProgressLine) -> None:
        """Load both collections side by side: each waits for the cluster's own timetable, not for work."""
        for collection, replicas in ((self.name, self.replicas), (self.insert_collection, 1)):
            index = self._client.prepare_index_params()
            index.add_index("vector", index_type="FLAT", metric_type="IP")
            self._client.create_index(collection, index)
            self._client.load_collection(collection, replica_number=replicas, _async=True)
        end = time.monotonic() + _TIMEOUT
        for collection in (self.name, self.insert_collection):
            while self._client.get_load_state(collection)["state"] != LoadState.Loaded:
                say("loading them into the query nodes")
                if time.monotonic() > end:
                    raise MilvusException(message=f"{collection} was not loaded within {_TIMEOUT:g} s")
                time.sleep(0.1)

    def _drop(self) -> None:
        for side in self._sides():
            if self._client.has_collection(side):
                for alias in self._client.list_aliases(side)["aliases"]:
                    self._client.drop_alias(alias)
        for collection in (self.name, self.insert_collection, *self._sides()):
            if self._client.has_collection(collection):
                self._client.release_collection(collection)
                self._client.drop_collection(collection)

    def _schema(self) -> Any:
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIMENSIONS)
        return schema

    def _probe_row(self, key: int) -> dict[str, Any]:
        return {"id": key, "vector": self._vectors[key % len(self._vectors)].tolist()}

    def _present(self, collection: str, keys: Sequence[int]) -> set[int]:
        found: set[int] = set()
        for first in range(0, len(keys), _COUNT_BATCH):
            batch = keys[first : first + _COUNT_BATCH]
            try:
                ask = partial(
                    self._client.query, collection, f"id in {list(batch)}", ["id"], timeout=_TIMEOUT
                )
                found.update(
                    row["id"] for row in _retry_for(partial(ask, consistency_level="Strong"), _TIMEOUT)
                )
            except UNANSWERED as error:
                raise MeasurementError(
                    f"the rows of {collection} could not be counted: {error_text(error)}",
                    hint="see `halab status`; when every role is healthy, count again",
                ) from None
        return found


class _LazyClient:
    """A client that connects when it is first asked for something."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._client is None:
            self._client = MilvusClient(self._uri, timeout=_TIMEOUT)
        return getattr(self._client, name)


def _zero_row(key: int) -> dict[str, Any]:
    """A row whose inner product with any question is 0."""
    return {"id": key, "vector": [0.0] * DIMENSIONS}


def _retry_for(call: Callable[[], T], seconds: float) -> T:
    """Try again until `seconds` have passed: pymilvus gives up at once on a proxy that is just back."""
    end = time.monotonic() + seconds
    while True:
        try:
            return call()
        except UNANSWERED:
            if time.monotonic() > end:
                raise
        time.sleep(0.5)


def tally(samples: Iterable[Sample], found: set[int]) -> RowCount:
    """What became of the rows that samples wrote, given the keys that are there now."""
    sent: dict[Outcome, set[int]] = {outcome: set() for outcome in Outcome}
    for sample in samples:
        if sample.key is not None:
            sent[sample.outcome].add(sample.key)
    return RowCount(
        acknowledged=len(sent[Outcome.OK]),
        unknown=len(sent[Outcome.UNKNOWN]),
        failed=len(sent[Outcome.FAIL]),
        found=len(found),
        missing=tuple(sorted(sent[Outcome.OK] - found)),
        unknown_present=len(sent[Outcome.UNKNOWN] & found),
        failed_present=len(sent[Outcome.FAIL] & found),
    )
