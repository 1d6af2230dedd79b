"""Right answers of kinds that nobody thought of first are not refused, over the sandbox's wire."""

from decimal import Decimal
from fractions import Fraction

import nbformat
import numpy as np
import pytest
from nbgrader import utils

from halab.course.catalogue import exercises
from halab.course.paths import course_root
from halab.grading.judge import Judge
from support.local_box import LocalBox

pytestmark = pytest.mark.grading


def numbers(kind):
    """The same number of another kind; None stays."""
    return lambda value: value if value is None else kind(value)


def rows_as_tuples(call):
    return {part: tuple(value) if isinstance(value, list) else value for part, value in call.items()}


UNUSUAL = {
    "01-essence": {
        "minimal_cuts": lambda cuts: {frozenset(cut) for cut in cuts},
        "single_points": sorted,
        "works": np.bool_,
        "spares_needed": float,
    },
    "02-availability-maths": {
        "downtime": Fraction,
        "series": Decimal,
        "parallel": np.float64,
        "copies_needed": numbers(float),
    },
    "03-architecture": {
        "validate": lambda found: [list(one) for one in found],
        "needed": float,
        "fewest": np.float64,
    },
    "04-writing": {"times": tuple, "interval": np.array, "sentence": list},
    "05-reading": {"needed": numbers(np.float64), "honest": np.array},
    "06-failover-timeline": {"outages": np.array, "counts": list, "retry": numbers(np.float64)},
    "07-rto-rpo": {"counts": list, "loss_window": Fraction},
    "08-safety": {"verify": set, "keep": np.array},
    "09-health-checks": {"detected": np.array, "manifest": lambda text: f"# mine\n---\n{text}...\n"},
    "10-drill": {"dates": tuple, "rpo": list, "report": rows_as_tuples},
    "11-operate-it": {"fires": np.array, "rule": lambda rule: rule | {"for": np.int64(rule["for"])}},
    "12-rag-service": {"ingest": rows_as_tuples},
}


@pytest.mark.parametrize("name", [exercise.slug for exercise in exercises()])
def test_a_right_answer_of_an_unusual_kind_is_right(name, monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "ada")
    source = nbformat.read(course_root() / "solutions" / name / f"{name}.ipynb", as_version=4)
    names = {}
    for cell in source.cells:
        given = utils.is_locked(cell) and not utils.is_grade(cell)
        if cell.cell_type == "code" and (utils.is_solution(cell) or given):
            exec(cell.source, names)

    def unusual(function, kind):
        return lambda *arguments: kind(function(*arguments))

    answers = names | {answer: unusual(names[answer], kind) for answer, kind in UNUSUAL[name].items()}
    box = LocalBox(answers)
    judge = Judge(source, box)
    tests = [cell for cell in source.cells if utils.is_grade(cell)]
    refused = {cell.id: error.text for cell in tests if (error := judge.verdict(cell, box.limit(60)))}
    assert refused == {}
