"""What stands between a fault and a user: each protection plain, and each can be switched off.

The libraries that have a circuit breaker were read and not taken. pybreaker 1.4 holds its lock during the
call, so that a hung request would queue all others; purgatory 3.0 shares its state between threads unlocked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["NAIVE", "Breaker", "Protections", "RetryBudget"]


@dataclass(frozen=True, slots=True)
class Protections:
    """Which protections are on. Times are seconds.

    `deadline`: a question is answered by then, or not at all; None waits as long as it takes.
    `attempts`: requests a question may send, the first included; the further ones are paid by the budget.
    `hedge_after`: another request each time that no answer came for so long; None sends none.
    `check_empty`: an answer without a passage is no answer, since the documents hold some.
    `breaker`: do not ask an address that failed again and again, but now and then.
    `degrade`: rather an old or a keyword answer that says so than none.
    """

    deadline: float | None = 1.0
    attempts: int = 4
    pause: float = 0.05
    hedge_after: float | None = 0.25
    check_empty: bool = True
    breaker: bool = True
    degrade: bool = True


NAIVE = Protections(
    deadline=None, attempts=1, hedge_after=None, check_empty=False, breaker=False, degrade=False
)
"""A client as one writes it first: ask, and wait."""


class RetryBudget:
    """Further requests, as a share of the questions: `ratio` for each question, `reserve` saved up at most.

    Retries without a budget multiply the load just when the service can bear least of it. With one, an outage
    adds `ratio` at most, however long it lasts. (As in Finagle and in gRPC's retry throttling.)
    """

    def __init__(self, ratio: float = 0.2, reserve: float = 10.0) -> None:
        self.ratio, self.reserve = ratio, reserve
        self.saved = reserve
        self._lock = threading.Lock()

    def earn(self) -> None:
        """A question has come in."""
        with self._lock:
            self.saved = min(self.reserve, self.saved + self.ratio)

    def spend(self) -> bool:
        """Whether a further request may be sent; it is then paid for."""
        with self._lock:
            if self.saved < 1.0:
                return False
            self.saved -= 1.0
            return True


class Breaker:
    """Opens after `failures` in a row, and lets one request through every `rest` seconds until one is
    answered. `clock` gives seconds."""

    def __init__(
        self, failures: int = 5, rest: float = 0.5, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures, self._rest, self._clock = failures, rest, clock
        self._in_a_row = 0
        self._next_trial = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        return self._in_a_row >= self._failures

    def allows(self) -> bool:
        """Whether a request may be sent now; an open breaker so grants its one trial."""
        with self._lock:
            if not self.is_open:
                return True
            if (now := self._clock()) < self._next_trial:
                return False
            self._next_trial = now + self._rest
            return True

    def record(self, answered: bool) -> None:
        """What became of a request."""
        with self._lock:
            self._in_a_row = 0 if answered else self._in_a_row + 1
            if self._in_a_row == self._failures:
                self._next_trial = self._clock() + self._rest
