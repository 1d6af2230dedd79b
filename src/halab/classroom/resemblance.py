"""Which of a class's notebooks are alike: the same file, or the same longer answers, of two learners.

It is said to the instructor and decides nothing: two who sat together may have written one answer.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from halab.course.paths import course_root
from halab.folders import read_plain
from halab.translation import gettext, ngettext

__all__ = ["resemblances"]

_MOST = 20_000_000  # bytes of a notebook that is compared
_LONG = 150  # letters from which an answer is not likely to be written twice

Handed = tuple[str, str, Path]
"""A learner, an assignment, and the notebook."""


def resemblances(handed: Iterable[Handed]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Sentences for each learner's assignment that has something in common with another's."""
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
    return _sentences(files, answers)


def _sentences(
    files: Mapping[tuple[str, str], list[str]], answers: Mapping[tuple[str, str, str], list[str]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    same_file = {
        (learner, assignment): _others(learner, learners)
        for (assignment, _), learners in files.items()
        for learner in learners
        if len(learners) > 1
    }
    said = {
        key: [gettext("It is the same file, byte for byte, as that of {others}.").format(others=others)]
        for key, others in same_file.items()
    }
    alike: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (assignment, name, _), learners in sorted(answers.items()):
        for learner in learners:
            others = _others(learner, learners)
            if others and same_file.get((learner, assignment)) != others:
                alike[learner, assignment][others].append(name)
    for key, by_others in alike.items():
        for others, names in by_others.items():
            same = ngettext(
                "Letter for letter as with {others}: answer {names}.",
                "Letter for letter as with {others}: answers {names}.",
                len(names),
            ).format(others=others, names=", ".join(names))
            said.setdefault(key, []).append(same)
    return {key: tuple(sentences) for key, sentences in said.items()}


def _others(learner: str, learners: list[str]) -> str:
    return ", ".join(sorted(other for other in learners if other != learner))


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
