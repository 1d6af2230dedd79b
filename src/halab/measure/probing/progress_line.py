"""What is going on, while it goes on: one line that is written over, or what a notebook has in its place."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from typing import Protocol

from IPython.core.getipython import get_ipython

from halab.measure.journal.experiment_name import operation_in_words
from halab.measure.probing.prober import Run
from halab.models.samples import Outcome, Sample
from halab.translation import gettext, gettext_noop, ngettext

__all__ = ["DONE", "ProgressLine", "RunView", "answered_lately", "show_runs_with", "view_of"]

DONE = gettext_noop("done")
LATELY = 20  # requests of each operation that "lately" means: a second of the usual rate


class ProgressLine:
    """One line that is written over in a terminal or a notebook; elsewhere one line a phase.

    `elapsed` gives the seconds in front. Say `DONE` at the end.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._over = sys.stdout.isatty() or _in_notebook()
        self._last = ""
        self._width = 0

    def __call__(self, phase: str, detail: str = "") -> None:
        if self._over:
            # A line wider than the terminal could not be written over.
            line = (self._told(phase) + detail)[: shutil.get_terminal_size().columns - 1]
            # Blanks cover what a longer line left behind.
            print(f"\r{line:<{self._width}}", end="\n" if phase == DONE else "", flush=True)
            self._width = len(line)
        elif phase != self._last:
            print(self._told(phase), flush=True)
        self._last = phase

    def _told(self, phase: str) -> str:
        return gettext("{time:5.1f} s  {phase}").format(time=self._elapsed(), phase=gettext(phase))


class RunView(Protocol):
    """Shows a measurement while it runs. Called with each phase that begins or goes on, and with `DONE`."""

    def __call__(self, phase: str) -> None: ...


_in_notebooks: Callable[[Run], RunView] | None = None


def show_runs_with(view: Callable[[Run], RunView]) -> None:
    """From now on show real measurements in notebooks this way, instead of with a line."""
    global _in_notebooks
    _in_notebooks = view


def view_of(run: Run) -> RunView:
    """What shows a measurement here: a line, or in a notebook what `show_runs_with` was given.

    A simulated measurement takes no time, so there is nothing to look on at.
    """
    if _in_notebooks is not None and _in_notebook() and run.cluster.simulation is None:
        return _in_notebooks(run)
    line = ProgressLine(lambda: run.elapsed)

    def show(phase: str) -> None:
        words = "" if phase == DONE else answered_lately(run.so_far())
        line(phase, f": {words}" if words else "")

    return show


def answered_lately(samples: Iterable[Sample]) -> str:
    """In words, how many of the last requests of each operation were answered; "" if there are none.

    Only requests that have their outcome count: one on its way is no failure.
    """
    lately: dict[str, list[bool]] = {}
    for sample in samples:
        lately.setdefault(sample.operation, []).append(sample.outcome is Outcome.OK)
    good = {name: (sum(all_of[-LATELY:]), len(all_of[-LATELY:])) for name, all_of in lately.items()}
    asked = sum(of for _, of in good.values())
    short = [
        gettext("{operation} {answered} of {sent}").format(
            operation=operation_in_words(name), answered=answered, sent=of
        )
        for name, (answered, of) in good.items()
        if answered < of
    ]
    if not asked:
        return ""
    if short:
        return gettext("answered lately: {operations}").format(operations=gettext(", ").join(short))
    return ngettext(
        "the last request was answered", "the last {asked} {requests} were answered", asked
    ).format(asked=asked, requests=_requests(list(good)))


def _requests(operations: list[str]) -> str:
    if len(operations) > 1:
        return gettext("requests")
    many = {
        "search": gettext("searches"),
        "insert": gettext("inserts"),
        "metadata call": gettext("metadata calls"),
    }
    return many.get(operations[0], gettext("requests"))


def _in_notebook() -> bool:
    return hasattr(get_ipython(), "kernel")
