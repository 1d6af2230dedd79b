"""Grades a whole class over an executor. Results are kept as they come: a second run does only the rest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Protocol

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

import halab
from halab.classroom.submissions import ClassSubmissions, Submission
from halab.course.paths import course_root
from halab.course.store import append, read
from halab.errors import CourseError, SubmissionError
from halab.grading.grader import Check, GradeReport, grade_notebook
from halab.grading.preparation import one_line

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
_KEPT = "results.jsonl"
_LOCK = ".grading.lock"


class GradeFunction(Protocol):
    """`grade_notebook`, or what a test puts in its place."""

    def __call__(self, copy: Path, name: str, learner: str, *, keep: Path) -> GradeReport: ...


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one submission.

    "graded" has its checks, and `why` says where code of the learner's had to be stopped. "refused" has 0
    points: `why` the notebook could not be graded is its learner's to mend. "not graded" has no points: the
    fault is the course's or this machine's.
    """

    learner: str
    assignment: str
    status: Status
    out_of: float
    why: str = ""
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    time: str = ""

    @property
    def points(self) -> float | None:
        """None if it was not graded."""
        return None if self.status == "not graded" else sum(check.points for check in self.checks)


_RESULT = TypeAdapter(Result)


@dataclass(frozen=True)
class ClassReport:
    """The results of a class, sorted by learner and assignment."""

    submitted: ClassSubmissions
    results: tuple[Result, ...]

    @cached_property
    def _places(self) -> dict[tuple[str, str], Result]:
        return {(one.learner, one.assignment): one for one in self.results}

    def result(self, learner: str, assignment: str) -> Result | None:
        """None if this learner did not hand it in."""
        return self._places.get((learner, assignment))

    def out_of(self, assignment: str) -> float:
        """What an assignment is worth in all."""
        return max((one.out_of for one in self.results if one.assignment == assignment), default=0.0)

    def total(self, learner: str) -> float | None:
        """A learner's points in all; what was not handed in counts 0. None while one is not graded."""
        found = [self.result(learner, assignment) for assignment in self.submitted.assignments]
        points = [one.points for one in found if one]
        return None if None in points else sum(one for one in points if one is not None)


class OnResult(Protocol):
    """Told of every result as it comes: how many are `done`, `of` how many; first of all with None."""

    def __call__(self, result: Result | None, done: int, of: int) -> None: ...


def default_output(folder: Path) -> Path:
    """Where the grades of a class go: beside its folder."""
    folder = folder.resolve()
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
    grade: GradeFunction = grade_notebook,
    on_result: OnResult = lambda result, done, of: None,
) -> ClassReport:
    """Grade what is new or changed since the last run into `out`, and return all results.

    Any `concurrent.futures` executor serves, such as Dask's `client.get_executor()`, if its workers see the
    course and both folders at the same paths; it is left open. Without one, `jobs` threads (default: one a
    core) each wait for a grading process. Graded notebooks go to `out/autograded`.

    Raises CourseError if `out` is not for this, if another run is using it, or if the executor broke. An
    interrupt stops what has not begun. Whatever was raised, results that had come are kept.
    """
    of = len(submitted.submissions)
    with _lock_output(out, submitted.folder):
        keys: dict[Submission, str] = {}
        results = list(_split_known(submitted, out, keys))
        on_result(None, len(results), of)
        with closing(_grade_over(executor, jobs, list(keys), out, grade)) as outcomes:
            for one, outcome in outcomes:
                result = _result(one, outcome)
                if result.status != "not graded":  # what keeps the course from grading may be mended soon
                    append(out / _KEPT, {"key": keys[one], **asdict(result)})
                results.append(result)
                on_result(result, len(results), of)
    return ClassReport(submitted, tuple(sorted(results, key=lambda one: (one.learner, one.assignment))))


def grade_submission(
    notebook: str, assignment: str, learner: str, keep: str, grade: GradeFunction = grade_notebook
) -> dict[str, Any]:
    """What an executor's worker does: grade one notebook. Plain arguments and result; nothing is raised."""
    autograded = Path(keep) / f"{assignment}.ipynb"
    try:
        report = grade(Path(notebook), assignment, learner, keep=Path(keep))
        return {
            "status": "graded",
            "why": _stopped_cells(autograded),
            "checks": [asdict(check) for check in report.checks],
            "notes": list(report.notes),
        }
    except SubmissionError as error:
        return {"status": "refused", "why": error.message}
    except CourseError as error:
        return {"status": "not graded", "why": error.message}
    except Exception as error:
        return {"status": "not graded", "why": f"{type(error).__name__}: {error}"}


def _stopped_cells(autograded: Path) -> str:
    """A sentence for each cell of a graded notebook that was stopped, or that ended its process."""
    said = []
    for number, cell in enumerate(json.loads(autograded.read_text(encoding="utf-8"))["cells"], start=1):
        for output in cell.get("outputs", ()):
            if output.get("ename") == "ProcessEnded":
                said.append(output["evalue"])
            elif output.get("ename") == "CellTimeoutError":
                said.append(f"Cell {number} of the notebook was still running when its time was up.")
    return " ".join(dict.fromkeys(said))


