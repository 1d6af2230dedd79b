"""How long a learner's code may take: its own time, and not that of a busy machine.

Counted are the processor time of the learner's processes, and the time in which a request was under way and
nobody computed, such as in a `sleep`. Not counted is waiting for a core: the kernel tells how long a process
was ready to run and had none (/proc/PID/schedstat, https://docs.kernel.org/scheduler/sched-stats.html). Where
there is no such file, waiting for a core counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LOOK", "TimeLimit", "Usage", "core_wait"]

LOOK = 0.25
"""Seconds between two looks at what was used."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a learner's processes have used so far, seconds: processor time, and waiting for a core."""

    cpu: float
    waiting: float


class TimeLimit:
    """Seconds that a learner's code may take from now on. `usage` tells what it has used by now.

    `seconds` is the limit, `under_way` is how long requests were under way since the last look. At that look,
    `used` is what counts towards the limit, `computed` the part of it that was processor time, and `waited`
    how long there was no core, which does not count. All in seconds.
    """

    def __init__(self, seconds: float, usage: Callable[[], Usage]) -> None:
        self.seconds, self._usage = seconds, usage
        self._first = self._last = usage()
        self._own_last = core_wait("self")
        self._looked = time.monotonic()
        self.under_way = self._idle = 0.0
        self.used = self.computed = self.waited = 0.0

    @property
    def ran_out_on_a_busy_machine(self) -> bool:
        """Whether the time is up and cores were so short meanwhile that this may not be the code's doing.

        Waiting for less than it used is what threads of its own do to it.
        """
        return self.seconds < self.used < self.waited

    @property
    def computed_too_long(self) -> bool:
        """Whether it computed nearly all of a time that is up, which no other program can make it do."""
        return self.used > self.seconds and self.computed > 0.8 * self.used

    def add(self, seconds: float) -> None:
        """A request was under way for so long. Raises TimeoutError if the time is up."""
        self.under_way += seconds
        if time.monotonic() - self._looked >= LOOK:
            self.look()

    def look(self) -> None:
        """Work out what was used. Raises TimeoutError if the time is up."""
        now, own = self._usage(), core_wait("self")
        waited = now.waiting - self._last.waiting + own - self._own_last
        # What is read at slightly different moments may come to less than nothing: that evens out later.
        self._idle = max(-LOOK, self._idle + self.under_way - waited - (now.cpu - self._last.cpu))
        self.waited += waited
        self._last, self._own_last, self.under_way = now, own, 0.0
        self._looked = time.monotonic()
        self.computed = now.cpu - self._first.cpu
        self.used = self.computed + max(0.0, self._idle)
        if self.used > self.seconds:
            raise TimeoutError


def core_wait(process: int | str) -> float:
    """Seconds that a process' first thread was ready to run and had no core; 0 where the kernel does not
    tell.
    """
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
