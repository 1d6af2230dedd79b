"""What a class handed in: nbgrader's `submitted` layout, read and never written to.

FOLDER/<learner>/<assignment>/<assignment>.ipynb    as `nbgrader collect` writes it, with its timestamp.txt
FOLDER/<learner>/<assignment>.ipynb                 as people copy it by hand
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from halab.course.catalogue import exercises
from halab.course.identity import valid_learner
from halab.errors import CourseError
from halab.grading.preparation import MAX_BYTES, one_line

__all__ = ["ClassSubmissions", "Submission", "read_folder"]

_SHOWN = 3  # names in a message


@dataclass(frozen=True, slots=True)
class Submission:
    """One learner's notebook of one assignment. `time` is what timestamp.txt says, or "".

    `refusal` says why it cannot be graded as it is, or is empty.
    """

    learner: str
    assignment: str
    notebook: Path
    time: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ClassSubmissions:
    """A class's folder: its learners and submissions in order, and a sentence for all that is neither."""

    folder: Path
    learners: tuple[str, ...]
    submissions: tuple[Submission, ...]
    problems: tuple[str, ...]

    @property
    def assignments(self) -> tuple[str, ...]:
        """Those that at least one learner handed in, in the order of their cards."""
        return tuple(sorted({submission.assignment for submission in self.submissions}))


def read_folder(folder: Path) -> ClassSubmissions:
    """Find every submission in `folder`. Names that start with a dot are passed over.

    Raises CourseError if there is none: the message says what was expected and what was found.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}.", hint=_layout(folder))
    known = frozenset(exercise.slug for exercise in exercises())
    learners: list[str] = []
    submissions: list[Submission] = []
    problems: list[str] = []
    for place in _visible_entries(folder):
        if not place.is_dir():
            problems.append(f"{one_line(place.name)} is not a learner's folder; it was left out.")
        elif not _is_learner_id(place.name):
            problems.append(
                f"{one_line(place.name)} cannot be a learner's id (up to 64 letters, digits or . _ @ -, the "
                "first a letter or digit); the folder was left out."
            )
        else:
            learners.append(place.name)
            try:
                submissions += _learner_submissions(place, known, problems)
            except OSError as error:
                problems.append(f"{place.name} cannot be read ({error.strerror}); the folder was left out.")
    if not submissions:
        raise _no_submission_error(folder, known, problems)
    return ClassSubmissions(folder, tuple(learners), tuple(submissions), tuple(problems))


def _learner_submissions(place: Path, known: frozenset[str], problems: list[str]) -> Iterator[Submission]:
    seen: set[str] = set()
    # Folders first: a notebook beside the folder of its assignment is then the one left out.
    for entry in sorted(_visible_entries(place), key=lambda entry: not entry.is_dir()):
        where = f"{place.name}/{one_line(entry.name)}"
        assignment = entry.name if entry.is_dir() else entry.name.removesuffix(".ipynb")
        if not entry.is_dir() and entry.suffix != ".ipynb":
            problems.append(f"{where} is no submission; it was left out.")
        elif assignment not in known:
            problems.append(
                f"{where} is no exercise of this course ({', '.join(sorted(known))}); it was left out."
            )
        elif assignment in seen:
            problems.append(f"{where} is there a second time; the one in the folder {assignment}/ counts.")
        else:
            seen.add(assignment)
            yield _submission(place.name, assignment, entry)


def _submission(learner: str, assignment: str, entry: Path) -> Submission:
    if not entry.is_dir():
        return Submission(learner, assignment, entry, refusal=_refusal(entry))
    notebook = entry / f"{assignment}.ipynb"
    return Submission(learner, assignment, notebook, _time(entry), _refusal(notebook))


def _refusal(notebook: Path) -> str:
    """Why this file is not even looked into, or ""."""
    folder = notebook.parent
    if not notebook.is_file():
        others = _list_names(entry for entry in _visible_entries(folder) if entry.name != "timestamp.txt")
        return f"There is no {notebook.name} in {folder.parent.name}/{folder.name}; it holds {others}."
    if notebook.resolve() != notebook:
        return f"{notebook.name} is a link to another file; a submission is a file of its own."
    if notebook.stat().st_size > MAX_BYTES:
        size, most = notebook.stat().st_size / 1024**2, MAX_BYTES / 1024**2
        return f"{notebook.name} has {size:.0f} MiB; a notebook may have {most:.0f}."
    return ""


def _time(folder: Path) -> str:
    stamp = folder / "timestamp.txt"
    if stamp.is_symlink() or not stamp.is_file():  # a link would quote another file of the instructor's
        return ""
    with stamp.open(encoding="utf-8", errors="replace") as file:
        return one_line(file.read(100))


def _is_learner_id(learner: str) -> bool:
    try:
        return valid_learner(learner) == learner
    except CourseError:
        return False


def _visible_entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _no_submission_error(folder: Path, known: frozenset[str], problems: list[str]) -> CourseError:
    details = f" {' '.join(problems[:_SHOWN])}" if problems else ""
    return CourseError(
        f"{folder} should hold FOLDER/<learner>/<assignment>/<assignment>.ipynb with an assignment out of "
        f"{', '.join(sorted(known))}; it holds "
        f"{_list_names(_visible_entries(folder))}, and no submission was found.{details}",
        hint=_layout(folder),
    )


def _layout(folder: Path) -> str:
    for inner in ("submitted", ".nbgrader/submitted"):
        if (folder / inner).is_dir():
            return f"Did you mean {folder / inner}?"
    return "Name the folder into which `nbgrader collect` puts what was handed in, by learner."


def _list_names(entries: Iterator[Path] | list[Path]) -> str:
    names = [one_line(entry.name, 60) for entry in entries]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "nothing"
