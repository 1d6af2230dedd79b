"""One palette and one set of marks for what became of a request: plots, pictures and widgets agree on it.

`src/halab/widgets/shared.css` has the same colours as .halab-mark-ok and so on. Shape and pattern tell the
outcome too: colour only repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from halab.models.samples import NOTHING_FOUND, Outcome, Sample
from halab.translation import gettext_noop

__all__ = ["MARKS", "Mark", "mark_of"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands for an outcome: its words, its colour, as CSS that follows JupyterLab's theme and
    without a theme, its shape in a plot (as matplotlib calls it) and its sign in text."""

    words: str
    css: str
    colour: str
    shape: str
    sign: str


MARKS = MappingProxyType(
    {
        "ok": Mark(gettext_noop("answered"), "var(--jp-success-color1, #388e3c)", "#388e3c", ".", "●"),
        "fail": Mark(gettext_noop("failed"), "var(--jp-error-color1, #d32f2f)", "#d32f2f", "x", "×"),
        "unknown": Mark(
            gettext_noop("no answer in time (unknown)"), "var(--jp-warn-color1, #f57c00)", "#f57c00", "d", "◇"
        ),
        # JupyterLab's themes have no violet; this one is seen on a light page and on a dark one.
        "empty": Mark(gettext_noop("answered, nothing found"), "#8e5bd0", "#8e5bd0", "s", "□"),
    }
)
"""The marks by kind, from good to bad to beside the point."""


def mark_of(sample: Sample) -> str:
    """The kind of a request's mark: ok, fail, unknown, or empty (answered, with nothing found)."""
    empty = sample.outcome is Outcome.FAIL and sample.error == NOTHING_FOUND
    return "empty" if empty else sample.outcome.value
