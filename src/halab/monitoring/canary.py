"""A canary: questions whose answers are known, asked again and again, and counted for Prometheus.

    canary = Canary("http://127.0.0.1:19530")
    canary.prepare()
    canary.run(threading.Event())

To Milvus an answer without a hit is a success; only somebody who knows what should be found can tell. The
canary has a small collection of its own, so what it sees is the service, not your data: a collection of yours
that was emptied is seen only by a question of your own.

    halab_canary_asked_total      questions
    halab_canary_answered_total   those that were answered in time, whatever the answer
    halab_canary_found_total      those whose answer was the row that is known to be there
    halab_canary_latency_seconds  of the answered ones (a histogram)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from pymilvus import MilvusClient

from halab.errors import MeasurementError
from halab.measure.probing.milvus_collections import (
    TIMEOUT,
    create_collection,
    create_flat_index,
    silence_pymilvus,
    wait_until_loaded,
)
from halab.measure.probing.operations import UNANSWERED, error_text
from halab.translation import gettext

__all__ = ["Answer", "Canary"]

COLLECTION = "halab_canary"
ROWS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one question. `latency` is seconds; `error` is empty if it was answered."""

    answered: bool
    found: bool
    latency: float
    error: str = ""


class Canary:
    """Asks for one of its rows by the row's own vector, each `every` seconds, and waits `timeout` for an
    answer.

    `registry` holds its metrics.
    """

    def __init__(self, uri: str, *, replicas: int = 1, every: float = 1.0, timeout: float = 2.0) -> None:
        self.registry = CollectorRegistry()
        self.last: Answer | None = None
        self._uri, self._replicas, self._every, self._timeout = uri, replicas, every, timeout
        self._client: MilvusClient | None = None
        self._number = 0
        self._asked = Counter("halab_canary_asked", "Questions asked.", registry=self.registry)
        self._answered = Counter(
            "halab_canary_answered", "Questions answered in time.", registry=self.registry
        )
        self._found = Counter("halab_canary_found", "Answers with the known row.", registry=self.registry)
        self._latency = Histogram(
            "halab_canary_latency_seconds", "Seconds until an answer.", registry=self.registry
        )

    def prepare(self) -> None:
        """Make and load its collection, or load the one that is there, and write its rows.

        They are upserted with keys of its own, so preparing twice leaves each row once. Raises
        MeasurementError if Milvus refuses.
        """
        silence_pymilvus()
        try:
            client = MilvusClient(self._uri, timeout=TIMEOUT)
            if not client.has_collection(COLLECTION):
                create_collection(client, COLLECTION, ROWS)
                create_flat_index(client, COLLECTION)
            client.upsert(COLLECTION, [{"id": key, "vector": _vector(key)} for key in range(ROWS)])
            client.load_collection(COLLECTION, replica_number=self._replicas, _async=True)
            wait_until_loaded(client, COLLECTION)
        except UNANSWERED as error:
            raise MeasurementError(
                gettext("the canary's collection was not made: {error_text}").format(
                    error_text=error_text(error)
                ),
                hint=gettext("see `halab status`, and try again when every role is healthy"),
            ) from None
        self._client = client

    def ask(self) -> Answer:
        """One question, counted."""
        key = self._number % ROWS
        self._number += 1
        self._asked.inc()
        began = time.monotonic()
        try:
            assert self._client is not None, "prepare() comes first"
            hits = self._client.search(COLLECTION, [_vector(key)], limit=1, timeout=self._timeout)[0]
        except UNANSWERED as error:
            self.last = Answer(False, False, time.monotonic() - began, error_text(error))
            return self.last
        latency = time.monotonic() - began
        own_row = bool(hits) and hits[0]["id"] == key
        self._answered.inc()
        self._latency.observe(latency)
        if own_row:
            self._found.inc()
        self.last = Answer(True, own_row, latency)
        return self.last

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop` is set. A question that takes long delays the next: they do not pile up."""
        while not stop.is_set():
            began = time.monotonic()
            self.ask()
            stop.wait(max(0.0, self._every - (time.monotonic() - began)))

    @contextmanager
    def exported(self, port: int) -> Iterator[threading.Thread]:
        """Ask while the block runs, with the metrics there to be scraped, on loopback. Yields who asks.

        Raises OSError if the port is not to be had.
        """
        server, serving = start_http_server(port, "127.0.0.1", self.registry)
        stop = threading.Event()
        asking = threading.Thread(target=self.run, args=(stop,), daemon=True)
        asking.start()
        try:
            yield asking
        finally:
            stop.set()
            asking.join()
            server.shutdown()
            server.server_close()
            serving.join()

    def close(self) -> None:
        """Leave the cluster. Its collection stays, for the next canary."""
        if self._client is not None:
            self._client.close()


def _vector(key: int) -> list[float]:
    """A row's vector: nothing is nearer to it than itself."""
    return [float(key == place) for place in range(ROWS)]
