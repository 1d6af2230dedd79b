"""Where the course lies on this machine, and where the learner works.

<root>/cards, course, exercises, solutions    the course as it was checked out; never written to by a learner
<root>/work                                   the learner's own copies; ignored by git
<root>/work/.halab                            what the course remembers about the learner
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from halab.errors import CourseError

__all__ = ["course_root", "state_dir", "work_dir"]


def course_root() -> Path:
    """The folder that holds `cards/` and `course/`.

    HALAB_COURSE if it is set; else the nearest folder above this package; else the nearest above the current
    folder. Raises CourseError when there is none, or when HALAB_COURSE names a folder that is not one.
    """
    named = os.environ.get("HALAB_COURSE")
    if named:
        root = Path(named).expanduser().resolve()
        if not _is_course(root):
            raise CourseError(
                f"HALAB_COURSE should name the folder that holds cards/ and course/, but it is {root}.",
                hint="Set it to the folder you cloned, or unset it.",
            )
        return root
    for folder in _candidates():
        if _is_course(folder):
            return folder
    raise CourseError(
        "The course's folder (the one with cards/ and course/) was not found above the current folder.",
        hint="Run the command inside the folder you cloned, or set HALAB_COURSE to it.",
    )


def work_dir() -> Path:
    """The learner's folder: HALAB_WORK if set, else `work/` in the course's folder. May not exist yet."""
    named = os.environ.get("HALAB_WORK")
    return Path(named).expanduser().resolve() if named else course_root() / "work"


def state_dir() -> Path:
    """`work/.halab`, made if it is not there."""
    folder = work_dir() / ".halab"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _candidates() -> Iterator[Path]:
    yield from Path(__file__).resolve().parents
    here = Path.cwd()
    yield from (here, *here.parents)


def _is_course(folder: Path) -> bool:
    return (folder / "cards").is_dir() and (folder / "course").is_dir()
