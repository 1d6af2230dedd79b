import math

import pytest

from halab.course.predictions import predict, prediction, predictions
from halab.errors import CourseError


def test_a_prediction_is_kept_and_found_again(course):
    predict(6, "crash", first_failure=0.1, failed_requests=200)
    found = prediction(6, "crash")
    assert found.numbers == {"first_failure": 0.1, "failed_requests": 200}
    assert prediction(6, "hang") is None
    assert prediction(7, "crash") is None


def test_a_later_prediction_does_not_erase_the_earlier_one(course):
    first = predict(6, failed_requests=100)
    second = predict(6, failed_requests=300)
    assert [one.numbers["failed_requests"] for one in predictions(6)] == [100, 300]
    assert prediction(6).numbers["failed_requests"] == 300
    assert prediction(6, before=second.time).numbers["failed_requests"] == first.numbers["failed_requests"]


@pytest.mark.parametrize(
    ("card", "numbers", "words"),
    [
        (0, {"failed_requests": 1}, "1 to 10"),
        ("6", {"failed_requests": 1}, "1 to 10"),
        (6, {}, "at least one number"),
        (6, {"failed_requests": "many"}, "failed_requests should be a number"),
        (6, {"failed_requests": True}, "failed_requests should be a number"),
        (6, {"failed_requests": math.nan}, "failed_requests should be a number"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_kept(course, card, numbers, words):
    with pytest.raises(CourseError, match=words) as caught:
        predict(card, **numbers)
    assert "predict(6" in caught.value.hint
    assert predictions(6) == []
