"""Grading a class, with a grade function that takes no time. The real one: tests/grading/test_class.py."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import pytest

from halab.classroom.class_grading import default_output, grade_class
from halab.errors import CourseError
from support.small_class import ONE, TWO, grade_fake, hand_in, read_class


@pytest.fixture
def folder(class_folder):
    return class_folder


@pytest.fixture
def asked():
    """Whom `counting` was asked to grade."""
    return []


@pytest.fixture
def counting(asked):
    def grade(copy, name, learner, *, keep, told_in="en"):
        asked.append((learner, name))
        return grade_fake(copy, name, learner, keep=keep)

    return grade


def run(folder, grade=grade_fake, **options):
    return grade_class(read_class(folder), default_output(folder), grade=grade, **options)


def test_what_is_missing_is_told_in_each_learner_s_own_language(folder):
    told = {}

    def grade(copy, name, learner, *, keep, told_in):
        told[learner] = told_in
        return grade_fake(copy, name, learner, keep=keep)

    def grade_in(**languages):
        told.clear()
        submitted = replace(read_class(folder), languages=languages)
        grade_class(submitted, default_output(folder), grade=grade)

    grade_in(ada="zh")
    assert (told["ada"], told["bo"]) == ("zh", "en")
    grade_in(ada="zh", bo="zh")
    assert set(told) <= {"bo", "chen", "dee"}
    assert (told["bo"], "ada" in told) == ("zh", False)


def said(report):
    return {(one.learner, one.assignment): (one.status, one.points) for one in report.results}


EXPECTED = {
    ("ada", ONE): ("graded", 5),
    ("ada", TWO): ("graded", 2),
    ("bo", ONE): ("graded", 2),
    ("chen", ONE): ("refused", 0),
    ("dee", ONE): ("graded", 5),
}


def test_every_submission_gets_its_result_and_the_graded_notebook_is_kept(folder):
    report = run(folder)
    assert said(report) == EXPECTED
    assert list(said(report)) == sorted(EXPECTED)
    kept = default_output(folder) / "autograded" / "ada" / ONE / f"{ONE}.ipynb"
    assert json.loads(kept.read_text())["said"] == "right"
    assert (report.total("ada"), report.total("chen")) == (7, 0)
    assert (report.out_of(ONE), report.out_of(TWO)) == (5, 5)
    assert report.result("bo", TWO) is None


def test_a_refused_submission_says_why_on_one_line_and_is_worth_what_the_exercise_is(folder):
    one = run(folder).result("chen", ONE)
    assert one.reason == "It is not a notebook �[31m."
    assert (one.points, one.out_of) == (0, 5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("course", "The course is not installed."), ("bug", "ZeroDivisionError: division by zero")],
)
def test_a_fault_of_the_course_is_no_zero_and_is_tried_again(folder, asked, counting, text, reason):
    hand_in(folder, "bo", ONE, text)
    report = run(folder, counting)
    assert said(report) == EXPECTED | {("bo", ONE): ("not graded", None)}
    assert report.result("bo", ONE).reason == reason
    assert report.total("bo") is None
    asked.clear()
    assert said(run(folder, counting)) == said(report)
    assert asked == [("bo", ONE)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ends", "In cell 3 it ended."),
        (
            "hangs",
            "Cell 1 of the notebook was still running when its time was up. "
            "Cell 2 of the notebook was still running when its time was up.",
        ),
    ],
)
def test_code_that_had_to_be_stopped_is_told_beside_the_points_it_earned(folder, text, reason):
    hand_in(folder, "bo", ONE, text)
    report = run(folder)
    assert said(report) == EXPECTED
    assert report.result("bo", ONE).reason == reason
    assert report.result("ada", ONE).reason == ""


def test_a_second_run_grades_nothing_and_says_the_same(folder, asked, counting):
    first = run(folder, counting)
    assert len(asked) == 5
    told = []
    second = run(folder, counting, on_result=lambda result, done, total: told.append((result, done, total)))
    assert len(asked) == 5
    assert second == first
    assert told == [(None, 5, 5)]


@pytest.mark.parametrize(
    "change",
    [
        lambda course, folder: hand_in(folder, "bo", ONE, "right now"),
        lambda course, folder: (course / "solutions" / ONE / "data.csv").write_text("1"),
        lambda course, folder: (course / "nbgrader_config.py").write_text("c = get_config()"),
        lambda course, folder: hand_in(folder, "eve", ONE, "right"),
        lambda course, folder: shutil.rmtree(default_output(folder) / "autograded" / "bo"),
    ],
    ids=["notebook", "exercise", "settings", "new learner", "graded notebook gone"],
)
def test_what_is_new_or_changed_is_graded_again(course, folder, asked, counting, change):
    run(folder, counting)
    asked.clear()
    change(course, folder)
    report = run(folder, counting)
    assert 1 <= len(asked) <= 5
    assert set(asked) & {("bo", ONE), ("eve", ONE)}
    assert (TWO in {name for _, name in asked}) == ((course / "nbgrader_config.py").stat().st_size < 99)
    assert report.result("ada", ONE).points == 5


def test_a_learner_named_is_graded_again_and_nobody_else(folder, asked, counting):
    first = run(folder, counting)
    asked.clear()
    assert said(run(folder, counting, again=["ada"])) == said(first)
    assert sorted(asked) == [("ada", ONE), ("ada", TWO)]
    asked.clear()
    assert run(folder, counting).results == run(folder, counting, again=[]).results
    assert asked == []
    with pytest.raises(CourseError, match="Nothing of eve is in") as caught:
        run(folder, again=["eve", "ada"])
    assert "ada, bo, chen, dee" in caught.value.hint


def test_a_copied_notebook_is_graded_for_its_own_learner(folder, asked, counting):
    hand_in(folder, "bo", ONE, "right")
    run(folder, counting)
    assert {("ada", ONE), ("bo", ONE)} <= set(asked)


def test_results_are_kept_as_they_come(folder):
    kept = default_output(folder) / "results.jsonl"
    counts = []
    run(folder, jobs=1, on_result=lambda result, done, total: counts.append((done, lines(kept))))
    assert counts == [(number, number) for number in range(6)]


def lines(path):
    return len(path.read_text().splitlines())


def test_a_broken_last_line_costs_only_itself(folder, asked, counting):
    first = run(folder, counting)
    kept = default_output(folder) / "results.jsonl"
    kept.write_bytes(kept.read_bytes()[:-20])
    asked.clear()
    with pytest.warns(UserWarning, match="set aside"):
        second = run(folder, counting)
    assert len(asked) == 1
    assert second == first


def test_a_record_of_another_form_is_passed_over(folder, asked, counting):
    run(folder, counting)
    kept = default_output(folder) / "results.jsonl"
    records = [json.loads(line) for line in kept.read_text().splitlines()]
    kept.write_text("".join(json.dumps(record | {"checks": 7}) + "\n" for record in records))
    asked.clear()
    run(folder, counting)
    assert len(asked) == 5


def test_nothing_is_written_into_the_folder(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    run(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    with pytest.raises(CourseError, match="nothing is ever written"):
        grade_class(read_class(folder), folder / "out", grade=grade_fake)
    assert not (folder / "out").exists()


def test_a_folder_with_other_things_in_it_is_left_alone(folder, tmp_path):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.tex").touch()
    with pytest.raises(CourseError, match="something else") as caught:
        grade_class(read_class(folder), out, grade=grade_fake)
    assert "--out" in caught.value.hint
    assert [path.name for path in out.iterdir()] == ["chapter1.tex"]


def test_a_place_that_cannot_be_written_to_is_told(folder, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="cannot be written") as caught:
        grade_class(read_class(folder), tmp_path / "file" / "out", grade=grade_fake)
    assert "--out" in caught.value.hint


def test_two_runs_do_not_grade_into_one_folder_at_once(folder):
    inside = []

    def grade(copy, name, learner, *, keep, told_in="en"):
        if not inside:
            inside.append(1)
            with pytest.raises(CourseError, match="Another run"):
                run(folder)
        return grade_fake(copy, name, learner, keep=keep)

    assert said(run(folder, grade, jobs=1)) == EXPECTED


def test_as_many_at_a_time_as_there_are_jobs(folder):
    meeting = threading.Barrier(3)

    def grade(copy, name, learner, *, keep, told_in="en"):
        if (learner in {"ada", "bo"} and name == ONE) or name == TWO:
            meeting.wait(30)  # three must be here at once
        return grade_fake(copy, name, learner, keep=keep)

    assert said(run(folder, grade, jobs=3)) == EXPECTED


@pytest.mark.parametrize("make", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_serves_and_is_left_open(folder, make):
    with make(2) as executor:
        assert said(run(folder, executor=executor)) == EXPECTED
        assert executor.submit(abs, -1).result() == 1


def test_an_executor_that_breaks_loses_nothing_and_says_what_to_do(folder, asked, counting):
    hand_in(folder, "zoe", ONE, "die")
    with (
        ProcessPoolExecutor(1) as executor,
        pytest.raises(CourseError, match="stopped before all") as caught,
    ):
        run(folder, executor=executor)
    assert "again" in caught.value.hint
    hand_in(folder, "zoe", ONE, "right")
    report = run(folder, counting)
    assert said(report) == EXPECTED | {("zoe", ONE): ("graded", 5)}
    assert asked == [("zoe", ONE)]


class Losing(ThreadPoolExecutor):
    """A cluster that loses the machine on which it grades bo, and calls another task off."""

    def submit(self, function, notebook, assignment, learner, *rest):
        if learner == "bo":
            future = Future()
            future.set_exception(OSError("the machine is gone"))
            return future
        if learner == "dee":
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future
        return super().submit(function, notebook, assignment, learner, *rest)


def test_a_lost_worker_costs_the_submission_it_had(folder):
    shutil.rmtree(folder / "dee")
    with Losing(2) as executor:
        report = run(folder, executor=executor)
    assert report.result("bo", ONE).reason == "OSError: the machine is gone"
    assert said(report)["bo", ONE] == ("not graded", None)
    assert said(report)["ada", ONE] == ("graded", 5)


def test_tasks_that_were_called_off_are_told_and_the_others_kept(folder):
    with Losing(2) as executor, pytest.raises(CourseError, match="stopped before all"):
        run(folder, executor=executor)
    assert lines(default_output(folder) / "results.jsonl") == 3


def test_an_executor_that_is_shut_down_is_told(folder):
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(CourseError, match="stopped before all"):
        run(folder, executor=executor)


INTERRUPTIBLE = """
import sys, time
from pathlib import Path
from halab.grading import grader
from halab.grading.grader import Check, GradeReport

def slow(copy, name, learner, *, keep, told_in="en"):
    time.sleep(0 if learner == "ada" else 3)
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"{name}.ipynb").write_text('{"cells": []}')
    return GradeReport(6, name, learner, (Check("06-1-one", "06.1", "One", 2.0, 2.0),), (), 0.0, 0.0)

grader.grade_notebook = slow
from halab.cli import main
main()
"""


@pytest.mark.slow
def test_ctrl_c_ends_it_with_a_sentence_and_the_next_run_goes_on(folder, asked, counting):
    kept = default_output(folder) / "results.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "class", "grade", str(folder), "--jobs", "1"],
        env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Tests in a shell's background were told to ignore Ctrl-C, and whom they start would be too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (kept.exists() and lines(kept) == 2) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "2 of 5 are done and kept" in errors
    assert "run the same command to continue" in errors
    assert "Traceback" not in errors
    assert lines(kept) == 2
    run(folder, counting)
    assert sorted(asked) == [("bo", ONE), ("chen", ONE), ("dee", ONE)]
