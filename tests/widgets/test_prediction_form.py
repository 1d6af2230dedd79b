"""The prediction form: what is locked in is kept, and stays."""

from pathlib import Path

import pytest

from halab.course.paths import work_dir
from halab.course.predictions import predict, prediction
from halab.errors import CourseError
from halab.translation import LazyText, gettext_lazy, pgettext_lazy
from halab.widgets.prediction_form import PredictionForm, Question, remind

RUN = "crash active rootcoord"
NUMBERS = {"first_failure": 0.5, "last_failure": 9.0, "failed_requests": 120.0, "notices_insert": 1.0}
TIMES = pgettext_lazy("unit", "times")
SHARED, LIMITED = "search with 1, 3 replicas", "search with 1, 3 replicas, limited"
QUESTIONS = (
    Question(SHARED, "times", gettext_lazy("sharing cores"), TIMES, high=100),
    Question(LIMITED, "times", gettext_lazy("speed limit"), TIMES),
    Question(LIMITED, "failed", LazyText("Failed searches"), whole=True),
)
ANSWERS = {f"times, {SHARED}": 2.8, f"times, {LIMITED}": 1.5, "failed": 4}


@pytest.fixture(autouse=True)
def _own_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def lock_in(form: PredictionForm, numbers: dict[str, float]) -> None:
    form._from_browser(form, {"lock": numbers}, [])


def test_locking_in_keeps_the_prediction() -> None:
    form = PredictionForm(6, RUN)
    lock_in(form, NUMBERS)
    kept = prediction(6, RUN)
    assert kept is not None
    assert kept.numbers == NUMBERS
    assert form.locked == {"numbers": NUMBERS, "time": kept.time}


def test_what_is_locked_in_cannot_be_changed() -> None:
    form = PredictionForm(6, RUN)
    lock_in(form, NUMBERS)
    lock_in(form, {**NUMBERS, "failed_requests": 1.0})
    assert "stays as it is" in form.problem
    assert form.locked["numbers"] == NUMBERS


def test_an_earlier_prediction_is_shown_locked() -> None:
    predict(6, RUN, first_failure=1, last_failure=2, failed_requests=3)
    assert PredictionForm(6, RUN).locked["numbers"]["failed_requests"] == 3
    assert PredictionForm(6, "hang active rootcoord").locked is None


def test_who_predicts_that_nothing_fails_names_no_times() -> None:
    form = PredictionForm(6, RUN)
    lock_in(form, {"first_failure": 0, "last_failure": 0, "failed_requests": 0, "notices_insert": 0})
    assert form.locked["numbers"] == {"failed_requests": 0, "notices_insert": 0}


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"first_failure": 5, "last_failure": 2, "failed_requests": 1}, "before the first"),
        ({"first_failure": 1, "last_failure": 2, "failed_requests": -1}, "0 or more"),
        ({"first_failure": 1, "last_failure": 2, "failed_requests": 1.5}, "whole number"),
        ({"last_failure": 2, "failed_requests": 1}, "first_failure is missing"),
        ({"first_failure": 1, "last_failure": 2, "failed_requests": 0}, "No search fails, and yet"),
        ({}, "is missing"),
    ],
)
def test_a_prediction_that_makes_no_sense_is_not_kept(numbers: dict[str, float], says: str) -> None:
    form = PredictionForm(6, RUN)
    lock_in(form, numbers)
    assert says in form.problem
    assert form.locked is None
    with pytest.raises(CourseError, match=says):
        form.lock(numbers)
    assert prediction(6, RUN) is None


def test_its_text_tells_how_to_predict_without_a_form() -> None:
    form = PredictionForm(6, RUN)
    assert 'lock({"first_failure": ..., "last_failure": ..., "failed_requests": ...})' in repr(form)
    lock_in(form, NUMBERS)
    assert "failed_requests 120" in repr(form)


def test_any_question_can_be_asked_and_each_answer_belongs_to_its_run() -> None:
    form = PredictionForm(5, QUESTIONS)
    assert [(field["label"], field["unit"]) for field in form.fields][:2] == [
        ("sharing cores", "times"),
        ("speed limit", "times"),
    ]
    lock_in(form, {**ANSWERS, f"times, {SHARED}": 101})
    assert "100 at most" in form.problem
    lock_in(form, ANSWERS)
    assert form.problem == ""
    assert form.locked["numbers"] == ANSWERS
    assert prediction(5, SHARED).numbers == {"times": 2.8}
    assert prediction(5, LIMITED).numbers == {"times": 1.5, "failed": 4}
    assert PredictionForm(5, QUESTIONS).locked["numbers"] == ANSWERS
    assert PredictionForm(5, QUESTIONS[1:2]).locked["numbers"] == {"times": 1.5}


def test_what_is_chosen_of_a_list_is_kept_as_its_place_and_shown_as_its_word() -> None:
    which = Question("hang log", "alert", LazyText("Which alert"), choices=("nobody", "NoStandby"))
    form = PredictionForm(11, [which])
    assert form.fields[0]["choices"] == ["nobody", "NoStandby"]
    lock_in(form, {"alert": 2})
    assert "1 at most" in form.problem
    lock_in(form, {"alert": 1})
    assert form.text().endswith("alert NoStandby")


def test_two_forms_ask_about_one_run() -> None:
    predict(7, "crash log", percent=100)
    form = PredictionForm(7, "crash log")
    assert form.locked is None
    lock_in(form, NUMBERS)
    assert form.locked["numbers"] == NUMBERS
    assert prediction(7, "crash log").numbers == {"percent": 100, **NUMBERS}


def test_it_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert PredictionForm(5, QUESTIONS).fields[0]["label"] == "共用核心"


def test_a_run_that_was_measured_first_is_told_and_the_next_one_counts() -> None:
    folder = work_dir() / "journals"
    folder.mkdir()
    (folder / "06-2026-11-27-100000-crash-active-rootcoord-0a1b2c3d.jsonl").touch()
    form = PredictionForm(6, RUN)
    assert form.too_late.startswith("2026-11-27T10:00:00")
    lock_in(form, NUMBERS)
    assert form.locked
    assert form.too_late.startswith("2026-11-27T10:00:00")
    (folder / "06-2099-11-27-100000-crash-active-rootcoord-0a1b2c3d.jsonl").touch()
    assert PredictionForm(6, RUN).too_late == ""


def test_a_run_that_a_form_asks_about_is_asked_for() -> None:
    assert remind("crash nothing at all") == ""
    form = PredictionForm(6, "stop active rootcoord")
    assert "You have not predicted this run: stop active rootcoord" in remind("stop active rootcoord")
    lock_in(form, NUMBERS)
    assert remind("stop active rootcoord") == ""
