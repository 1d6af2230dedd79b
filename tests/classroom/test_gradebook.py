import csv
from pathlib import Path

import pytest

from halab.classroom.class_grading import ClassReport, Result
from halab.classroom.gradebook import _one_transaction, publish
from halab.classroom.submissions import ClassSubmissions, LeftOut, Submission
from halab.grading.grader import Check

ONE, TWO = "06-failover-timeline", "07-rto-rpo"


def check(number, points, out_of):
    behaviour = "" if points == out_of else "=It holds."
    return Check(f"06-{number}-x", f"06.{number}", "X", points, out_of, behaviour)


REPORT = ClassReport(
    ClassSubmissions(
        Path("/class"),
        ("ada", "bo", "chen", "dee"),
        tuple(
            Submission(learner, name, Path("x.ipynb"), time)
            for learner, name, time in (
                ("ada", ONE, "2026-11-20 10:00:00 UTC"),
                ("ada", TWO, ""),
                ("bo", ONE, "-2+3"),
                ("chen", ONE, ""),
            )
        ),
        (LeftOut("=junk.exe", "is neither"),),
        {"ada": "Ada Lovelace", "dee": "王伟"},
    ),
    (
        Result("ada", ONE, "graded", 4, "", (check(1, 2, 2), check(2, 0.5, 2)), ("A cell was changed.",)),
        Result("ada", TWO, "graded", 6, "", (check(1, 6, 6),)),
        Result("bo", ONE, "refused", 4, '=cmd|"/c calc"!A1; +1, "so"'),
        Result("chen", ONE, "not graded", 4, "@The course is not installed."),
    ),
)


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """Both tables as a reader of CSV sees them, without the gradebook, which takes nbgrader."""
    monkeypatch.setattr("halab.classroom.gradebook.publish_gradebook", lambda report, out: ["said"])
    monkeypatch.setattr("halab.classroom.gradebook.as_in_gradebook", lambda report, out: report)
    assert publish(REPORT, tmp_path) == (REPORT, ["said"])

    def read(name):
        with (tmp_path / name).open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    return read


def test_grades_have_a_row_a_submission(tables):
    ada, ada_two, bo, chen, junk = tables("grades.csv")
    assert ada == {
        "learner": "ada",
        "name": "Ada Lovelace",
        "card": "6",
        "assignment": ONE,
        "submitted": "2026-11-20 10:00:00 UTC",
        "points": "2.5",
        "out of": "4",
        "percent": "62.5",
        "status": "graded",
        "reason": "",
        "failed tasks": "06.2",
        "what is missing": "'=It holds.",
        "notes": "A cell was changed.",
    }
    assert (ada_two["points"], ada_two["percent"], ada_two["failed tasks"]) == ("6", "100", "")
    assert (bo["points"], bo["percent"], bo["status"]) == ("0", "0", "refused")
    assert (chen["points"], chen["percent"], chen["status"]) == ("", "", "not graded")
    assert (junk["learner"], junk["status"], junk["reason"]) == ("'=junk.exe", "left out", "is neither")


def test_a_spreadsheet_finds_no_formula_in_any_cell(tables, tmp_path):
    rows = tables("grades.csv")
    assert rows[2]["reason"] == """'=cmd|"/c calc"!A1; +1, "so\""""
    assert rows[2]["submitted"] == "'-2+3"
    assert rows[3]["reason"] == "'@The course is not installed."
    for name in ("grades.csv", "summary.csv"):
        for row in tables(name):
            assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    # Where a spreadsheet splits at semicolons, a text in quotation marks still is one cell.
    (line,) = [line for line in (tmp_path / "grades.csv").read_text().splitlines() if "calc" in line]
    assert '"\'=cmd|""/c calc""!A1; +1, ""so"""' in line


def test_the_summary_has_a_row_a_learner_and_no_total_while_a_grade_is_due(tables):
    rows = {row.pop("learner"): list(row.values()) for row in tables("summary.csv")}
    headings = ["learner", "name", ONE, TWO, "points", "out of", "percent", "remark"]
    assert list(tables("summary.csv")[0]) == headings
    assert rows == {
        "ada": ["Ada Lovelace", "2.5", "6", "8.5", "10", "85", ""],
        "bo": ["", "0", "", "0", "10", "0", ""],
        "chen": ["", "not graded", "", "", "10", "", ""],
        "dee": ["王伟", "", "", "0", "10", "0", "nothing handed in"],
        "'=junk.exe": ["", "", "", "", "", "", "left out: is neither"],
    }


def test_a_spreadsheet_knows_by_the_first_bytes_that_names_are_in_utf_8(tables, tmp_path):
    for name in ("grades.csv", "summary.csv", "anonymous.csv"):
        assert (tmp_path / name).read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_anonymous_table_has_everybody_s_points_and_nobody_s_name(tables, tmp_path):
    text = (tmp_path / "anonymous.csv").read_text("utf-8-sig")
    assert not [word for word in ("ada", "Ada", "王伟", "dee", "junk") if word in text]
    rows = tables("anonymous.csv")
    assert sorted(row["points"] for row in rows) == ["", "0", "0", "8.5"]
    assert len({row["learner"] for row in rows}) == 4
    publish(REPORT, tmp_path)
    assert (tmp_path / "anonymous.csv").read_text("utf-8-sig") == text


def test_the_gradebook_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    from nbgrader import api

    monkeypatch.setattr(api, "get_alembic_version", lambda: "any")  # else it runs a command for it
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"

    def write(then):
        with api.Gradebook(url, "halab") as gradebook, _one_transaction(gradebook):
            gradebook.update_or_create_student("ada")
            then()

    with pytest.raises(KeyboardInterrupt):
        write(then=_interrupt)
    with api.Gradebook(url, "halab") as gradebook:
        assert gradebook.students == []
    write(then=list)
    with api.Gradebook(url, "halab") as gradebook:
        assert [one.id for one in gradebook.students] == ["ada"]


def _interrupt():
    raise KeyboardInterrupt
