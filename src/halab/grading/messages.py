"""The messages between `grader` and its grading process (`worker`): one JSON object a line.

A Job goes in. Progress comes back for every cell, then exactly one of Graded, Refused and Failed.
"""

from __future__ import annotations

from typing import Literal, TypedDict

__all__ = ["Failed", "Graded", "GradedCell", "Job", "Progress", "Refused", "Reply"]


class Job(TypedDict):
    """A notebook to grade, and the language to say in what is missing.

    Paths are absolute; with `keep`, the graded notebook is put into that folder.
    """

    notebook: str
    assignment: str
    learner: str
    language: str
    keep: str | None


class Progress(TypedDict):
    """Cell number `cell` of `cells` starts, counted from 1."""

    kind: Literal["progress"]
    cell: int
    cells: int


class GradedCell(TypedDict):
    """A graded cell: nbgrader's name for it, such as "06-1-blips", and its points.

    `behaviour` says in the job's language what was missed, `hint` which hint helps; both are "" if it passed.
    """

    name: str
    title: str
    points: float
    out_of: float
    behaviour: str
    hint: str


class Graded(TypedDict):
    """The submission was graded. `notes` are as in `halab.grading.grader.GradeReport`."""

    kind: Literal["graded"]
    cells: list[GradedCell]
    notes: list[str]


class Refused(TypedDict):
    """The notebook cannot be graded, and its learner can mend that."""

    kind: Literal["refused"]
    message: str
    hint: str


class Failed(TypedDict):
    """There is no grade, and that is not the learner's fault: nbgrader or the sandbox failed, or the machine
    was too busy. `hint` says what to do, or is empty.
    """

    kind: Literal["failed"]
    message: str
    hint: str


Reply = Progress | Graded | Refused | Failed
