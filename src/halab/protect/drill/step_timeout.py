"""Work that may hang, within a time that does not: done, stopped, or left.

    bounded(lambda: restore(standby, folder), seconds=60)

The work runs in a thread of its own. When its time is over, an exception is raised inside it
(`PyThreadState_SetAsyncExc` of Python's C API): whatever waits in Python, such as a loop of looks and pauses,
ends there and cleans up after itself, and the work has been **stopped**. A call that hangs in C hears nothing
until it returns. Then the work is **left**: nobody waits for it any more, and the exception is what it finds
when it comes back, so that it does nothing further. What it had sent before may still arrive.

A thread, and not a process that could be killed: steps of a drill share clients, probes and an address book
with those who ask and write meanwhile.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from halab.errors import DrillError

__all__ = ["MARGIN", "Overran", "bounded"]

MARGIN = 5.0
"""Seconds that work has to clean up in after it was told to stop."""

T = TypeVar("T")


class Overran(DrillError):
    """Work that did not end in its time, and was stopped or left."""


class _Stop(BaseException):
    """Raised inside the work: no `except Exception` on its way may take it for an ordinary failure."""


def bounded(work: Callable[[], T], seconds: float, *, margin: float = MARGIN) -> T:
    """What `work` returns or raises, if it ends within `seconds`; never more than `margin` seconds later.

    Raises Overran if it does not end, and says whether it was stopped or left. Whatever interrupts the
    caller meanwhile, such as Ctrl-C, stops the work too.
    """
    under_way = _Work(work)
    under_way.start()
    try:
        under_way.join(seconds)
    except BaseException:
        under_way.stop(margin)
        raise
    if not under_way.over and not under_way.stop(margin):
        raise Overran(
            f"did not end within its deadline of {seconds:.3g} s nor when told to stop, and was left: it "
            "will do nothing further, but what it had sent may still arrive",
            hint="see which component does not answer",
        )
    if under_way.stopped:
        raise Overran(
            f"did not end within its deadline of {seconds:.3g} s and was stopped",
            hint="see which component does not answer, or give the step more time",
        )
    return under_way.result()


class _Work(threading.Thread, Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        # A daemon: work that hangs for ever must not keep the program from ending.
        super().__init__(name="bounded work", daemon=True)
        self.over = self.stopped = False
        self._work = work
        self._deciding = threading.Lock()
        self._error: BaseException | None = None
        self._value: list[T] = []

    def run(self) -> None:
        try:
            try:
                self._value.append(self._work())
            except BaseException as error:
                self._error = error
            # Under the lock: work that is over is not told to stop any more.
            with self._deciding:
                self.over = True
        except _Stop:
            pass  # it came when the work had just ended

    def stop(self, margin: float) -> bool:
        """Tell it to stop, and wait `margin` seconds; whether it has ended."""
        with self._deciding:
            if not self.over:
                self.stopped = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self.ident or 0), ctypes.py_object(_Stop)
                )
        self.join(margin)
        return not self.is_alive()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value[0]
