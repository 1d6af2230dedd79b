"""Users whose client retries, measured beside users whose client does not."""

from __future__ import annotations

import random
import time
from functools import partial

from halab.measure.journal.experiment_name import RETRIES
from halab.measure.probing.operations import Done, Operation
from halab.measure.probing.scheduler import Scheduler
from halab.models.retry_policy import RetryPolicy, in_all
from halab.models.samples import Outcome

__all__ = ["Retrying", "with_retries"]


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
        self.name = operation.name + RETRIES
        self.attempts = 0
        self._random = random.Random(seed)
        self._timers: Scheduler | None = None

    def timeout(self, deadline: float) -> float:
        """No attempt starts later than `policy.deadline` after the first, and each may take `deadline`."""
        return self.policy.deadline + self.inner.timeout(deadline)

    def start(self) -> None:
        self.stop()
        self.attempts = 0
        self.inner.start()
        self._timers = Scheduler(time.monotonic)
        self._timers.start()

    def stop(self) -> None:
        if self._timers is not None:
            self._timers.stop()
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
            timeout = time.monotonic() + self.inner.timeout(deadline)
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
