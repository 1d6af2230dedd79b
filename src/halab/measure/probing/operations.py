"""What a probe does: search, strong search, insert and a metadata call against one Milvus proxy.

Every operation speaks gRPC through pymilvus' generated stubs, not through its client, which retries and
caches behind the caller's back. Each has a channel (and so a connection) of its own, gRPC's own retries are
off, and a lost connection is tried again after 0.1 s (with gRPC's jitter, 0.12 s), so that the client adds no
more than that to an outage. gRPC's default lets it wait up to 120 s (grpc/grpc, doc/connection-backoff.md).

Error or unknown? (Jepsen: definite and indefinite errors.)

| what came back | reads | writes |
|---|---|---|
| an answer with status 0 | ok | ok |
| an answer with status 0 and no hit, where rows are | fail | - |
| an answer with an error status | fail | fail; **unknown** if its reason is a time-out in Milvus |
| DEADLINE_EXCEEDED | unknown | unknown |
| UNAVAILABLE that says "failed to connect", or any "not ready yet" | fail | fail: it was never served |
| UNAVAILABLE, CANCELLED, INTERNAL, UNKNOWN, ABORTED otherwise | fail | **unknown**: it may have arrived |
| any other gRPC status | fail | fail |

An answer without a hit is a failure, though Milvus calls it a success: every collection that is searched here
holds rows, and who finds none was not served. Milvus 2.3.5 gives such answers, to Strong searches too, for
seconds while a query node comes back or leaves (measured; milvus-io/milvus issues 20841 and 37364). An answer
that has hits, but not all it should, is not noticed.

That it was never served is told only by the words of the message; where those are not recognised, a write is
unknown, which is the careful side.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

# gRPC's C core reports every lost connection on stderr, where notebooks show it as a problem of the cell.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from pymilvus.client.prepare import Prepare
from pymilvus.exceptions import MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc

from halab.errors import MeasurementError
from halab.models.samples import NOTHING_FOUND, Outcome
from halab.translation import gettext

__all__ = [
    "AlterAlias",
    "Done",
    "Insert",
    "NamedOperation",
    "Operation",
    "Renamed",
    "Search",
    "SearchOnNewConnection",
    "classify",
]

Done = Callable[[Outcome, str], None]

UNANSWERED = (MilvusException, grpc.RpcError)
"""What pymilvus raises of a call that failed. A silent proxy gives gRPC's own error, after the timeout."""

CONNECT_TIMEOUT = 10.0  # seconds a probe may take for its first connection, before the measurement starts
_CHANNEL_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),  # a connection per operation, not one shared by all
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),  # in gRPC core this is the time one attempt may take
)
STRONG_WAIT = 1.0  # seconds added to the deadline of a Strong search; see `Search`
_NEVER_SERVED = "not ready yet"  # a role that is starting says so before it looks at a request
_NEVER_LEFT = (
    "failed to connect",
    "connection refused",
    "name resolution",
    "connect failed",
)
_MAYBE_ARRIVED = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.ABORTED,
)
_STACK_TRACE = re.compile(r"stack trace: (?:.*\n)*\S+\.go:\d+ \S+: ")
_INDEFINITE_REASONS = ("deadline exceeded", "context canceled", "timeout", "timed out")


class Operation(Protocol):
    """Something a probe can do many times at once without waiting for an answer."""

    @property
    def name(self) -> str:
        """What plots and tables call it, such as "search" or "metadata call"."""

    def timeout(self, deadline: float) -> float:
        """Seconds its users wait in all before they give up, if one request may take `deadline` seconds."""

    def start(self) -> None:
        """Connect, before the first probe. Raises MeasurementError if nothing answers."""

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        """Send probe `number` now and return at once; call `done` once, from any thread, with the outcome.

        Returns the primary key the probe writes, or None if it writes no row.
        """

    def stop(self) -> None:
        """Disconnect, after the last probe."""


class NamedOperation:
    """An operation of a simulated cluster: a name and how many query replicas its collection has, since
    there is nothing to send to."""

    def __init__(self, name: str, replicas: int = 3) -> None:
        self.name = name
        self.replicas = replicas

    def timeout(self, deadline: float) -> float:
        return deadline

    def start(self) -> None:
        """Nothing to connect to."""

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        raise MeasurementError(
            gettext('"{name}" belongs to a simulated cluster and cannot be sent').format(name=self.name),
            hint=gettext("probe it through the cluster it was made for"),
        )

    def stop(self) -> None:
        """Nothing to disconnect."""


