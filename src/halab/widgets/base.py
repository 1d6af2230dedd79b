"""What every widget of the course has: a face in plain text, for where no front end runs."""

from __future__ import annotations

import anywidget

__all__ = ["CourseWidget"]


class CourseWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """An anywidget whose text says the same as its picture, in a terminal, a diff or a log."""

    def text(self) -> str:
        """The widget's content as plain text."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text()
