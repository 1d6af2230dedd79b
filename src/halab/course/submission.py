"""A learner's notebook, made ready for nbgrader: what is the course's is put back, what is theirs kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import nbformat

from halab.errors import SubmissionError

__all__ = ["prepare"]


def prepare(copy: Path, release: Path) -> tuple[Any, list[str]]:
    """The notebook to grade, and for everything that was put back a sentence that says so.

    `copy` is the learner's notebook, `release` the exercise as it was handed out. Test cells and cells with
    given numbers get their original text, place and points; the learner's answers stay as they are.
    Raises SubmissionError if the file is missing, is not a notebook, or is not this exercise.
    """
    notebook = _read(copy)
    originals = {_grade_id(cell): cell for cell in _read(release).cells if _grade_id(cell)}
    found = Counter(_grade_id(cell) for cell in notebook.cells if _grade_id(cell) in originals)
    if not found:
        raise SubmissionError(
            f"{copy.name} holds none of the cells of this exercise.",
            hint="Rename it and open the exercise again: you get a new copy to paste your answers into.",
        )
    notes = [
        f"The cell {name} is there {count} times; the last one counts."
        for name, count in found.items()
        if count > 1
    ]
    for cell in notebook.cells:
        notes += _restore(cell, originals)
    for name in originals.keys() - found.keys():
        notes.append(_put_back(notebook, name, originals))
    return notebook, sorted(notes)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise SubmissionError(
            f"There is no {path.name} in {path.parent}.",
            hint="Open the exercise in JupyterLab (halab lab), write your answers, save, and grade again.",
        )
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat lets errors of many kinds through for a file that is no notebook
        raise SubmissionError(
            f"{path.name} is not a notebook that can be read: {str(error).splitlines()[0]}",
            hint="Rename it and open the exercise again: you get a new copy to paste your answers into.",
        ) from error
    return notebook


def _grade_id(cell: Any) -> str:
    mark = cell.metadata.get("nbgrader")
    name = mark.get("grade_id", "") if isinstance(mark, dict) else ""
    return name if isinstance(name, str) else ""


def _locked(cell: Any) -> bool:
    return not cell.metadata.nbgrader["solution"]


def _restore(cell: Any, originals: dict[str, Any]) -> list[str]:
    """Give a marked cell the marks it had; a locked one its text too. Sentences for what differed."""
    original = originals.get(_grade_id(cell))
    if original is None:
        cell.metadata.pop("nbgrader", None)
        return []
    cell.metadata.nbgrader = original.metadata.nbgrader
    if not _locked(original) or cell.source == original.source:
        return []
    cell.source = original.source
    return [f"The cell {_grade_id(cell)} was changed; the original was used."]


def _put_back(notebook: Any, name: str, originals: dict[str, Any]) -> str:
    if not _locked(originals[name]):
        return f"The answer cell {name} is gone; what your other cells define was graded."
    order = list(originals)
    earlier = set(order[: order.index(name)])
    places = [index for index, cell in enumerate(notebook.cells) if _grade_id(cell) in earlier]
    notebook.cells.insert(max(places, default=-1) + 1, originals[name])
    return f"The cell {name} was gone; the original was used."
