"""Grades one submission in a process of its own, so that a crash or a hang costs only itself.

    python -m halab.course.grading_worker FOLDER ASSIGNMENT LEARNER NOTEBOOK

FOLDER is a throw-away nbgrader course, NOTEBOOK what the learner saved. To stdout goes one JSON
object a line:

    {"cell": 3, "of": 20}                   when a cell starts
    {"checks": [...], "notes": [...]}       at the end
    {"refused": [message, hint]}            instead, if the notebook cannot be graded
    {"error": message}                      instead, if nbgrader failed
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
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

MEMORY = 4 * 1024**3  # bytes of address space, enough for numpy and scipy with room to spare
CPU = 60  # seconds
FILE_SIZE = 100 * 1024**2  # bytes a file may grow to
KEPT = 20  # gradebooks in the cache: more than there are exercises

Report = Callable[[dict[str, Any]], None]


def main(folder: Path, assignment: str, learner: str, notebook: Path) -> None:
    """Grade the submission in `folder` and report on stdout, which nothing else writes to."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def report(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")

    _limit()
    # nbformat imports jsonschema, which would load this checker of web addresses: a second for nothing.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        _grade(folder, assignment, learner, notebook, report)
    except SubmissionError as error:
        report({"refused": [error.message, error.hint]})
    except CourseError as error:
        report({"error": error.message})


def _limit() -> None:
    """Limits that the kernel, and so the learner's code, inherits."""
    # NumPy's threads each reserve address space, which on a machine of many cores would use up the limit.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a system that lacks this limit, or has a lower one
            resource.setrlimit(what, (most, most))


def _grade(folder: Path, assignment: str, learner: str, copy: Path, report: Report) -> None:
    # Here and not above, so that the limits stand before anything large is loaded.
    import nbformat

    from halab.course.nbgrader_course import autograde, settings
    from halab.course.submission import prepare

    notebook, notes = prepare(copy, course_root() / "exercises" / assignment / f"{assignment}.ipynb")
    submitted = folder / ".nbgrader" / "submitted" / learner / assignment
    submitted.mkdir(parents=True)
    nbformat.write(notebook, submitted / f"{assignment}.ipynb")

    def start(cell: Any, cell_index: int) -> None:
        report({"cell": cell_index + 1, "of": len(notebook.cells)})

    config = settings(folder)
    config.KernelManager.transport = "ipc"  # a TCP port could be taken by another process meanwhile
    config.KernelManager.ip = str(folder / "kernel")
    config.Execute.on_cell_start = start
    _gradebook(folder, config, assignment)
    autograde(config, assignment, learner)
    report({"checks": list(_checks(folder, config, assignment, learner)), "notes": notes})


def _gradebook(folder: Path, config: Any, assignment: str) -> None:
    """A gradebook that knows the exercise's test cells: it takes seconds to make, so it is kept."""
    from halab.course.nbgrader_course import generate

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
        for old in newest[KEPT:]:
            old.unlink()


def _checks(folder: Path, config: Any, assignment: str, learner: str) -> Iterator[dict[str, Any]]:
    """Points from nbgrader's gradebook, reasons from the outputs of the graded notebook."""
    import nbformat
    from nbgrader import utils
    from nbgrader.api import Gradebook

    graded = folder / ".nbgrader" / "autograded" / learner / assignment / f"{assignment}.ipynb"
    cells = [cell for cell in nbformat.read(graded, as_version=4).cells if utils.is_grade(cell)]
    with Gradebook(config.CourseDirectory.db_url, config.CourseDirectory.course_id) as gradebook:
        for cell in cells:
            name = cell.metadata.nbgrader["grade_id"]
            grade = gradebook.find_grade(name, assignment, assignment, learner)
            yield {
                "name": name,
                "title": cell.source.splitlines()[0].lstrip("# "),
                "points": grade.score,
                "out_of": grade.max_score,
                "errors": [
                    {"kind": one.ename, "text": one.evalue}
                    for one in cell.outputs
                    if one.output_type == "error"
                ],
            }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]))
