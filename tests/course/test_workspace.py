import json
import re
from pathlib import Path, PurePosixPath

import pytest

from halab.course.paths import course_root
from halab.course.workspace import make_workspace, open_copy, outdated_copies

LESSON = "course/06-failover-timeline.ipynb"
EXERCISE = "exercises/06-failover-timeline/06-failover-timeline.ipynb"


def test_a_lesson_is_copied_when_it_is_first_opened(course):
    copy = open_copy(LESSON)
    assert copy == course / "work" / LESSON
    assert copy.read_bytes() == (course / LESSON).read_bytes()


def test_an_exercise_comes_with_the_files_beside_it(course):
    open_copy(EXERCISE)
    assert (course / "work" / "exercises" / "06-failover-timeline" / "data.jsonl").is_file()


def test_what_a_learner_wrote_is_never_overwritten(course):
    open_copy(EXERCISE).write_text("mine")
    (course / EXERCISE).write_text("a newer version")
    make_workspace()
    assert open_copy(EXERCISE).read_text() == "mine"


def test_a_file_the_learner_deleted_beside_an_exercise_stays_away_while_the_notebook_is_there(course):
    open_copy(EXERCISE)
    beside = course / "work" / "exercises" / "06-failover-timeline" / "data.jsonl"
    beside.unlink()
    open_copy(EXERCISE)
    assert not beside.exists()


def test_a_copy_older_than_its_original_is_told_in_words(course):
    open_copy(LESSON)
    assert outdated_copies() == []
    (course / LESSON).write_text("a newer version")
    (sentence,) = outdated_copies()
    assert LESSON in sentence
    assert "rename" in sentence


def test_a_renamed_copy_makes_room_for_a_new_one(course):
    open_copy(LESSON).rename(course / "work" / "course" / "old.ipynb")
    (course / LESSON).write_text("a newer version")
    assert open_copy(LESSON).read_text() == "a newer version"
    assert outdated_copies() == []


@pytest.mark.parametrize(
    "path",
    [
        "solutions/06-failover-timeline/06-failover-timeline.ipynb",
        "course/../solutions/06-failover-timeline/06-failover-timeline.ipynb",
        "exercises/../../halab-course/solutions/06-failover-timeline/06-failover-timeline.ipynb",
        "course/99-absent.ipynb",
        "cards",
        "",
    ],
)
def test_nothing_else_can_be_opened(course, path):
    assert open_copy(path) is None
    assert not list((course / "work").rglob("*.ipynb"))


NOTEBOOKS = sorted(path.relative_to(course_root()) for path in course_root().glob("course/*.ipynb"))
NOTEBOOKS += sorted(path.relative_to(course_root()) for path in course_root().glob("exercises/*/*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_link_of_a_notebook_leads_to_a_file_in_the_learner_s_folder(tmp_path, monkeypatch, notebook):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path / "elsewhere"))
    cells = json.loads((course_root() / notebook).read_text())["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\((?!https?:|#|attachment:)([^)#\s]+)", prose)
    for link in links:
        target = Path(tmp_path / notebook.parent / link).resolve().relative_to(tmp_path.resolve())
        assert open_copy(PurePosixPath(target).as_posix()), link
