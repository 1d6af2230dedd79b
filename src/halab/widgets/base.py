"""What every widget of the course has: a front end, and a face in plain text for where no front end runs."""

from __future__ import annotations

import re
from pathlib import Path

import anywidget

__all__ = ["CourseWidget", "front_end"]

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./shared\.js";\n', re.MULTILINE)


def front_end(name: str) -> tuple[str, str]:
    """The `_esm` and the `_css` of a widget, each with what all widgets share before its own.

    anywidget hands the browser a text and no file, so `import ... from "./shared.js"` would find nothing
    there: the text of `shared.js` stands in its place.
    """
    shared, own = _read("shared.js"), _read(f"{name}.js")
    return shared + _IMPORT.sub("", own), _read("shared.css") + _read(f"{name}.css")


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


class CourseWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """An anywidget whose text says the same as its picture, in a terminal, a diff or a log."""

    def text(self) -> str:
        """The widget's content as plain text."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text()
