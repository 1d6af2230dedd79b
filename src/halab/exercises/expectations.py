"""How a graded cell says what it expected: the behaviour, and where the next hint is. Never the answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from copy import deepcopy
from functools import wraps
from inspect import signature
from typing import Any, TypeVar, cast

from halab.exercises.other_hashes import other_hashes
from halab.translation import gettext

__all__ = [
    "CheckFailed",
    "call_many",
    "defined_names",
    "example",
    "expect",
    "expect_refused",
    "explain",
    "hint_in",
    "same",
    "whole",
    "why_not",
    "with_note",
]

Check = TypeVar("Check", bound=Callable[..., None])

_CELL = re.compile(r"<ipython-input-[^>]*>, ")  # before the line in what Python says of a cell it cannot read
_DEFINED = re.compile(r"^(?:(?:async )?def|class) +(\w+)|^(\w+) *(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_HINT = re.compile(r"halab hint (\d\d\.\d\.[a-z-]+)")


class CheckFailed(AssertionError):
    """A behaviour that was expected and not found. `hint` is its id, such as "06.1.blips"."""

    def __init__(self, behaviour: str, hint: str) -> None:
        super().__init__(f"{behaviour}\nNext step: halab hint {hint}")
        self.behaviour = behaviour
        self.hint = hint

    def _render_traceback_(self) -> list[str]:
        """What IPython prints in place of a traceback, which would show the test, and that may be hidden."""
        return [why_not(str(self))]


def why_not(text: str) -> str:
    """What is said of a failed check: the behaviour that was expected, or what the answer does instead."""
    return gettext("Why: {text}").format(text=text)


def expect(met: bool, behaviour: str, hint: str) -> None:
    """Raise CheckFailed with this behaviour and hint unless `met` is true."""
    if not met:
        raise CheckFailed(behaviour, hint)


def expect_refused(
    function: Callable[..., Any],
    wrong: Iterable[tuple[Any, ...]],
    right: tuple[Any, ...],
    behaviour: str,
    hint: str,
) -> None:
    """Raise CheckFailed unless a function raises a ValueError for each of the `wrong` arguments.

    It is called with the `right` ones first, and what it raises for those is raised: one that always raises
    refuses nothing.
    """
    function(*right)
    for arguments in wrong:
        try:
            function(*arguments)
        except ValueError:
            continue
        expect(False, behaviour, hint)


def example(*arguments: Any, gives: Any, of: str = "") -> Callable[[Check], Check]:
    """Let a check that fails tell one small case that comes out wrong too: what was expected, what came.

    The case is public and none of the check's own, which may be hidden. `of` is the name of the learner's
    function, the check's first argument; by default that argument's own.
    """

    def decorate(check: Check) -> Check:
        name = of or next(iter(signature(check).parameters))

        @wraps(check)
        def checked(function: Callable[..., Any], *rest: Any, **keywords: Any) -> None:
            try:
                check(function, *rest, **keywords)
            except CheckFailed as failed:
                told = _told(function, name, arguments, gives)
                if not told:
                    raise
                raise CheckFailed(f"{failed.behaviour} {told}", failed.hint) from None
            except _STOPPED as error:
                # A grader's own, such as that time is up, is none of these: then nothing more is asked.
                if not hasattr(error, "__notes__") and (told := _told(function, name, arguments, gives)):
                    error.add_note(told)
                raise

        checked.example = (name, arguments, gives)  # type: ignore[attr-defined]
        return cast(Check, checked)

    return decorate


def _told(function: Callable[..., Any], name: str, arguments: tuple[Any, ...], gives: Any) -> str:
    """What a learner's function makes of an example, in a sentence; nothing if it is right there."""
    call = f"{name}({', '.join(_shown(argument, _PUBLIC) for argument in arguments)})"
    wanted = _shown(gives, _PUBLIC)
    try:
        came = function(*deepcopy(arguments))
        if same(came, gives):
            return ""
        shown = _shown(came, _LEARNERS)
    except Exception as error:  # a learner's code raises what it likes
        return gettext("For example {call}: expected {gives}, and it raised {kind}.").format(
            call=call, gives=wanted, kind=type(error).__name__
        )
    return gettext("For example {call}: expected {gives}, and {came} came.").format(
        call=call, gives=wanted, came=shown
    )


