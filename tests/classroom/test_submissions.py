import os

import pytest

from halab.classroom import submissions
from halab.classroom.submissions import read_folder
from halab.errors import CourseError
from halab.grading.preparation import one_line

NAME = "06-failover-timeline"


@pytest.fixture
def folder(course, tmp_path):
    made = tmp_path / "submitted"
    made.mkdir()
    return made


@pytest.fixture
def put(folder):
    """Write files below the class's folder, each with its own path as content."""

    def write(*paths):
        for path in paths:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(path)

    return write


def names(found):
    return [(one.learner, one.assignment) for one in found.submissions]


def test_both_layouts_are_read_in_order_of_learners(folder, put):
    put(f"bo/{NAME}.ipynb", f"ada/{NAME}/{NAME}.ipynb", f"ada/{NAME}/timestamp.txt", f"ada/{NAME}/data.csv")
    (folder / "ada" / NAME / "timestamp.txt").write_text("2026-11-20 10:00:00 UTC\n")
    (folder / "chen").mkdir()
    found = read_folder(folder)
    assert names(found) == [("ada", NAME), ("bo", NAME)]
    assert found.learners == ("ada", "bo", "chen")
    assert found.problems == ()
    assert [one.time for one in found.submissions] == ["2026-11-20 10:00:00 UTC", ""]
    assert [one.notebook.read_text() for one in found.submissions] == [
        f"ada/{NAME}/{NAME}.ipynb",
        f"bo/{NAME}.ipynb",
    ]


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        ("ada/99-juggling/99-juggling.ipynb", "ada/99-juggling is no exercise of this course"),
        ("ada/Untitled.ipynb", "ada/Untitled.ipynb is no exercise"),
        ("ada/notes.txt", "ada/notes.txt is no submission"),
        ("grades.xlsx", "grades.xlsx is not a learner's folder"),
        (f"-rf/{NAME}.ipynb", "-rf cannot be a learner's id"),
        (f"what a name/{NAME}.ipynb", "what a name cannot be a learner's id"),
        (f"ada/{NAME}.ipynb", "is there a second time"),
    ],
)
def test_what_is_no_submission_is_told_and_the_rest_is_read(folder, put, stray, said):
    put(f"ada/{NAME}/{NAME}.ipynb", stray)
    found = read_folder(folder)
    assert names(found) == [("ada", NAME)]
    assert found.submissions[0].notebook.parent.name == NAME
    (problem,) = found.problems
    assert said in problem


def test_names_with_a_dot_in_front_are_passed_over(folder, put):
    put(f"ada/{NAME}.ipynb", "ada/.ipynb_checkpoints/x.ipynb", ".git/config", ".DS_Store")
    assert read_folder(folder).problems == ()


def test_a_stray_name_cannot_speak_to_the_terminal(folder, put):
    put(f"ada/{NAME}.ipynb", "ada/\x1b[31mred.txt")
    assert "\x1b" not in read_folder(folder).problems[0]


def test_a_folder_without_its_notebook_is_a_refusal_that_tells_what_is_there(folder, put):
    put(f"ada/{NAME}/mine.ipynb", f"ada/{NAME}/timestamp.txt")
    (one,) = read_folder(folder).submissions
    assert one.refusal == f"There is no {NAME}.ipynb in ada/{NAME}; it holds mine.ipynb."


def test_a_link_out_of_the_folder_is_not_followed(folder, put, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{}")
    put(f"bo/{NAME}.ipynb")
    for place in ("ada", "chen"):
        (folder / place).mkdir()
    (folder / "ada" / f"{NAME}.ipynb").symlink_to(secret)
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / f"{NAME}.ipynb").write_text("{}")
    (folder / "chen" / NAME).symlink_to(tmp_path / NAME)
    refusals = {one.learner: one.refusal for one in read_folder(folder).submissions}
    assert refusals["bo"] == ""
    assert "is a link" in refusals["ada"]
    assert "is a link" in refusals["chen"]


def test_a_pipe_in_place_of_a_notebook_does_not_hold_anybody_up(folder):
    (folder / "ada").mkdir()
    os.mkfifo(folder / "ada" / f"{NAME}.ipynb")
    assert "There is no" in read_folder(folder).submissions[0].refusal


def test_a_notebook_beyond_all_measure_is_not_read(folder, put, monkeypatch):
    put(f"ada/{NAME}.ipynb")
    monkeypatch.setattr(submissions, "MAX_BYTES", 3)
    assert "MiB" in read_folder(folder).submissions[0].refusal


def test_a_learner_s_folder_that_cannot_be_read_costs_only_itself(folder, put, monkeypatch):
    put(f"ada/{NAME}.ipynb", f"bo/{NAME}.ipynb")
    look = submissions._visible_entries

    def closed(place):
        if place.name == "bo":
            raise PermissionError(13, "Permission denied")
        return look(place)

    monkeypatch.setattr(submissions, "_visible_entries", closed)
    found = read_folder(folder)
    assert names(found) == [("ada", NAME)]
    assert found.problems == ("bo cannot be read (Permission denied); the folder was left out.",)


def test_a_folder_of_another_form_says_what_was_expected_and_found(folder, put):
    put(f"{NAME}/ada.ipynb", "readme.txt")
    with pytest.raises(CourseError) as caught:
        read_folder(folder)
    assert "FOLDER/<learner>/<assignment>/<assignment>.ipynb" in caught.value.message
    assert NAME in caught.value.message
    assert "readme.txt" in caught.value.message
    assert "nbgrader collect" in caught.value.hint


def test_the_course_folder_in_place_of_what_was_handed_in_gets_the_way_there(folder, put):
    put(f"submitted/ada/{NAME}/{NAME}.ipynb")
    with pytest.raises(CourseError) as caught:
        read_folder(folder)
    assert caught.value.hint == f"Did you mean {folder / 'submitted'}?"


def test_no_folder_is_told_by_name(folder):
    with pytest.raises(CourseError, match="There is no folder"):
        read_folder(folder / "nowhere")


def test_plain_is_one_line_and_not_endless():
    assert one_line("a\nb\x1b[0m\u202ec") == "a b�[0m�c"
    assert len(one_line("x" * 1000)) == 300
