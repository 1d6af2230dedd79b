import json
import shutil

import pytest

from halab.course.build import build, differences
from halab.course.paths import course_root

NAME = "06-failover-timeline"


def cells(folder):
    notebook = json.loads((course_root() / folder / NAME / f"{NAME}.ipynb").read_text())
    return [(cell, "".join(cell["source"])) for cell in notebook["cells"]]


@pytest.mark.grading
def test_exercises_are_what_solutions_give():
    assert differences() == []


@pytest.mark.grading
def test_building_twice_gives_the_same_files_and_an_edit_is_found(tmp_path, monkeypatch):
    root = tmp_path / "course-copy"
    for folder in ("cards", "course", "solutions"):
        shutil.copytree(course_root() / folder, root / folder)
    shutil.copy(course_root() / "nbgrader_config.py", root)
    monkeypatch.setenv("HALAB_COURSE", str(root))
    released = f"exercises/{NAME}/{NAME}.ipynb"
    assert build() == [released]
    assert build() == []
    (root / released).write_text("edited by hand")
    (root / "exercises" / NAME / "left-over.txt").touch()
    assert differences() == [released, f"exercises/{NAME}/left-over.txt"]


def test_the_release_holds_no_solution_no_hidden_test_and_no_hint():
    text = "\n".join(source for _, source in cells("exercises"))
    assert "BEGIN" not in text
    assert "Random(seed)" not in text
    assert [path.name for path in (course_root() / "exercises" / NAME).iterdir()] == [f"{NAME}.ipynb"]


@pytest.mark.parametrize("folder", ["solutions", "exercises"])
def test_notebooks_carry_no_outputs_and_cells_are_named(folder):
    for cell, _ in cells(folder):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert len(cell["id"]) > 3
    names = [cell["id"] for cell, _ in cells(folder)]
    assert len(set(names)) == len(names)


def test_each_answer_cell_keeps_its_name_as_grade_id_and_each_check_its_task():
    for cell, _ in cells("solutions"):
        mark = cell["metadata"].get("nbgrader")
        if mark:
            assert mark["grade_id"] == cell["id"]
        if mark and mark["grade"]:
            assert cell["id"].startswith("06-")


def test_code_cells_are_short():
    lines = sorted(
        len(source.splitlines()) for cell, source in cells("exercises") if cell["cell_type"] == "code"
    )
    assert lines[len(lines) // 2] <= 4
    assert lines[-1] <= 15
