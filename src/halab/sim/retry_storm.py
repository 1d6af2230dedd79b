"""Clients that retry, against a service that goes away and comes back: a retry storm in virtual time.

Clients send requests at a steady rate to a service of bounded capacity: a request takes a server for a fixed
time, waits in a queue of bounded length if all are busy, and is refused if that is full. For some seconds the
service is out. It then refuses most attempts at once and leaves some without an answer; half of the inserts
left without an answer happen all the same, as timed-out inserts did on the course's cluster. When service is
back, clients that retried too fast have piled up load: answers come after their clients have stopped waiting,
the work is wasted, and the outage goes on although nothing is broken.

    report = judge(RetryPolicy())            # or any function with the signature of retry_policy.Retry
    report.failed, report.duplicates, report.peak
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simpy

from halab.models.samples import Outcome
from halab.translation import gettext

if TYPE_CHECKING:  # a learner's answer is judged by this, and would find a policy there
    from halab.models.retry_policy import Retry

__all__ = ["MOST_ATTEMPTS", "Question", "RetryReport", "Scenario", "judge"]

MOST_ATTEMPTS = 50
"""A request is given up after this many attempts, whatever its policy says: a storm must end some time."""

NETWORK = 0.005
"""Seconds an attempt spends on the way, so that a retry without a wait still takes time."""


@dataclass(frozen=True)
class Scenario:
    """What a policy is judged by. Times are seconds, rates are requests a second.

    `clients` together send `rate`; a fraction `inserts` of it are inserts, the rest searches. The service has
    `servers`, each busy for `service` seconds with a request, and a queue of `queue` places: its capacity is
    servers / service. It is out from `outage_at` for `outage`; a fraction `silent` of the attempts in that
    time gets no answer. A client waits `timeout` for an answer. Nothing new is sent after `end`.

    By default the service has three times the capacity it needs, and a full queue takes longer (1.5 s) than
    clients wait: room for sensible retries, and for a storm that outlives its cause.
    """

    clients: int = 60
    rate: float = 60.0
    inserts: float = 0.25
    servers: int = 20
    service: float = 0.1
    queue: int = 300
    timeout: float = 1.0
    outage_at: float = 10.0
    outage: float = 10.0
    silent: float = 0.1
    end: float = 40.0

    def __post_init__(self) -> None:
        for name in ("clients", "rate", "servers", "service", "timeout", "end"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    gettext("{name} must be positive, not {number}").format(
                        name=name, number=getattr(self, name)
                    )
                )
        for name in ("inserts", "silent"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    gettext("{name} is a fraction between 0 and 1, not {number}").format(
                        name=name, number=getattr(self, name)
                    )
                )
        if min(self.outage_at, self.outage, self.queue) < 0 or self.outage_at + self.outage > self.end:
            raise ValueError(
                gettext("the outage must lie between 0 and end, and the queue must not be negative")
            )

    @property
    def back_at(self) -> float:
        return self.outage_at + self.outage


@dataclass(frozen=True)
class RetryReport:
    """What a policy did. Counts are requests as their users sent them, unless they say attempts.

    - `requests`: sent by users; `failed`: of these, without a good answer in the end (users notice).
    - `failed_during`: failed of those sent during the outage; `failed_after`: of those sent after it, which
      a policy that raises no storm keeps at 0.
    - `unsafe`: attempts that sent an insert again though the one before may have happened;
      `duplicates`: inserts that did happen more than once.
    - `attempts`: sent in all. `amplification`: attempts for each request during the outage;
      `amplification_after`: in the `outage` seconds after it.
    - `peak`: most attempts within one second, relative to the normal rate; `peak_after`: the same from the
      end of the outage on.
    - `settled`: seconds from the end of the outage until requests no longer fail.
    - `slowest`: seconds the slowest good answer took, waits included.
    - `load_by_second`: each second with its attempts, relative to the normal rate.
    """

    requests: int
    failed: int
    failed_during: int
    failed_after: int
    unsafe: int
    duplicates: int
    attempts: int
    amplification: float
    amplification_after: float
    peak: float
    peak_after: float
    settled: float
    slowest: float
    load_by_second: tuple[tuple[int, float], ...]


Question = tuple[int, float, Outcome, str, random.Random]
"""What a policy is called with."""

Ask = Callable[["Retry", Sequence[Question]], Sequence[float | None]]
"""Puts questions to a policy, in order: so close in time that no answer can bear on another question."""


def _one_by_one(policy: Retry, questions: Sequence[Question]) -> list[float | None]:
    return [policy(*question) for question in questions]


def judge(
    policy: Retry, scenario: Scenario | None = None, seed: int = 0, ask: Ask = _one_by_one
) -> RetryReport:
    """Run clients with this policy through an outage and report what users, data and service got of it.

    `policy` is called after each attempt that did not succeed: `policy(attempt, elapsed, outcome, operation,
    rng)` returns the seconds to wait before the next attempt, or None to give up (see `Retry`, of which
    `RetryPolicy` is one). The same seed gives the same report. With `ask`, a policy in another process can be
    asked several things at once.

    Raises TypeError or ValueError if the policy returns something that is not a wait, and whatever the
    policy itself raises.
    """
    world = _World(policy, scenario or Scenario(), seed, ask)
    world.run()
    return world.report()


@dataclass
class _Request:
    """One user's request: what happened to it so far."""

    operation: str
    sent: float
    rng: random.Random
    attempts: int = 0
    happened: int = 0
    done: float = math.nan
    outcome: Outcome = Outcome.UNKNOWN


