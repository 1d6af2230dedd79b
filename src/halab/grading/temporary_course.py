"""A throw-away nbgrader course, so that building and grading leave no trace in the real one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from halab.course.paths import course_root

__all__ = ["scratch_course"]


@contextmanager
def scratch_course(assignments: Iterable[str]) -> Iterator[Path]:
    """A temporary folder with the course's nbgrader settings and the sources of these assignments."""
    root = course_root()
    with tempfile.TemporaryDirectory(prefix="halab-") as name:
        folder = Path(name)
        shutil.copy(root / "nbgrader_config.py", folder)
        for assignment in assignments:
            shutil.copytree(root / "solutions" / assignment, folder / "solutions" / assignment)
        yield folder
