"""Grades submissions in a process of its own, one after the other, until its stdin ends.

    python -m halab.grading.worker FOLDER

FOLDER is a throw-away folder. A job is one JSON object a line on stdin, its paths absolute:

    {"notebook": path, "assignment": name, "learner": id, "keep": folder or null}

To stdout go, one JSON object a line:

    {"cell": 3, "of": 20}                   when a cell starts
    {"checks": [...], "notes": [...]}       at the end
    {"refused": [message, hint]}            instead, if the notebook cannot be graded
    {"error": message}                      instead, if nbgrader or the sandbox failed

nbgrader takes two seconds to load, and the sandbox most of one: a class is graded by few such processes.
No learner's code runs in here (halab.grading.judge says how).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from halab.course.paths import course_root
from halab.course.store import create_once
from halab.errors import CourseError, SubmissionError
from halab.folders import cache_folder

MAX_GRADEBOOKS = 20  # gradebooks in the cache: more than there are exercises

Send = Callable[[dict[str, Any]], None]


def main(folder: Path) -> None:
    """Serve jobs. What other code prints goes to stderr, so that stdout carries the protocol alone."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def report(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")

    # nbformat imports jsonschema, which would load this checker of web addresses: a second for nothing.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    for line in sys.stdin:
        job = json.loads(line)
        try:
            _grade(folder, job, report)
        except SubmissionError as error:
            report({"refused": [error.message, error.hint]})
        except CourseError as error:
            report({"error": error.message})
    shutil.rmtree(folder, ignore_errors=True)  # whoever gave it may have been killed


def _grade(folder: Path, job: dict[str, Any], report: Send) -> None:
    import nbformat

    from halab.grading.nbgrader_patches import apply_patches
    from halab.grading.nbgrader_plugins import sandbox
    from halab.grading.nbgrader_run import autograde, settings
    from halab.grading.preparation import prepare

    apply_patches()
    assignment, learner = job["assignment"], job["learner"]
    release = course_root() / "exercises" / assignment / f"{assignment}.ipynb"
    notebook, notes = prepare(Path(job["notebook"]), release)
    with _temporary_course(folder, assignment):
        submitted = folder / ".nbgrader" / "submitted" / learner / assignment
        submitted.mkdir(parents=True)
        nbformat.write(notebook, submitted / f"{assignment}.ipynb")
        config = settings(folder)
        config.GradeInSandbox.on_cell = lambda number, of: report({"cell": number, "of": of})
        _gradebook(folder, config, assignment)
        autograde(config, assignment, learner)
        checks = list(_checks(folder, config, assignment, learner))
        if job["keep"]:
            _keep(folder / ".nbgrader" / "autograded" / learner / assignment, Path(job["keep"]))
    if sandbox().warning:
        notes.append(sandbox().warning)
    report({"checks": checks, "notes": notes})


@contextlib.contextmanager
def _temporary_course(folder: Path, assignment: str) -> Iterator[None]:
    """An nbgrader course with this one assignment, gone on leaving."""
    root = course_root()
    shutil.copy(root / "nbgrader_config.py", folder)
    shutil.copytree(root / "solutions" / assignment, folder / "solutions" / assignment)
    try:
        yield
    finally:
        shutil.rmtree(folder / "solutions")
        shutil.rmtree(folder / ".nbgrader", ignore_errors=True)


def _keep(graded: Path, folder: Path) -> None:
    """Put the graded notebook where it was asked for; nbgrader's copies are read-only, an older one too."""
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in graded.glob("*.ipynb"):
        (folder / notebook.name).unlink(missing_ok=True)
        shutil.copy(notebook, folder)


def _gradebook(folder: Path, config: Any, assignment: str) -> None:
    """A gradebook that knows the exercise's test cells: it takes seconds to make, so it is kept."""
    from halab.grading.nbgrader_run import generate

    digest = hashlib.sha256(f"nbgrader {version('nbgrader')}".encode())
    digest.update((folder / "nbgrader_config.py").read_bytes())
    digest.update((folder / "solutions" / assignment / f"{assignment}.ipynb").read_bytes())
    kept = cache_folder() / "gradebooks" / f"{digest.hexdigest()}.db"
    here = folder / ".nbgrader" / "gradebook.db"
    try:
        shutil.copy(kept, here)
    except FileNotFoundError:
        generate(config, assignment)
        create_once(kept, here.read_bytes())
        keep_newest(kept.parent)


def keep_newest(folder: Path) -> None:
    """An exercise that changed leaves its old gradebook behind: keep the newest few."""
    with contextlib.suppress(FileNotFoundError):  # another worker tidies up as well
        newest = sorted(folder.glob("*.db"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in newest[MAX_GRADEBOOKS:]:
            old.unlink()


def _checks(folder: Path, config: Any, assignment: str, learner: str) -> Iterator[dict[str, Any]]:
    """Points from nbgrader's gradebook, reasons from the outputs of the graded notebook."""
    import nbformat
    from nbgrader import api, utils

    graded = folder / ".nbgrader" / "autograded" / learner / assignment / f"{assignment}.ipynb"
    cells = [cell for cell in nbformat.read(graded, as_version=4).cells if utils.is_grade(cell)]
    with api.Gradebook(config.CourseDirectory.db_url, config.CourseDirectory.course_id) as gradebook:
        found = gradebook.find_submission_notebook(assignment, assignment, learner)
        # In one query: the properties of nbgrader's objects each ask the database.
        columns = gradebook.db.query(api.BaseCell.name, api.Grade.score, api.Grade.max_score)
        rows = columns.join(api.Grade.cell).filter(api.Grade.notebook_id == found.id)
        earned = {name: (score, max_score) for name, score, max_score in rows}
    for cell in cells:
        name = cell.metadata.nbgrader["grade_id"]
        points, out_of = earned[name]
        yield {
            "name": name,
            "title": cell.source.splitlines()[0].lstrip("# "),
            "points": points,
            "out_of": out_of,
            "errors": [
                {"kind": one.ename, "text": one.evalue} for one in cell.outputs if one.output_type == "error"
            ],
        }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
