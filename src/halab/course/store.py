"""Files that are never overwritten: made once, or appended to with one JSON object a line."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from halab.folders import NotAPlainFile, read_plain
from halab.translation import gettext

__all__ = ["DamagedFileWarning", "append", "create_once", "read", "set_aside"]


_MOST = 100 * 1024**2  # bytes: a record has some hundred


class DamagedFileWarning(UserWarning):
    """A damaged file was renamed; the message names it and says what goes on."""


def append(path: Path, record: dict[str, Any]) -> None:
    """Add `record` as the file's last line. One write, so two kernels at once do not tear a line.

    What stands there and is no plain file, such as a link to another one, is renamed first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        set_aside(path, gettext("A new one was begun."))
    line = json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        # A line that was torn must not take this one with it.
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, ("\n" if torn else "").encode() + line.encode())
    finally:
        os.close(handle)


def create_once(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """Make the file with this content unless it is there already. True if this call made it.

    The file appears whole or not at all: written beside it, then linked, which fails if the name is taken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
        os.link(name, path)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True


def read(path: Path) -> list[dict[str, Any]]:
    """Every record of the file, oldest first; an absent file has none.

    A record that is no JSON object, or lacks what `halab.course.records` requires of a file of this name, is
    damage: the file is renamed, with a DamagedFileWarning that names it, and the records that can be read
    go into a new file.
    """
    try:
        lines = read_plain(path, _MOST).splitlines()
    except FileNotFoundError:
        return []
    except NotAPlainFile:
        return _repaired(path, [])
    records = [_parse(path.name, line) for line in lines if line.strip()]
    good = [record for record in records if record is not None]
    return good if len(good) == len(records) else _repaired(path, good)


def set_aside(path: Path, what_now: str) -> Path:
    """Rename a damaged file so that nothing overwrites it, and say so. Returns its new name."""
    aside = _renamed(path)
    _say(path, aside, what_now)
    return aside


def _renamed(path: Path) -> Path:
    return path.rename(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))


def _say(path: Path, aside: Path, what_now: str) -> None:
    warnings.warn(
        gettext("{name} is damaged; it was set aside as {set_aside}. {what_now}").format(
            name=path.name, set_aside=aside.name, what_now=what_now
        ),
        DamagedFileWarning,
        stacklevel=4,
    )


def _repaired(path: Path, good: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        aside = _renamed(path)
    except FileNotFoundError:
        return good  # another kernel was quicker
    text = "".join(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n" for record in good)
    if not create_once(path, text.encode()):  # another kernel has added a record meanwhile
        for record in good:
            append(path, record)
    # Said last: where warnings are errors, the records have gone on already.
    _say(
        path,
        aside,
        gettext("{count} of its records could still be read and are kept.").format(count=len(good)),
    )
    return good


def _parse(name: str, line: bytes) -> dict[str, Any] | None:
    from pydantic import ValidationError  # here: `halab --help` knows this file and needs no records

    from halab.course.records import RECORD_MODELS

    try:
        record = json.loads(line)
        if not isinstance(record, dict):
            return None
        if name in RECORD_MODELS:
            RECORD_MODELS[name].model_validate(record)
    except (ValueError, ValidationError, RecursionError):
        return None
    return record
