import copy
import json
import os
import threading

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from halab.course.catalogue import exercises
from halab.course.paths import course_root
from halab.errors import SubmissionError
from halab.grading.preparation import MAX_CELLS, prepare


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


@pytest.mark.parametrize("name", [exercise.slug for exercise in exercises()])
def test_no_exercise_has_a_test_cell_that_a_learner_could_replace(name, tmp_path):
    release = course_root() / "exercises" / name / f"{name}.ipynb"
    original = nbformat.read(release, as_version=4)
    changed = copy.deepcopy(original)
    for one in changed.cells:
        if one.metadata.get("nbgrader", {}).get("locked"):
            one.source = "checks = type('', (), {'__getattr__': lambda *_: print})()"
    nbformat.write(changed, tmp_path / "mine.ipynb")
    notebook, notes = prepare(tmp_path / "mine.ipynb", release)
    assert [one.source for one in notebook.cells] == [one.source for one in original.cells]
    assert len(notes) == sum(bool(one.metadata.get("nbgrader", {}).get("locked")) for one in original.cells)


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
    assert notebook.cells[1].source == "answer = 42"
    assert notes == ["The answer cell answer is gone; what your other cells define was graded."]


def test_a_test_cell_that_is_there_twice_is_told(files):
    def duplicate(notebook):
        twin = copy.deepcopy(notebook.cells[2])
        twin.id = "twin"
        notebook.cells.append(twin)

    notebook, notes = files(duplicate)
    assert names(notebook) == ["given", "answer", "check"]
    assert notes == ["The cell check is there 2 times; the last one counts."]


def test_of_two_answers_both_run_and_the_last_one_is_the_answer(files):
    def duplicate(notebook):
        twin = copy.deepcopy(notebook.cells[1])
        notebook.cells[1].source = "first = 1"
        twin.id, twin.source = "twin", "answer = 42"
        notebook.cells.insert(2, twin)

    notebook, notes = files(duplicate)
    assert names(notebook) == ["given", None, "answer", "check"]
    assert notebook.cells[2].source == "answer = 42"
    assert notes == ["The cell answer is there 2 times; the last one that was written in counts."]


@pytest.mark.parametrize("blank", ["first", "last"])
def test_of_two_copies_one_that_nobody_touched_never_beats_an_answer(files, blank):
    def duplicate(notebook):
        twin = copy.deepcopy(notebook.cells[1])
        twin.id, twin.source = "twin", "answer = 42"
        notebook.cells.insert(2 if blank == "first" else 1, twin)

    notebook, _ = files(duplicate)
    assert names(notebook) == ["given", "answer", "check"]
    assert notebook.cells[1].source == "answer = 42"


