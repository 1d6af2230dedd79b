"""Grades the learner's copies through nbgrader, and says for each failed check what was expected."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from halab.course.catalogue import CATALOGUE, entry
from halab.course.check import hint_in
from halab.course.learner import learner_id
from halab.course.paths import state_dir, work_dir
from halab.course.scratch import scratch_course
from halab.course.store import append, read
from halab.errors import CourseError, SubmissionError

__all__ = ["Check", "GradeReport", "grade", "grade_notebook", "last_grade"]

WALL = 90.0  # seconds a whole grading run may take


@dataclass(frozen=True, slots=True)
class Check:
    """One graded cell. `task` is such as "06.1"; `behaviour` and `hint` are empty when it passed."""

    name: str
    task: str
    title: str
    points: float
    out_of: float
    behaviour: str = ""
    hint: str = ""

    @property
    def passed(self) -> bool:
        return self.points == self.out_of


@dataclass(frozen=True, slots=True)
class GradeReport:
    """What a submission earned. `seconds` is how long grading took, `time` when it ended (since the epoch);
    `notes` says in words what had to be put back before grading."""

    card: int
    assignment: str
    learner: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    seconds: float
    time: float

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def out_of(self) -> float:
        return sum(check.out_of for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "points": self.points, "out_of": self.out_of}


def grade(card: int, on_progress: Callable[[float], None] = lambda done: None) -> GradeReport:
    """Grade the learner's copy under `work/` and keep the result. See `grade_notebook` for what it raises."""
    name = entry(card).slug
    if not entry(card).has_exercise:
        ready = ", ".join(f"{one.number:02d}" for one in CATALOGUE if one.has_exercise)
        raise CourseError(f"Card {card} has no exercise yet.", hint=f"These have: {ready}.")
    copy = work_dir() / "exercises" / name / f"{name}.ipynb"
    report = grade_notebook(copy, name, learner_id(), on_progress)
    append(state_dir() / "grades.jsonl", report.as_dict())
    return report


def grade_notebook(
    copy: Path, name: str, learner: str, on_progress: Callable[[float], None] = lambda done: None
) -> GradeReport:
    """Grade a notebook as this learner's submission of assignment `name`; nothing is kept.

    `on_progress` is called with the share of cells done, 0 to 1. Raises SubmissionError if the notebook
    cannot be graded: missing, unreadable, of another exercise, or it broke or outlasted its process.
    """
    started = time.monotonic()
    with scratch_course([name]) as folder:
        command = [str(folder), name, learner, str(copy.absolute())]
        found = _run(command, folder / "worker.log", on_progress)
    return GradeReport(
        card=int(name[:2]),
        assignment=name,
        learner=learner,
        checks=tuple(_check(one) for one in found["checks"]),
        notes=tuple(found["notes"]),
        seconds=time.monotonic() - started,
        time=time.time(),
    )


def last_grade(card: int) -> dict[str, Any] | None:
    """The last report of `grade` for this card, as data, or None."""
    kept = [one for one in read(state_dir() / "grades.jsonl") if one["card"] == card]
    return kept[-1] if kept else None


def _run(arguments: list[str], log: Path, on_progress: Callable[[float], None]) -> dict[str, Any]:
    """Start the worker, follow what it reports, and return its result."""
    command = [sys.executable, "-P", "-m", "halab.course.grading_worker", *arguments]
    at, message = 0, {}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as worker,
        _ended_after(WALL, worker) as late,
    ):
        assert worker.stdout is not None
        for line in worker.stdout:
            message = json.loads(line)
            if "cell" not in message:
                break
            at = message["cell"]
            on_progress(at / message["of"])
    if "checks" in message:
        return message
    if "refused" in message:
        raise SubmissionError(message["refused"][0], hint=message["refused"][1])
    if late.is_set():
        raise SubmissionError(
            f"Grading took longer than {WALL:.0f} s and was ended at cell {at} of the notebook.",
            hint="Run the notebook from top to bottom in JupyterLab and look at what takes so long.",
        )
    if at == 0:  # no cell of the learner's has run yet: the fault is the course's
        raise CourseError(
            f"Grading could not start: {message.get('error') or log.read_text()[-1000:]}",
            hint="Install the course again (make lab); if it stays, report it with this message.",
        )
    raise SubmissionError(
        f"Grading did not get past cell {at} of the notebook: it ended its Python process, or ran out of "
        "memory or of computing time.",
        hint="Run the notebook from top to bottom in JupyterLab and look at what that cell does.",
    )


@contextmanager
def _ended_after(seconds: float, worker: subprocess.Popen[str]) -> Iterator[threading.Event]:
    """End the worker and its kernel on leaving, or after `seconds`, which the event then tells."""
    late = threading.Event()

    def end() -> None:
        late.set()
        _end(worker)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        _end(worker)


def _end(worker: subprocess.Popen[str]) -> None:
    try:
        family = psutil.Process(worker.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    worker.kill()
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _check(found: dict[str, Any]) -> Check:
    """A graded cell's result in the learner's terms: "06-1-blips" is of task 06.1, its hint 06.1.blips."""
    card, task, what = found["name"].split("-", 2)
    behaviour, hint = "", ""
    if found["points"] < found["out_of"]:
        behaviour, hint = _reason(found["errors"])
        hint = hint or f"{card}.{task}.{what}"
    return Check(
        name=found["name"],
        task=f"{card}.{task}",
        title=found["title"],
        points=found["points"],
        out_of=found["out_of"],
        behaviour=behaviour,
        hint=hint,
    )


def _reason(errors: list[dict[str, str]]) -> tuple[str, str]:
    if not errors:
        return "The cell left no result.", ""
    kind, text = errors[0]["kind"], errors[0]["text"]
    if kind == "Unmet":
        return text.splitlines()[0], hint_in(text)
    if kind == "NotImplementedError":
        return "Nothing is written here yet.", ""
    if kind == "CellTimeoutError":
        return "Your code was still running when its time was up.", ""
    if kind == "NameError":
        return f"{text}: its cell is unanswered, or stopped early.", ""
    return f"Your code stopped with {kind}: {text.splitlines()[0] if text else ''}", ""
