"""A submitted file, read into a notebook: what is needed of it is taken, and the rest is never looked at.

Tools write notebooks that are slightly off the format: an output without a name, cell ids in an older format,
a byte order mark. None of that is the learner's answer. And whoever wants to can fill outputs and metadata
with what takes minutes and gigabytes to check. So cells are copied out of the plain JSON first, without
outputs, attachments and foreign metadata; only what is left is held against the format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import nbformat

from halab.translation import gettext

__all__ = ["decoded", "notebook_of"]

_MOST_TEXT = 32_000_000  # characters of a cell's source
_ID = re.compile("[a-zA-Z0-9_-]{1,64}")  # of the format
_TYPES = ("code", "markdown", "raw")


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without a byte order mark. Raises UnicodeDecodeError."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def notebook_of(read: Any) -> Any:
    """A valid notebook of today's format with the cells of a submitted one: type, source and nbgrader's mark.

    `read` is the file's JSON. Raises ValueError, in words for a learner, if it is no notebook.
    """
    if not isinstance(read, dict):
        raise ValueError(gettext("it holds something else"))
    if isinstance(read.get("nbformat"), int) and read["nbformat"] > nbformat.current_nbformat:
        raise ValueError(
            gettext("it is of format {nbformat}, and {current_nbformat} is read here").format(
                nbformat=read["nbformat"], current_nbformat=nbformat.current_nbformat
            )
        )
    if isinstance(read.get("worksheets"), list):  # the format of 2014 and before
        read["cells"] = [
            cell for sheet in read["worksheets"] if isinstance(sheet, dict) for cell in _list(sheet)
        ]
    if not isinstance(read.get("cells"), list):
        raise ValueError(gettext("it has no list of cells"))
    cells = [_cell(cell, number) for number, cell in enumerate(read["cells"])]
    _make_ids_unique(cells)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=_metadata(read))
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode()  # JSON can hold half a surrogate pair, a file cannot
    return notebook


def _list(sheet: Mapping[str, Any]) -> list[Any]:
    cells = sheet.get("cells")
    return cells if isinstance(cells, list) else []


def _cell(read: Any, number: int) -> Any:
    if not isinstance(read, dict):
        raise ValueError(gettext("cell {number} is no cell").format(number=number + 1))
    source = _text(read.get("source", read.get("input", "")), number)
    kind = read.get("cell_type")
    if kind not in _TYPES:
        kind = "markdown"  # such as the headings of older formats
    given = read.get("id")
    name = given if isinstance(given, str) and _ID.fullmatch(given) else f"cell-{number}"
    cell = getattr(nbformat.v4, f"new_{kind}_cell")(source, id=name)
    mark = read["metadata"].get("nbgrader") if isinstance(read.get("metadata"), dict) else None
    if isinstance(mark, dict) and isinstance(mark.get("grade_id"), str):
        cell.metadata["nbgrader"] = {"grade_id": mark["grade_id"][:200]}
    return cell


def _make_ids_unique(cells: list[Any]) -> None:
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        if cell.id in seen:
            cell.id = f"{cell.id[:40]}-{number}"
        seen.add(cell.id)


def _text(source: Any, number: int) -> str:
    """A source as one text, which the format also allows as a list of lines."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise ValueError(gettext("the text of cell {number} is no text").format(number=number + 1))
    if len(source) > _MOST_TEXT:
        raise ValueError(
            gettext("cell {number} has {count:,} characters; {most:,} are the most").format(
                number=number + 1, count=len(source), most=_MOST_TEXT
            )
        )
    return source


def _metadata(read: Mapping[str, Any]) -> dict[str, Any]:
    """Which language the notebook was written for: nothing else of it is used."""
    metadata = read.get("metadata")
    known: dict[str, Any] = {}
    for part in ("kernelspec", "language_info"):
        value = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(value, dict):
            known[part] = {
                key: value[key]
                for key in ("name", "language", "display_name")
                if isinstance(value.get(key), str)
            }
    if "kernelspec" in known:
        known["kernelspec"] = {"name": "", "display_name": "", **known["kernelspec"]}
    if "name" not in known.get("language_info", {"name": ""}):
        del known["language_info"]
    return known
