"""Grades answers to an exercise through nbgrader: the solution, the release, and named wrong answers."""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from halab.course.paths import course_root
from halab.grading.grader import GradeReport, grade_notebook


def answered(name, cells):
    """The solution with some answer cells replaced, given as source by the cell's name."""
    notebook = nbformat.read(course_root() / "solutions" / name / f"{name}.ipynb", as_version=4)
    assert set(cells) <= {cell.id for cell in notebook.cells}
    for cell in notebook.cells:
        cell.source = cells.get(cell.id, cell.source)
    return notebook


def tasks(cells):
    """The tasks answers are about: "06-2-retry" is of task 06.2."""
    return {name[:4].replace("-", ".") for name in cells}


def packs(wrong):
    """Wrong answers put together, at most one a task, since tasks do not touch each other: fewer kernels."""
    packed = []
    for name, cells in wrong.items():
        for pack in packed:
            if not any(tasks(cells) & tasks(wrong[other]) for other in pack):
                pack.append(name)
                break
        else:
            packed.append([name])
    return packed


@dataclass(frozen=True)
class Graded:
    """Reports by the name of what was graded: "solution", "release" and whatever was handed in."""

    reports: Mapping[str, GradeReport]
    wrong: Mapping[str, Mapping[str, str]]

    def checks(self, name):
        """The checks of the tasks that a wrong answer is about."""
        return [check for check in self.reports[name].checks if check.task in tasks(self.wrong[name])]


@pytest.fixture(scope="module")
def grade_answers(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Graded]:
    """Grade an exercise's solution, its release and wrong answers (cells by name), as many at once as there
    are cores, in all workers: with more, honest answers run into their time limits. `others` are answers too,
    graded by themselves."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

    def graded(name, learner, wrong, others=None):
        folder = tmp_path_factory.mktemp("submissions")
        release = course_root() / "exercises" / name / f"{name}.ipynb"
        submissions = {"solution": answered(name, {}), "release": nbformat.read(release, as_version=4)}
        submissions |= {other: answered(name, cells) for other, cells in (others or {}).items()}
        packed = packs(wrong)
        for pack in packed:
            cells = {cell: source for one in pack for cell, source in wrong[one].items()}
            submissions[pack[0]] = answered(name, cells)

        def grade(item: tuple[str, nbformat.NotebookNode]) -> tuple[str, GradeReport]:
            what, notebook = item
            path = Path(folder / f"{what}.ipynb")
            path.write_text(json.dumps(notebook))
            return what, grade_notebook(path, name, learner)

        with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // workers)) as pool:
            reports = dict(pool.map(grade, submissions.items()))
        return Graded(reports | {one: reports[pack[0]] for pack in packed for one in pack}, wrong)

    return graded
