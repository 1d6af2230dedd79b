"""Users whose client retries, measured beside users whose client does not."""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from halab.measure.operations import Done, Operation
from halab.measure.scheduler import Scheduler
from halab.models.retry import RetryPolicy
from halab.models.samples import Outcome, Sample

__all__ = ["Retrying", "replay_retries", "with_retries"]


def with_retries(operation: Operation, policy: RetryPolicy, *, seed: int = 0) -> Retrying:
    """The same operation behind a client that retries. Its probes are called "search with retries"."""
    return Retrying(operation, policy, seed=seed)


class Retrying:
    """An operation that tries again as its policy says. One probe is one user: however many attempts it
    takes, it has one outcome: ok if the last attempt was; else unknown if any was, since it may have
    happened; else fail.
    `attempts` counts every request sent, which is the load retries add."""

    def __init__(self, operation: Operation, policy: RetryPolicy, *, seed: int = 0) -> None:
        self.inner = operation
        self.policy = policy
        self.name = f"{operation.name} with retries"
        self.attempts = 0
        self._random = random.Random(seed)
        self._timers: Scheduler | None = None

    def patience(self, deadline: float) -> float:
        """No attempt starts later than `policy.deadline` after the first, and each may take `deadline`."""
        return self.policy.deadline + self.inner.patience(deadline)

    def start(self) -> None:
        self.stop()
        self.attempts = 0
        self.inner.start()
        self._timers = Scheduler(time.monotonic).__enter__()

    def stop(self) -> None:
        if self._timers is not None:
            self._timers.__exit__()
            self._timers = None
        self.inner.stop()

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        """Send the first attempt; `deadline` is seconds for each attempt."""
        return self._attempt([], time.monotonic(), number, deadline, done)

    def _attempt(
        self, seen: list[Outcome], began: float, number: int, deadline: float, done: Done
    ) -> int | None:
        self.attempts += 1

        def ended(outcome: Outcome, error: str) -> None:
            seen.append(outcome)
            now = time.monotonic()
            wait = None
            if outcome is not Outcome.OK:
                wait = self.policy(len(seen), now - began, outcome, self.inner.name, self._random)
            if wait is None or self._timers is None:
                done(in_all(seen), error)
            else:
                self._timers.at(now + wait, again)

        def again() -> None:
            self._attempt(seen, began, number, deadline, done)

        settle = _first_of(ended)
        if self._timers is not None:
            timeout = time.monotonic() + self.inner.patience(deadline)
            self._timers.at(timeout, partial(settle, Outcome.UNKNOWN, "deadline passed"))
        # The same number, so an insert is retried with the same primary key.
        return self.inner.send(number, deadline, settle)


def _first_of(done: Done) -> Done:
    """`done` for the first who calls, answer or deadline; nothing for who comes later."""
    waiting = [done]

    def settle(outcome: Outcome, error: str) -> None:
        try:
            first = waiting.pop()  # atomic, so one thread gets it
        except IndexError:
            return
        first(outcome, error)

    return settle


def in_all(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of one request over all its attempts, the last of which ended it."""
    if outcomes[-1] is not Outcome.OK and Outcome.UNKNOWN in outcomes:
        return Outcome.UNKNOWN
    return outcomes[-1]


def replay_retries(samples: Sequence[Sample], policy: RetryPolicy, *, seed: int = 0) -> list[Sample]:
    """What users with this policy would have noticed, from samples of one operation without retries.

    A retry at some moment is taken to end as the recorded probe sent nearest before that moment did. It is an
    estimate: it leaves out the load that retries add. The simulated engine uses it; a real one is measured.
    """
    ordered = sorted(samples, key=lambda sample: sample.intended)
    rng = random.Random(seed)
    return [_replayed(sample, ordered, policy, rng) for sample in ordered]


def _replayed(first: Sample, ordered: Sequence[Sample], policy: RetryPolicy, rng: random.Random) -> Sample:
    current, done, seen = first, first.done, [first.outcome]
    while current.outcome is not Outcome.OK:
        wait = policy(len(seen), done - first.sent, current.outcome, first.operation, rng)
        if wait is None:
            break
        current = _sent_last_before(ordered, done + wait)
        seen.append(current.outcome)
        done += wait + (current.done - current.sent)
    return Sample(
        operation=f"{first.operation} with retries",
        number=first.number,
        intended=first.intended,
        sent=first.sent,
        done=round(done, 6),
        outcome=in_all(seen),
        error=current.error,
        key=first.key,
    )


def _sent_last_before(ordered: Sequence[Sample], moment: float) -> Sample:
    index = bisect_right(ordered, moment, key=attrgetter("intended"))
    return ordered[max(0, index - 1)]
