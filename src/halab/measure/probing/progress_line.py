"""One line that says what is going on, written over where that is possible."""

from __future__ import annotations

import sys
from collections.abc import Callable

from IPython.core.getipython import get_ipython

__all__ = ["DONE", "ProgressLine"]

DONE = "done"


class ProgressLine:
    """One line that is written over in a terminal or a notebook; elsewhere one line a phase.

    `elapsed` gives the seconds in front. Say `DONE` at the end.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._over = sys.stdout.isatty() or hasattr(get_ipython(), "kernel")
        self._last = ""
        self._width = 0

    def __call__(self, phase: str, detail: str = "") -> None:
        if self._over:
            line = f"{self._elapsed():5.1f} s  {phase}{detail}"
            # Blanks cover what a longer line left behind.
            print(f"\r{line:<{self._width}}", end="\n" if phase == DONE else "", flush=True)
            self._width = len(line)
        elif phase != self._last:
            print(f"{self._elapsed():5.1f} s  {phase}", flush=True)
        self._last = phase
