"""An event loop in virtual time: a sleeping program is woken at once, and its clock says that it slept.

What waits only for timers runs instantly and always in the same order, so a test needs no patience and a
simulated cluster no second program. Waiting for anything else would wait for ever and raises RuntimeError.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

__all__ = ["VirtualLoop"]


class _Instant(selectors.SelectSelector):
    """Never blocks: tells how long it was to block instead."""

    def __init__(self, slept: Callable[[float], None]) -> None:
        super().__init__()
        self._slept = slept

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("in virtual time nothing but timers can be waited for")
        if timeout > 0:
            self._slept(timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at `now` seconds; `passing` is told how many seconds pass, each time some do."""

    def __init__(self, now: float = 0.0, passing: Callable[[float], None] = lambda seconds: None) -> None:
        self._now = now
        self._passing = passing
        super().__init__(_Instant(self._slept))

    def time(self) -> float:
        return self._now

    def _slept(self, seconds: float) -> None:
        self._now += seconds
        self._passing(seconds)
