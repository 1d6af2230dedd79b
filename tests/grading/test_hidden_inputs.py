"""What hidden tests ask with does not leave through what a learner's later cells print or raise."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from halab.grading.nbgrader_plugins import GradeInSandbox, sandbox

pytestmark = pytest.mark.grading

HIDDEN = 4711
ANSWER = "seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x\nprint('defined')"


def marked(source, name, *, solution):
    mark = {"grade_id": name, "schema_version": 3, "solution": solution}
    mark |= {"grade": not solution, "locked": not solution}
    return new_code_cell(source, metadata={"nbgrader": mark | ({} if solution else {"points": 1})})


@pytest.fixture
def graded(tmp_path):
    """The cells of a notebook, by number, when it was graded in a small course."""
    yield lambda *cells: grade(tmp_path, [marked(ANSWER, "answer", solution=True), *cells])
    sandbox().close()


def grade(folder, cells):
    notebook = new_notebook(cells=cells)
    (folder / "solutions" / "hw").mkdir(parents=True)
    nbformat.write(notebook, folder / "solutions" / "hw" / "hw.ipynb")
    config = Config({"CourseDirectory": {"root": str(folder), "source_directory": "solutions"}})
    names = {"student": "ada", "assignment": "hw", "notebook": "hw"}
    nb, _ = GradeInSandbox(config=config).preprocess(notebook, {"nbgrader": names})
    return nb.cells


def test_later_cells_show_what_they_leave_where_no_test_ever_was(graded):
    answer, first, shown, raised, second = graded(
        marked(f"assert double({HIDDEN}) == {2 * HIDDEN}", "first", solution=False),
        new_code_cell("print(seen)"),
        marked(
            "if seen is not None:\n    raise ValueError(f'saw {seen}')\nlater = 1", "later", solution=True
        ),
        marked("assert later == 1", "second", solution=False),
    )
    assert str(HIDDEN) not in json.dumps([cell.outputs for cell in (answer, shown, raised, second)])
    assert first.outputs == []
    assert (answer.outputs[0].text, shown.outputs[0].text) == ("defined\n", "[]\n")
    assert [cell.outputs[0].evalue for cell in (raised, second)] == ["saw []", "saw []"]


def test_an_answer_that_stops_at_a_hidden_case_is_sent_to_the_edges_and_not_told_the_case(graded):
    *_, test = graded(
        marked("def half(x):\n    return 1.0 / (x - 4711)", "half", solution=True),
        marked(f"assert half({HIDDEN}) == 0", "third", solution=False),
    )
    said = test.outputs[0].evalue
    assert said.startswith("float division by zero. If the check passed in your notebook, look at the ends")
    assert str(HIDDEN) not in said


def test_a_name_has_in_a_test_the_meaning_of_its_place(graded):
    """A later cell that gives a name to something else takes nothing from the tests before it."""
    *_, first, later, second = graded(
        marked("assert double(2) == 4", "first", solution=False),
        new_code_cell("def double(x):\n    return str(x)\nprint(double(1))"),
        marked("assert double(2) == '2'", "second", solution=False),
    )
    assert (first.outputs, later.outputs[0].text, second.outputs) == ([], "1\n", [])
