"""Grades a whole class over an executor. Results are kept as they come: a second run does only the rest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Generator, Iterator, Mapping
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    as_completed,
)
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Protocol

from pydantic import TypeAdapter, ValidationError

import halab
from halab.classroom.submissions import ClassSubmissions, Submission
from halab.course.paths import course_root
from halab.course.store import append, read
from halab.errors import CourseError, SubmissionError
from halab.folders import exclusive
from halab.grading.grader import Check, GradeReport, grade_notebook
from halab.grading.preparation import one_line
from halab.grading.verdicts import Verdict
from halab.translation import Language, gettext, language, speaking

__all__ = [
    "ClassReport",
    "GradeFunction",
    "OnResult",
    "Result",
    "Status",
    "autograded_path",
    "default_output",
    "grade_class",
    "grade_submission",
]  # fmt: skip

Status = Literal["graded", "refused", "not graded"]
_RESULTS_FILE = "results.jsonl"
_LOCK = ".grading.lock"


class GradeFunction(Protocol):
    """`grade_notebook`, or what a test puts in its place."""

    def __call__(
        self, copy: Path, name: str, learner: str, *, keep: Path, told_in: Language
    ) -> GradeReport: ...


class OnResult(Protocol):
    """Called with every result as it comes: `done` of `total` are there. First of all with None."""

    def __call__(self, result: Result | None, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker says of one notebook; see Result."""

    status: Status
    reason: str = ""
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one submission.

    "graded" has its checks, and as `reason` which of the learner's cells had to be stopped, if any. "refused"
    has 0 points: the notebook could not be graded, for a `reason` that its learner can mend. "not graded" has
    no points: the course or this machine is at fault. `late` is by how many seconds it missed its due date,
    and `penalty` what it loses for that. `comments` are the instructor's, each with the task it is on.
    """

    learner: str
    assignment: str
    status: Status
    out_of: float
    reason: str = ""
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    time: str = ""
    penalty: float = 0.0
    late: float = 0.0
    comments: tuple[tuple[str, str], ...] = ()

    @property
    def points(self) -> float | None:
        """None if it was not graded. What late work loses is taken off."""
        if self.status == "not graded":
            return None
        earned = sum(check.points for check in self.checks)
        return max(earned - self.penalty, 0.0) if self.penalty else earned


_RESULT = TypeAdapter(Result)


@dataclass(frozen=True)
class ClassReport:
    """The results of a class, sorted by learner and assignment."""

    submitted: ClassSubmissions
    results: tuple[Result, ...]

    @cached_property
    def _by_submission(self) -> dict[tuple[str, str], Result]:
        return {(result.learner, result.assignment): result for result in self.results}

    def result(self, learner: str, assignment: str) -> Result | None:
        """None if this learner did not hand it in."""
        return self._by_submission.get((learner, assignment))

    def out_of(self, assignment: str) -> float:
        """What an assignment is worth in all."""
        points = [result.out_of for result in self.results if result.assignment == assignment]
        return max(points, default=0.0)

    def total(self, learner: str) -> float | None:
        """A learner's points in all; what was not handed in counts 0. None while one is not graded."""
        points = [
            result.points
            for assignment in self.submitted.assignments
            if (result := self.result(learner, assignment))
        ]
        return None if None in points else sum(earned for earned in points if earned is not None)


def default_output(folder: Path) -> Path:
    """Where the grades of a class go: beside its folder."""
    folder = folder.resolve() if folder.is_dir() else folder.absolute()  # a link to itself has no other place
    return folder.with_name(f"{folder.name}-graded")


def autograded_path(out: Path, learner: str, assignment: str) -> Path:
    """Where nbgrader looks for the graded notebook."""
    return out / "autograded" / learner / assignment / f"{assignment}.ipynb"


