"""Widgets in a saved notebook: their view needs the kernel that made them, their picture and text do not.

JupyterLab shows an output's view whenever it has one, and "model not found" when the kernel has ended since.
So an output names its kernel's process, and a view whose kernel has ended is left out when the notebook is
opened: then JupyterLab shows the next best that the output has.
"""

from __future__ import annotations

import html
import os
from typing import Any

from halab.translation import gettext, html_lang, language

__all__ = ["VIEW", "drop_ended_views", "kernel_metadata", "without_kernel"]

VIEW = "application/vnd.jupyter.widget-view+json"
_KEY = "halab_kernel"
_STYLE = "padding-left: 12px; border-left: 4px solid var(--jp-warn-color1, #f57c00)"


def kernel_metadata() -> dict[str, int]:
    """What an output of this process says of where it was made."""
    return {_KEY: os.getpid()}


def without_kernel(text: str, picture: str) -> str:
    """The HTML that stands where a widget's view was: how to have it back, its picture and its text."""
    again = gettext(
        "From an earlier session. To use it, run this cell again (Shift+Enter), after the cells that it "
        "builds on."
    )
    return (
        f'<div lang="{html_lang(language())}"><p style="{_STYLE}">{again}</p>'
        f'{picture}<pre style="white-space: pre-wrap">{html.escape(text)}</pre></div>'
    )


def drop_ended_views(notebook: dict[str, Any], kernel: int | None) -> None:
    """Leave out every view whose kernel is not the process `kernel`; None: no kernel runs for this notebook.

    Views that do not name their kernel, of widgets that are not the course's, stay while any runs.
    """
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            made_by = output.get("metadata", {}).get(_KEY, kernel)
            if kernel is None or made_by != kernel:
                output.get("data", {}).pop(VIEW, None)
