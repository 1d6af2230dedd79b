"""Who is learning: an id made once, from which every learner's own numbers follow."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets

from halab.course.paths import state_dir
from halab.course.store import create_once, set_aside
from halab.errors import CourseError

__all__ = ["learner_id", "seed", "valid_learner"]

_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def learner_id() -> str:
    """The learner's id: HALAB_LEARNER if it is set, else the one kept in `work/.halab/learner.json`.

    Made at random the first time. In a class it is the student id of the gradebook, given as HALAB_LEARNER.
    Raises CourseError if HALAB_LEARNER cannot serve as a folder's name.
    """
    named = os.environ.get("HALAB_LEARNER")
    return valid_learner(named) if named else _kept()


def seed(learner: str, card: int) -> int:
    """A 64-bit number that depends on the learner and the card and on nothing else."""
    return int.from_bytes(hashlib.sha256(f"{learner}/{card:02d}".encode()).digest()[:8], "big")


def valid_learner(name: str) -> str:
    """`name`, if it can serve as a learner's id. Raises CourseError if not."""
    if not _ALLOWED.fullmatch(name):
        raise CourseError(
            "A learner's id has up to 64 letters, digits or . _ @ - and starts with a letter or digit; "
            f"{name!r} is none.",
            hint="Use the id your instructor gave you, or unset HALAB_LEARNER to work on your own.",
        )
    return name


def _kept() -> str:
    path = state_dir() / "learner.json"
    fresh = {"learner": f"learner-{secrets.token_hex(4)}"}
    create_once(path, json.dumps(fresh).encode())
    try:
        return valid_learner(json.loads(path.read_text())["learner"])
    except (ValueError, KeyError, TypeError, CourseError):
        set_aside(path, "You get a new learner id, so the numbers in your exercises change.")
        return _kept()
