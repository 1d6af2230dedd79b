"""What a seat tells its class while the learner works: one line an event, into the folder HALAB_CLASS.

Nothing is written unless the seat was started for a class; what cannot be written costs the learner nothing.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import Literal

from halab.course.identity import learner_id
from halab.course.paths import class_folder
from halab.course.store import append

__all__ = ["SEATS", "Did", "tell_class"]

SEATS = "seats"
"""The folder in HALAB_CLASS with a file a learner."""

Did = Literal["predicted", "measured", "graded", "raised a hand", "lowered the hand"]


def tell_class(did: Did, card: int = 0, points: float | None = None, out_of: float | None = None) -> bool:
    """Add an event to the learner's file in the class's folder. Returns whether that was done."""
    folder = class_folder()
    if folder is None:
        return False
    event = {"time": time.time(), "did": did, "card": card, "points": points, "out_of": out_of}
    with contextlib.suppress(OSError):
        learner = learner_id()
        append(folder / SEATS / f"{learner}.jsonl", event | {"name": os.environ.get("HALAB_NAME", "")})
        return True
    return False
