"""Users whose client retries, measured beside users whose client does not."""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Protocol

from halab.measure.operations import Done, Operation
from halab.measure.scheduler import Scheduler
from halab.models.samples import Outcome, Sample

__all__ = ["Policy", "Retrying", "replay_retries", "with_retries"]


class Policy(Protocol):
    """What this module needs of `halab.models.retry.RetryPolicy`. Times are seconds."""

    @property
    def attempts(self) -> int: ...
    @property
    def deadline(self) -> float:
        """How long the user waits in all, over every attempt."""

    def delay(self, attempt: int, rng: Any) -> float:
        """The pause after attempt number `attempt` (from 1) went wrong."""

    def retryable(self, outcome: Outcome, operation: str) -> bool: ...


def with_retries(operation: Operation, policy: Policy, *, seed: int = 0) -> Retrying:
    """The same operation behind a client that retries. Its probes are called "search with retries"."""
    return Retrying(operation, policy, seed=seed)


class Retrying:
    """An operation that tries again as its policy says. One probe is one user: however many attempts it takes,
    it has one outcome: ok if one attempt was; else unknown if one was, since it may have happened; else fail.
    `attempts` counts every request sent, which is the load retries add."""

    def __init__(self, operation: Operation, policy: Policy, *, seed: int = 0) -> None:
        self.inner = operation
        self.policy = policy
        self.name = f"{operation.name} with retries"
        self.attempts = 0
        self._random = random.Random(seed)
        self._timers: Scheduler | None = None

    @property
    def deadline(self) -> float | None:
        return self.policy.deadline

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
        """Send the first attempt. Each may take `deadline` seconds, all together `policy.deadline`."""
        end = time.monotonic() + self.policy.deadline
        seen: list[Outcome] = []
        return self._attempt(seen, number, deadline, end, done)

    def _attempt(
        self, seen: list[Outcome], number: int, deadline: float, end: float, done: Done
    ) -> int | None:
        self.attempts += 1

        def ended(outcome: Outcome, error: str) -> None:
            seen.append(outcome)
            again_in = pause(self.policy, outcome, self.inner.name, len(seen), self._random)
            timers = self._timers
            if again_in is None or timers is None or time.monotonic() + again_in >= end:
                done(in_all(seen), error)
                return
            timers.at(time.monotonic() + again_in, again)

        def again() -> None:
            self._attempt(seen, number, deadline, end, done)

        # The same number, so an insert is retried with the same primary key.
        return self.inner.send(number, max(0.001, min(deadline, end - time.monotonic())), ended)


def pause(
    policy: Policy, outcome: Outcome, operation: str, attempt: int, rng: random.Random
) -> float | None:
    """Seconds until the next attempt, or None if there is none."""
    if outcome is Outcome.OK or attempt >= policy.attempts or not policy.retryable(outcome, operation):
        return None
    return policy.delay(attempt, rng)


def in_all(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of one request over all its attempts, the last of which ended it."""
    if outcomes[-1] is not Outcome.OK and Outcome.UNKNOWN in outcomes:
        return Outcome.UNKNOWN
    return outcomes[-1]


def replay_retries(samples: Sequence[Sample], policy: Policy, *, seed: int = 0) -> list[Sample]:
    """What users with this policy would have noticed, from samples of one operation without retries.

    A retry at some moment is taken to end as the recorded probe sent nearest before that moment did. It is an
    estimate: it leaves out the load that retries add. The simulated engine uses it; a real one is measured.
    """
    ordered = sorted(samples, key=lambda sample: sample.intended)
    rng = random.Random(seed)
    return [_replayed(sample, ordered, policy, rng) for sample in ordered]


def _replayed(first: Sample, ordered: Sequence[Sample], policy: Policy, rng: random.Random) -> Sample:
    end = first.sent + policy.deadline
    current, done, seen = first, first.done, [first.outcome]
    while (wait := pause(policy, current.outcome, first.operation, len(seen), rng)) is not None:
        if done + wait >= end:
            break
        current = _sent_last_before(ordered, done + wait)
        seen.append(current.outcome)
        done = min(end, done + wait + (current.done - current.sent))
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

