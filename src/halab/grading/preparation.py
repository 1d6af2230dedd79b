"""A learner's notebook, made ready for nbgrader: what is the course's is put back, what is theirs kept."""

from __future__ import annotations

import copy
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat

from halab.course.notebook_translation import translate_notebook
from halab.errors import SubmissionError
from halab.folders import read_plain
from halab.grading.notebook_reading import decoded, notebook_of
from halab.translation import gettext, gettext_noop

__all__ = ["MAX_BYTES", "MAX_CELLS", "one_line", "prepare"]

MAX_BYTES = 100 * 1024**2
"""Bytes a notebook may have: nbgrader's own limit."""

MAX_CELLS = 1000
"""Cells a submission may have: twenty times as many as an exercise."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # half a pair or a whole one, as JSON writes it
_SAVING = 3.0  # seconds within which a notebook that is being saved is whole again
_SAVE = gettext_noop("Open it in JupyterLab, save it (Ctrl+S), and grade again.")
_COPY = gettext_noop("Rename it and open the exercise again: you get a new copy to paste your answers into.")


def prepare(submitted: Path, release: Path) -> tuple[Any, list[str]]:
    """The notebook to grade, and for everything that was put back a sentence that says so.

    `submitted` is the learner's notebook, `release` the exercise as it was handed out. Test cells and cells
    with given numbers get their original text, place and points; the learner's code stays, outputs go.
    Raises SubmissionError if the file is missing, is not a notebook, or is not this exercise.
    """
    notebook, original = _read(submitted), nbformat.read(release, as_version=4)
    translate_notebook(notebook, f"exercises/{release.stem}/{release.name}", "en")
    originals = {_name(cell): cell for cell in original.cells if _name(cell)}
    counts = Counter(_name(cell) for cell in notebook.cells if _name(cell) in originals)
    if all(_given(originals[name]) for name in counts):  # every exercise has such cells, by the same names
        raise _wrong_exercise(submitted, notebook)
    notes = [*_other_language_note(notebook), *_duplicate_cells(notebook, counts, originals)]
    notebook.metadata = original.metadata
    notebook.cells = [_reset_cell(cell, originals, notes) for cell in notebook.cells]
    notes += _reorder_cells(notebook, originals)
    notes += [_restore_cell(notebook, name, originals) for name in originals if name not in counts]
    return notebook, sorted(notes)


def one_line(text: str, longest: int = 300) -> str:
    """A learner's text on one line, without what a terminal would obey, and not longer than this."""
    line = "".join(letter if letter.isprintable() else "�" for letter in " ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def _read(path: Path) -> Any:
    if refusal := _file_problem(path):
        raise refusal
    try:
        notebook = notebook_of(_whole_json(path))
    except MemoryError:
        raise SubmissionError(
            gettext("{name} takes more memory to read than a notebook may.").format(name=path.name),
            hint=gettext("In JupyterLab: Edit, Clear Outputs of All Cells; save, and grade again."),
        ) from None
    except Exception as error:  # nbformat lets errors of many kinds through for a file that is no notebook
        if not path.stat().st_size:
            raise SubmissionError(
                gettext("{name} is empty.").format(name=path.name), hint=gettext(_SAVE)
            ) from error
        problem = one_line(str(error).partition("\n")[0], 200)
        if not isinstance(error, (ValueError, nbformat.ValidationError)):  # no text for learners
            problem = gettext("it holds something else")
        raise SubmissionError(
            gettext("{name} is not a notebook that can be read: {problem}.").format(
                name=path.name, problem=problem
            ),
            hint=gettext(_COPY),
        ) from error
    if len(notebook.cells) > MAX_CELLS:
        raise SubmissionError(
            gettext("{name} has {count} cells; a submission may have {most}.").format(
                name=path.name, count=len(notebook.cells), most=MAX_CELLS
            ),
            hint=gettext("Delete the cells that are no answers, save, and grade again."),
        )
    return notebook


def _whole_json(path: Path) -> Any:
    """What a file holds; one that was written to just now, and is no JSON yet, is given time to become it.

    Jupyter empties a notebook before it writes it anew, so a reader may come in between. Raises ValueError.
    """
    end = time.monotonic() + _SAVING
    while True:
        text = decoded(read_plain(path, MAX_BYTES))
        try:
            return _without_half_pairs(json.loads(text), text)
        except (ValueError, RecursionError) as error:
            if time.monotonic() > end or time.time() - path.stat().st_mtime > _SAVING:
                if isinstance(error, RecursionError):
                    raise ValueError(gettext("its lists are nested too deeply")) from None
                if not isinstance(error, json.JSONDecodeError):  # Python's own words for it help nobody
                    raise ValueError(gettext("it holds a number of thousands of digits")) from None
                raise
            time.sleep(0.05)


def _without_half_pairs(read: Any, text: str) -> Any:
    """What was read, with a question mark for half a surrogate pair (an emoji cut in two), which no file can
    hold as itself.
    """
    if not _SURROGATE.search(text):
        return read
    return json.loads(json.dumps(read, ensure_ascii=False).encode("utf-8", "replace"))


def _file_problem(path: Path) -> SubmissionError | None:
    """Why there is nothing to read, or None."""
    if path.is_symlink():
        return SubmissionError(
            gettext("{name} is a link to another file; a submission is a file of its own.").format(
                name=path.name
            ),
            hint=gettext("Put a copy of the notebook in its place."),
        )
    if path.is_dir():
        return SubmissionError(
            gettext("{name} is a folder; a notebook was expected.").format(name=path.name),
            hint=gettext(_COPY),
        )
    if not path.is_file():
        others = " and ".join(one_line(file.name, 60) for file in sorted(path.parent.glob("*.ipynb"))[:3])
        if others:
            return SubmissionError(
                gettext("There is no {name} in {parent}, but {others}.").format(
                    name=path.name, parent=path.parent, others=others
                ),
                hint=gettext("If that is your work, rename it to {name} and grade again.").format(
                    name=path.name
                ),
            )
        return SubmissionError(
            gettext("There is no {name} in {parent}.").format(name=path.name, parent=path.parent),
            hint=gettext(
                "Open the exercise in JupyterLab (halab lab), write your answers, save, and grade again."
            ),
        )
    if path.stat().st_size > MAX_BYTES:
        size, most = path.stat().st_size / 1024**2, MAX_BYTES / 1024**2
        return SubmissionError(
            gettext("{name} has {size:.0f} MiB; a notebook may have {most:.0f}.").format(
                name=path.name, size=size, most=most
            ),
            hint=gettext("In JupyterLab: Edit, Clear Outputs of All Cells; save, and grade again."),
        )
    return None


def _wrong_exercise(path: Path, notebook: Any) -> SubmissionError:
    """The error for a notebook that is no copy of this exercise; it says of which one, if the cells tell."""
    cards = sorted({name[:2] for cell in notebook.cells if re.match(r"\d\d-", name := _name(cell))})
    of = gettext("; its cells are of exercise {cards}").format(cards=" and ".join(cards)) if cards else ""
    return SubmissionError(
        gettext("{one_line} holds none of the cells of this exercise{of}.").format(
            one_line=one_line(path.name), of=of
        ),
        hint=gettext(_COPY),
    )


def _name(cell: Any) -> str:
    """The name nbgrader knows the cell by, or "" if it has none."""
    mark = cell.metadata.get("nbgrader")
    name = mark.get("grade_id", "") if isinstance(mark, dict) else ""
    return name if isinstance(name, str) else ""


def _locked(cell: Any) -> bool:
    return not cell.metadata.nbgrader["solution"]


def _given(cell: Any) -> bool:
    return _locked(cell) and not cell.metadata.nbgrader["grade"]


def _other_language_note(notebook: Any) -> list[str]:
    """A sentence if the notebook was written for another language."""
    kernel = notebook.metadata.get("kernelspec", {})
    info = notebook.metadata.get("language_info", {})
    language = kernel.get("language") or info.get("name") or kernel.get("name") or "python"
    if str(language).lower().startswith("python"):
        return []
    name = one_line(str(kernel.get("display_name") or language), 60)
    return [
        gettext(
            "The notebook asks for the kernel {name}; the exercise is in Python, and was run as "
            "such. In JupyterLab: Kernel, Change Kernel, Python 3."
        ).format(name=name)
    ]


def _duplicate_cells(notebook: Any, counts: Counter[str], originals: dict[str, Any]) -> list[str]:
    """Of cells with the same name the last one counts, but one that nobody touched never beats an answer. An
    earlier answer still runs."""
    later: set[str] = set()
    cells = []
    answered = {
        _name(cell) for cell in notebook.cells if _name(cell) in originals and not _untouched(cell, originals)
    }
    for cell in reversed(notebook.cells):
        name = _name(cell)
        if name in answered and not _locked(originals[name]) and _untouched(cell, originals):
            continue
        if name in later:
            cell.metadata.pop("nbgrader")
        if name not in later or not _locked(originals[name]):
            cells.append(cell)
        if name in originals:
            later.add(name)
    notebook.cells = cells[::-1]
    return [
        gettext("The cell {name} is there {count} times; the last one {written}counts.").format(
            name=name,
            count=count,
            written="" if _locked(originals[name]) else gettext("that was written in "),
        )
        for name, count in counts.items()
        if count > 1
    ]


def _untouched(cell: Any, originals: dict[str, Any]) -> bool:
    """Whether an answer still is what was handed out."""
    return bool(cell.source.strip() == originals[_name(cell)].source.strip())


def _reset_cell(cell: Any, originals: dict[str, Any], notes: list[str]) -> Any:
    """The cell with the marks it had; a locked one with its text too. Adds to `notes` what differed."""
    name = _name(cell)
    original = originals.get(name)
    if original is not None and _locked(original):
        if (cell.cell_type, cell.source) != (original.cell_type, original.source):
            notes.append(gettext("The cell {name} was changed; the original was used.").format(name=name))
        return copy.deepcopy(original)
    if original is not None and cell.cell_type != original.cell_type:
        notes.append(
            gettext("The answer cell {name} was of type {cell_type}; it was run as code.").format(
                name=name, cell_type=cell.cell_type
            )
        )
        source, cell = cell.source, copy.deepcopy(original)
        cell.source = source
    cell.metadata = copy.deepcopy(original.metadata) if original is not None else nbformat.NotebookNode()
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _reorder_cells(notebook: Any, originals: dict[str, Any]) -> list[str]:
    """Put the exercise's cells back in their order, in the places they take among the learner's own."""
    order = list(originals)
    places = [index for index, cell in enumerate(notebook.cells) if _name(cell)]
    cells = [notebook.cells[index] for index in places]
    ordered = sorted(cells, key=lambda cell: order.index(_name(cell)))
    for index, cell in zip(places, ordered, strict=True):
        notebook.cells[index] = cell
    return (
        []
        if cells == ordered
        else [gettext("Cells of the exercise had changed places; they are in order again.")]
    )


def _restore_cell(notebook: Any, name: str, originals: dict[str, Any]) -> str:
    if not _locked(originals[name]):
        return gettext("The answer cell {name} is gone; what your other cells define was graded.").format(
            name=name
        )
    order = list(originals)
    earlier = set(order[: order.index(name)])
    places = [index for index, cell in enumerate(notebook.cells) if _name(cell) in earlier]
    notebook.cells.insert(max(places, default=-1) + 1, copy.deepcopy(originals[name]))
    return gettext("The cell {name} was gone; the original was used.").format(name=name)