def grade_class(
    submitted: ClassSubmissions,
    out: Path,
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
    again: Collection[str] = (),
    grade: GradeFunction = grade_notebook,
    on_result: OnResult = lambda result, done, total: None,
) -> ClassReport:
    """Grade what is new or changed since the last run into `out`, and return all results.

    What the learners in `again` handed in is graded afresh even if it is neither.

    Any `concurrent.futures` executor serves, such as Dask's `client.get_executor()`, if its workers see the
    course and both folders at the same paths; it is left open. Without one, `jobs` threads (default: one a
    core) each wait for a grading process. Graded notebooks go to `out/autograded`.

    Raises CourseError if `out` is not for this, if another run is using it, if somebody in `again` handed in
    nothing, or if the executor broke. An interrupt cancels what has not begun. Whatever was raised, the
    results that had come are kept.
    """
    if unknown := sorted(set(again) - {submission.learner for submission in submitted.submissions}):
        raise CourseError(
            gettext("Nothing of {unknown} is in {folder}.").format(
                unknown=", ".join(map(one_line, unknown)), folder=submitted.folder
            ),
            hint=gettext("Name learners by their ids: {learners}.").format(
                learners=", ".join(submitted.learners)
            ),
        )
    total = len(submitted.submissions)
    with _lock_output(out, submitted.folder):
        results, pending = _earlier_results(submitted, out, again)
        on_result(None, len(results), total)
        with closing(_grade_all(executor, jobs, pending, out, grade)) as outcomes:
            for submission, outcome in outcomes:
                result = _result(submission, outcome)
                if result.status != "not graded":  # what keeps the course from grading may be mended soon
                    append(out / _RESULTS_FILE, {"digest": pending[submission].digest, **asdict(result)})
                results.append(result)
                on_result(result, len(results), total)
    results.sort(key=lambda result: (result.learner, result.assignment))
    return ClassReport(submitted, tuple(results))


def grade_submission(
    notebook: str,
    assignment: str,
    learner: str,
    keep: str,
    told_in: Language,
    grade: GradeFunction = grade_notebook,
) -> Outcome:
    """What an executor's worker does: grade one notebook. It raises nothing."""
    try:
        report = grade(Path(notebook), assignment, learner, keep=Path(keep), told_in=told_in)
        with speaking(told_in):
            reason = _stopped_cells(Path(keep) / f"{assignment}.ipynb")
        return Outcome("graded", reason, report.checks, report.notes)
    except SubmissionError as error:
        return Outcome("refused", error.message)
    except CourseError as error:
        return Outcome("not graded", error.message)
    except Exception as error:
        return Outcome("not graded", f"{type(error).__name__}: {error}")


def _stopped_cells(autograded: Path) -> str:
    """A sentence for each cell of a graded notebook that was stopped, or that ended its process."""
    sentences = []
    for number, cell in enumerate(json.loads(autograded.read_text(encoding="utf-8"))["cells"], start=1):
        for output in cell.get("outputs", ()):
            match Verdict(output.get("ename", "")):
                case Verdict.PROCESS_EXITED:
                    sentences.append(output["evalue"])
                case Verdict.CELL_TIMEOUT if not output["evalue"]:
                    running = gettext("Cell {number} of the notebook was still running when its time was up.")
                    sentences.append(running.format(number=number))
    return " ".join(dict.fromkeys(sentences))


@contextmanager
def _lock_output(out: Path, folder: Path) -> Iterator[None]:
    """`out`, made if need be, for this run alone."""
    out = out.resolve()
    if out == folder or folder in out.parents:
        raise CourseError(
            gettext("The grades would go to {out}, but nothing is ever written into {folder}.").format(
                out=out, folder=folder
            ),
            hint=gettext("Choose another folder with --out, such as {folder}.").format(
                folder=default_output(folder)
            ),
        )
    if out.exists() and not (out.is_dir() and ((out / _RESULTS_FILE).is_file() or not any(out.iterdir()))):
        raise CourseError(
            gettext(
                "{out} should be new, empty, or the --out of an earlier run; it is something else."
            ).format(out=out),
            hint=gettext("Choose another folder with --out."),
        )
    refusal = CourseError(
        gettext("Another run is grading into {out}.").format(out=out),
        hint=gettext("Wait for it to end, or stop it with Ctrl-C."),
    )
    with ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / _RESULTS_FILE).touch()
            stack.enter_context(exclusive(out / _LOCK, refusal))
        except OSError as error:
            raise CourseError(
                gettext("{file} cannot be written: {why}.").format(file=out, why=error.strerror),
                hint=gettext("Choose another folder with --out."),
            ) from error
        yield


def _grade_all(
    executor: Executor | None,
    jobs: int | None,
    pending: Mapping[Submission, _Pending],
    out: Path,
    grade: GradeFunction,
) -> Generator[tuple[Submission, Outcome]]:
    """Outcomes as they come. Raises CourseError at the end if the executor broke on the way."""
    pool = executor or ThreadPoolExecutor(jobs or os.cpu_count() or 1, thread_name_prefix="halab-class")
    futures: dict[Future[Outcome], Submission] = {}
    broken: BaseException | None = None
    try:
        try:
            for submission, todo in pending.items():
                futures[_submit(pool, submission, todo.told_in, out, grade)] = submission
        except RuntimeError as error:  # broken, or already shut down
            broken = error
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except (BrokenExecutor, CancelledError) as error:
                broken = error
            except Exception as error:  # the worker's process was lost, with this submission
                yield futures[future], Outcome("not graded", f"{type(error).__name__}: {error}")
    finally:
        for future in futures:
            future.cancel()
        if pool is not executor:
            pool.shutdown(wait=True, cancel_futures=True)
    if broken:
        raise CourseError(
            gettext("The executor stopped before all was graded: {why}").format(
                why=one_line(str(broken)) or type(broken).__name__
            ),
            hint=gettext(
                "What was graded is kept. Run it again to continue: with a new executor, and with fewer "
                "jobs if memory ran out."
            ),
        )


