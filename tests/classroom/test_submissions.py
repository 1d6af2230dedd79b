import json
import os
import shutil
import zipfile

import pytest

from halab.classroom import submissions
from halab.classroom.hand_in import hand_in
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
def read(folder, tmp_path):
    def read():
        unpacked = tmp_path / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        return read_folder(folder, unpacked)

    return read


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


def test_both_layouts_are_read_in_order_of_learners(folder, put, read):
    put(f"bo/{NAME}.ipynb", f"ada/{NAME}/{NAME}.ipynb", f"ada/{NAME}/timestamp.txt", f"ada/{NAME}/data.csv")
    (folder / "ada" / NAME / "timestamp.txt").write_text("2026-11-20 10:00:00 UTC\n")
    (folder / "chen").mkdir()
    found = read()
    assert names(found) == [("ada", NAME), ("bo", NAME)]
    assert found.learners == ("ada", "bo", "chen")
    assert found.left_out == ()
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
        ("grades.xlsx", "grades.xlsx is neither a learner's folder"),
        (f"-rf/{NAME}.ipynb", "-rf cannot be a learner's id"),
        (f"a+b/{NAME}.ipynb", "a+b cannot be a learner's id"),
        (f"ada/{NAME}-Copy1.ipynb", f"ada/{NAME}-Copy1.ipynb is a copy"),
        (f"ada/{NAME} (1).ipynb", f"ada/{NAME} (1).ipynb is a copy"),
        (f"ada/{NAME}.ipynb", "is there a second time"),
    ],
)
def test_what_is_no_submission_is_told_and_the_rest_is_read(folder, put, stray, said, read):
    put(f"ada/{NAME}/{NAME}.ipynb", stray)
    found = read()
    assert names(found) == [("ada", NAME)]
    assert found.submissions[0].notebook.parent.name == NAME
    (entry,) = found.left_out
    assert said in entry.sentence


def test_names_with_a_dot_in_front_are_passed_over(folder, put, read):
    put(f"ada/{NAME}.ipynb", "ada/.ipynb_checkpoints/x.ipynb", ".git/config", ".DS_Store")
    assert read().left_out == ()


def test_a_stray_name_cannot_speak_to_the_terminal(folder, put, read):
    put(f"ada/{NAME}.ipynb", "ada/\x1b[31mred.txt")
    assert "\x1b" not in read().left_out[0].sentence


def test_a_folder_without_its_notebook_is_a_refusal_that_tells_what_is_there(folder, put, read):
    put(f"ada/{NAME}/mine.ipynb", f"ada/{NAME}/timestamp.txt")
    (one,) = read().submissions
    assert one.refusal == f"There is no {NAME}.ipynb in ada/{NAME}; it holds mine.ipynb."


def test_a_link_out_of_the_folder_is_not_followed(folder, put, tmp_path, read):
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{}")
    put(f"bo/{NAME}.ipynb")
    for place in ("ada", "chen"):
        (folder / place).mkdir()
    (folder / "ada" / f"{NAME}.ipynb").symlink_to(secret)
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / f"{NAME}.ipynb").write_text("{}")
    (folder / "chen" / NAME).symlink_to(tmp_path / NAME)
    refusals = {one.learner: one.refusal for one in read().submissions}
    assert refusals["bo"] == ""
    assert "is a link" in refusals["ada"]
    assert "is a link" in refusals["chen"]


def test_a_pipe_in_place_of_a_notebook_does_not_hold_anybody_up(folder, read):
    (folder / "ada").mkdir()
    os.mkfifo(folder / "ada" / f"{NAME}.ipynb")
    assert "There is no" in read().submissions[0].refusal


def test_a_notebook_beyond_all_measure_is_not_read(folder, put, monkeypatch, read):
    put(f"ada/{NAME}.ipynb")
    monkeypatch.setattr(submissions, "MAX_BYTES", 3)
    assert "MiB" in read().submissions[0].refusal


