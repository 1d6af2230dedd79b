"""What a check cell says in a notebook: that it passed, or in a sentence why not; never a traceback.

A cell counts as a check if it calls one: `checks.check_rto(rto, mine.one_outage)`. While it is graded no
notebook runs, and nothing here is used.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from IPython import get_ipython

from halab.exercises.expectations import CheckFailed, explain

__all__ = ["speak_in_notebook"]

_CHECK = re.compile(r"^checks\.check_\w+\(", re.MULTILINE)


def speak_in_notebook() -> None:
    """Let check cells say what they found. Outside a notebook, or a second time, this does nothing."""
    shell = get_ipython()
    if getattr(shell, "kernel", None) is None or shell.custom_exceptions:
        return
    shell.set_custom_exc((Exception,), _say_why_not)
    shell.events.register("post_run_cell", _say_passed)


def _say_passed(result: Any) -> None:
    if result.success and _CHECK.search(result.info.raw_cell or ""):
        print("✓ passed")


def _say_why_not(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Show an error as usual, but that of a check cell in a sentence."""
    if _CHECK.search(shell.user_ns["In"][-1]) and not isinstance(error, CheckFailed):
        error._render_traceback_ = lambda: [f"✗ {explain(kind.__name__, str(error))}"]  # type: ignore[attr-defined]
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
