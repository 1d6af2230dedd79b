"""Who is learning: an id made once, from which every learner's own numbers follow."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import unicodedata
from collections.abc import Iterable

from halab.course.paths import state_dir
from halab.course.store import create_once, set_aside
from halab.errors import CourseError
from halab.folders import read_plain
from halab.translation import gettext

__all__ = ["learner_id", "measured_by_others", "seed", "under_another_id", "valid_learner"]

_SIGNS = frozenset(" ._@-'’·")
"""What may stand between letters and digits, as it does in people's names and addresses."""


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
    """`name` in its composed form (NFC), if it can serve as a learner's id: it names folders and files.

    Letters of any script, digits, blanks inside and the signs . _ @ - ' ’ · are welcome. Raises CourseError
    if it has others, or too many.
    """
    composed = unicodedata.normalize("NFC", name)
    if (
        not 1 <= len(composed) <= 64
        or len(composed.encode(errors="replace")) > 200  # bytes: a file's name may have 255
        or composed != composed.strip()
        or composed[0] in ".-"
        or composed[-1] == "."
        or not all(unicodedata.category(sign)[0] in "LMN" or sign in _SIGNS for sign in composed)
    ):
        raise CourseError(
            gettext(
                "A learner's id has up to 64 letters of any script, digits, blanks between them or . "
                "_ @ - ' · and begins with no . or -; {found!r} is none."
            ).format(found=name[:100]),
            hint=gettext("Use the id your instructor gave you, or unset HALAB_LEARNER to work on your own."),
        )
    return composed


def measured_by_others(journals: Iterable[tuple[str, str]], learner: str) -> list[str]:
    """A sentence for each other id that measured some of these journals: (file, id or "")."""
    files: dict[str, list[str]] = {}
    for file, measurer in journals:
        if measurer not in ("", learner):
            files.setdefault(measurer, []).append(file)
    return [
        gettext("Measured by {other}, not by {learner}: {files}.").format(
            other=other, learner=learner, files=", ".join(names)
        )
        for other, names in sorted(files.items())
    ]


def under_another_id(journals: Iterable[tuple[str, str]], learner: str) -> str:
    """What a learner should know whose journals say that another id measured them, or ""."""
    if not (sentences := measured_by_others(journals, learner)):
        return ""
    advice = gettext(
        "If that was you, before your id was set: go on under that id, or tell your instructor. The numbers "
        "of your exercises depend on it, and a certificate on who measured."
    )
    return " ".join([*sentences, advice])


def _kept() -> str:
    path = state_dir() / "learner.json"
    fresh = {"learner": f"learner-{secrets.token_hex(4)}"}
    create_once(path, json.dumps(fresh).encode())
    try:
        return valid_learner(json.loads(read_plain(path, 10_000))["learner"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, CourseError):
        set_aside(path, gettext("You get a new learner id, so the numbers in your exercises change."))
        return _kept()
