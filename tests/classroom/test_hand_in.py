"""The file that a learner hands in, and what is refused of one that somebody else made."""

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from halab.classroom import hand_in as module
from halab.classroom.hand_in import hand_in, unpack
from halab.errors import CourseError
from halab.translation import speaking

NAME = "06-failover-timeline"
NOTEBOOK = f"exercises/{NAME}/{NAME}.ipynb"


@pytest.fixture
def work(course, monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "王伟")
    monkeypatch.delenv("HALAB_CLASS", raising=False)
    monkeypatch.delenv("HALAB_NAME", raising=False)
    made = course / "work"
    for path in (
        NOTEBOOK,
        "journals/06-crash.jsonl",
        ".halab/predictions.jsonl",
        "course/x.ipynb",
        "keys.pem",
    ):
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(path)
    return made


def test_what_was_handed_in_is_a_work_folder_again(work, tmp_path):
    made = hand_in("Wang Wei")
    assert made.file == work / "hand-in" / "hand-in-王伟.zip"
    assert (made.exercises, made.journals, made.shared) == (1, 1, None)
    read = unpack(made.file, tmp_path / "there")
    assert (read.learner, read.name) == ("王伟", "Wang Wei")
    found = {path.relative_to(read.work).as_posix() for path in read.work.rglob("*") if path.is_file()}
    assert found == {NOTEBOOK, "journals/06-crash.jsonl", ".halab/predictions.jsonl"}
    assert all((read.work / path).read_text() == path for path in found)


def test_the_same_work_at_the_same_second_makes_the_same_file(work, monkeypatch):
    monkeypatch.setattr(module.time, "strftime", lambda form, when: "2026-11-28 15:00:00 UTC")
    first = hand_in().file.read_bytes()
    os.utime(work / NOTEBOOK, (1, 1))
    assert hand_in().file.read_bytes() == first


