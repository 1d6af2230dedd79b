import json
import shutil

import pytest
from typer.testing import CliRunner

from halab.cli import app
from halab.course.catalogue import exercises
from halab.errors import CourseError, SubmissionError
from halab.grading import grader, release
from halab.grading.grader import Check, GradeReport


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments):
        return CliRunner().invoke(app, list(arguments))

    return invoke


@pytest.fixture
def graded(monkeypatch):
    """Grading that takes no time and finds one check passed and two of one task failed."""
    checks = (
        Check("06-1-rto", "06.1", "RTO is what users saw", 2, 2),
        Check("06-2-jitter", "06.2", "Clients spread out", 0, 1, "Their waits lie evenly.", "06.2.jitter"),
        Check("06-2-load", "06.2", "No storm", 0, 2, "At most 8 attempts.", "06.2.load"),
    )
    notes = ("The cell 06-2-load was changed; the original was used.",)

    def grade(card, on_progress):
        on_progress(1.0)
        return GradeReport(card, "06-failover-timeline", "ada", checks, notes, 3.2, 0.0)

    monkeypatch.setattr(grader, "grade", grade)


def test_grade_tells_points_the_behaviour_that_is_missing_and_one_next_step_a_task(run, graded):
    shown = run("grade", "06").output
    assert "2 / 5" in shown
    assert "passed" not in shown, "nothing is missing there"
    assert "Their waits lie evenly." in shown
    assert "halab hint 06.2.jitter" in shown
    assert "halab hint 06.2.load" not in shown
    assert "the original was used" in shown


def test_grade_as_data(run, graded):
    (report,) = json.loads(run("grade", "06", "--json").stdout)
    assert (report["points"], report["out_of"]) == (2, 5)
    assert report["checks"][1]["hint"] == "06.2.jitter"


def test_all_means_every_exercise_before_any_is_begun_and_then_those_that_are(run, graded, tmp_path):
    def cards():
        return [report["card"] for report in json.loads(run("grade", "all", "--json").stdout)]

    assert cards() == [exercise.number for exercise in exercises()]
    for slug in ("02-availability-maths", "06-failover-timeline"):
        (tmp_path / "exercises" / slug).mkdir(parents=True)
    assert cards() == [2, 6]


def test_one_that_cannot_be_graded_costs_the_others_nothing(run, graded, monkeypatch):
    grade_card = grader.grade

    def grade(card, on_progress):
        if card == 7:
            raise SubmissionError("There is no notebook.", hint="Open the exercise.")
        return grade_card(card, on_progress)

    monkeypatch.setattr(grader, "grade", grade)
    monkeypatch.setattr("halab.commands.course_commands._cards", lambda what: [6, 7])
    result = run("grade", "all")
    assert result.exit_code == 1
    assert "2 / 5" in result.stdout
    assert "Exercise 7 was not graded: There is no notebook." in result.stderr
    assert "Open the exercise." in result.stderr


@pytest.mark.parametrize("what", ["six", "0", "42"])
def test_an_exercise_that_is_not_there_is_told_with_those_that_are(run, what):
    assert isinstance(run("grade", what).exception, CourseError)


def test_a_hint_names_its_step_and_the_way_to_the_next(run):
    shown = run("hint", "06.2.jitter").output
    assert "What is wrong (hint 1 of 3" in shown
    assert "halab hint 06.2.jitter" in shown


def test_the_last_hint_says_where_to_look_and_names_no_further_step(run):
    shown = [run("hint", "06.2.jitter").output for _ in range(3)][-1]
    assert "Where to look" in shown
    assert "The next one" not in shown


def test_a_stale_exercise_fails_the_check_by_name(run, monkeypatch):
    monkeypatch.setattr(release, "stale_exercises", lambda: ["exercises/06-x/06-x.ipynb"])
    error = run("build", "--check").exception
    assert isinstance(error, CourseError)
    assert "exercises/06-x/06-x.ipynb" in error.message
    assert "halab build" in error.hint


@pytest.mark.parametrize(
    ("language", "said", "hint"),
    [("en", "your instructor grades", "halab hand-in"), ("zh", "由讲师给你提交的内容评分", "halab hand-in")],
)
def test_a_seat_without_solutions_says_to_hand_in(course, monkeypatch, language, said, hint):
    shutil.rmtree(course / "solutions")
    monkeypatch.setenv("HALAB_LANG", language)
    for arguments in (["grade", "06"], ["hint", "06.2"]):
        error = CliRunner().invoke(app, arguments).exception
        assert isinstance(error, CourseError)
        assert said in error.message
        assert hint in error.hint
