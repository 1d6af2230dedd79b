"""Whose a copied work folder is, by what the course recorded in it. It comes from somebody else: nothing is
trusted, repaired or set aside.
"""

from __future__ import annotations

import json
from pathlib import Path

from halab.course.identity import valid_learner
from halab.errors import CourseError
from halab.folders import read_plain

__all__ = ["learners_in", "measurer"]

_FILES = ("learner.json", "predictions.jsonl", "grades.jsonl")
_MOST = 20_000_000  # bytes


def learners_in(work: Path) -> frozenset[str]:
    """Ids of the learners whose predictions or grades are recorded there; empty if nothing is."""
    learners: set[str] = set()
    for name in _FILES:
        try:
            lines = read_plain(work / ".halab" / name, _MOST).splitlines()
        except OSError:
            continue
        learners |= {learner for line in lines if (learner := _learner(line))}
    return frozenset(learners)


def measurer(journal: bytes) -> str:
    """The id that a journal's first line names as that of who measured it, or ""."""
    return _learner(journal.partition(b"\n")[0])


def _learner(line: bytes) -> str:
    try:
        return valid_learner(json.loads(line)["learner"])
    except (ValueError, KeyError, TypeError, RecursionError, CourseError):
        return ""
