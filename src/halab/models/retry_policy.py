"""When to try again, how long to wait first, and what that costs the service.

Backoff and full jitter follow "Exponential Backoff And Jitter" (AWS Architecture Blog, M. Brooker, 2015):
sleep = random between 0 and min(cap, base * 2 ** attempt), attempts counted from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from halab.models.samples import Outcome
from halab.models.validation import not_negative
from halab.translation import gettext

__all__ = ["IDEMPOTENT", "Random", "Retry", "RetryPolicy", "in_all"]

IDEMPOTENT = frozenset({"search", "strong search", "query", "upsert", "metadata call"})
"""Operations that do no harm when they happen twice. The course's metadata call sets an alias to a value."""


class Random(Protocol):
    """A source of chance: `random.Random` and NumPy's `Generator` both are one."""

    def uniform(self, low: float, high: float, /) -> float: ...


class Retry(Protocol):
    """What a client asks after each attempt that did not succeed.

    `attempt` counts from 1, `elapsed` is seconds since the request first left. The answer is the seconds to
    wait before the next attempt, or None to give up. `RetryPolicy` is one; a plain function will do.
    """

    def __call__(
        self, attempt: int, elapsed: float, outcome: Outcome, operation: str, rng: Random, /
    ) -> float | None: ...


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with a cap, a bound on attempts and a deadline for the whole request.

    `attempts` counts the first one too, so 1 means never to retry. `base`, `cap` and `deadline` are seconds;
    no attempt starts later than `deadline` after the first. With jitter "full" the wait is drawn between
    zero and the backoff; with "none" it is the backoff, and clients that failed together return together.
    """

    attempts: int = 5
    base: float = 0.1
    cap: float = 5.0
    deadline: float = 15.0
    jitter: Literal["none", "full"] = "full"

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(
                gettext("attempts must be at least 1, not {attempts}").format(attempts=self.attempts)
            )
        not_negative(base=self.base, cap=self.cap, deadline=self.deadline)
        if self.jitter not in ("none", "full"):
            raise ValueError(
                gettext('jitter must be "none" or "full", not "{jitter}"').format(jitter=self.jitter)
            )

    def backoff(self, attempt: int) -> float:
        """The longest wait after attempt number `attempt` (from 1) has failed, seconds."""
        if attempt < 1:
            raise ValueError(gettext("attempt counts from 1, not {attempt}").format(attempt=attempt))
        # 2 ** 1024 is no float; long before that the cap decides.
        return min(self.cap, self.base * 2.0 ** min(attempt - 1, 1000))

    def delay(self, attempt: int, rng: Random) -> float:
        """The wait after attempt number `attempt` (from 1) has failed, seconds."""
        backoff = self.backoff(attempt)
        return rng.uniform(0.0, backoff) if self.jitter == "full" else backoff

    def retryable(self, outcome: Outcome, operation: str) -> bool:
        """Whether another attempt can do no harm.

        A definite failure did not happen, so anything may be sent again. An unknown one may have happened:
        only what is idempotent may be sent again. An insert is not: Milvus does not refuse a primary key
        it has seen, so the row would be there twice. (An upsert is.)
        """
        if outcome == Outcome.FAIL:
            return True
        return outcome == Outcome.UNKNOWN and operation in IDEMPOTENT

    def __call__(
        self, attempt: int, elapsed: float, outcome: Outcome, operation: str, rng: Random, /
    ) -> float | None:
        """The wait before the next attempt, seconds, or None to give up; see `Retry`."""
        if attempt >= self.attempts or not self.retryable(outcome, operation):
            return None
        delay = self.delay(attempt, rng)
        return delay if elapsed + delay <= self.deadline else None

    def span(self) -> float:
        """Seconds from the first attempt to the last, if each is refused at once and waits its full backoff.

        Without jitter, requests that leave within this time of the end of an outage survive it: it is the
        `deadline` of `halab.models.failover.request_counts`.
        """
        total = 0.0
        for attempt in range(1, self.attempts):
            if total + self.backoff(attempt) > self.deadline:
                break
            total += self.backoff(attempt)
        return total

    def amplification(self) -> int:
        """Attempts for each request while everything is refused at once: the load an outage is multiplied by.

        Exact without jitter. With full jitter waits are shorter, so the deadline bites later: an upper
        bound is then `attempts`, and this the figure for the longest waits.
        """
        total, made = 0.0, 1
        while made < self.attempts and total + self.backoff(made) <= self.deadline:
            total += self.backoff(made)
            made += 1
        return made


def in_all(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of one request over all its attempts, the last of which ended it.

    What may have happened in one attempt may have happened, unless a later one did for certain.
    """
    if outcomes[-1] is not Outcome.OK and Outcome.UNKNOWN in outcomes:
        return Outcome.UNKNOWN
    return outcomes[-1]
