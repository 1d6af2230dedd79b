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

from halab.course.catalogue import entry
from halab.course.identity import learner_id
from halab.course.notebook_translation import translated_phrase
from halab.course.paths import course_root, state_dir, work_dir
from halab.course.seat import tell_class
from halab.course.store import append, read
from halab.errors import CourseError, SubmissionError
from halab.grading.messages import Failed, Graded, GradedCell, Job, Refused, Reply
from halab.translation import Language, gettext, gettext_noop, language

__all__ = [
    "Check",
    "GradeReport",
    "check_that_this_seat_grades",
    "grade",
    "grade_all",
    "grade_notebook",
    "last_grade",
]

# Seconds for one notebook, after which its grading process is taken for dead. It ends learners' code long
# before by itself (GradeInSandbox.total_timeout), but on a busy machine those seconds take longer than these.
GRADING_TIMEOUT = 900.0

_NO_GRADES_HERE = gettext_noop(
    "This seat cannot grade and gives no hints: your instructor grades what you hand in."
)
_HAND_IN = gettext_noop(
    'Save the notebook and hand in: the button "Hand in", or `halab hand-in` in a terminal.'
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

    def title_in(self, language: Language) -> str:
        """What is checked, in a language; `title` itself is English."""
        return translated_phrase(entry(int(self.task[:2])).exercise, self.name, self.title, language)

    @property
    def passed(self) -> bool:
        return self.points == self.out_of


@dataclass(frozen=True, slots=True)
class GradeReport:
    """What a submission earned.

    `seconds` is how long grading took, `time` when it ended (seconds since the epoch). `notes` are sentences:
    what had to be put back before grading, and what the sandbox does not keep out on this machine.
    """

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
    assignment = entry(card).slug
    copy = work_dir() / "exercises" / assignment / f"{assignment}.ipynb"
    report = grade_notebook(copy, assignment, learner_id(), on_progress)
    append(state_dir() / "grades.jsonl", report.as_dict())
    tell_class("graded", card, points=report.points, out_of=report.out_of)
    return report


def grade_all(
    cards: Sequence[int], on_progress: Callable[[int, float], None] = lambda card, done: None
) -> dict[int, GradeReport | SubmissionError]:
    """Grade these cards' exercises side by side, as many at once as there are cores.

    An exercise that cannot be graded has its SubmissionError in place of a report. `on_progress` is called
    with a card and the fraction of it that is done, from other threads than this one. Raises CourseError if
    there is no such card, or if the course is at fault.
    """
    with ThreadPoolExecutor(min(len(cards), os.cpu_count() or 1)) as pool:

        def grade_card(card: int) -> GradeReport | SubmissionError:
            try:
                return grade(card, lambda done: on_progress(card, done))
            except SubmissionError as error:
                return error

        return dict(zip(cards, pool.map(grade_card, cards), strict=True))


def grade_notebook(
    copy: Path,
    name: str,
    learner: str,
    on_progress: Callable[[float], None] = lambda done: None,
    keep: Path | None = None,
    told_in: Language | None = None,
) -> GradeReport:
    """Grade a notebook as this learner's submission of assignment `name`; say in the language `told_in` (by
    default this process') what is missing.

    `on_progress` is called with the fraction of the cells that are done, 0 to 1. With `keep`, the graded
    notebook is put into that folder; nothing else is kept. The calling thread's grading process stays for the
    thread's next submission and ends with the thread.

    Raises SubmissionError if the notebook cannot be graded as it is: missing, unreadable, of another
    exercise. Raises CourseError if nbgrader or the sandbox fails, if GRADING_TIMEOUT is over, or on a seat
    without `solutions/`.
    """
    check_that_this_seat_grades()
    started = time.monotonic()
    job = Job(
        notebook=str(copy.absolute()),
        assignment=name,
        learner=learner,
        language=told_in or language(),
        keep=str(keep.absolute()) if keep else None,
    )
    graded = _process_of_this_thread().grade(job, on_progress)
    return GradeReport(
        card=int(name[:2]),
        assignment=name,
        learner=learner,
        checks=tuple(_check(cell) for cell in graded["cells"]),
        notes=tuple(graded["notes"]),
        seconds=time.monotonic() - started,
        time=time.time(),
    )


def check_that_this_seat_grades() -> None:
    """Raise CourseError on a seat that was set up without answers and hidden tests: its instructor grades."""
    if not (course_root() / "solutions").is_dir():
        raise CourseError(gettext(_NO_GRADES_HERE), hint=gettext(_HAND_IN))


def last_grade(card: int) -> dict[str, Any] | None:
    """The last report of `grade` for this card, as data, or None."""
    reports = [report for report in read(state_dir() / "grades.jsonl") if report["card"] == card]
    return reports[-1] if reports else None


class _GradingProcess:
    """A process of `halab.grading.worker`, and the folder it works in."""

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
                # JupyterLab kills a kernel with its process group; this outlives it, and leaves nothing.
                start_new_session=True,
                # What it and its sandbox put into a temporary folder goes with this one, however they end.
                env=os.environ | {"TMPDIR": self._folder.name},
            )
        # When a thread ends nobody calls close(); the finalizer runs as this object is collected.
        self._finalizer = weakref.finalize(self, _end_process, self._process, self._folder)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the process and remove its folder. More than once does nothing."""
        self._finalizer()

    def grade(self, job: Job, on_progress: Callable[[float], None]) -> Graded:
        """Have a notebook graded. Raises SubmissionError or CourseError as `grade_notebook` does."""
        reply = self._ask(job, on_progress)
        if reply and reply["kind"] == "graded":
            return reply
        if reply and reply["kind"] == "refused":
            raise SubmissionError(reply["message"], hint=reply["hint"])
        problem = (
            reply["message"]
            if reply
            else self._log.read_text()[-1000:] or gettext("the grading process ended")
        )
        self.close()
        raise CourseError(
            gettext("{assignment} of {learner} was not graded: {problem}").format(
                assignment=job["assignment"], learner=job["learner"], problem=problem
            ),
            hint=(reply["hint"] if reply else "")
            or gettext("Install the course again (make lab); if it stays, report it with this message."),
        )

    def _ask(self, job: Job, on_progress: Callable[[float], None]) -> Graded | Refused | Failed | None:
        """Send a job and follow its progress to the last reply; None if the process ended without one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(GRADING_TIMEOUT, self._process.kill)
        timer.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(job) + "\n")
                self._process.stdin.flush()
            for line in self._process.stdout:
                reply: Reply = json.loads(line)
                if reply["kind"] != "progress":
                    return reply
                on_progress(reply["cell"] / reply["cells"])
        except BaseException:  # Ctrl-C: the process' next reply would be taken for that to another job
            self.close()
            raise
        finally:
            timer.cancel()
        return None


def _end_process(process: subprocess.Popen[str], folder: tempfile.TemporaryDirectory[str]) -> None:
    """Kill a grading process. Its sandbox notices, and ends with it."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    folder.cleanup()


_THREAD = threading.local()


def _process_of_this_thread() -> _GradingProcess:
    process: _GradingProcess | None = getattr(_THREAD, "process", None)
    if process is None or not process.alive:
        process = _THREAD.process = _GradingProcess()
    return process


def _check(cell: GradedCell) -> Check:
    """A graded cell's result in the learner's terms: "06-1-blips" is of task 06.1."""
    card, task, _ = cell["name"].split("-", 2)
    return Check(
        name=cell["name"],
        task=f"{card}.{task}",
        title=cell["title"],
        points=cell["points"],
        out_of=cell["out_of"],
        behaviour=cell["behaviour"],
        hint=cell["hint"],
    )
