"""An instructor's way: the stock nbgrader commands on a copy of the course's folders."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig

import nbformat
import pytest
from nbgrader.api import Gradebook

from halab.course.paths import course_root

pytestmark = pytest.mark.grading

NAME = "06-failover-timeline"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A class of two: ada hands in the solution, bo one whose retries send unsafe inserts again."""
    root = tmp_path_factory.mktemp("class")
    shutil.copytree(course_root() / "solutions", root / "solutions")
    shutil.copy(course_root() / "nbgrader_config.py", root)
    nbgrader(root, "generate_assignment", NAME)
    for learner in ("ada", "bo"):
        place = root / ".nbgrader" / "submitted" / learner / NAME
        place.mkdir(parents=True)
        notebook = nbformat.read(root / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
        retry = next(cell for cell in notebook.cells if cell.id == "06-2-retry")
        if learner == "bo":
            retry.source = retry.source.replace('operation == "insert"', "False")
        nbformat.write(notebook, place / f"{NAME}.ipynb")
    nbgrader(root, "autograde", NAME)
    nbgrader(root, "generate_feedback", NAME)
    return root


def nbgrader(root, *arguments):
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def scores(root):
    with Gradebook(f"sqlite:///{root / '.nbgrader' / 'gradebook.db'}", "halab") as gradebook:
        return {learner: gradebook.find_submission(NAME, learner).score for learner in ("ada", "bo")}


def test_generate_assignment_gives_the_committed_exercise(folder):
    made = (folder / "exercises" / NAME / f"{NAME}.ipynb").read_bytes()
    assert made == (course_root() / "exercises" / NAME / f"{NAME}.ipynb").read_bytes()


def test_autograde_gives_each_learner_what_their_own_numbers_deserve(folder):
    assert scores(folder) == {"ada": 20, "bo": 18}


def test_feedback_shows_the_behaviour_and_no_hidden_test(folder):
    page = (folder / ".nbgrader" / "feedback" / "bo" / NAME / f"{NAME}.html").read_text()
    text = re.sub(r"<[^>]*>", "", page)
    assert "the row could be there twice" in text
    assert "checks.check_load(retry, mine.scenario)" in text  # the visible part of a test cell
    assert "HIDDEN TESTS" not in text
    assert "for seed in" not in text


def test_autograded_copies_stay_with_the_instructor(folder):
    graded = folder / ".nbgrader" / "autograded" / "bo" / NAME / f"{NAME}.ipynb"
    assert "HIDDEN TESTS" in graded.read_text()
    assert "for seed in" in graded.read_text()
