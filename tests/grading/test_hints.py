import pytest

from halab.course.paths import state_dir
from halab.course.store import append
from halab.errors import CourseError
from halab.grading.hints import next_hint


@pytest.fixture(autouse=True)
def work(monkeypatch, tmp_path):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def graded(*failed):
    checks = [{"task": "06.2", "hint": hint} for hint in ("", *failed)]
    append(state_dir() / "grades.jsonl", {"card": 6, "checks": checks})


def test_hints_come_in_three_steps_and_the_last_one_stays():
    steps = [next_hint("06.2.jitter") for _ in range(5)]
    assert [hint.number for hint in steps] == [1, 2, 3, 3, 3]
    assert [hint.step for hint in steps[:3]] == ["What is wrong", "Which card says it", "Where to look"]


def test_each_topic_is_counted_by_itself():
    next_hint("06.2.jitter")
    assert next_hint("06.2.cap").number == 1


def test_a_task_means_the_first_check_that_failed_when_it_was_last_graded():
    graded("06.2.load")
    graded("06.2.safe", "06.2.load")
    assert next_hint("06.2").topic == "06.2.safe"


def test_before_any_grading_a_task_means_its_first_hint():
    assert next_hint("6.1").topic == "06.1.windows"


def test_a_task_with_all_its_points_needs_no_hint():
    graded()
    with pytest.raises(CourseError, match="all its points"):
        next_hint("06.2")


@pytest.mark.parametrize("asked", ["", "six", "06", "06.9", "06.2.nothing", "0.1", "13.1"])
def test_an_unknown_task_is_refused(asked):
    with pytest.raises(CourseError):
        next_hint(asked)


def test_a_course_without_its_hints_says_what_is_missing(course):
    with pytest.raises(CourseError, match="there is no such file"):
        next_hint("06.1")
