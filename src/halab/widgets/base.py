"""What every widget of the course has: a front end, and a face in plain text for where no front end runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from halab.course.widget_outputs import kernel_metadata, without_kernel

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

    lang = traitlets.Unicode("en").tag(sync=True)

    @traitlets.validate("lang")  # type: ignore[untyped-decorator]
    def _of_the_front_ends(self, proposal: Any) -> str:
        """The front ends have words in these two; in any other language of the course they speak English."""
        return str(proposal["value"]) if proposal["value"] in ("en", "zh") else "en"

    def text(self) -> str:
        """The widget's content as plain text."""
        raise NotImplementedError

    def still_picture(self) -> str:
        """The content as HTML, to stand above the text when no kernel runs; "" where the text is enough."""
        return ""

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The view, which needs this kernel, and HTML for when it has ended."""
        data, metadata = super()._repr_mimebundle_(**options)
        data["text/html"] = without_kernel(data["text/plain"], self.still_picture(), self.lang)
        return data, metadata | kernel_metadata()
