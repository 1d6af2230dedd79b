"""A thread that does things at their times: the clockwork of the prober and of retries."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

__all__ = ["Scheduler"]


class Scheduler:
    """Runs each action at its time (seconds on `clock`) in one thread, so actions must not block.

    It runs from `start` to `stop`. An action that raises ends the schedule, and its exception is kept in
    `error`, since nobody stands behind a thread to catch it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._order = itertools.count()  # equal times run in the order they were given
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._wake = threading.Condition()
        self._stopped = False
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="halab-scheduler", daemon=True)

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Run `action` at `time`, or at once if that has passed."""
        with self._wake:
            heapq.heappush(self._heap, (time, next(self._order), action))
            if self._heap[0][2] is action:
                self._wake.notify()

    def start(self) -> None:
        """Start running actions. A schedule runs once: after `stop` make another."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for the action under way, and drop those that still wait."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (action := self._next()) is not None:
                action()
        except Exception as error:
            self.error = error

    def _next(self) -> Callable[[], None] | None:
        with self._wake:
            while not self._stopped:
                wait = self._heap[0][0] - self._clock() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._wake.wait(wait)
        return None
