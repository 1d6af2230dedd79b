"""What every widget of the course has: a front end, and a face in plain text for where no front end runs."""

from __future__ import annotations

from pathlib import Path

import anywidget

__all__ = ["CourseWidget", "front_end"]

_HERE = Path(__file__).parent


def front_end(name: str) -> tuple[str, Path]:
    """A widget's `_esm`, with what the widgets share in `shared.js` before it, and its `_css`.

    One text, since anywidget hands the browser no file: an import of `shared.js` would find nothing there.
    """
    own, shared = ((_HERE / file).read_text("utf-8") for file in (f"{name}.js", "shared.js"))
    return f"{shared}\n{own}", _HERE / f"{name}.css"


class CourseWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """An anywidget whose text says the same as its picture, in a terminal, a diff or a log."""

    def text(self) -> str:
        """The widget's content as plain text."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text()
