"""The outputs of a learner's cell that go into the graded notebook: text, sanitized prose, and real images.

People and programs read that notebook, formgrader among them, on a server that runs code. So an output is
built anew from the few parts that are allowed, and nothing else of what was sent is looked at: no metadata,
which templates write into pages unquoted; no SVG, script or widget; no error, since only the grader says how
a cell ended.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from nbformat import NotebookNode

__all__ = ["allowed_outputs"]

_TEXTS = (
    "text/plain",
    "text/html",
    "text/markdown",
    "text/latex",
)  # the templates sanitize all but the first
_IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
"""Their first bytes."""
_STREAMS = ("stdout", "stderr")


def allowed_outputs(sent: Iterable[Any]) -> list[Any]:
    """What is allowed of these outputs, as outputs of a notebook; what is none, or has nothing allowed, is
    left out.
    """
    built = (_output(candidate) for candidate in sent if isinstance(candidate, dict))
    return [NotebookNode(output) for output in built if output is not None]


def _output(sent: dict[str, Any]) -> dict[str, Any] | None:
    match sent.get("output_type"):
        case "stream":
            text = _text(sent.get("text"))
            name = sent.get("name")
            stream = name if name in _STREAMS else "stdout"
            return {"output_type": "stream", "name": stream, "text": text} if text else None
        case "display_data" | "execute_result" as kind:
            data = _data(sent.get("data"))
            count = {"execution_count": None} if kind == "execute_result" else {}
            return (
                {"output_type": kind, "data": NotebookNode(data), "metadata": NotebookNode(), **count}
                if data
                else None
            )
    return None


def _data(sent: Any) -> dict[str, str]:
    if not isinstance(sent, dict):
        return {}
    texts = {kind: _text(sent.get(kind)) for kind in _TEXTS}
    images = {kind: _image(sent.get(kind), beginning) for kind, beginning in _IMAGES.items()}
    return {kind: part for kind, part in (texts | images).items() if part}


def _text(sent: Any) -> str:
    """A text, or a list of them; half a surrogate pair, which no file can hold, becomes a question mark."""
    if isinstance(sent, list) and all(isinstance(line, str) for line in sent):
        sent = "".join(sent)
    return sent.encode(errors="replace").decode() if isinstance(sent, str) else ""


def _image(sent: Any, beginning: bytes) -> str:
    """An image as base64, if it is base64 and begins as such an image does."""
    try:
        image = base64.b64decode("".join(_text(sent).split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return base64.b64encode(image).decode() if image.startswith(beginning) else ""
