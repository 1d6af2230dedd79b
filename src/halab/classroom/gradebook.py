"""A class's results as an nbgrader course folder and as tables, for an instructor's tools to go on from.

OUT/gradebook.db, autograded/, nbgrader_config.py    for `nbgrader generate_feedback`, `export` and formgrader
OUT/grades.csv       a row a submission, and one for each thing that was left out
OUT/summary.csv      a row a learner, a column an assignment
OUT/anonymous.csv    the summary without names and ids, to be passed on
"""

from __future__ import annotations

import csv
import hmac
import html
import io
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from halab.classroom.class_grading import ClassReport, Result, autograded_path
from halab.classroom.submissions import Submission
from halab.course.paths import course_root
from halab.course.store import create_once
from halab.errors import CourseError
from halab.folders import read_plain, write_atomically
from halab.grading.grader import Check
from halab.grading.temporary_course import scratch_course
from halab.translation import gettext, language, speaking

__all__ = ["as_in_gradebook", "publish", "publish_gradebook"]

_DATABASE = "gradebook.db"
_SECRET = ".anonymous-secret"
_GRADES = (
    "learner", "name", "card", "assignment", "submitted", "points", "out of", "percent", "status", "reason",
    "failed tasks", "what is missing", "notes",
)  # fmt: skip
_SETTINGS = '''"""nbgrader's settings for the grades in this folder. Your own may follow below."""

c = get_config()
load_subconfig("halab_settings.py")  # the course's; written anew by every `halab class grade`
'''
_FOLDERS = """

# Added by `halab class grade`: this folder holds the grades of a class.
grades = Path(__file__).resolve().parent
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
c.CourseDirectory.solution_directory = "solution"
c.CourseDirectory.db_url = f"sqlite:///{grades / 'gradebook.db'}"
c.CsvExportPlugin.to = "export.csv"  # nbgrader's own default, grades.csv, is a table of halab's here
"""


def publish(report: ClassReport, out: Path) -> tuple[ClassReport, list[str]]:
    """Write the gradebook and the tables into `out`.

    What an instructor has added to the gradebook (manual points, comments, names, due dates) stays. Returns
    the report as the gradebook then has it, and a sentence for all an instructor should know.
    """
    remarks = publish_gradebook(report, out)
    settled = as_in_gradebook(report, out)
    write_atomically(out / "grades.csv", _csv(_GRADES, _grade_rows(settled)))
    write_atomically(out / "summary.csv", _csv(*_summary(settled)))
    write_atomically(out / "anonymous.csv", _csv(*_anonymous(settled, out)))
    return settled, [*remarks, *_late(settled)]


def _late(report: ClassReport) -> Iterator[str]:
    """A sentence for each learner with late work."""
    for learner in report.submitted.learners:
        late = [one.assignment for one in report.results if one.learner == learner and one.late]
        if late:
            yield gettext("Late: {learner}, {assignments}.").format(
                learner=report.submitted.label(learner), assignments=", ".join(late)
            )


def as_in_gradebook(report: ClassReport, out: Path) -> ClassReport:
    """The report with what an instructor gave or wrote by hand, and without what late work loses.

    The penalties go into the gradebook too. So there is one truth for tables, heat map and `nbgrader export`.
    """
    from nbgrader.api import Gradebook
    from nbgrader.preprocessors import AssignLatePenalties

    from halab.grading.nbgrader_run import settings

    config = settings(out)
    late = AssignLatePenalties(config=config)
    late.init_plugin()
    with (
        Gradebook(_url(out), config.CourseDirectory.course_id) as gradebook,
        _one_transaction(gradebook),
    ):
        results = tuple(
            result if result.status == "not graded" else _as_recorded(result, gradebook, late)
            for result in report.results
        )
    return ClassReport(report.submitted, results)


