"""Runs the graded cells, in a process no learner's code ever runs in.

The cells that give the numbers and the cells that check answers are the course's own, hidden tests included.
They are taken from the course's source, never from the submission, and run here. What a learner defined is
fetched from the learner's process for each test: data as a copy, functions as a Reference that calls there.
So a submission cannot see a hidden test, and nothing it does to its own process can change a verdict.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import random
import signal
import symtable
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nbgrader import utils

from halab.exercises.expectations import CheckFailed, defined_names, with_note
from halab.grading.preparation import one_line
from halab.grading.sandbox.box import Box, CellTimeout, LearnerError, ProcessExited, UndefinedName
from halab.grading.sandbox.time_limit import TimeLimit
from halab.grading.sandbox.wire import printable
from halab.grading.verdicts import CellError, Verdict
from halab.translation import gettext

__all__ = ["Judge", "imported_modules"]

_MOST_SAID = 100  # characters of a learner's error in a test: it could say what hidden values it was given
_GRACE = 4.0  # seconds after which not even an interrupted answer can still be under way


class Judge:
    """Knows a source notebook's given and graded cells, and applies them to what a box holds."""

    def __init__(self, source: Any, box: Box) -> None:
        """`source` is the course's own notebook. Runs the cells that give numbers, as the learner at work."""
        self._box = box
        self._tests: dict[str, str] = {}
        self._answers: dict[str, list[str]] = {}
        self._given_names: dict[str, Any] = {"__name__": "__main__"}
        random.seed(0)
        for cell in source.cells:
            if utils.is_grade(cell) and not utils.is_solution(cell):
                self._tests[cell.metadata.nbgrader["grade_id"]] = cell.source
            elif utils.is_solution(cell):
                self._answers[cell.metadata.nbgrader["grade_id"]] = defined_names(cell.source)
            elif _given(cell):
                exec(compile(cell.source, "<given>", "exec"), self._given_names)
        for module in imported_modules(source):
            if (
                module.endswith(".variant") and module in sys.modules
            ):  # what makes numbers holds answers, and is not in the sandbox
                box.give(module, sys.modules[module].variant())

    def judges(self, cell: Any) -> bool:
        """Whether this cell of a submission is one to be judged, and not to be run."""
        return utils.is_grade(cell) and cell.metadata.nbgrader.get("grade_id") in self._tests

    def names(self, cell: Any) -> list[str]:
        """What this cell of a submission defines, or should: it may have been ended before it did."""
        answer = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        return [*self._answers.get(answer, ()), *defined_names(cell.source)]

    def verdict(self, cell: Any, limit: TimeLimit) -> CellError | None:
        """What a test ends with within this limit: None if it passes."""
        source = self._tests[cell.metadata.nbgrader["grade_id"]]
        names = dict(self._given_names)
        try:
            with _alarm(limit.seconds):
                for name in _global_names(source) - names.keys():
                    with contextlib.suppress(UndefinedName):
                        names[name] = self._box.get(name, limit)
                exec(compile(source, "<test>", "exec"), names)
        except CellTimeout:
            return CellError(Verdict.CELL_TIMEOUT)
        except ProcessExited as error:
            return CellError(Verdict.PROCESS_EXITED, str(error))
        except LearnerError as error:
            return CellError.by_learner(error.kind, _stopped(error))
        except (CheckFailed, NameError) as error:
            return CellError(type(error).__name__, printable(str(error)[:2000]))
        except Exception as error:  # the check's own: it cannot compare such an answer with the right one
            kind = type(error).__name__
            return CellError(
                CheckFailed.__name__,
                gettext("The answer is not of the kind that was asked for ({kind}).").format(kind=kind),
            )
        finally:
            with contextlib.suppress(CellTimeout, ProcessExited, LearnerError):
                self._box.forget(self._box.limit(1))
        return None


def _stopped(error: LearnerError) -> str:
    """What a learner's error says, and where to look: at an example that is public, or else at the edges."""
    text = one_line(error.text, _MOST_SAID)
    if Verdict(error.kind) is not Verdict.LEARNER_ERROR:
        return text
    edges = gettext(
        "If the check passed in your notebook, look at the ends of what is allowed, such as 0, 1 or an empty "
        "list: the grade asks for them too."
    )
    return with_note(error, text, edges)


def imported_modules(source: Any) -> list[str]:
    """The modules a notebook's given cells import: worth loading once for many learners."""
    modules = []
    for cell in filter(_given, source.cells):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                modules += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return modules


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise CellTimeout also in a test that computes too long itself, and never asks the learner's process.

    Of this process' own computing time: how long the machine lets it wait is not the learner's doing.
    """

    def ring(number: int, frame: FrameType | None) -> None:
        raise CellTimeout

    if threading.current_thread() is not threading.main_thread():  # only there signals arrive
        yield
        return
    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds + _GRACE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _given(cell: Any) -> bool:
    """A code cell that learners may not change, and that grades nothing: it gives them their numbers."""
    return cell.cell_type == "code" and utils.is_locked(cell) and not utils.is_grade(cell)


def _global_names(source: str) -> set[str]:
    """The global names a test uses, in functions within it too, but for those it defines itself."""
    module = symtable.symtable(source, "<test>", "exec")
    defined = {
        symbol.get_name() for symbol in module.get_symbols() if symbol.is_assigned() or symbol.is_imported()
    }
    used = set()
    scopes = [module]
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        used |= {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global() or scope is module}
    return used - defined - set(dir(builtins))
