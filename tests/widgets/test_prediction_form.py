"""The prediction form: what is locked in is kept, and stays."""

from pathlib import Path

import pytest

from halab.course.predictions import predict, prediction
from halab.errors import CourseError
from halab.widgets.prediction_form import PredictionForm

NUMBERS = {"first_failure": 0.5, "last_failure": 9.0, "failed_requests": 120.0, "notices_insert": 1.0}


@pytest.fixture(autouse=True)
def _own_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def lock_in(form: PredictionForm, numbers: dict[str, float]) -> None:
    form._from_browser(form, {"lock": numbers}, [])


def test_locking_in_keeps_the_prediction() -> None:
    form = PredictionForm(6, "crash active rootcoord")
    lock_in(form, NUMBERS)
    kept = prediction(6, "crash active rootcoord")
    assert kept is not None
    assert kept.numbers == NUMBERS
    assert form.locked == {"numbers": NUMBERS, "time": kept.time}


def test_what_is_locked_in_cannot_be_changed() -> None:
    form = PredictionForm(6, "crash active rootcoord")
    lock_in(form, NUMBERS)
    lock_in(form, {**NUMBERS, "failed_requests": 1.0})
    assert "stays as it is" in form.problem
    assert form.locked["numbers"] == NUMBERS


def test_an_earlier_prediction_is_shown_locked() -> None:
    predict(6, "crash active rootcoord", first_failure=1, last_failure=2, failed_requests=3)
    assert PredictionForm(6, "crash active rootcoord").locked["numbers"]["failed_requests"] == 3
    assert PredictionForm(6, "hang active rootcoord").locked is None


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"first_failure": 5, "last_failure": 2, "failed_requests": 1}, "before the first"),
        ({"failed_requests": -1}, "zero or more"),
        ({}, "at least one number"),
    ],
)
def test_a_prediction_that_makes_no_sense_is_not_kept(numbers: dict[str, float], says: str) -> None:
    form = PredictionForm(6, "crash active rootcoord")
    lock_in(form, numbers)
    assert says in form.problem
    assert form.locked is None
    with pytest.raises(CourseError, match=says):
        form.lock(numbers)


def test_its_text_tells_how_to_predict_without_a_form() -> None:
    form = PredictionForm(6, "crash active rootcoord")
    assert 'predict(6, "crash active rootcoord", first_failure=' in repr(form)
    lock_in(form, NUMBERS)
    assert "failed_requests 120" in repr(form)