def _as_recorded(result: Result, gradebook: Any, late: Any) -> Result:
    """One result with its points by hand and its penalty, each told in a note."""
    submission = gradebook.find_submission(result.assignment, result.learner)
    notebook = gradebook.find_submission_notebook(result.assignment, result.assignment, result.learner)
    by_hand = [
        grade for grade in notebook.grades if grade.manual_score is not None or grade.extra_credit is not None
    ]
    notes = [_by_hand(grade) for grade in by_hand]
    notebook.late_submission_penalty = None
    if seconds := submission.total_seconds_late:
        asked = late.plugin_inst.late_submission_penalty(result.learner, notebook.score, seconds)
        penalty = None if asked is None else min(max(asked, 0.0), notebook.score)
        notebook.late_submission_penalty = penalty
        late_by = (
            gettext("Late by {time}: {penalty:g} points taken off.")
            if penalty
            else gettext("Late by {time}.")
        )
        notes.append(late_by.format(time=_hours(seconds), penalty=penalty))
        result = replace(result, penalty=penalty or 0.0, late=seconds)
    if by_hand:
        result = replace(result, checks=_checks(result, notebook))
    comments = sorted((comment.name, comment.manual_comment) for comment in notebook.comments)
    told = tuple((_task(name), comment) for name, comment in comments if comment)
    return replace(result, notes=(*notes, *result.notes), comments=told)


def _checks(result: Result, notebook: Any) -> tuple[Check, ...]:
    """The checks with the gradebook's points; a refused notebook has none of its own."""
    scores = {grade.name: (grade.score, grade.max_score) for grade in notebook.grades}
    known = result.checks or tuple(
        Check(name, _task(name), name, points, out_of) for name, (points, out_of) in sorted(scores.items())
    )
    return tuple(
        replace(check, points=scores[check.name][0]) if check.name in scores else check for check in known
    )


def _task(cell: str) -> str:
    """The task that a cell belongs to: "06-1-blips" is of task 06.1."""
    return f"{cell[:2]}.{cell[3:4]}"


def _by_hand(grade: Any) -> str:
    said = gettext("{check} has {score:g} by hand, {auto_score:g} by its check.").format(
        check=grade.name, score=grade.score, auto_score=grade.auto_score or 0
    )
    again = gettext("The work has changed since: look again.")
    return f"{said} {again}" if grade.needs_manual_grade else said