@dataclass
class _World:
    policy: Retry
    scenario: Scenario
    seed: int
    ask: Ask
    open: list[tuple[_Request, Any]] = field(default_factory=list)
    requests: list[_Request] = field(default_factory=list)
    attempts: list[float] = field(default_factory=list)
    unsafe: int = 0

    def __post_init__(self) -> None:
        self.env: Any = simpy.Environment()
        self.free = [0.0] * self.scenario.servers  # a heap: when each server will be free
        self.turns: deque[float] = deque()  # when each attempt that was let in gets its server

    def run(self) -> None:
        for number in range(self.scenario.clients):
            self.env.process(self.client(number))
        self.env.run()

    def client(self, number: int) -> Generator[Any, Any, None]:
        """Sends at even intervals, from a moment of its own, however its earlier requests fare."""
        rng = random.Random(f"client {self.seed} {number}")
        interval = self.scenario.clients / self.scenario.rate
        yield self.env.timeout(rng.random() * interval)
        while self.env.now < self.scenario.end:
            operation = "insert" if rng.random() < self.scenario.inserts else "search"
            request = _Request(operation, self.env.now, random.Random(rng.random()))
            self.requests.append(request)
            self.env.process(self.user(request))
            yield self.env.timeout(interval)

    def user(self, request: _Request) -> Generator[Any, Any, None]:
        """Attempts one request until it succeeds or the policy gives it up."""
        begins = self.env.now
        while True:
            request.attempts += 1
            self.attempts.append(begins)
            request.outcome = yield from self.attempt(request, begins)
            request.done = self.env.now
            if request.outcome == Outcome.OK or request.attempts == MOST_ATTEMPTS:
                return
            wait = yield self.question(request)
            if wait is None:
                return
            if request.operation == "insert" and request.outcome == Outcome.UNKNOWN:
                self.unsafe += 1
            begins = request.done + wait

    def question(self, request: _Request) -> Any:
        """An event whose value is what the policy says to the request as it is now."""
        if not self.open:
            self.env.timeout(NETWORK).callbacks.append(self.answer)
        self.open.append((request, self.env.event()))
        return self.open[-1][1]

    def answer(self, moment: Any) -> None:
        """Put the open questions: the attempt that the first is followed by can only now have an effect."""
        asked, self.open = self.open, []
        questions = [
            (request.attempts, request.done - request.sent, request.outcome, request.operation, request.rng)
            for request, _ in asked
        ]
        for (_, event), wait in zip(asked, self.ask(self.policy, questions), strict=True):
            event.succeed(_checked(wait))

    def attempt(self, request: _Request, begins: float) -> Generator[Any, Any, Outcome]:
        """One attempt, as its client sees it: an answer, a refusal, or nothing within the timeout."""
        yield self.env.timeout(max(0.0, begins + NETWORK - self.env.now))
        if self.out():
            return (yield from self.unanswered(request))
        if self.waiting() >= self.scenario.queue:
            return Outcome.FAIL
        answered = self.served() - self.env.now
        request.happened += 1  # even if its client has stopped waiting: the service cannot know
        yield self.env.timeout(min(answered, self.scenario.timeout))
        return Outcome.OK if answered <= self.scenario.timeout else Outcome.UNKNOWN

    def unanswered(self, request: _Request) -> Generator[Any, Any, Outcome]:
        if request.rng.random() >= self.scenario.silent:
            return Outcome.FAIL
        request.happened += request.rng.random() < 0.5
        yield self.env.timeout(self.scenario.timeout)
        return Outcome.UNKNOWN

    def waiting(self) -> int:
        """How many attempts wait for a server."""
        while self.turns and self.turns[0] <= self.env.now:
            self.turns.popleft()
        return len(self.turns)

    def served(self) -> float:
        """When an attempt that comes now is answered. All take equally long, in the order they came."""
        turn = max(self.env.now, heapq.heappop(self.free))
        heapq.heappush(self.free, turn + self.scenario.service)
        self.turns.append(turn)
        return float(turn + self.scenario.service)

    def out(self) -> bool:
        return bool(self.scenario.outage_at <= self.env.now < self.scenario.back_at)

    def report(self) -> RetryReport:
        scenario = self.scenario
        begin, back = scenario.outage_at, scenario.back_at
        failed = [request for request in self.requests if request.outcome != Outcome.OK]
        seconds = Counter(math.floor(at - back) for at in self.attempts)
        after = [count for second, count in seconds.items() if second >= 0]
        return RetryReport(
            requests=len(self.requests),
            failed=len(failed),
            failed_during=sum(begin <= request.sent < back for request in failed),
            failed_after=sum(request.sent >= back for request in failed),
            unsafe=self.unsafe,
            duplicates=sum(r.operation == "insert" and r.happened > 1 for r in self.requests),
            attempts=len(self.attempts),
            amplification=self.load(begin, back),
            amplification_after=self.load(back, back + scenario.outage),
            peak=max(seconds.values()) / scenario.rate,
            peak_after=max(after) / scenario.rate,
            settled=max((request.sent - back for request in failed if request.sent >= back), default=0.0),
            slowest=max((r.done - r.sent for r in self.requests if r.outcome == Outcome.OK), default=0.0),
            load_by_second=tuple(
                (second, count / scenario.rate)
                for second, count in sorted(Counter(map(math.floor, self.attempts)).items())
            ),
        )

    def load(self, begin: float, end: float) -> float:
        """Attempts for each request between two moments."""
        requests = sum(begin <= request.sent < end for request in self.requests)
        return sum(begin <= at < end for at in self.attempts) / max(requests, 1)


def _checked(wait: Any) -> float | None:
    """A policy's answer, if it is one. Raises TypeError or ValueError."""
    if wait is None:
        return None
    if isinstance(wait, bool) or not isinstance(wait, (int, float)):
        raise TypeError(
            gettext(
                "a policy returns seconds to wait, or None to give up; this one returned {wait!r}"
            ).format(wait=wait)
        )
    if not (wait >= 0 and math.isfinite(wait)):
        raise ValueError(
            gettext("a wait is zero or a positive number of seconds; this policy returned {wait}").format(
                wait=wait
            )
        )
    return float(wait)