@contextmanager
def _lock_output(out: Path, folder: Path) -> Iterator[None]:
    """`out`, made if need be, for this run alone."""
    out = out.resolve()
    if out == folder or folder in out.parents:
        raise CourseError(
            f"The grades would go to {out}, but nothing is ever written into {folder}.",
            hint=f"Choose another folder with --out, such as {default_output(folder)}.",
        )
    if out.exists() and not (out.is_dir() and ((out / _KEPT).is_file() or not any(out.iterdir()))):
        raise CourseError(
            f"{out} should be new, empty, or the --out of an earlier run; it is something else.",
            hint="Choose another folder with --out.",
        )
    lock = FileLock(out / _LOCK, timeout=0)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / _KEPT).touch()
        lock.acquire()
    except Timeout:
        raise CourseError(
            f"Another run is grading into {out}.", hint="Wait for it to end, or stop it with Ctrl-C."
        ) from None
    except OSError as error:
        raise CourseError(
            f"{out} cannot be written to: {error.strerror}.", hint="Choose another folder with --out."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _grade_over(
    executor: Executor | None, jobs: int | None, todo: list[Submission], out: Path, grade: GradeFunction
) -> Generator[tuple[Submission, dict[str, Any]]]:
    """Outcomes as they come. Raises CourseError at the end if the executor broke on the way."""
    pool = executor or ThreadPoolExecutor(jobs or os.cpu_count() or 1, thread_name_prefix="halab-class")
    futures = {}
    broken: BaseException | None = None
    try:
        try:
            for one in todo:
                keep = str(autograded_path(out, one.learner, one.assignment).parent)
                future = pool.submit(
                    grade_submission, str(one.notebook), one.assignment, one.learner, keep, grade
                )
                futures[future] = one
        except RuntimeError as error:  # broken, or already shut down
            broken = error
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except (BrokenExecutor, CancelledError) as error:
                broken = error
            except Exception as error:  # the worker's process was lost, with this submission
                yield futures[future], {"status": "not graded", "why": f"{type(error).__name__}: {error}"}
    finally:
        for future in futures:
            future.cancel()
        if pool is not executor:
            pool.shutdown(wait=True, cancel_futures=True)
    if broken:
        raise CourseError(
            f"The executor stopped before all was graded: {one_line(str(broken)) or type(broken).__name__}",
            hint="What was graded is kept. Run it again to continue: with a new executor, and with fewer "
            "jobs if memory ran out.",
        )


def _result(one: Submission, outcome: dict[str, Any]) -> Result:
    checks = tuple(
        Check(**{**check, "behaviour": one_line(check["behaviour"])}) for check in outcome.get("checks", ())
    )
    return Result(
        one.learner,
        one.assignment,
        outcome["status"],
        sum(check.out_of for check in checks) if checks else _points(one.assignment),
        one_line(outcome.get("why", ""), 1000),
        checks,
        tuple(one_line(note) for note in outcome.get("notes", ())),
        one.time,
    )


def _points(assignment: str) -> float:
    """What an exercise's cells are worth in all."""
    notebook = json.loads(_released(assignment).read_text(encoding="utf-8"))
    marks = (cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"])
    return float(sum(mark.get("points", 0) for mark in marks if mark.get("grade")))


def _split_known(submitted: ClassSubmissions, out: Path, keys: dict[Submission, str]) -> Iterator[Result]:
    """Results that need no grading; `keys` gets the submissions that do, each with its key."""
    earlier = _kept(out)
    courses = {assignment: _course(assignment) for assignment in submitted.assignments}
    for one in submitted.submissions:
        if one.refusal:
            yield _result(one, {"status": "refused", "why": one.refusal})
            continue
        try:
            key = _key(one, courses[one.assignment])
        except OSError as error:
            yield _result(one, {"status": "not graded", "why": f"It cannot be read: {error.strerror}."})
            continue
        result = earlier.get(key)
        if result and (
            result.status == "refused" or autograded_path(out, one.learner, one.assignment).is_file()
        ):
            yield replace(result, time=one.time)
        else:
            keys[one] = key


def _kept(out: Path) -> dict[str, Result]:
    """Results of earlier runs by their key. One that an older halab wrote otherwise is passed over."""
    kept = {}
    for record in read(out / _KEPT):
        try:
            kept[record.pop("key")] = _RESULT.validate_python(record)
        except (KeyError, TypeError, ValidationError):
            continue
    (out / _KEPT).touch()  # a file without one good record was set aside whole
    return kept


def _key(one: Submission, course: str) -> str:
    """A digest of all that determines the grade, so that nothing stale is ever taken for it."""
    with one.notebook.open("rb") as file:
        notebook = hashlib.file_digest(file, "sha256").hexdigest()
    parts = [one.learner, one.assignment, notebook, course]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _course(assignment: str) -> str:
    """A digest of the exercise, of nbgrader's version and settings, and of the code that judges."""
    source, package = course_root() / "solutions" / assignment, Path(halab.__file__).parent
    visible = (path for path in source.rglob("*") if not path.relative_to(source).parts[0].startswith("."))
    files = [path for path in visible if path.is_file()]
    digest = hashlib.sha256(f"{version('halab')} {version('nbgrader')}".encode())
    settings = course_root() / "nbgrader_config.py"
    for file in (settings, _released(assignment), *sorted(files), *sorted(package.rglob("*.py"))):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _released(assignment: str) -> Path:
    return course_root() / "exercises" / assignment / f"{assignment}.ipynb"