def test_a_learner_s_folder_that_cannot_be_read_costs_only_itself(folder, put, monkeypatch, read):
    put(f"ada/{NAME}.ipynb", f"bo/{NAME}.ipynb")
    look = submissions._visible_entries

    def closed(place):
        if place.name == "bo":
            raise PermissionError(13, "Permission denied")
        return look(place)

    monkeypatch.setattr(submissions, "_visible_entries", closed)
    found = read()
    assert names(found) == [("ada", NAME)]
    assert [entry.sentence for entry in found.left_out] == [
        "bo cannot be read (Permission denied); it was left out."
    ]


def test_a_folder_of_another_form_says_what_was_expected_and_found(folder, put, read):
    put(f"{NAME}/ada.ipynb", "readme.txt")
    with pytest.raises(CourseError) as caught:
        read()
    assert "FOLDER/<learner>/<assignment>/<assignment>.ipynb" in caught.value.message
    assert NAME in caught.value.message
    assert "readme.txt" in caught.value.message
    assert "nbgrader collect" in caught.value.hint


def test_the_course_folder_in_place_of_what_was_handed_in_gets_the_way_there(folder, put, read):
    put(f"submitted/ada/{NAME}/{NAME}.ipynb")
    with pytest.raises(CourseError) as caught:
        read()
    assert caught.value.hint == f"Did you mean {folder / 'submitted'}?"


def test_no_folder_is_told_by_name(folder):
    with pytest.raises(CourseError, match="There is no folder"):
        read_folder(folder / "nowhere", folder)
    (folder / "loop").symlink_to("loop")
    with pytest.raises(CourseError, match="There is no folder"):
        read_folder(folder / "loop", folder)


def test_plain_is_one_line_and_not_endless():
    assert one_line("a\nb\x1b[0m\u202ec") == "a b�[0m�c"
    assert len(one_line("x" * 1000)) == 300


ANSWER = "def retry(call, attempts):\n" + "    attempts = attempts - 1  # and so on\n" * 6


def notebook(answer):
    mark = {"grade_id": "06-1-answer", "solution": True}
    return json.dumps({"cells": [{"cell_type": "code", "metadata": {"nbgrader": mark}, "source": answer}]})


@pytest.fixture
def packed(folder, course, tmp_path, monkeypatch):
    """Have a learner write an answer and hand it in, as a file in the class's folder."""

    def pack(learner, where, answer="", name="", at="2026-11-28 15:00:00 UTC", assignment=NAME):
        work = tmp_path / "works" / learner
        shutil.rmtree(work, ignore_errors=True)
        copy = work / "exercises" / assignment / f"{assignment}.ipynb"
        copy.parent.mkdir(parents=True)
        copy.write_text(notebook(answer or learner))
        monkeypatch.setenv("HALAB_WORK", str(work))
        monkeypatch.setenv("HALAB_LEARNER", learner)
        monkeypatch.setattr("halab.classroom.hand_in.time.strftime", lambda form, when: at)
        file = hand_in(name).file
        (folder / where).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, folder / where)
        return work

    return pack


def test_hand_ins_work_folders_nbgrader_s_and_an_lms_folders_are_read_together(folder, put, packed, read):
    packed("王伟", "hand-in-王伟.zip", name="Wang Wei")
    packed("lovelace", "Ada Lovelace_12345_assignsubmission_file_/whatever (1).zip")
    put(f"Bo Diddley_77_assignsubmission_file_/{NAME}.ipynb")
    put(f"chen/work/exercises/{NAME}/{NAME}.ipynb", "chen/work/journals/06-x.jsonl")
    put(f"Anna Maria/exercises/{NAME}/{NAME}.ipynb", f"o'neil/{NAME}/{NAME}.ipynb")
    (folder / "students.csv").write_text("id;name\nbo;Bo Diddley\nzoe;Zoe\n", encoding="utf-8-sig")
    found = read()
    assert found.left_out == ()
    learners = ["Anna Maria", "bo", "chen", "lovelace", "o'neil", "王伟"]
    assert [learner for learner, _ in names(found)] == learners
    assert found.learners == (*learners[:5], "zoe", "王伟")
    assert found.names == {"bo": "Bo Diddley", "zoe": "Zoe", "lovelace": "Ada Lovelace", "王伟": "Wang Wei"}
    assert set(found.works) == {"王伟", "lovelace", "chen", "Anna Maria"}
    assert [one.refusal for one in found.submissions] == [""] * 6


