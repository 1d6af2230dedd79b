"""The learner's own copies under `work/`: made when first opened, and never overwritten after that.

course/06-x.ipynb            -> work/course/06-x.ipynb
exercises/06-x/06-x.ipynb    -> work/exercises/06-x/06-x.ipynb, with the files beside it
docs/production/values.yaml  -> work/docs/production/values.yaml, and whatever else a notebook links to
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from halab.course.paths import course_root, state_dir, work_dir
from halab.course.store import append, create_once, read
from halab.translation import gettext, languages

__all__ = ["make_workspace", "open_copy", "outdated_copies", "uncopied"]

_FOLDERS = ("course", "exercises")
_LINKED = (*_FOLDERS, "docs", "compose", "README.md")
"""Where the links of notebooks lead."""


def make_workspace() -> Path:
    """`work/` with its empty folders, so that a file browser has something to show. Returns it."""
    work = work_dir()
    for folder in _FOLDERS:
        (work / folder).mkdir(parents=True, exist_ok=True)
    return work


def open_copy(relative: str) -> Path | None:
    """The learner's copy of `relative` (such as "course/06-x.ipynb"); made now if it is not there yet.

    None when neither the copy nor its original exists, or when the path leaves what notebooks link to.
    An exercise's whole folder is copied with it. What the learner already has is never touched.
    """
    path = PurePosixPath(relative.strip("/"))
    if not path.parts or path.parts[0] not in _LINKED or ".." in path.parts:
        return None
    copy, original = work_dir() / path, course_root() / path
    if not copy.exists():
        for file in _originals(original):
            _copy_once(file)
    return copy if copy.exists() else None


def uncopied(folder: str) -> list[str]:
    """What the course has directly in `folder` (such as "course") of which the learner has no copy yet.

    The translations of the lessons, which lie in folders beside them, are no learner's business.
    """
    path = PurePosixPath(folder.strip("/"))
    if not path.parts or path.parts[0] not in _FOLDERS or ".." in path.parts:
        return []
    root = course_root()
    return sorted(
        (path / original.name).as_posix()
        for original in (root / path).glob("*")
        if not _hidden(original, root)
        and original.name not in languages()
        and not (work_dir() / path / original.name).exists()
    )


def outdated_copies() -> list[str]:
    """For each copy whose original has changed since: a sentence that says so and what to do."""
    return [
        gettext(
            "{name} has changed in the course since you first opened it. Your copy is as you "
            "left it; to get the new one, rename yours and open the link again."
        ).format(name=name)
        for name, digest in _copied().items()
        if (work_dir() / name).exists() and _digest(course_root() / name) not in (digest, "")
    ]


def _originals(original: Path) -> list[Path]:
    """The files that come along: a lesson alone, an exercise with its folder."""
    root = course_root()
    inside = original.relative_to(root).parts
    if inside[0] == "exercises" and len(inside) > 1:
        folder = root / inside[0] / inside[1]
        return sorted(file for file in folder.rglob("*") if file.is_file() and not _hidden(file, root))
    return [original] if original.is_file() and not _hidden(original, root) else []


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _copy_once(original: Path) -> None:
    name = original.relative_to(course_root()).as_posix()
    content = original.read_bytes()
    if create_once(work_dir() / name, content):
        append(state_dir() / "copies.jsonl", {"path": name, "sha256": hashlib.sha256(content).hexdigest()})


def _copied() -> dict[str, str]:
    return {record["path"]: record["sha256"] for record in read(state_dir() / "copies.jsonl")}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
