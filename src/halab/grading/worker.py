"""Grades submissions in a process of its own, one after the other, until its stdin or its owner ends.

    python -m halab.grading.worker FOLDER

FOLDER is a throw-away folder. Jobs come on stdin, replies go to stdout: see `halab.grading.messages`.

nbgrader takes two seconds to load, and the sandbox most of one: a class is graded by few such processes.
No learner's code runs in here (halab.grading.judge says how).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from halab.course.paths import course_root
from halab.course.store import create_once
from halab.errors import CourseError, SubmissionError
from halab.folders import cache_folder
from halab.grading.messages import Failed, Graded, GradedCell, Job, Progress, Refused, Reply
from halab.grading.verdicts import CellError
from halab.translation import gettext, gettext_noop

MEMORY = 3 * 1024**3
"""Bytes of address space this process and its children may each take: what somebody hands in is read here."""

_LOOK = 0.5  # seconds between two looks at whether the owner is there

_BUSY = gettext_noop("Grade it again when less runs on this machine.")

MAX_GRADEBOOKS = 20  # in the cache: more than there are exercises


def main(folder: Path) -> None:
    """Serve jobs. What other code prints goes to stderr, so that stdout carries the protocol alone."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):  # a system that lacks this limit, or has a lower one
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, most))
    threading.Thread(target=_end_with_owner, args=(folder, os.getppid()), daemon=True).start()
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(reply: Reply) -> None:
        channel.write(json.dumps(reply) + "\n")

    # nbformat imports jsonschema, which would load this checker of web addresses: a second for nothing.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    for line in sys.stdin:
        try:
            send(_grade(folder, json.loads(line), send))
        except SubmissionError as error:
            send(Refused(kind="refused", message=error.message, hint=error.hint))
        except CourseError as error:
            send(Failed(kind="failed", message=error.message, hint=error.hint))
    shutil.rmtree(folder, ignore_errors=True)  # whoever gave it may have been killed


def _end_with_owner(folder: Path, owner: int) -> None:
    """Wait until the owner has ended without a word, also in the middle of a job; then leave nothing."""
    while os.getppid() == owner:
        time.sleep(_LOOK)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)  # the sandbox notices, and ends with it


def _grade(folder: Path, job: Job, send: Callable[[Progress], None]) -> Graded:
    import nbformat

    from halab.grading.nbgrader_patches import apply_patches
    from halab.grading.nbgrader_plugins import sandbox
    from halab.grading.nbgrader_run import autograde, settings
    from halab.grading.preparation import prepare

    apply_patches()
    os.environ["HALAB_LANG"] = job["language"]
    assignment, learner = job["assignment"], job["learner"]
    release = course_root() / "exercises" / assignment / f"{assignment}.ipynb"
    notebook, notes = prepare(Path(job["notebook"]), release)
    with _course_of_one(folder, assignment):
        submitted = folder / ".nbgrader" / "submitted" / learner / assignment
        submitted.mkdir(parents=True)
        nbformat.write(notebook, submitted / f"{assignment}.ipynb")
        config = settings(folder)
        config.GradeInSandbox.on_cell = lambda cell, cells: send(
            Progress(kind="progress", cell=cell, cells=cells)
        )
        undecided: list[str] = []
        config.GradeInSandbox.on_undecided = undecided.append
        _make_gradebook(folder, config, assignment)
        try:
            autograde(config, assignment, learner)
        except CourseError:
            if undecided:  # nbgrader has only a traceback for it
                raise CourseError(undecided[0], hint=gettext(_BUSY)) from None
            raise
        cells = list(_graded_cells(folder, config, assignment, learner))
        if job["keep"]:
            _keep(folder / ".nbgrader" / "autograded" / learner / assignment, Path(job["keep"]))
    if sandbox().warning:
        notes.append(sandbox().warning)
    return Graded(kind="graded", cells=cells, notes=notes)


@contextlib.contextmanager
def _course_of_one(folder: Path, assignment: str) -> Iterator[None]:
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


def _make_gradebook(folder: Path, config: Any, assignment: str) -> None:
    """A gradebook that knows the exercise's test cells: it takes seconds to make, so it is kept."""
    from halab.grading.nbgrader_run import generate

    digest = hashlib.sha256(f"nbgrader {version('nbgrader')}".encode())
    digest.update((folder / "nbgrader_config.py").read_bytes())
    digest.update((folder / "solutions" / assignment / f"{assignment}.ipynb").read_bytes())
    cached = cache_folder() / "gradebooks" / f"{digest.hexdigest()}.db"
    gradebook = folder / ".nbgrader" / "gradebook.db"
    try:
        shutil.copy(cached, gradebook)
    except FileNotFoundError:
        generate(config, assignment)
        create_once(cached, gradebook.read_bytes())
        keep_newest(cached.parent)


def keep_newest(folder: Path) -> None:
    """An exercise that changed leaves its old gradebook behind: keep the newest few."""
    with contextlib.suppress(FileNotFoundError):  # another worker tidies up as well
        newest = sorted(folder.glob("*.db"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in newest[MAX_GRADEBOOKS:]:
            old.unlink()


def _graded_cells(folder: Path, config: Any, assignment: str, learner: str) -> Iterator[GradedCell]:
    """Points from nbgrader's gradebook, and why they are missing from the graded notebook's outputs."""
    import nbformat
    from nbgrader import api, utils

    graded = folder / ".nbgrader" / "autograded" / learner / assignment / f"{assignment}.ipynb"
    with api.Gradebook(config.CourseDirectory.db_url, config.CourseDirectory.course_id) as gradebook:
        submission = gradebook.find_submission_notebook(assignment, assignment, learner)
        # In one query: the properties of nbgrader's objects each ask the database.
        columns = gradebook.db.query(api.BaseCell.name, api.Grade.score, api.Grade.max_score)
        rows = columns.join(api.Grade.cell).filter(api.Grade.notebook_id == submission.id)
        earned = {name: (score, max_score) for name, score, max_score in rows}
    for cell in filter(utils.is_grade, nbformat.read(graded, as_version=4).cells):
        name = cell.metadata.nbgrader["grade_id"]
        points, out_of = earned[name]
        behaviour, hint = ("", "") if points >= out_of else _missed(name, cell.outputs)
        yield GradedCell(
            name=name,
            title=cell.source.splitlines()[0].lstrip("# "),
            points=points,
            out_of=out_of,
            behaviour=behaviour,
            hint=hint,
        )


def _missed(name: str, outputs: list[Any]) -> tuple[str, str]:
    """What a cell without all its points missed, and the hint for it: that of 06-1-blips is 06.1.blips."""
    errors = [CellError(output.ename, output.evalue) for output in outputs if output.output_type == "error"]
    behaviour = errors[0].in_report() if errors else gettext("The cell left no result.")
    return behaviour, (errors and errors[0].hint) or ".".join(name.split("-", 2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
