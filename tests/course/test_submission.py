import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from halab.course.submission import prepare
from halab.errors import SubmissionError


def cell(name, source, *, grade=False, solution=False):
    marks = {"grade": grade, "grade_id": name, "locked": not solution, "solution": solution}
    if grade:
        marks["points"] = 2
    return new_code_cell(source, id=name, metadata={"nbgrader": {"schema_version": 3} | marks})


@pytest.fixture
def files(tmp_path):
    """The exercise as handed out, and a function that saves a learner's notebook."""
    release = new_notebook(
        cells=[
            cell("given", "import random"),
            cell("answer", "raise NotImplementedError()", solution=True),
            cell("check", "assert answer", grade=True),
        ]
    )
    nbformat.write(release, tmp_path / "release.ipynb")

    def save(change):
        mine = copy.deepcopy(release)
        change(mine)
        nbformat.write(mine, tmp_path / "mine.ipynb")
        return prepare(tmp_path / "mine.ipynb", tmp_path / "release.ipynb")

    return save


def names(notebook):
    return [one.metadata.get("nbgrader", {}).get("grade_id") for one in notebook.cells]


def test_an_answer_is_left_as_it_is(files):
    def write(notebook):
        notebook.cells[1].source = "answer = 42"

    notebook, notes = files(write)
    assert notebook.cells[1].source == "answer = 42"
    assert notes == []


def test_a_changed_test_cell_gets_its_text_and_points_back_and_a_note(files):
    def tamper(notebook):
        notebook.cells[2].source = "pass"
        notebook.cells[2].metadata.nbgrader.update(points=100, grade=False)

    notebook, notes = files(tamper)
    assert notebook.cells[2].source == "assert answer"
    assert notebook.cells[2].metadata.nbgrader["points"] == 2
    assert notebook.cells[2].metadata.nbgrader["grade"]
    assert notes == ["The cell check was changed; the original was used."]


def test_deleted_test_cells_are_put_back_in_their_place(files):
    def delete(notebook):
        del notebook.cells[2], notebook.cells[0]

    notebook, notes = files(delete)
    assert names(notebook) == ["given", "answer", "check"]
    assert len(notes) == 2


def test_a_deleted_answer_cell_is_told_and_other_cells_count(files):
    def move(notebook):
        notebook.cells[1] = new_code_cell("answer = 42")

    notebook, notes = files(move)
    assert names(notebook) == ["given", None, "check"]
    assert notes == ["The answer cell answer is gone; what your other cells define was graded."]


def test_a_test_cell_that_is_there_twice_is_told(files):
    def duplicate(notebook):
        twin = copy.deepcopy(notebook.cells[2])
        twin.id = "twin"
        notebook.cells.append(twin)

    _, notes = files(duplicate)
    assert notes == ["The cell check is there 2 times; the last one counts."]


def test_marks_that_the_exercise_does_not_know_are_dropped(files):
    def forge(notebook):
        notebook.cells.append(cell("bonus", "pass", grade=True))

    notebook, _ = files(forge)
    assert names(notebook) == ["given", "answer", "check", None]


def test_a_notebook_of_another_exercise_is_refused(files):
    def replace(notebook):
        notebook.cells = [new_code_cell("1 + 1")]

    with pytest.raises(SubmissionError, match="none of the cells"):
        files(replace)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', "print('hello')", "\0"])
def test_what_is_no_notebook_is_refused_with_what_to_do(tmp_path, content):
    mine = tmp_path / "mine.ipynb"
    mine.write_text(content)
    with pytest.raises(SubmissionError, match="not a notebook") as caught:
        prepare(mine, mine)
    assert "new copy" in caught.value.hint


def test_a_missing_notebook_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(SubmissionError, match="There is no") as caught:
        prepare(tmp_path / "mine.ipynb", tmp_path / "release.ipynb")
    assert "halab lab" in caught.value.hint