def same(came: Any, gives: Any) -> bool:
    """Whether a learner's value is the one expected, but for rounding."""
    if isinstance(gives, (list, tuple)):
        alike = isinstance(came, (list, tuple)) and len(came) == len(gives)
        return alike and all(map(same, came, gives))
    if isinstance(gives, float) and isinstance(came, (int, float)):
        return math.isclose(came, gives, rel_tol=1e-6)
    return bool(came == gives)


_STOPPED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what code stops with
_LEARNERS = 60  # characters shown of a learner's value, which can have any size
_PUBLIC = 400  # of an example's own, which is no use if it is cut


def _shown(value: Any, most: int) -> str:
    text = f"{value:.7g}" if isinstance(value, float) else repr(value)
    if type(value) is list:
        text = f"[{', '.join(_shown(part, most) for part in value)}]"
    return text if len(text) <= most else f"{text[:most]}…"


def whole(value: Any) -> Any:
    """A whole number that came as a float, such as from `numpy.ceil`, as the int that it is; else `value`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def call_many(
    function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], *, elsewhere: bool = False
) -> list[Any]:
    """What a learner's function returns for each of these arguments.

    While it is graded the function is in another process, which is asked once and not hundreds of times. That
    process is the learner's: an answer that has not one part for each call is none. Raises TypeError for it.
    `elsewhere`: as in another process. That is one while it is graded; here only Python's `hash` differs.
    """
    calls = list(calls)
    together = getattr(function, "calls", None)
    if together is None:
        with other_hashes() if elsewhere else nullcontext():
            return [_called(function, arguments) for arguments in calls]
    answers = together(calls, elsewhere=elsewhere)
    if not isinstance(answers, list) or len(answers) != len(calls):
        raise TypeError(f"{len(calls)} calls were not answered by as many results")
    return answers


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What it returns. An error notes the arguments: this is the learner's own notebook, which hides none."""
    try:
        return function(*arguments)
    except _STOPPED as error:
        shown = ", ".join(_shown(argument, _LEARNERS) for argument in arguments)
        name = getattr(function, "__name__", gettext("your function"))
        error.add_note(gettext("It was called as {call}.").format(call=f"{name}({shown})"))
        raise


def with_note(error: BaseException, text: str, otherwise: str = "") -> str:
    """An error's text, and after it what was noted of the call that raised it, or else this."""
    note = next(iter(getattr(error, "__notes__", ())), otherwise)
    return gettext("{error}. {note}").format(error=text, note=note) if note else text


def explain(kind: str, text: str) -> str:
    """One sentence for the learner about an error that ended a check, by its kind such as "NameError"."""
    first_line = _CELL.sub("", next(iter(text.splitlines()), ""))
    if kind == CheckFailed.__name__:
        return why_not(first_line)
    if kind == NotImplementedError.__name__:
        return gettext("Nothing is written here yet.")
    if kind == NameError.__name__:
        return gettext("{first_line}: its cell is unanswered, or stopped early.").format(
            first_line=first_line
        )
    if kind == EOFError.__name__:
        return gettext("Your code stopped at input(): while it is graded nobody is there to answer.")
    return gettext("Your code stopped with {kind}: {first_line}").format(kind=kind, first_line=first_line)


def defined_names(cell: str) -> list[str]:
    """The names a cell defines at its left margin. It need not be Python that can be parsed."""
    return [function or value for function, value in _DEFINED.findall(cell)]


def hint_in(text: str) -> str:
    """The hint id that a CheckFailed's text carries, or ""."""
    match = _HINT.search(text)
    return match[1] if match else ""