def _submit(
    pool: Executor, submission: Submission, told_in: Language, out: Path, grade: GradeFunction
) -> Future[Outcome]:
    learner, assignment = submission.learner, submission.assignment
    keep = autograded_path(out, learner, assignment).parent
    notebook = str(submission.notebook)
    return pool.submit(grade_submission, notebook, assignment, learner, str(keep), told_in, grade)


def _result(submission: Submission, outcome: Outcome) -> Result:
    """The result, with every text that a learner may have written on one line of printable characters."""
    checks = tuple(replace(check, behaviour=one_line(check.behaviour)) for check in outcome.checks)
    return Result(
        submission.learner,
        submission.assignment,
        outcome.status,
        sum(check.out_of for check in checks) if checks else _points(submission.assignment),
        one_line(outcome.reason, 1000),
        checks,
        tuple(one_line(note) for note in outcome.notes),
        submission.time,
    )


def _points(assignment: str) -> float:
    """What an exercise's cells are worth in all."""
    notebook = json.loads(_release_path(assignment).read_text(encoding="utf-8"))
    marks = (cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"])
    return float(sum(mark.get("points", 0) for mark in marks if mark.get("grade")))


@dataclass(frozen=True, slots=True)
class _Pending:
    """How a submission is to be graded: what its result is kept under, and the learner's language."""

    digest: str
    told_in: Language


def _earlier_results(
    submitted: ClassSubmissions, out: Path, again: Collection[str]
) -> tuple[list[Result], dict[Submission, _Pending]]:
    """The results that need no grading, and the submissions that do."""
    earlier = _read_results(out)
    exercises = {assignment: _exercise_digest(assignment) for assignment in submitted.assignments}
    results: list[Result] = []
    pending: dict[Submission, _Pending] = {}
    instructors = language()
    for submission in submitted.submissions:
        if submission.refusal:
            results.append(_result(submission, Outcome("refused", submission.refusal)))
            continue
        told_in = submitted.languages.get(submission.learner, instructors)
        try:
            digest = _submission_digest(submission, exercises[submission.assignment], told_in)
        except OSError as error:
            why = gettext("It cannot be read: {why}.").format(why=error.strerror)
            results.append(_result(submission, Outcome("not graded", why)))
            continue
        result = None if submission.learner in again else earlier.get(digest)
        if result and (result.status == "refused" or _is_kept(out, submission)):
            results.append(replace(result, time=submission.time))
        else:
            pending[submission] = _Pending(digest, told_in)
    return results, pending


def _is_kept(out: Path, submission: Submission) -> bool:
    return autograded_path(out, submission.learner, submission.assignment).is_file()


def _read_results(out: Path) -> dict[str, Result]:
    """Results of earlier runs by their digest. A record of another halab's form is passed over."""
    results = {}
    for record in read(out / _RESULTS_FILE):
        try:
            results[record.pop("digest")] = _RESULT.validate_python(record)
        except (KeyError, TypeError, ValidationError):
            continue
    (out / _RESULTS_FILE).touch()  # a file without one good record was set aside whole
    return results


def _submission_digest(submission: Submission, exercise: str, told_in: Language) -> str:
    """A digest of all that determines the result, so that nothing stale is ever taken for it."""
    with submission.notebook.open("rb") as file:
        notebook = hashlib.file_digest(file, "sha256").hexdigest()
    parts = [submission.learner, submission.assignment, notebook, exercise, told_in]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _exercise_digest(assignment: str) -> str:
    """A digest of the exercise, of nbgrader's version and settings, and of the code that judges."""
    source, package = course_root() / "solutions" / assignment, Path(halab.__file__).parent
    visible = (path for path in source.rglob("*") if not path.relative_to(source).parts[0].startswith("."))
    files = [path for path in visible if path.is_file()]
    digest = hashlib.sha256(f"{version('halab')} {version('nbgrader')}".encode())
    settings = course_root() / "nbgrader_config.py"
    for file in (settings, _release_path(assignment), *sorted(files), *sorted(package.rglob("*.py"))):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _release_path(assignment: str) -> Path:
    return course_root() / "exercises" / assignment / f"{assignment}.ipynb"
