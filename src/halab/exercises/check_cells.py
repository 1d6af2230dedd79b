"""What a check cell says in a notebook: that it passed, or in a sentence why not; never a traceback.

A cell counts as a check if it calls one: `checks.check_rto(rto, mine.one_outage)`. While it is graded no
notebook runs, and nothing here is used.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from IPython import get_ipython

from halab.course.seat import follow_cells
from halab.exercises.expectations import CheckFailed, defined_names, explain, with_note
from halab.translation import gettext, ngettext

__all__ = ["speak_in_notebook"]

_CHECK = re.compile(r"^checks\.check_\w+\(", re.MULTILINE)

_stopped: dict[str, str] = {}
"""By name: the error that the cell which should define it stopped with when it last ran."""

_unread: dict[str, str] = {}
"""Those of them whose cell could not even be read (a SyntaxError): an older definition still holds."""


def speak_in_notebook() -> None:
    """Let check cells say what they found. Outside a notebook, or a second time, this does nothing."""
    shell = get_ipython()
    if getattr(shell, "kernel", None) is None or shell.custom_exceptions:
        return
    follow_cells()
    shell.set_custom_exc((Exception,), _say_why_not)
    shell.events.register("post_run_cell", _note_result)


def _note_result(result: Any) -> None:
    """Say that a check passed; of another cell, keep in mind what it defines and how it stopped."""
    cell = result.info.raw_cell or ""
    if _CHECK.search(cell):
        if result.success:
            print(gettext("✓ passed{points}").format(points=_points()))
        _tell_what_is_old(cell)
        return
    error = result.error_before_exec or result.error_in_exec
    for name in defined_names(cell):
        if error is None:
            _stopped.pop(name, None)
        else:
            _stopped[name] = explain(type(error).__name__, str(error))
        if result.error_before_exec is None:
            _unread.pop(name, None)
        else:
            _unread[name] = _stopped[name]


def _tell_what_is_old(check: str) -> None:
    """Say it if a check was of an answer that has been changed since into something that cannot be read."""
    for name in set(re.findall(r"\w+", check)) & set(_unread) & set(get_ipython().user_ns):
        print(
            gettext(
                "Mind: this was the {name} from before. Its cell as it is now did not run. {reason}"
            ).format(name=name, reason=_unread[name])
        )


def _points() -> str:
    """What the check that runs is worth, in words, if the front end sends the cell's metadata."""
    mark = get_ipython().kernel.get_parent("shell").get("metadata", {}).get("nbgrader", {})
    points = mark.get("points")
    return ngettext(", {points} point", ", {points} points", points).format(points=points) if points else ""


def _say_why_not(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Show an error as usual, but that of a check cell in a sentence."""
    if _CHECK.search(shell.user_ns["In"][-1]) and not isinstance(error, CheckFailed):
        cause = _stopped.get(error.name) if isinstance(error, NameError) and error.name else None
        why = cause or explain(kind.__name__, with_note(error, next(iter(str(error).splitlines()), "")))
        error._render_traceback_ = lambda: [f"✗ {why}"]  # type: ignore[attr-defined]
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
