"""The button that grades an exercise from inside its notebook: points, what was expected, and hints.

It does what `halab grade 06` and `halab hint 06.1` do, and a second button what `halab hand-in` does. Grading
runs in a thread, so that cells can go on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import traitlets

from halab.classroom.hand_in import hand_in
from halab.course.catalogue import CATALOGUE, entry
from halab.course.paths import work_dir
from halab.errors import CourseError, HalabError
from halab.grading.grader import Check, GradeReport, grade
from halab.grading.hints import STEPS, hints_of, next_hint
from halab.translation import gettext, language
from halab.widgets.base import CourseWidget, front_end

__all__ = ["GradePanel"]

_SAVED = 4.0  # seconds JupyterLab is given to save the notebook
_IDLE = 300.0  # seconds after which the grading process, which holds memory, is let go


class GradePanel(CourseWidget):
    """Grades the learner's copy of one card's exercise on a press, and gives hints one step at a time.

    `report` is the last result as plain data: points by task. `hints` maps a task such as "06.2" to the steps
    given so far, every one of them counted. `saved` says whether JupyterLab saved the notebook first.
    `handed_in` is the sentence on what was handed in, or on why nothing was, and the file below `work/`.
    """

    _esm, _css = front_end("grade_panel")

    card = traitlets.Int().tag(sync=True)
    state = traitlets.Enum(("idle", "saving", "grading", "graded", "failed"), "idle").tag(sync=True)
    share = traitlets.Float(0.0).tag(sync=True)
    report = traitlets.Dict().tag(sync=True)
    hints = traitlets.Dict().tag(sync=True)
    saved = traitlets.Bool(True).tag(sync=True)
    problem = traitlets.Dict().tag(sync=True)
    handed_in = traitlets.Dict().tag(sync=True)

    def __init__(self, card: int) -> None:
        self._graded: GradeReport | None = None
        self._given: dict[
            str, tuple[str, int]
        ] = {}  # by task the topic of its hint, and how many steps of it
        super().__init__(card=card)
        name = entry(card).slug
        self._copy = work_dir() / "exercises" / name / f"{name}.ipynb"
        self.on_msg(self._from_browser)

    def told(self) -> dict[str, Any]:
        report = _shown(self._graded) if self._graded else {}
        return {"report": report, "hints": self.hints | {task: self._hint(task) for task in self._given}}

    def press(self) -> None:
        """Grade in the background; does nothing while grading is under way."""
        if self.state in ("saving", "grading"):
            return
        before = _written(self._copy)
        self.problem, self.share, self.state = {}, 0.0, "saving"
        _GRADER.do(lambda: self._grade(before))

    def hint(self, task: str) -> None:
        """Give the next step of this task's hint, which is then counted; the last one stays."""
        try:
            given = next_hint(task)
            self._given[task] = given.topic, given.number
            told = self._hint(task)
        except CourseError as error:
            told = {"steps": [], "of": len(STEPS), "problem": str(error)}
        self.hints = self.hints | {task: told}

    def _hint(self, task: str) -> dict[str, Any]:
        topic, number = self._given[task]
        return {"steps": hints_of(self.card)[topic][:number], "of": len(STEPS), "problem": ""}

    def hand_in(self) -> None:
        """Pack all that the learner has saved, for the instructor; the browser saves this notebook first."""
        try:
            made = hand_in()
        except CourseError as error:
            self.handed_in = {"said": str(error), "path": "", "ok": False}
        else:
            path = made.file.relative_to(work_dir()).as_posix()
            self.handed_in = {"said": made.sentence(), "path": path, "ok": True}

    def text(self) -> str:
        if self.state == "failed":
            return gettext("Not graded: {message}\nHint: {hint}").format(
                message=self.problem["message"], hint=self.problem["hint"]
            )
        if not self.report:
            return gettext(
                "Exercise {card}: not graded here yet. Without a button: halab grade {card:02d}"
            ).format(card=self.card)
        lines = [
            gettext("Exercise {card}: {points:g} of {out_of:g} points").format(
                card=self.card, points=self.report["points"], out_of=self.report["out_of"]
            )
        ]
        for task in self.report["tasks"]:
            lines.append(
                gettext("Task {task}: {points:g} of {out_of:g}").format(
                    task=task["task"], points=task["points"], out_of=task["out_of"]
                )
            )
            lines += [_line(check) for check in task["checks"]]
            lines += [
                gettext("  hint: {step}").format(step=step)
                for step in self.hints.get(task["task"], {}).get("steps", [])
            ]
        return "\n".join(
            [*lines, *(gettext("Note: {note}").format(note=note) for note in self.report["notes"])]
        )

    def _from_browser(self, _: Any, content: dict[str, Any], __: Any) -> None:
        if "hint" in content:
            self.hint(str(content["hint"]))
        elif "hand_in" in content:
            self.handed_in = {}  # so that the browser hears of a second time too
            self.hand_in()
        else:
            self.press()

    def _grade(self, before: int) -> None:
        self.saved = _wait_until(lambda: _written(self._copy) != before)
        self.state = "grading"
        try:
            report = grade(self.card, self._progressed)
        except HalabError as error:
            self._failed(error.message, error.hint)
        except Exception as error:  # whatever it was, the learner must hear of it
            self._failed(
                f"{type(error).__name__}: {error}",
                gettext("Run halab grade {card:02d} in a terminal.").format(card=self.card),
            )
        else:
            self._graded, self._given = report, {}
            self.hints, self.report, self.state = {}, _shown(report), "graded"

    def _progressed(self, share: float) -> None:
        self.share = share

    def _failed(self, message: str, hint: str) -> None:
        self.problem, self.state = {"message": message, "hint": hint}, "failed"


class _Grader:
    """One thread for all buttons, and with it one grading process: a second press finds it warm."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running = False

    def do(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.put(job)
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, name="halab-grade", daemon=True).start()

    def _work(self) -> None:
        """Until nothing was asked for a while; the grading process ends with the thread."""
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._running = False
                        return
            else:
                job()


_GRADER = _Grader()


def _written(path: Path) -> int:
    """When the file was last written, to be compared only; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _wait_until(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + _SAVED
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _shown(report: GradeReport) -> dict[str, Any]:
    following = next((card for card in CATALOGUE if card.number == report.card + 1), None)
    return {
        "points": report.points,
        "out_of": report.out_of,
        "following": {"path": f"course/{following.slug}.ipynb", "title": following.title.in_(language())}
        if following
        else {"path": "course/00-start-here.ipynb", "title": ""},
        "tasks": [_task(task, list(of)) for task, of in groupby(report.checks, lambda check: check.task)],
        "notes": list(report.notes),
        "seconds": report.seconds,
    }


def _task(task: str, checks: list[Check]) -> dict[str, Any]:
    return {
        "task": task,
        "points": sum(check.points for check in checks),
        "out_of": sum(check.out_of for check in checks),
        "checks": [
            {
                "title": check.title_in(language()),
                "points": check.points,
                "out_of": check.out_of,
                "passed": check.passed,
                "behaviour": check.behaviour,
            }
            for check in checks
        ],
    }


def _line(check: dict[str, Any]) -> str:
    mark = "✓" if check["passed"] else "✗"
    line = gettext("  {mark} {title}: {points:g} of {out_of:g}").format(
        mark=mark, title=check["title"], points=check["points"], out_of=check["out_of"]
    )
    return line if check["passed"] else f"{line}. {check['behaviour']}"