def test_of_two_hand_ins_the_later_counts_and_the_other_is_a_row(packed, read):
    packed("ada", "hand-in-ada.zip", "later", at="2025-11-29 08:00:00 UTC")
    packed("ada", "hand-in-ada (1).zip", "earlier", at="2025-11-28 15:00:00 UTC")
    found = read()
    assert found.submissions[0].notebook.read_text() == notebook("later")
    assert [entry.sentence for entry in found.left_out] == [
        "hand-in-ada (1).zip is ada's too; hand-in-ada.zip, of 2025-11-29 08:00:00 UTC, counts; "
        "it was left out."
    ]


@pytest.mark.parametrize("where", ["ada/hand-in.zip", "Ada L_1_assignsubmission_file_/x.zip", "first.zip"])
def test_a_hand_in_with_another_s_id_takes_nothing_away(folder, packed, read, where):
    (folder / "students.csv").write_text("id,name\nada,Ada L\n")
    packed("ada", where, "hers", "Ada L", at="2025-11-28 15:00:00 UTC")
    # The thief's clock is years ahead, or, where her folder says which is hers, a day later.
    at = "9999-12-31 23:59:59 UTC" if where == "first.zip" else "2025-11-29 15:00:00 UTC"
    packed("ada", "thief.zip", "blank", "Ann", at=at)
    found = read()
    assert [one.notebook.read_text() for one in found.submissions] == [notebook("hers")]
    assert "thief.zip is of ada too, under another name" in " ".join(found.submissions[0].notes)
    assert found.names == {"ada": "Ada L"}


def test_of_two_people_with_one_id_in_an_lms_neither_counts_until_the_list_says_which(folder, packed, read):
    packed("ada", "Ada L_1_assignsubmission_file_/a.zip", "hers", at="2025-11-28 15:00:00 UTC")
    packed("ada", "Mal Lory_2_assignsubmission_file_/m.zip", "blank", at="2025-11-28 15:00:01 UTC")
    packed("bo", "bo.zip")
    found = read()
    assert names(found) == [("bo", NAME)]
    assert all("put ada and the right name into students.csv" in left.reason for left in found.left_out)
    (folder / "students.csv").write_text("id,name\nada,Ada L\nbo,\n")
    assert names(read()) == [("ada", NAME), ("bo", NAME)]


def test_what_only_an_earlier_hand_in_has_counts_from_there(packed, read):
    packed("ada", "early.zip", "early", at="2025-11-28 15:00:00 UTC")
    packed("ada", "late.zip", "late", at="2025-11-29 15:00:00 UTC", assignment="07-rto-rpo")
    found = read()
    texts = {one.assignment: one.notebook.read_text() for one in found.submissions}
    assert texts == {NAME: notebook("early"), "07-rto-rpo": notebook("late")}
    assert "It is of early.zip" in " ".join(found.submissions[0].notes)


def test_a_hostile_zip_is_a_row_and_costs_only_itself(folder, packed, read):
    packed("ada", "hand-in-ada.zip")
    with zipfile.ZipFile(folder / "bad.zip", "w") as archive:
        archive.writestr("../../evil", "x")
    found = read()
    assert names(found) == [("ada", NAME)]
    assert [(entry.where, entry.reason) for entry in found.left_out] == [
        ("bad.zip", "holds ../../evil, which no hand-in has")
    ]


