"""A class of four that handed in two exercises, and a grade function that takes no time."""

import json
import os
import shutil
from pathlib import Path

import pytest

from halab.classroom.submissions import read_folder
from halab.errors import CourseError, SubmissionError
from halab.grading.grader import Check, GradeReport

ONE, TWO = "06-failover-timeline", "07-rto-rpo"
ROOT = Path(__file__).parents[2]


def grade_fake(copy, name, learner, *, keep, told_in="en"):
    """Two checks of 2 and 3 points; what stands in the notebook decides."""
    text = copy.read_text()
    if "refuse" in text:
        raise SubmissionError("It is not\na notebook \x1b[31m.", hint="Mend it.")
    if "course" in text:
        raise CourseError("The course is not installed.")
    if "bug" in text:
        raise ZeroDivisionError("division by zero")
    if "die" in text:
        os._exit(1)
    good = 3.0 if "right" in text else 0.0
    keep.mkdir(parents=True, exist_ok=True)
    ended = {"output_type": "error", "ename": "ProcessExited", "evalue": "In cell 3 it ended."}
    late = {"output_type": "error", "ename": "CellTimeoutError", "evalue": ""}
    outputs = {"ends": [ended], "hangs": [late]}.get(text, [])
    cells = [{"outputs": outputs}, {"outputs": outputs}, {"cell_type": "markdown"}]
    (keep / f"{name}.ipynb").write_text(json.dumps({"cells": cells, "said": text}))
    checks = (
        Check(f"{name[:2]}-1-one", f"{name[:2]}.1", "One", 2.0, 2.0),
        Check(f"{name[:2]}-2-two", f"{name[:2]}.2", "Two", good, 3.0, "" if good else "=It holds.", "h"),
    )
    notes = ("A cell was changed.", "Isolation is weaker: bubblewrap is missing.")
    return GradeReport(int(name[:2]), name, learner, checks, notes, 0.1, 0.0)


@pytest.fixture
def class_folder(course, tmp_path):
    """A class of four with two exercises, of which the course's own say that each has 5 points."""
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for name in (ONE, TWO):
        cells = [exercise_cell(f"{name[:2]}-1-one", 2), exercise_cell(f"{name[:2]}-2-two", 3)]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        for place in ("exercises", "solutions"):
            (course / place / name).mkdir(parents=True, exist_ok=True)
            (course / place / name / f"{name}.ipynb").write_text(text)
    made = tmp_path / "submitted"
    for learner, text in {"ada": "right", "bo": "wrong", "chen": "refuse", "dee": "right"}.items():
        hand_in(made, learner, ONE, text)
    hand_in(made, "ada", TWO, "wrong")
    return made


def exercise_cell(name, points):
    mark = {
        "grade": True, "grade_id": name, "locked": True, "points": points, "schema_version": 3,
        "solution": False, "task": False,
    }  # fmt: skip
    return {
        "cell_type": "code", "execution_count": None, "id": name, "metadata": {"nbgrader": mark},
        "outputs": [], "source": f"# {name}",
    }  # fmt: skip


def read_class(folder):
    """A class's folder, with hand-ins unpacked beside it."""
    unpacked = folder.with_name(f"{folder.name}-unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir()
    return read_folder(folder, unpacked)


def hand_in(folder, learner, name, text):
    place = folder / learner / name
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.ipynb").write_text(text)
