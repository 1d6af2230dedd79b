"""How much disk a cluster takes, and the bound on what its processes write to their output files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["OUTPUT_KEPT", "OUTPUT_MOST", "disk_use", "truncate_output"]

OUTPUT_MOST, OUTPUT_KEPT = 16 << 20, 2 << 20
"""Bytes: an output file beyond the first keeps as many of its newest as the second says."""


def disk_use(folder: Path) -> int:
    """Bytes allocated below a folder; files come and go while it is walked."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(root) / name).stat().st_blocks * 512
    return total


def truncate_output(path: Path) -> None:
    """Keep an output file's newest part once it is beyond its bound.

    Its process goes on writing meanwhile. That is safe, since its file is open for appending: the next line
    goes to the new end. What it writes between the two steps here is lost.
    """
    try:
        if path.stat().st_size <= OUTPUT_MOST:
            return
        with path.open("rb+") as file:
            file.seek(-OUTPUT_KEPT, os.SEEK_END)
            newest = file.read()
            file.truncate(0)
        with path.open("ab") as file:
            file.write(newest)
    except OSError:
        return
