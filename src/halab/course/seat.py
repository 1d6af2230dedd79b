"""What a seat tells its class while the learner works: one line an event, into the folder HALAB_CLASS.

Nothing is written unless the seat was started for a class; what cannot be written costs the learner nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from threading import Thread
from typing import Any, Literal

from halab.course.identity import learner_id
from halab.course.paths import class_folder
from halab.course.store import append

__all__ = ["SEATS", "Did", "follow_cells", "tell_class"]

SEATS = "seats"
"""The folder in HALAB_CLASS with a file a learner."""

Did = Literal["ran a cell", "predicted", "measured", "graded", "raised a hand", "lowered the hand"]

# What jupyter_server names a kernel's notebook by: course/06-….ipynb, exercises/06-…/06-….ipynb
_NOTEBOOK = re.compile(r"(?:^|/)(course|exercises)/(?:[^/]+/)?(\d\d)-[a-z0-9-]+\.ipynb$")


def tell_class(did: Did, card: int = 0, **more: float | str | None) -> bool:
    """Add an event to the learner's file in the class's folder. Returns whether that was done.

    `more` are `points` and `out_of` of a grade, `place` ("course" or "exercises") and `cell`, its id.
    """
    folder = class_folder()
    if folder is None:
        return False
    event = {"time": time.time(), "did": did, "card": card, "name": os.environ.get("HALAB_NAME", "")}
    with contextlib.suppress(OSError):
        append(folder / SEATS / f"{learner_id()}.jsonl", event | more)
        return True
    return False


def follow_cells() -> None:
    """Tell the class each cell that the learner runs from now on, in a notebook of the course.

    Where there is no class, or no such notebook, this does nothing; so does a second call.
    """
    notebook = _NOTEBOOK.search(os.environ.get("JPY_SESSION_NAME", ""))
    if notebook is None or class_folder() is None:
        return
    from IPython import get_ipython  # here: commands import this file, and need no IPython

    shell: Any = get_ipython()
    if shell is None or hasattr(shell, "halab_tells_class"):
        return
    shell.halab_tells_class = True
    place, card = notebook[1], int(notebook[2])

    def tell(info: Any) -> None:
        more = {"place": place, "cell": str(info.cell_id or "")}
        # In a thread: a shared folder that answers slowly must not hold up the cell.
        Thread(target=tell_class, args=("ran a cell", card), kwargs=more, daemon=True).start()

    shell.events.register("pre_run_cell", tell)