def _hours(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days:
        return gettext("{days} d {hours} h").format(days=days, hours=hours)
    return gettext("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def publish_gradebook(report: ClassReport, out: Path) -> list[str]:
    """Bring `out`'s gradebook up to date. Scores are the report's; what was not graded gets none."""
    text = (course_root() / "nbgrader_config.py").read_text(encoding="utf-8")
    write_atomically(out / "halab_settings.py", (text + _FOLDERS).encode())
    create_once(out / "nbgrader_config.py", _SETTINGS.encode())
    for assignment in report.submitted.assignments:  # formgrader lists those that have a folder there
        (out / "source" / assignment).mkdir(parents=True, exist_ok=True)
    for result in report.results:
        if result.status == "refused":
            with speaking(report.submitted.languages.get(result.learner, language())):
                _write_refusal_notebook(result, autograded_path(out, result.learner, result.assignment))
    for submission in report.submitted.submissions:
        _keep_for_release(submission, autograded_path(out, submission.learner, submission.assignment).parent)
    remarks = _update_exercises(report, out)
    return remarks + _update_scores(report, out)


def _update_exercises(report: ClassReport, out: Path) -> list[str]:
    """The test cells of every exercise, through nbgrader's own `generate_assignment`."""
    from sqlalchemy.exc import DatabaseError

    try:
        _generate(report, out)
    except (CourseError, DatabaseError):
        database = out / _DATABASE
        if not database.exists():
            raise
        aside = database.with_name(f"gradebook-before-{time.strftime('%Y%m%d-%H%M%S')}.db")
        database.rename(aside)
        _generate(report, out)
        return [
            gettext(
                "The gradebook that was there does not fit the exercises as they are now. It is kept as "
                "{name}, with its manual grades and comments; a new one was made."
            ).format(name=aside.name)
        ]
    return []


def _generate(report: ClassReport, out: Path) -> None:
    from halab.grading.nbgrader_run import generate, settings

    with scratch_course(report.submitted.assignments) as folder:
        config = settings(folder)
        config.CourseDirectory.db_url = _url(out)
        config.CourseDirectory.course_id = settings(out).CourseDirectory.course_id
        for assignment in report.submitted.assignments:
            generate(config, assignment)


def _update_scores(report: ClassReport, out: Path) -> list[str]:
    from nbgrader.api import Gradebook

    from halab.grading.nbgrader_run import settings

    times = _submission_times(report)
    with Gradebook(_url(out), settings(out).CourseDirectory.course_id) as gradebook:
        with _one_transaction(gradebook):
            for learner in report.submitted.learners:
                _update_student(gradebook, learner, report.submitted.names.get(learner, ""))
            for result in report.results:
                if result.status != "not graded":
                    _update_score(gradebook, result, times[result.learner, result.assignment])
        recorded = {
            (submission.student_id, submission.assignment.name) for submission in _submissions(gradebook)
        }
    return [
        gettext("{learner} has {assignment} in the gradebook, but no longer in {folder}/.").format(
            learner=learner, assignment=assignment, folder=report.submitted.folder.name
        )
        for learner, assignment in sorted(recorded - times.keys())
    ]


@contextmanager
def _one_transaction(gradebook: Any) -> Iterator[None]:
    """All or nothing, and one wait for the disk: nbgrader's own methods commit after every change."""
    commit = gradebook.db.commit
    gradebook.db.commit = gradebook.db.flush
    try:
        yield
    finally:
        gradebook.db.commit = commit
    commit()


def _submissions(gradebook: Any) -> Iterator[Any]:
    for assignment in gradebook.assignments:
        yield from assignment.submissions


def _submission_times(report: ClassReport) -> dict[tuple[str, str], str]:
    return {
        (submission.learner, submission.assignment): submission.time
        for submission in report.submitted.submissions
    }


def _update_score(gradebook: Any, result: Result, submitted: str) -> None:
    """What `nbgrader autograde` writes for one submission, with the report's points."""
    timestamp = _timestamp(submitted)
    options = {"timestamp": timestamp} if timestamp else {}
    with gradebook.db.no_autoflush:  # nbgrader asks the database while its new submission is half built
        gradebook.update_or_create_submission(result.assignment, result.learner, **options)
    notebook = gradebook.find_submission_notebook(result.assignment, result.assignment, result.learner)
    points = {check.name: check.points for check in result.checks}
    for grade in notebook.grades:
        earned = points.get(grade.name, 0.0)
        if grade.auto_score != earned:
            # As nbgrader does: what somebody graded by hand is shown to them again.
            grade.needs_manual_grade = grade.manual_score is not None
            grade.auto_score = earned


def _update_student(gradebook: Any, learner: str, name: str) -> None:
    """A learner with their name in the gradebook; names that an instructor imported stay."""
    student = gradebook.update_or_create_student(learner)
    if name and student.first_name is None and student.last_name is None:
        first, _, last = name.rpartition(" ")
        student.first_name, student.last_name = first, last


def _timestamp(submitted: str) -> Any:
    """The time of a timestamp.txt, or None if it holds none."""
    from nbgrader.utils import parse_utc

    try:
        return parse_utc(submitted) if submitted else None
    except (ValueError, OverflowError):  # such as the year 9999 in a time zone behind ours
        return None


def _write_refusal_notebook(result: Result, path: Path) -> None:
    """In place of the graded notebook: the exercise as handed out, with why nothing else was graded."""
    import nbformat

    # The reason may quote the learner's file, and feedback is a page: nothing in it may become markup.
    reason = html.escape(result.reason)
    released = course_root() / "exercises" / result.assignment / f"{result.assignment}.ipynb"
    notebook = nbformat.read(released, as_version=4)
    text = gettext(
        "**This submission could not be graded.** {reason}\n\nBelow is the exercise as it was handed out."
    ).format(reason=reason)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text, id="not-graded"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, nbformat.writes(notebook).encode())


def _keep_for_release(submission: Submission, graded: Path) -> None:
    """What `nbgrader release_feedback` asks for beside a graded notebook: when, and the learner's secret.

    The secret is that of `nbgrader submit`. Without one, nobody can fetch by it, and any will do.
    """
    if not graded.is_dir():
        return
    write_atomically(graded / "timestamp.txt", submission.time.encode())
    theirs = submission.notebook.parent / "submission_secret.txt"
    try:
        secret = read_plain(theirs, 1000) if not theirs.is_symlink() else b""
    except OSError:
        secret = b""
    write_atomically(graded / "submission_secret.txt", secret or secrets.token_hex(64).encode())


def _url(out: Path) -> str:
    return f"sqlite:///{out.resolve() / _DATABASE}"


def _grade_rows(report: ClassReport) -> Iterator[list[Any]]:
    handed_in = {(handed.learner, handed.assignment): handed for handed in report.submitted.submissions}
    for result in report.results:
        submission = handed_in[result.learner, result.assignment]
        failed = [check for check in result.checks if not check.passed]
        tasks = sorted({check.task for check in failed})
        missing = dict.fromkeys(check.behaviour for check in failed)
        yield [
            result.learner,
            report.submitted.names.get(result.learner, ""),
            int(result.assignment[:2]),
            result.assignment,
            submission.time,
            _number(result.points),
            _number(result.out_of),
            _percent(result.points, result.out_of),
            result.status,
            result.reason,
            " ".join(tasks),
            " ".join(missing),
            " ".join((*submission.notes, *result.notes)),
        ]
    for entry in report.submitted.left_out:
        row = dict.fromkeys(_GRADES, "")
        yield list((row | {"learner": entry.where, "status": "left out", "reason": entry.reason}).values())


def _summary(report: ClassReport) -> tuple[list[str], Iterator[list[Any]]]:
    """Points in all count what was not handed in as 0, and are empty while a grade is still due."""
    assignments = report.submitted.assignments
    out_of = sum(report.out_of(assignment) for assignment in assignments)
    headings = ["learner", "name", *assignments, "points", "out of", "percent", "remark"]

    def rows() -> Iterator[list[Any]]:
        for learner in report.submitted.learners:
            results = [report.result(learner, assignment) for assignment in assignments]
            cells = [_number(result.points, result.status) if result else "" for result in results]
            points = report.total(learner)
            name = report.submitted.names.get(learner, "")
            remark = "" if any(results) else gettext("nothing handed in")
            yield [learner, name, *cells, _number(points), _number(out_of), _percent(points, out_of), remark]
        for entry in report.submitted.left_out:
            reason = gettext("left out: {reason}").format(reason=entry.reason)
            yield [entry.where, "", *("" for _ in assignments), "", "", "", reason]

    return headings, rows()


def _anonymous(report: ClassReport, out: Path) -> tuple[list[str], Iterator[list[Any]]]:
    """The summary under names that only who has the secret in `out` can trace, in their order."""
    create_once(out / _SECRET, secrets.token_bytes(32), mode=0o600)
    secret = (out / _SECRET).read_bytes()
    aliases = {
        hmac.new(secret, learner.encode(), "sha256").hexdigest()[:12]: learner
        for learner in report.submitted.learners
    }
    assignments = report.submitted.assignments

    def rows() -> Iterator[list[Any]]:
        for alias in sorted(aliases):
            results = (report.result(aliases[alias], assignment) for assignment in assignments)
            cells = [_number(result.points, result.status) if result else "" for result in results]
            yield [f"learner {alias}", *cells, _number(report.total(aliases[alias]))]

    return ["learner", *assignments, "points"], rows()


def _number(value: float | None, otherwise: str = "") -> float | int | str:
    if value is None:
        return otherwise
    return int(value) if value == int(value) else round(value, 2)


def _percent(points: float | None, out_of: float) -> float | int | str:
    return _number(None if points is None or not out_of else round(100 * points / out_of, 1))


def _csv(headings: Iterable[str], rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    # Quoted, so that a spreadsheet that splits at another sign than the comma makes no new cell of a text.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")  # spreadsheets know it by that


def _escape_formula(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula is made a text by a quotation mark in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