def test_a_seat_of_a_class_leaves_a_copy_there(work, tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_CLASS", str(tmp_path / "class"))
    made = hand_in()
    assert made.shared == tmp_path / "class" / "hand-ins" / "hand-in-王伟.zip"
    assert made.shared.read_bytes() == made.file.read_bytes()
    assert "The class has its copy." in made.sentence()
    with speaking("zh"):
        assert "王伟" in made.sentence()


def test_who_measured_before_their_id_was_set_is_told_when_they_hand_in(work):
    (work / "journals" / "06-crash.jsonl").write_text('{"learner":"learner-1a2b3c4d"}\n{"hash":"0"}\n')
    said = hand_in().sentence()
    assert "Measured by learner-1a2b3c4d, not by 王伟: 06-crash.jsonl." in said
    assert "tell your instructor" in said


@pytest.mark.parametrize(("said", "read"), [("xx", "en"), ("", "en"), ("EN", "en"), ("zh_CN", "zh")])
def test_a_language_that_the_course_does_not_speak_is_english(work, tmp_path, monkeypatch, said, read):
    monkeypatch.setattr(module, "language", lambda: said)
    assert unpack(hand_in().file, tmp_path / "there").language == read


def test_without_an_exercise_there_is_nothing_to_hand_in(work):
    (work / NOTEBOOK).unlink()
    with pytest.raises(CourseError, match="no exercise"):
        hand_in()


def test_more_than_a_hand_in_holds_is_told(work, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE", 3)
    with pytest.raises(CourseError, match="cannot be handed in") as caught:
        hand_in()
    assert "Clear Outputs" in caught.value.hint or "predictions" in caught.value.message


def altered(file, change):
    """The same zip with other entries: `change` gets and returns a list of (ZipInfo, content)."""
    with zipfile.ZipFile(file) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(file, "w") as archive:
        for entry, content in change(entries):
            archive.writestr(entry, content)


def named(name, mode=stat.S_IFREG | 0o644):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (named("../../evil"), "which no hand-in has"),
        (named("/etc/passwd"), "which no hand-in has"),
        (named("exercises/../../x/x.ipynb"), "which no hand-in has"),
        (named("journals/06-\x1b[31m/x.jsonl"), "which no hand-in has"),
        (named("journals/06-link.jsonl", stat.S_IFLNK | 0o777), "a link"),
        (named("journals/06-added.jsonl"), "was altered"),
        (named(NOTEBOOK), "two files of one name"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_anything_else_in_it_is_refused_and_nothing_leaves_its_folder(work, tmp_path, entry, said):
    file = hand_in().file
    altered(file, lambda entries: [*entries, (entry, b"/etc/passwd")])
    with pytest.raises(CourseError, match=said) as caught:
        unpack(file, tmp_path / "a" / "b" / "c")
    assert "\x1b" not in caught.value.message
    assert not (tmp_path / "a" / "evil").exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]


def by_macos(entries):
    """In a folder, with what Finder adds."""
    more = ["hand-in/", "hand-in/.DS_Store", "__MACOSX/hand-in/._hand-in.json"]
    return [(named(f"hand-in/{e.filename}"), c) for e, c in entries] + [(named(name), b"") for name in more]


def by_windows(entries):
    return [(named(e.filename.replace("/", "\\")), c) for e, c in entries]


def by_an_editor(entries):
    return [(e, b"\xef\xbb\xbf" + c if e.filename == "hand-in.json" else c) for e, c in entries]


@pytest.mark.parametrize("packed", [by_macos, by_windows, by_an_editor])
def test_what_another_program_packed_anew_is_the_same_work(work, tmp_path, packed):
    file = hand_in().file
    altered(file, packed)
    read = unpack(file, tmp_path / "there")
    assert (read.work / NOTEBOOK).read_text() == NOTEBOOK


def test_an_altered_notebook_or_one_that_was_taken_out_is_told(work, tmp_path):
    file = hand_in().file
    altered(file, lambda entries: [(entry, content + b" ") for entry, content in entries])
    with pytest.raises(CourseError, match="was altered"):
        unpack(file, tmp_path / "1")
    file = hand_in().file
    altered(file, lambda entries: [one for one in entries if one[0].filename != NOTEBOOK])
    with pytest.raises(CourseError, match="is missing"):
        unpack(file, tmp_path / "2")


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILE", 5), ("MAX_ALL", 5), ("MAX_FILES", 1)])
def test_a_bomb_is_refused_before_it_is_unpacked(work, tmp_path, monkeypatch, limit, value):
    file = hand_in().file
    monkeypatch.setattr(module, limit, value)
    with pytest.raises(CourseError, match=r"MiB|more than"):
        unpack(file, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_size_that_lies_is_found_out(work, tmp_path):
    """The header says a few bytes, and the content unpacks to a hundred million."""
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hand-in.json", b"0" * 100_000_000)
        archive.infolist()[0].file_size = 20
    with pytest.raises(CourseError, match=r"damaged|cannot read"):
        unpack(file, tmp_path / "there")


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 10, b"PK\5\6" + b"\0" * 18])
def test_what_is_no_zip_is_told(tmp_path, content):
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    with pytest.raises(CourseError, match=r"x\.zip (is no zip|has no hand-in)"):
        unpack(file, tmp_path / "there")


def test_a_pipe_or_a_link_in_place_of_a_zip_holds_nobody_up(work, tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "link.zip").symlink_to(hand_in().file)
    for name in ("pipe.zip", "link.zip"):
        with pytest.raises(CourseError, match=r"is no plain file|cannot be read"):
            unpack(tmp_path / name, tmp_path / "there")


@pytest.mark.parametrize(
    "change", [{"learner": "../x"}, {"version": 2}, {"name": "\x1b[31m"}, {"time": "soon"}, {"files": 3}]
)
def test_a_manifest_that_is_none_is_told(work, tmp_path, change):
    file = hand_in().file

    def changed(entries):
        said = json.loads({entry.filename: content for entry, content in entries}["hand-in.json"])
        return [
            (entry, json.dumps(said | change) if entry.filename == "hand-in.json" else content)
            for entry, content in entries
        ]

    altered(file, changed)
    with pytest.raises(CourseError, match=r"hand-in-王伟\.zip (has|is of)"):
        unpack(file, Path(tmp_path / "there"))