def test_an_lms_folder_whose_learner_nobody_knows_is_a_row(put, read):
    put(f"ada/{NAME}.ipynb", f"Bo_7_assignsubmission_file_/{NAME}.ipynb")
    (entry,) = read().left_out
    assert "do not say whose they are; put Bo into students.csv" in entry.reason


def test_what_was_copied_is_told_of_both(put, folder, packed, read):
    packed("ada", "hand-in-ada.zip", ANSWER)
    packed("bo", "hand-in-bo.zip", ANSWER)
    packed("chen", "hand-in-chen.zip", ANSWER + "\n")
    put(f"dee/{NAME}.ipynb", f"eve/{NAME}.ipynb")  # no answers in them
    found = read()
    notes = {one.learner: " ".join(one.notes) for one in found.submissions}
    groups = [
        (one.learners, one.answers) for one in found.alike
    ]  # each once, and no answers of the same file
    assert groups == [(("ada", "bo"), ()), (("ada", "bo", "chen"), ("06-1-answer",))]
    assert notes["ada"].startswith("The same file, byte for byte: bo. ")
    assert notes["chen"] == "Letter for letter the same answer 06-1-answer: ada, bo."
    assert (notes["dee"], notes["eve"]) == ("", "")


def test_exercises_as_they_were_handed_out_are_no_copies_of_each_other(course, packed, read):
    (course / "exercises" / NAME / f"{NAME}.ipynb").write_text(notebook("pass"))
    packed("ada", "hand-in-ada.zip", "pass")
    packed("bo", "hand-in-bo.zip", "pass")
    assert [one.notes for one in read().submissions] == [(), ()]


def test_a_folder_named_for_the_wrong_person_is_told(folder, put, packed, read):
    work = packed("ada", "x.zip")
    (folder / "x.zip").unlink()
    shutil.copytree(work, folder / "bo")
    put("bo/.halab/predictions.jsonl")
    (folder / "bo" / ".halab" / "predictions.jsonl").write_text('{"learner": "ada"}\nno json\n')
    (note,) = read().submissions[0].notes
    assert note.startswith("The work folder was used by ada, and is handed in as bo's")


def test_a_hand_in_in_another_s_folder_is_its_own_learner_s_and_told(packed, read):
    packed("ada", "bo/hand-in-ada.zip")
    found = read()
    assert names(found) == [("ada", NAME)]
    assert found.submissions[0].notes == ("It lies in the folder of bo, and says that it is ada's.",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name\nAda\n", "should have a column id"),
        (b"id,name\na/b,Ada\n", "line 2"),
        (b"id,name,ID\n7,Ada,ada\n", "the column id more than once: columns 1, 3"),
        (b"id,name,Name\nada,Ada,Bo\n", "the column name more than once: columns 2, 3"),
        (b"id\nada\nada\n", "line 3: ada is there a second time"),
        (b"id,name\rada\rada\r", "line 3: ada is there a second time"),
        (b"id,name\nada," + b"x" * 200_000, "line 2: this is no table"),
        ("id,name\nada,王伟\n".encode("gbk"), "is not in UTF-8"),
    ],
)
def test_a_list_that_is_none_is_told(folder, put, read, content, said):
    put(f"ada/{NAME}.ipynb")
    (folder / "students.csv").write_bytes(content)
    with pytest.raises(CourseError, match=said):
        read()


def test_an_id_that_the_list_has_in_another_form_is_told(folder, put, read):
    put(f"Ada/{NAME}.ipynb")
    (folder / "students.csv").write_text("id,first_name,last_name\nada,Ada,Lovelace\n")
    found = read()
    assert found.remarks == (
        "Ada is not in students.csv. Did you mean ada? The id decides an exercise's numbers.",
    )
    assert found.label("ada") == "Ada Lovelace (ada)"
