"""Grades one submission in a process of its own, so that a crash or a hang costs only itself.

    python -m halab.course.grading_worker FOLDER ASSIGNMENT LEARNER

FOLDER is a throw-away nbgrader course that holds the submission. One JSON object a line is written to stdout:
{"cell": 3, "of": 20} when a cell starts, {"checks": [...]} at the end, or {"error": "..."}.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from halab.errors import CourseError

MEMORY = 4 * 1024**3  # bytes of address space, enough for numpy and scipy with room to spare
CPU = 60  # seconds
FILE_SIZE = 100 * 1024**2  # bytes a file may grow to

Report = Callable[[dict[str, Any]], None]


def main(folder: Path, assignment: str, learner: str) -> None:
    """Grade the submission in `folder` and report on stdout, which nothing else writes to."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def report(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")

    _limit()
    _grade(folder, assignment, learner, report)


def _limit() -> None:
    """Limits that the kernel, and so the learner's code, inherits."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a system that lacks this limit, or has a lower one
            resource.setrlimit(what, (most, most))


def _grade(folder: Path, assignment: str, learner: str, report: Report) -> None:
    # Here and not above, so that the limits stand before anything large is loaded.
    from halab.course.nbgrader_course import autograde, generate, settings

    config = settings(folder)
    config.KernelManager.transport = "ipc"  # a TCP port could be taken by another process meanwhile
    config.KernelManager.ip = str(folder / "kernel")
    total = 0

    def start(cell: Any, cell_index: int) -> None:
        report({"cell": cell_index + 1, "of": total})

    config.Execute.on_cell_start = start
    try:
        generate(config, assignment)
        total = _cells(folder / "exercises" / assignment / f"{assignment}.ipynb")
        autograde(config, assignment, learner)
    except CourseError as error:
        report({"error": error.message})
        return
    report({"checks": list(_checks(folder, config, assignment, learner))})


def _cells(notebook: Path) -> int:
    return len(json.loads(notebook.read_text())["cells"])


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
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
