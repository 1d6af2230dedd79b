"""Files that are never overwritten: made once, or appended to with one JSON object a line."""

from __future__ import annotations

import json
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

__all__ = ["append", "create_once", "read", "set_aside"]


def append(path: Path, record: dict[str, Any]) -> None:
    """Add `record` as the file's last line. One write, so two kernels at once do not tear a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def create_once(path: Path, content: bytes) -> bool:
    """Make the file with this content unless it is there already. True if this call made it.

    The file appears whole or not at all: written beside it, then linked, which fails if the name is taken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o644)
            file.write(content)
        os.link(name, path)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True


def read(path: Path) -> list[dict[str, Any]]:
    """Every record of the file, oldest first; an absent file has none.

    A damaged file is set aside whole, with a warning that names it; its readable records go on in a new file.
    """
    if not path.exists():
        return []
    records: list[dict[str, Any]] = []
    damaged = False
    for line in path.read_bytes().splitlines():
        record = _parse(line)
        if record is None:
            damaged = True
        else:
            records.append(record)
    if damaged:
        set_aside(path, f"{len(records)} of its records could still be read and are kept.")
        for record in records:
            append(path, record)
    return records


def set_aside(path: Path, what_now: str) -> Path:
    """Rename a damaged file so that nothing overwrites it, and say so. Returns its new name."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    path.rename(aside)
    warnings.warn(f"{path.name} is damaged; it was set aside as {aside.name}. {what_now}", stacklevel=3)
    return aside


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
