"""A question becomes an answer; failing that, a degraded answer that says so; failing that too, an error.

service = QuestionService([Address(uri, "halab_rag")], vectors, local)
answer = service.ask("How long does a failover take?")
answer.passages, answer.degraded        # "" if the cluster in charge has answered
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from halab.errors import RagError
from halab.rag.documents import Passage
from halab.rag.local_passages import LocalPassages
from halab.rag.passage_collection import Address
from halab.rag.protections import Breaker, Protections, RetryBudget
from halab.rag.vectors import Vectors
from halab.translation import gettext

__all__ = ["Answer", "QuestionService"]

Degraded = Literal["", "standby", "memory", "keywords"]

_REMEMBERED = 1000  # last good answers
_EMPTY = "answered, and found nothing"
_CUT_SHORT = ("CANCELLED", "DEADLINE_EXCEEDED")


@dataclass(frozen=True, slots=True)
class Answer:
    """Passages, best first. `degraded` says how the answer may be worse than usual; "" if it is not.

    "standby": by a cluster that is not in charge. "memory": the last good answer to this question.
    "keywords": found beside the service. `why` is what the clusters said, `requests` how many were sent for
    it, `seconds` how long it took.
    """

    passages: tuple[Passage, ...]
    degraded: Degraded = ""
    why: str = ""
    requests: int = 1
    seconds: float = 0.0


class QuestionService:
    """Asks the first address that may be asked, then the others, within the limits of its protections.

    `addresses` stand in the order in which they are asked: the proxies of the cluster in charge, then those
    of a standby. `registry` holds its metrics, `requests` counts those sent. Safe to ask from many threads.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        vectors: Vectors,
        local: LocalPassages,
        protections: Protections | None = None,
        budget: RetryBudget | None = None,
    ) -> None:
        self.addresses = tuple(addresses)
        self.protections = protections or Protections()
        self.budget = budget or RetryBudget()
        self.breakers = {address: Breaker() for address in self.addresses}
        self.requests = 0
        self._vectors, self._local = vectors, local
        self._last_good: OrderedDict[tuple[str, int], tuple[float, tuple[Passage, ...]]] = OrderedDict()
        self._lock = threading.Lock()
        self.registry = CollectorRegistry()
        self._questions = Counter(
            "halab_rag_questions", "Questions, by what became of them.", ["outcome"], registry=self.registry
        )
        self._requests = Counter(
            "halab_rag_requests", "Requests to Milvus.", ["address", "outcome"], registry=self.registry
        )
        self._latency = Histogram(
            "halab_rag_seconds", "Seconds until an answer of any kind.", registry=self.registry
        )
        saved = Gauge("halab_rag_retry_budget", "Further requests saved up.", registry=self.registry)
        saved.set_function(lambda: self.budget.saved)
        opened = Gauge(
            "halab_rag_breaker_open", "1 while an address is rested.", ["address"], registry=self.registry
        )
        for address, breaker in self.breakers.items():
            opened.labels(address.name).set_function(partial(getattr, breaker, "is_open"))

    def ask(self, question: str, limit: int = 3) -> Answer:
        """The passages nearest to a question.

        Raises RagError if there is no answer of any kind.
        """
        began = time.monotonic()
        try:
            answer = self._from_clusters(question, limit, began)
            self._remember(question, limit, answer)
        except RagError as error:
            answer = self._degraded(question, limit, error)
        answer = replace(answer, seconds=time.monotonic() - began)
        self._questions.labels("degraded" if answer.degraded else "good").inc()
        self._latency.observe(answer.seconds)
        return answer

    def ready(self) -> str:
        """Why the service should get no questions now; "" if it should.

        It asks for a passage by the passage's own words: an answer that lacks it is no answer. Degraded
        answers do not count, so that a balancer prefers a service that reaches its cluster.
        """
        known = next(iter(self._local), None)
        if known is None:
            return gettext("no documents were taken in: run `halab rag ingest`")
        try:
            answer = self._from_clusters(known.full[:200], 3, time.monotonic())
        except RagError as error:
            return error.message
        if known.key not in {passage.key for passage in answer.passages}:
            return gettext("a passage that is known to be there was not found: {source}").format(
                source=known.source
            )
        return gettext("only the standby answers: {why}").format(why=answer.why) if answer.degraded else ""

    def close(self) -> None:
        for address in self.addresses:
            address.close()

    def _from_clusters(self, question: str, limit: int, began: float) -> Answer:
        self.budget.earn()
        vector = self._vectors.of_question(question)
        return _Asking(self, vector, limit).run(began)

    def _degraded(self, question: str, limit: int, error: RagError) -> Answer:
        """The last good answer to this question, else what keywords find here. Raises `error` if neither."""
        with self._lock:
            last = self._last_good.get((question, limit))
        if self.protections.degrade and last is not None:
            return Answer(
                last[1],
                "memory",
                gettext("{age:.0f} s old; {message}").format(
                    age=time.monotonic() - last[0], message=error.message
                ),
            )
        hits = tuple(passage for passage, _ in self._local.search(question, limit))
        if self.protections.degrade and hits:
            return Answer(hits, "keywords", error.message)
        self._questions.labels("unanswered").inc()
        raise error

    def _remember(self, question: str, limit: int, answer: Answer) -> None:
        if not answer.passages or answer.degraded:
            return
        with self._lock:
            self._last_good[question, limit] = (time.monotonic(), answer.passages)
            self._last_good.move_to_end((question, limit))
            if len(self._last_good) > _REMEMBERED:
                self._last_good.popitem(last=False)

    def sending(self) -> None:
        """Count a request that is about to be sent."""
        with self._lock:
            self.requests += 1

    def record(self, address: Address, error: str) -> None:
        """Count a request that has ended, and tell the breaker of its address."""
        self._requests.labels(address.name, "failed" if error else "answered").inc()
        self.breakers[address].record(not error)


