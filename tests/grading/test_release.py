import json
import shutil

import pytest

from halab.course.paths import course_root
from halab.grading.release import build_exercises, stale_exercises

NAME = "06-failover-timeline"
NAMES = sorted(path.name for path in (course_root() / "solutions").iterdir() if path.is_dir())


def cells(folder, name):
    notebook = json.loads((course_root() / folder / name / f"{name}.ipynb").read_text())
    return [(cell, "".join(cell["source"])) for cell in notebook["cells"]]


@pytest.mark.grading
def test_exercises_are_what_solutions_give():
    assert stale_exercises() == []


@pytest.mark.grading
def test_building_twice_gives_the_same_files_and_an_edit_is_found(tmp_path, monkeypatch):
    root = tmp_path / "course-copy"
    for folder in ("cards", "course", "solutions"):
        shutil.copytree(course_root() / folder, root / folder)
    shutil.copy(course_root() / "nbgrader_config.py", root)
    monkeypatch.setenv("HALAB_COURSE", str(root))
    released = f"exercises/{NAME}/{NAME}.ipynb"
    assert build_exercises() == [f"exercises/{name}/{name}.ipynb" for name in NAMES]
    assert build_exercises() == []
    (root / released).write_text("edited by hand")
    (root / "exercises" / NAME / "left-over.txt").touch()
    assert stale_exercises() == [released, f"exercises/{NAME}/left-over.txt"]


@pytest.mark.parametrize("name", NAMES)
def test_the_release_holds_no_solution_no_hidden_test_and_no_hint(name):
    text = "\n".join(source for _, source in cells("exercises", name))
    assert "BEGIN" not in text
    assert "0x" not in text, "hidden tests' seeds are hexadecimal, and nothing else is"
    assert [path.name for path in (course_root() / "exercises" / name).iterdir()] == [f"{name}.ipynb"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["solutions", "exercises"])
def test_notebooks_carry_no_outputs_and_cells_are_named(folder, name):
    for cell, _ in cells(folder, name):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert len(cell["id"]) > 3
    names = [cell["id"] for cell, _ in cells(folder, name)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", NAMES)
def test_each_answer_cell_keeps_its_name_as_grade_id_and_each_check_its_task(name):
    for cell, _ in cells("solutions", name):
        mark = cell["metadata"].get("nbgrader")
        if mark:
            assert mark["grade_id"] == cell["id"]
        if mark and mark["grade"]:
            assert cell["id"].startswith(f"{name[:2]}-")


@pytest.mark.parametrize("name", NAMES)
def test_code_cells_are_short(name):
    lines = sorted(
        len(source.splitlines()) for cell, source in cells("exercises", name) if cell["cell_type"] == "code"
    )
    assert lines[len(lines) // 2] <= 4
    assert lines[-1] <= 15
