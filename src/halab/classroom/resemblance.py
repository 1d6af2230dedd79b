"""Which of a class's notebooks are alike: the same file, or the same longer answers, of two learners.

It is said to the instructor and decides nothing: two who sat together may have written one answer.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halab.course.paths import course_root
from halab.folders import read_plain
from halab.translation import gettext, ngettext

__all__ = ["Alike", "notes_on", "resemblances"]

_MOST = 20_000_000  # bytes of a notebook that is compared
_LONG = 150  # letters from which an answer is not likely to be written twice

Handed = tuple[str, str, Path]
"""A learner, an assignment, and the notebook."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Learners whose notebooks of an assignment have these answers in common, or all of the file if none."""

    assignment: str
    learners: tuple[str, ...]
    answers: tuple[str, ...] = ()

    def sentence(self, learners: str) -> str:
        """What these learners have in common with each other, or one with the others."""
        if not self.answers:
            return gettext("the same file, byte for byte: {learners}.").format(learners=learners)
        return ngettext(
            "letter for letter the same answer {names}: {learners}.",
            "letter for letter the same answers {names}: {learners}.",
            len(self.answers),
        ).format(names=", ".join(self.answers), learners=learners)


def resemblances(handed: Iterable[Handed]) -> tuple[Alike, ...]:
    """Each group of learners who have a file in common, or longer answers beyond that."""
    files: dict[tuple[str, str], list[str]] = defaultdict(list)
    answers: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    given: dict[str, dict[str, str]] = {}
    for learner, assignment, notebook in handed:
        if assignment not in given:
            released = course_root() / "exercises" / assignment / f"{assignment}.ipynb"
            given[assignment] = _answers(_content(released))
        content = _content(notebook)
        own = {name: text for name, text in _answers(content).items() if text != given[assignment].get(name)}
        if own:  # else nothing was written into it, and all such files are alike
            files[assignment, hashlib.sha256(content).hexdigest()].append(learner)
        for name, text in own.items():
            if len(text) >= _LONG:
                answers[assignment, name, text].append(learner)
    same_file = [
        Alike(assignment, tuple(sorted(learners)))
        for (assignment, _), learners in files.items()
        if len(learners) > 1
    ]
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (assignment, name, _), learners in sorted(answers.items()):
        known = any(
            group.assignment == assignment and set(learners) <= set(group.learners) for group in same_file
        )
        if len(learners) > 1 and not known:
            shared[assignment, tuple(sorted(learners))].append(name)
    same_answers = [Alike(*group, tuple(names)) for group, names in shared.items()]
    return tuple(sorted([*same_file, *same_answers], key=lambda group: (group.assignment, group.learners)))


def notes_on(groups: Iterable[Alike]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """For each learner's assignment a sentence on each group that it belongs to, with the others."""
    remarks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for group in groups:
        for learner in group.learners:
            others = ", ".join(other for other in group.learners if other != learner)
            sentence = group.sentence(others)
            remarks[learner, group.assignment].append(sentence[0].upper() + sentence[1:])
    return {key: tuple(sentences) for key, sentences in remarks.items()}


def _content(notebook: Path) -> bytes:
    try:
        return read_plain(notebook, _MOST)
    except OSError:
        return b""


def _answers(content: bytes) -> dict[str, str]:
    """What stands in the cells for answers, by the cells' names; without blanks, which saving may change."""
    try:
        cells: list[Any] = json.loads(content)["cells"]
        return {
            str(mark["grade_id"]): "".join("".join(cell["source"]).split())
            for cell in cells
            if (mark := cell["metadata"].get("nbgrader")) and mark.get("solution")
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