class _Asking:
    """One question under way: its requests, of which the first good answer counts."""

    def __init__(self, service: QuestionService, vector: NDArray[np.float32], limit: int) -> None:
        self._service, self._vector, self._limit = service, vector, limit
        self._protections = service.protections
        self._answers: queue.SimpleQueue[tuple[Address, list[Passage] | None, str]] = queue.SimpleQueue()
        self._cancels: list[Callable[[], Any]] = []
        self._sent: list[Address] = []
        self._under_way = 0
        self._error = gettext("no answer came")

    def run(self, began: float) -> Answer:
        end = None if self._protections.deadline is None else began + self._protections.deadline
        try:
            self._send_next(end, paid=True)
            while self._under_way and (end is None or time.monotonic() < end):
                answer = self._next_answer(end)
                if answer is not None:
                    return answer
        finally:
            for cancel in self._cancels:
                cancel()
        late = (
            ""
            if end is None or time.monotonic() < end
            else gettext("not within {deadline:g} s; ").format(deadline=self._protections.deadline)
        )
        raise RagError(
            gettext("the question was not answered: {late}{error}").format(late=late, error=self._error),
            hint=gettext("see `halab status`, and ask again when every role is healthy"),
        )

    def _next_answer(self, end: float | None) -> Answer | None:
        """Wait for the next answer; send another request if it is slow to come, or if it is bad."""
        hedge = self._protections.hedge_after
        left = None if end is None else max(0.0, end - time.monotonic())
        patience = min((seconds for seconds in (hedge, left) if seconds is not None), default=None)
        try:
            address, passages, error = self._answers.get(timeout=patience)
        except queue.Empty:
            if patience == hedge:
                self._send_next(end)
            return None
        self._under_way -= 1
        if not error:
            standby: Degraded = "standby" if address.standby else ""
            return Answer(tuple(passages or ()), standby, self._error if standby else "", len(self._sent))
        self._error = f"{address.name}: {error}"
        time.sleep(
            self._protections.pause * random.uniform(0.5, 1.5) if self._protections.attempts > 1 else 0
        )
        self._send_next(end)
        return None

    def _send_next(self, end: float | None, *, paid: bool = False) -> None:
        """Send to the next address that may be asked, if there is one, and if the budget pays for it."""
        left = None if end is None else end - time.monotonic()
        if len(self._sent) >= self._protections.attempts or (left is not None and left <= 0):
            return
        address = self._next_address()
        if address is None and not self._sent:
            self._error = gettext("every address is rested after failures")
        if address is None or not (paid or self._service.budget.spend()):
            return
        self._sent.append(address)
        self._under_way += 1
        self._service.sending()

        sent = time.monotonic()

        def done(passages: list[Passage] | None, error: str) -> None:
            if not error and self._protections.check_empty and not passages:
                error = _EMPTY
            # Who was overtaken, or asked too late, before it was slow itself is not to blame.
            hasty = time.monotonic() - sent < (self._protections.hedge_after or 0)
            if not (hasty and error.startswith(_CUT_SHORT)):
                self._service.record(address, error)
            self._answers.put((address, passages, error))

        self._cancels.append(address.search(self._vector, self._limit, left, done))

    def _next_address(self) -> Address | None:
        """The first of those asked least for this question, passing over those whose breaker is open."""
        order = sorted(self._service.addresses, key=self._sent.count)  # sorted keeps the order of equals
        if not self._protections.breaker:
            return order[0]
        return next((each for each in order if self._service.breakers[each].allows()), None)
