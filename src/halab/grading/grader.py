"""Grades the learner's copies through nbgrader, and says for each failed check what was expected."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from halab.course.catalogue import CATALOGUE, entry
from halab.course.identity import learner_id
from halab.course.paths import state_dir, work_dir
from halab.course.store import append, read
from halab.errors import CourseError, SubmissionError
from halab.exercises.expectations import hint_in

__all__ = ["Check", "GradeReport", "grade", "grade_all", "grade_notebook", "last_grade"]

GRADING_TIMEOUT = (
    180.0  # seconds after which a grading process is taken for dead; it ends learners' code long before
)


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


def grade_all(
    cards: Sequence[int], on_progress: Callable[[int, float], None] = lambda card, done: None
) -> dict[int, GradeReport | SubmissionError]:
    """Grade these cards' exercises side by side, as many at once as there are cores.

    An exercise that cannot be graded has its SubmissionError in place of a report. `on_progress` is called
    with a card and its share done, from other threads than this one.
    """
    with ThreadPoolExecutor(min(len(cards), os.cpu_count() or 1)) as pool:

        def one(card: int) -> GradeReport | SubmissionError:
            try:
                return grade(card, lambda done: on_progress(card, done))
            except SubmissionError as error:
                return error

        return dict(zip(cards, pool.map(one, cards), strict=True))


def grade_notebook(
    copy: Path,
    name: str,
    learner: str,
    on_progress: Callable[[float], None] = lambda done: None,
    keep: Path | None = None,
) -> GradeReport:
    """Grade a notebook as this learner's submission of assignment `name`.

    `on_progress` is called with the share of cells done, 0 to 1. With `keep`, the graded notebook is put into
    that folder; nothing else is kept. The calling thread's grading process stays for its next submission and
    ends with the thread. Raises SubmissionError if the notebook cannot be graded: missing, unreadable, of
    another exercise; CourseError if the course is at fault.
    """
    started = time.monotonic()
    job = {
        "notebook": str(copy.absolute()),
        "assignment": name,
        "learner": learner,
        "keep": str(keep.absolute()) if keep else None,
    }
    found = _worker().grade(job, on_progress)
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


class _Worker:
    """A grading process and the folder it works in."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="halab-grading-")
        self._log = Path(self._folder.name) / "worker.log"
        with self._log.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "halab.grading.worker", self._folder.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # What it and its sandbox put into a temporary folder goes with this one, however they end.
                env=os.environ | {"TMPDIR": self._folder.name},
            )
        self._end = weakref.finalize(self, _end_worker, self._process, self._folder)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def grade(self, job: dict[str, Any], on_progress: Callable[[float], None]) -> dict[str, Any]:
        """Hand a job over, follow what is reported, and return the result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(GRADING_TIMEOUT, self._process.kill)
        timer.start()
        message: dict[str, Any] = {}
        try:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(job) + "\n")
                self._process.stdin.flush()
            for line in self._process.stdout:
                message = json.loads(line)
                if "cell" not in message:
                    break
                on_progress(message["cell"] / message["of"])
        except BaseException:  # Ctrl-C: what this worker says next would be the answer to another question
            self._end()
            raise
        finally:
            timer.cancel()
        if "checks" in message:
            return message
        if "refused" in message:
            raise SubmissionError(message["refused"][0], hint=message["refused"][1])
        problem = message.get("error") or self._log.read_text()[-1000:] or "the grading process ended"
        self._end()
        raise CourseError(
            f"{job['assignment']} of {job['learner']} could not be graded: {problem}",
            hint="Install the course again (make lab); if it stays, report it with this message.",
        )


def _end_worker(process: subprocess.Popen[str], folder: tempfile.TemporaryDirectory[str]) -> None:
    """End a grading process. Its sandbox ends with it: that is the sandbox' own care."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    folder.cleanup()


_OF_THREAD = threading.local()


def _worker() -> _Worker:
    """The calling thread's own grading process."""
    worker: _Worker | None = getattr(_OF_THREAD, "worker", None)
    if worker is None or not worker.alive:
        worker = _OF_THREAD.worker = _Worker()
    return worker


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
    if kind == "CheckFailed":
        return text.splitlines()[0], hint_in(text)
    if kind == "NotImplementedError":
        return "Nothing is written here yet.", ""
    if kind == "ProcessEnded":
        return text, ""
    if kind == "CellTimeoutError":
        return "Your code was still running when its time was up.", ""
    if kind == "NameError":
        return f"{text}: its cell is unanswered, or stopped early.", ""
    return f"Your code stopped with {kind}: {text.splitlines()[0] if text else ''}", ""
