"""Work with a deadline: a step that hangs must not hang the drill.

Python cannot stop a thread. Work that overruns is therefore abandoned: its thread is a daemon that ends with
the process at the latest, and what it returns or raises later is dropped. Work that has not begun when its
time is over never begins.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

from halab.errors import DrillError
from halab.translation import gettext

__all__ = ["StepTimeout", "run_with_timeout"]

T = TypeVar("T")


class StepTimeout(DrillError):
    """Work that did not end within its time, and was abandoned."""


def run_with_timeout(work: Callable[[], T], seconds: float, *, what: str, deadline: float) -> T:
    """What `work` returns or raises, if it ends within `seconds`.

    Raises StepTimeout if it does not; the message names `what` was awaited and the step's whole `deadline`
    (seconds), of which `seconds` were left.
    """
    future: Future[T] = Future()
    # Not an executor's thread: Python waits for those when it exits, however long they hang.
    Thread(target=_fulfil, args=(future, work), name="drill step", daemon=True).start()
    done, _ = wait([future], timeout=seconds)
    if not done:
        future.cancel()
        raise StepTimeout(
            gettext(
                "{what} did not end within the step's deadline of {deadline:g} s and was abandoned: "
                "its result no longer counts, but a request it has sent may still take effect"
            ).format(what=what, deadline=deadline),
            hint=gettext("see which component does not answer, or give the step more time"),
        )
    return future.result()


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
