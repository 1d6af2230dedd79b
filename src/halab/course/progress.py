"""What the learner has done of each card, read from what lies under `work/`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from halab.course.catalogue import CATALOGUE, Entry
from halab.course.grading import last_grade
from halab.course.paths import journals, work_dir
from halab.course.predictions import predictions
from halab.errors import JournalError
from halab.measure.journal import Journal

__all__ = ["Done", "progress"]


@dataclass(frozen=True, slots=True)
class Done:
    """What a learner has done of one card. `points` is the exercise's last grade, None before the first."""

    opened: bool = False
    predicted: bool = False
    measured: bool = False
    points: float | None = None
    max_points: float | None = None


def progress() -> dict[int, Done]:
    """For each card: lesson opened, prediction made, lab measured, and the points of the last grading.

    A lab is measured by an intact journal `work/journals/NN-*.jsonl` of a real cluster; a simulated one
    does not count, and a damaged one is named in a warning and does not count either.
    """
    return {card.number: _done(card) for card in CATALOGUE}


def _done(card: Entry) -> Done:
    graded = last_grade(card.number)
    return Done(
        opened=(work_dir() / "course" / card.lesson_path.name).is_file(),
        predicted=bool(predictions(card.number)),
        measured=_measured(card.number),
        points=graded["points"] if graded else None,
        max_points=graded["out_of"] if graded else None,
    )


def _measured(card: int) -> bool:
    for path in journals(card):
        try:
            journal = Journal.load(path)
        except JournalError as error:
            warnings.warn(f"{path.name} does not count as a measurement: {error.message}", stacklevel=2)
            continue
        if not journal.simulated:
            return True
    return False