class Renamed:
    """An operation under another name, so that two of a kind can be told apart in one measurement."""

    def __init__(self, operation: Operation, name: str) -> None:
        self.inner = operation
        self.name = name

    def timeout(self, deadline: float) -> float:
        return self.inner.timeout(deadline)

    def start(self) -> None:
        self.inner.start()

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        return self.inner.send(number, deadline, done)

    def stop(self) -> None:
        self.inner.stop()


def classify(code: grpc.StatusCode, details: str, *, writes: bool) -> Outcome:
    """The outcome of a request that ended with a gRPC error; see the table above."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Outcome.UNKNOWN
    details = details.lower()
    unsent = code is grpc.StatusCode.UNAVAILABLE and any(words in details for words in _NEVER_LEFT)
    if writes and code in _MAYBE_ARRIVED and not unsent and _NEVER_SERVED not in details:
        return Outcome.UNKNOWN
    return Outcome.FAIL


def classify_status(status: Any, *, writes: bool) -> Outcome:
    """The outcome of an answer that carries a Milvus status (`milvus.proto.common.Status`)."""
    if status.code == 0 and status.error_code == 0:
        return Outcome.OK
    indefinite = any(words in status.reason.lower() for words in _INDEFINITE_REASONS)
    return Outcome.UNKNOWN if writes and indefinite else Outcome.FAIL


class _Call:
    """One kind of gRPC call to one proxy."""

    writes = False
    method = ""

    def __init__(self, uri: str, name: str) -> None:
        self.name = name
        self._address = uri.removeprefix("http://").removeprefix("tcp://").rstrip("/")
        self._channel: Any = None
        self._call: Any = None

    def timeout(self, deadline: float) -> float:
        return deadline

    def start(self) -> None:
        self.stop()
        self._channel = grpc.insecure_channel(self._address, options=_CHANNEL_OPTIONS)
        self._call = getattr(milvus_pb2_grpc.MilvusServiceStub(self._channel), self.method)
        try:
            grpc.channel_ready_future(self._channel).result(timeout=CONNECT_TIMEOUT)
        except grpc.FutureTimeoutError:
            self.stop()
            raise MeasurementError(
                gettext('"{name}" found no proxy at {address} within {time:g} s').format(
                    name=self.name, address=self._address, time=CONNECT_TIMEOUT
                ),
                hint=gettext("start the cluster first, or see what runs with `halab status`"),
            ) from None

    def stop(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = self._call = None

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        request, key = self._request(number)
        call = self._call.future(request, timeout=self.timeout(deadline))
        call.add_done_callback(lambda ended: done(*self._outcome(ended)))
        return key

    def _request(self, number: int) -> tuple[Any, int | None]:
        raise NotImplementedError

    def _outcome(self, ended: Any) -> tuple[Outcome, str]:
        code = ended.code()
        if code is not grpc.StatusCode.OK:
            return classify(code, ended.details() or "", writes=self.writes), first_line(
                f"{code.name}: {ended.details()}"
            )
        answer = ended.result()
        # A metadata call answers with a bare status, the others with one inside.
        status = answer if isinstance(answer, common_pb2.Status) else answer.status
        outcome = classify_status(status, writes=self.writes)
        return outcome, "" if outcome is Outcome.OK else first_line(
            status.reason or f"status {status.code or status.error_code}"
        )


class Search(_Call):
    """A search for the nearest passages, one question after the other; an answer without a hit is a failure.

    `strong` asks for Strong consistency, which waits for the newest writes; otherwise Bounded, which accepts
    data a few seconds old.

    A Strong search waits for the next time ticks of the log, which takes 0.5 to 0.7 s on the course's cluster
    when nothing is wrong (measured, 2 cores). So its users wait a second longer than others: a deadline of
    1 s alone would call slowness an outage.
    """

    method = "Search"

    def __init__(
        self,
        uri: str,
        collection: str,
        vectors: Sequence[Sequence[float]],
        *,
        strong: bool = False,
        limit: int = 3,
        field: str = "vector",
    ) -> None:
        super().__init__(uri, "strong search" if strong else "search")
        self._strong = strong
        # Built once: a probe's own work would delay the probes behind it. The guarantee timestamps are
        # pymilvus' own (client/ts_utils.py): 0 for Strong, 2 for Bounded.
        level = common_pb2.ConsistencyLevel.Strong if strong else common_pb2.ConsistencyLevel.Bounded
        self._requests = [
            Prepare.search_requests_with_expr(
                collection,
                field,
                {"metric_type": "IP", "params": {}},
                limit,
                data=[list(map(float, vector))],
                use_default_consistency=False,
                consistency_level=level,
                guarantee_timestamp=0 if strong else 2,
            )
            for vector in vectors
        ]

    def timeout(self, deadline: float) -> float:
        return deadline + (STRONG_WAIT if self._strong else 0.0)

    def _request(self, number: int) -> tuple[Any, int | None]:
        return self._requests[number % len(self._requests)], None

    def _outcome(self, ended: Any) -> tuple[Outcome, str]:
        outcome, error = super()._outcome(ended)
        if outcome is Outcome.OK and (lack := self.rejection_reason(ended.result().results.ids.int_id.data)):
            return Outcome.FAIL, lack
        return outcome, error

    def rejection_reason(self, keys: Sequence[int]) -> str:
        """Why an answer with these keys, best first, does not count as one; empty if it does."""
        return "" if keys else NOTHING_FOUND


class SearchOnNewConnection(Search):
    """A search on a connection of its own each time, which is closed a little after its answer."""

    def __init__(self, uri: str, collection: str, vectors: Sequence[Sequence[float]]) -> None:
        super().__init__(uri, collection, vectors)
        self._over: deque[Any] = deque()

    def start(self) -> None:
        """Nothing to connect: each search does it for itself."""

    def stop(self) -> None:
        while self._over:
            self._over.popleft().close()

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        self.stop()  # those that are over; gRPC's own thread, which calls back, must not close its channel
        channel = grpc.insecure_channel(self._address, options=_CHANNEL_OPTIONS)

        def ended(call: Any) -> None:
            self._over.append(channel)
            done(*self._outcome(call))

        search = getattr(milvus_pb2_grpc.MilvusServiceStub(channel), self.method)
        search.future(self._request(number)[0], timeout=self.timeout(deadline)).add_done_callback(ended)
        return None


class KnownRowSearch(Search):
    """A search whose answer counts only if its best hit is one of the rows with the keys 0 to `rows` - 1.

    An answer that finds something else is a failure to its user, though not to the service.
    """

    def __init__(
        self, uri: str, collection: str, vectors: Sequence[Sequence[float]], rows: int, *, name: str
    ) -> None:
        super().__init__(uri, collection, vectors, limit=1)
        self.name = name
        self._rows = rows

    def rejection_reason(self, keys: Sequence[int]) -> str:
        forgotten = "answered, but what was there is not found"
        return super().rejection_reason(keys) or (forgotten if keys[0] >= self._rows else "")


class Insert(_Call):
    """One row an insert, its primary key naming the probe, so that the rows can be counted afterwards.

    `row(key)` gives the row's fields; `fields` is the collection's schema as pymilvus describes it. Keys are
    unique over all measurements: the microsecond the measurement started, plus the probe's number.
    """

    method = "Insert"
    writes = True

    def __init__(
        self,
        uri: str,
        collection: str,
        row: Callable[[int], Mapping[str, Any]],
        fields: Sequence[Mapping[str, Any]],
    ) -> None:
        super().__init__(uri, "insert")
        self.collection = collection
        self._row = row
        self._fields = list(fields)
        self._first_key = 0

    def start(self) -> None:
        super().start()
        self._first_key = time.time_ns() // 1000

    def follow(self, other: Insert) -> None:
        """Give probe `number` the key that `other` gives it: they are one application's two addresses."""
        self._first_key = other._first_key

    def _request(self, number: int) -> tuple[Any, int | None]:
        key = self._first_key + number
        request = Prepare.row_insert_param(self.collection, [dict(self._row(key))], "", self._fields)
        return request, key


class AlterAlias(_Call):
    """A metadata call (DDL), served by the root coordinator: point an alias to two collections in turn."""

    method = "AlterAlias"
    writes = True

    def __init__(self, uri: str, alias: str, collections: tuple[str, str]) -> None:
        super().__init__(uri, "metadata call")
        self._alias = alias
        self._collections = collections

    def _request(self, number: int) -> tuple[Any, int | None]:
        target = self._collections[number % 2]
        return milvus_pb2.AlterAliasRequest(alias=self._alias, collection_name=target), None


def error_text(error: Exception) -> str:
    """Why a call failed, in one line: the message of a MilvusException, the details of a gRPC error."""
    return first_line(str(error.message if isinstance(error, MilvusException) else error.details()))  # type: ignore[attr-defined]


def first_line(text: str) -> str:
    """The first line behind the stack trace that Milvus puts before a message, at most 200 characters."""
    text = _STACK_TRACE.sub("", text)
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first if len(first) <= 200 else first[:199] + "…"
