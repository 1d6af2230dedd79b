"""The folder of a backup while it is written: whole under its name, or not there at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from halab.errors import BackupError
from halab.folders import exclusive
from halab.protect.backup.manifest import PARTIAL
from halab.translation import gettext, gettext_noop

__all__ = ["partial_folder"]

_LOCK = "backup.lock"

_HINTS = {
    errno.ENOSPC: gettext_noop("the disk is full: make room, or name a folder elsewhere, and back up again"),
    errno.EDQUOT: gettext_noop("your share of the disk is used up: make room, or name a folder elsewhere"),
    errno.EACCES: gettext_noop("this user may not write there: name a folder elsewhere"),
    errno.EROFS: gettext_noop("that disk is mounted read-only: name a folder elsewhere"),
    errno.ENAMETOOLONG: gettext_noop("the name is too long for the file system: choose a shorter one"),
}


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that gets its name when all is written, or is removed.

    Raises BackupError if `folder` exists, if somebody else is writing it now, or if the disk refuses.
    """
    partial = folder.with_name(folder.name + PARTIAL)
    try:
        with _held(partial, folder):
            try:
                yield partial
                _sync(partial)
                partial.rename(folder)
                (folder / _LOCK).unlink()
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except (OSError, pa.ArrowException) as error:
        code = getattr(error, "errno", None) or 0
        raise BackupError(
            gettext("the backup could not be written to {folder}: {error}; nothing of it was kept").format(
                folder=folder, error=error
            ),
            hint=gettext(_HINTS.get(code, "name a folder elsewhere, and back up again")),
        ) from None


@contextmanager
def _held(partial: Path, folder: Path) -> Iterator[None]:
    """Hold the folder for this process, and empty it of what a backup that was cut off has left."""
    _refuse_existing(folder)
    partial.mkdir(parents=True, exist_ok=True)
    refusal = BackupError(
        gettext("another backup is writing {folder} at this moment, and this one has written nothing").format(
            folder=folder
        ),
        hint=gettext("wait for it, or choose another name"),
    )
    with exclusive(partial / _LOCK, refusal):
        _refuse_existing(folder)
        for left in partial.iterdir():
            if left.name != _LOCK:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        yield


def _refuse_existing(folder: Path) -> None:
    if folder.exists():
        raise BackupError(
            gettext("{folder} is already there, and a backup is never overwritten").format(folder=folder),
            hint=gettext("choose another name"),
        )


def _sync(folder: Path) -> None:
    """Write everything to the disk: a power cut must not leave a folder with its name and not its rows."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
