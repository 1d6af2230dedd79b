"""Where the course lies on this machine, and where the learner works.

In the course's folder:

cards, course, exercises, solutions    the course as it was checked out; never written to by a learner
work                                   the learner's own copies; ignored by git
work/.halab                            what the course remembers about the learner
"""

from __future__ import annotations

import os
from pathlib import Path

from halab.folders import course_root, work_dir

__all__ = ["class_folder", "course_root", "journals", "state_dir", "work_dir"]


def class_folder() -> Path | None:
    """The folder that a class shares, if this seat was started for one: HALAB_CLASS. It may not exist yet."""
    named = os.environ.get("HALAB_CLASS")
    return Path(named).expanduser().resolve() if named else None


def state_dir() -> Path:
    """`work/.halab`, made if it is not there."""
    folder = work_dir() / ".halab"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def journals(card: int) -> list[Path]:
    """The journals kept for a card, `work/journals/NN-*.jsonl`, oldest first."""
    return sorted((work_dir() / "journals").glob(f"{card:02d}-*.jsonl"))