@pytest.mark.parametrize("order", [(2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_cells_that_changed_places_are_put_in_order_around_the_learner_s_own(files, order):
    def shuffle(notebook):
        notebook.cells = [notebook.cells[index] for index in order]
        notebook.cells.insert(1, new_code_cell("mine"))

    notebook, notes = files(shuffle)
    assert names(notebook) == ["given", None, "answer", "check"]
    assert notebook.cells[1].source == "mine"
    assert notes == ["Cells of the exercise had changed places; they are in order again."]


@pytest.mark.parametrize("make", [new_markdown_cell, new_raw_cell])
def test_a_cell_of_another_type_is_code_again(files, make):
    def change(notebook):
        for index in (1, 2):
            before = notebook.cells[index]
            notebook.cells[index] = make(before.source, id=before.id, metadata=before.metadata)

    notebook, notes = files(change)
    assert [one.cell_type for one in notebook.cells] == ["code"] * 3
    assert names(notebook) == ["given", "answer", "check"]
    assert notes == [
        f"The answer cell answer was of type {make('').cell_type}; it was run as code.",
        "The cell check was changed; the original was used.",
    ]


def test_outputs_and_metadata_are_not_taken_over(files):
    def decorate(notebook):
        notebook.cells[1].outputs = [new_output("stream", text="x" * 1000)]
        notebook.cells[1].execution_count = 7
        notebook.cells[1].metadata.update(tags=["hide"], deletable=True)
        notebook.cells.append(new_code_cell("", metadata={"tags": ["mine"]}))
        notebook.metadata.update(widgets={"state": {}})

    notebook, notes = files(decorate)
    assert "x" * 1000 not in nbformat.writes(notebook)
    assert "tags" not in nbformat.writes(notebook)
    assert notebook.metadata == {}
    assert notes == []


PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({}, ""),
        (PYTHON, ""),
        ({"kernelspec": {"name": "conda-x", "display_name": "x", "language": "python"}}, ""),
        ({"language_info": {"name": "python"}}, ""),
        ({"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}, "kernel R;"),
        ({"kernelspec": {"name": "ir", "display_name": "R"}}, "kernel R;"),
        ({"language_info": {"name": "julia"}}, "kernel julia;"),
    ],
)
def test_another_language_is_told(files, metadata, told):
    _, notes = files(lambda notebook: notebook.metadata.update(metadata))
    assert (len(notes) == 1 and told in notes[0]) if told else notes == []


def test_marks_that_the_exercise_does_not_know_are_dropped(files):
    def forge(notebook):
        notebook.cells.append(cell("bonus", "pass", grade=True))

    notebook, _ = files(forge)
    assert names(notebook) == ["given", "answer", "check", None]


def test_a_notebook_of_another_exercise_is_refused(files):
    def replace(notebook):
        notebook.cells = [new_code_cell("1 + 1")]

    with pytest.raises(SubmissionError, match=r"none of the cells of this exercise\.\n"):
        files(replace)


def test_a_notebook_of_another_exercise_is_refused_though_both_have_given_cells(files):
    def replace(notebook):
        notebook.cells[1:] = [cell("05-1-answer", "", solution=True), cell("05-1-check", "", grade=True)]

    with pytest.raises(SubmissionError, match="its cells are of exercise 05"):
        files(replace)


def test_a_notebook_with_too_many_cells_is_refused(files):
    def fill(notebook):
        notebook.cells += [new_code_cell("1") for _ in range(MAX_CELLS)]

    with pytest.raises(SubmissionError, match=f"a submission may have {MAX_CELLS}"):
        files(fill)


@pytest.mark.parametrize("content", ["{", "[]", "9" * 5000, '{"cells": 3}', "print('hello')", "\0"])
def test_what_is_no_notebook_is_refused_with_what_to_do(tmp_path, content):
    mine = tmp_path / "mine.ipynb"
    mine.write_text(content)
    os.utime(mine, (0, 0))
    with pytest.raises(SubmissionError, match="not a notebook") as caught:
        prepare(mine, mine)
    assert "new copy" in caught.value.hint
    assert "int_max_str_digits" not in caught.value.message


def test_of_an_empty_file_nobody_is_told_to_throw_it_away(tmp_path):
    mine = tmp_path / "mine.ipynb"
    mine.touch()
    os.utime(mine, (0, 0))
    with pytest.raises(SubmissionError, match=r"mine\.ipynb is empty") as caught:
        prepare(mine, mine)
    assert "save it" in caught.value.hint


def test_half_an_emoji_costs_nothing_but_itself(files, tmp_path):
    files(lambda notebook: notebook.cells[1].update(source="answer = 42  # HALF \N{WHITE SMILING FACE}"))
    mine = tmp_path / "mine.ipynb"
    mine.write_text(mine.read_text(encoding="utf-8").replace("HALF", r"\ud83d"), encoding="utf-8")
    notebook, notes = prepare(mine, tmp_path / "release.ipynb")
    assert notebook.cells[1].source == "answer = 42  # ? \N{WHITE SMILING FACE}"
    assert notes == []


@pytest.mark.parametrize("half", [0, 200])
def test_a_notebook_that_is_being_saved_is_awaited(files, tmp_path, half):
    files(lambda notebook: None)
    mine = tmp_path / "mine.ipynb"
    whole = mine.read_text()
    mine.write_text(whole[:half])
    saved = threading.Timer(0.3, mine.write_text, (whole,))
    saved.start()
    notebook, _ = prepare(mine, tmp_path / "release.ipynb")
    saved.join()
    assert len(notebook.cells) == 3


def test_a_missing_notebook_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(SubmissionError, match="There is no") as caught:
        prepare(tmp_path / "mine.ipynb", tmp_path / "release.ipynb")
    assert "halab lab" in caught.value.hint


def test_a_notebook_of_another_name_is_pointed_out(tmp_path):
    (tmp_path / "my work.ipynb").touch()
    with pytest.raises(SubmissionError, match=r"There is no mine.ipynb in .*, but my work.ipynb") as caught:
        prepare(tmp_path / "mine.ipynb", tmp_path / "release.ipynb")
    assert "rename it to mine.ipynb" in caught.value.hint


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.symlink_to(path.with_name("release.ipynb")), "is a link to another file"),
        (lambda path: path.symlink_to("/nowhere"), "is a link to another file"),
        (os.mkfifo, "There is no"),
        (lambda path: path.touch() or os.truncate(path, 101 << 20), "has 101 MiB"),
    ],
)
def test_what_is_no_file_of_its_own_is_not_opened(tmp_path, make, told):
    nbformat.write(new_notebook(), tmp_path / "release.ipynb")
    make(tmp_path / "mine.ipynb")
    with pytest.raises(SubmissionError, match=told) as caught:
        prepare(tmp_path / "mine.ipynb", tmp_path / "release.ipynb")
    assert caught.value.hint


