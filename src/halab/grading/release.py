"""Regenerates `exercises/` from `solutions/` through nbgrader; the same source gives the same files."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

from halab.course.paths import course_root
from halab.errors import CourseError
from halab.grading.temporary_course import scratch_course
from halab.translation import gettext

__all__ = ["build_exercises", "stale_exercises"]


def build_exercises() -> list[str]:
    """Write `exercises/` anew. Returns the files that changed, as paths from the course's root."""
    assignments = _assignments()
    with scratch_course(assignments) as folder:
        released = _release(folder, assignments)
        changed = _compare(released, course_root() / "exercises")
        shutil.rmtree(course_root() / "exercises", ignore_errors=True)
        shutil.copytree(released, course_root() / "exercises")
    return changed


def stale_exercises() -> list[str]:
    """The files of `exercises/` that are not what `solutions/` gives: missing, extra or changed."""
    assignments = _assignments()
    with scratch_course(assignments) as folder:
        return _compare(_release(folder, assignments), course_root() / "exercises")


def _assignments() -> list[str]:
    sources = course_root() / "solutions"
    assignments = sorted(path.name for path in sources.glob("*") if path.is_dir())
    if not assignments:
        raise CourseError(
            gettext("There is no assignment in {folder}.").format(folder=sources),
            hint=gettext("Run this in a full checkout of the course."),
        )
    return assignments


def _release(folder: Path, assignments: list[str]) -> Path:
    # Importing nbgrader takes more than a second; only a build pays for it.
    from halab.grading.nbgrader_run import generate, settings

    config = settings(folder)
    for assignment in assignments:
        generate(config, assignment)
    return folder / "exercises"


def _compare(new: Path, old: Path) -> list[str]:
    names = {path.relative_to(base) for base in (new, old) for path in base.rglob("*") if path.is_file()}
    return sorted(f"exercises/{name.as_posix()}" for name in names if not _same(new / name, old / name))


def _same(path: Path, other: Path) -> bool:
    return path.is_file() and other.is_file() and filecmp.cmp(path, other, shallow=False)
