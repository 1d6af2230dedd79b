import math
from datetime import datetime

import pytest

from halab.course.paths import work_dir
from halab.course.predictions import last_run, predict, prediction, predictions
from halab.errors import CourseError


def test_a_prediction_is_kept_and_found_again(course):
    predict(6, "crash", first_failure=0.1, failed_requests=200)
    found = prediction(6, "crash")
    assert found.numbers == {"first_failure": 0.1, "failed_requests": 200}
    assert prediction(6, "hang") is None
    assert prediction(7, "crash") is None


def test_a_later_prediction_does_not_erase_the_earlier_one(course):
    first = predict(6, "crash", failed_requests=100)
    second = predict(6, "crash", failed_requests=300)
    assert [one.numbers["failed_requests"] for one in predictions(6)] == [100, 300]
    assert prediction(6, "crash").numbers["failed_requests"] == 300
    assert (
        prediction(6, "crash", before=second.time).numbers["failed_requests"]
        == first.numbers["failed_requests"]
    )


@pytest.mark.parametrize(
    ("card", "numbers", "words"),
    [
        (0, {"failed_requests": 1}, "1 to 12"),
        ("6", {"failed_requests": 1}, "1 to 12"),
        (6, {}, "at least one number"),
        (6, {"failed_requests": "many"}, "failed_requests should be a number"),
        (6, {"failed_requests": True}, "failed_requests should be a number"),
        (6, {"failed_requests": math.nan}, "failed_requests should be a number"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_kept(course, card, numbers, words):
    with pytest.raises(CourseError, match=words) as caught:
        predict(card, "crash", **numbers)
    assert "predict(6" in caught.value.hint
    assert predictions(6) == []


def test_two_forms_may_ask_about_one_run(course):
    predict(7, "crash log", percent=100)
    predict(7, "crash log", failed_requests=40)
    assert prediction(7, "crash log").numbers == {"percent": 100, "failed_requests": 40}


def test_the_last_run_is_that_of_this_card_and_experiment(course):
    folder = work_dir() / "journals"
    folder.mkdir(parents=True)
    runs = {
        "03-2026-11-28-090000-crash-etcd-follower-0a1b2c3d.jsonl",
        "03-2026-11-28-100000-crash-etcd-follower-0a1b2c3e.jsonl",
        "03-2026-11-28-110000-crash-etcd-leader-crash-etcd-follower-0a1b2c3f.jsonl",
        "04-2026-11-28-120000-crash-etcd-follower-0a1b2c3a.jsonl",
    }
    for name in runs:
        (folder / name).touch()
    assert last_run(3, "crash etcd follower") == datetime(2026, 11, 28, 10).astimezone()
    assert last_run(3, "crash etcd leader, crash etcd follower") == datetime(2026, 11, 28, 11).astimezone()
    assert last_run(3, "crash etcd leader") is None


@pytest.mark.parametrize("lesson", [11, 12])
def test_a_lesson_beyond_the_cards_is_predicted_and_read_again(course, lesson):
    predict(lesson, "rolling restart, one at a time", unanswered_searches=500)
    assert prediction(lesson, "rolling restart, one at a time").numbers == {"unanswered_searches": 500}