def raw(files, tmp_path, change, encoding="utf-8"):
    """A notebook that answers, changed in its JSON, as tools write it."""
    files(lambda notebook: notebook.cells[1].update(source="answer = 42"))
    read = json.loads((tmp_path / "mine.ipynb").read_text())
    change(read)
    (tmp_path / "mine.ipynb").write_bytes(json.dumps(read).encode(encoding))
    notebook, _ = prepare(tmp_path / "mine.ipynb", tmp_path / "release.ipynb")
    return notebook


def set_all(name, value):
    return lambda read: [cell.__setitem__(name, value) for cell in read["cells"]]


SLIGHTLY_OFF = {
    "ids in format 4.4": lambda read: read.update(nbformat_minor=4),
    "no ids": lambda read: [cell.pop("id") for cell in read["cells"]],
    "ids that are odd": set_all("id", "ä b/c" * 40),
    "ids that are equal": set_all("id", "same"),
    "ids that are numbers": set_all("id", 7),
    "transient": set_all("outputs", [{"output_type": "display_data", "data": {}, "transient": {}}]),
    "a stream without a name": set_all("outputs", [{"output_type": "stream", "text": "x"}]),
    "outputs of no kind": set_all("outputs", [{"a": 1}] * 1000),
    "outputs that are no list": set_all("outputs", 7),
    "no execution count": lambda read: [cell.pop("execution_count") for cell in read["cells"]],
    "an execution count that is text": set_all("execution_count", "3"),
    "Markdown with outputs": lambda read: read["cells"].append(
        {"cell_type": "markdown", "metadata": {}, "source": "x", "outputs": [], "execution_count": None}
    ),
    "a heading of old": lambda read: read["cells"].append({"cell_type": "heading", "source": ["x"]}),
    "no kernel's display name": lambda read: read["metadata"].update(kernelspec={"name": "python3"}),
    "a kernel that is no dict": lambda read: read["metadata"].update(kernelspec=["python3"]),
    "language info without a name": lambda read: read["metadata"].update(language_info={"version": "3"}),
    "no metadata": lambda read: read.pop("metadata"),
    "metadata of a widget": lambda read: read["metadata"].update(widgets={"x": {"state": 1}}),
    "sources as lines": lambda read: [
        cell.update(source="".join(cell["source"]).splitlines(True)) for cell in read["cells"]
    ],
    "foreign keys": set_all("color", "red"),
    "attachments that are none": set_all("attachments", 3),
    "tags that are none": lambda read: [cell["metadata"].update(tags=3) for cell in read["cells"]],
    "format 3": lambda read: read.update(
        nbformat=3, nbformat_minor=0, worksheets=[{"cells": [
            {**cell, "input": cell["source"]} for cell in read.pop("cells")]}]
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", SLIGHTLY_OFF)
def test_what_tools_write_slightly_off_the_format_is_read(files, tmp_path, how):
    notebook = raw(files, tmp_path, SLIGHTLY_OFF[how])
    assert names(notebook)[:3] == ["given", "answer", "check"]
    assert notebook.cells[1].source == "answer = 42"
    nbformat.validate(notebook)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_byte_order_mark_and_utf_16_are_read(files, tmp_path, encoding):
    change = lambda read: None  # noqa: E731
    if encoding == "utf-16-le":
        with pytest.raises(SubmissionError):
            raw(files, tmp_path, change, encoding)
    else:
        assert raw(files, tmp_path, change, encoding).cells[1].source == "answer = 42"


def test_a_hundred_thousand_bad_outputs_are_not_looked_at(files, tmp_path):
    outputs = [{str(number): [number] * 3} for number in range(100_000)]
    assert raw(files, tmp_path, lambda read: read["cells"][1].update(outputs=outputs)).cells[1].outputs == []


@pytest.mark.parametrize(
    "change",
    [
        lambda read: read.update(cells={}),
        lambda read: read["cells"].append(7),
        lambda read: read["cells"].append({"cell_type": "code", "source": {"a": 1}}),
        lambda read: read["cells"].append({"cell_type": "code", "source": "x" * 33_000_000}),
    ],
)
def test_what_holds_no_cells_is_refused_in_words(files, tmp_path, change):
    with pytest.raises(SubmissionError, match="is not a notebook that can be read"):
        raw(files, tmp_path, change)
