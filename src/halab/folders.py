"""Where things lie: the course as it was checked out, and what halab keeps for this machine's user.

What lies there may be anything: a pipe, which is never read to its end, a device, or a file of gigabytes.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from halab.errors import CourseError, HalabError

__all__ = [
    "NotAPlainFile",
    "cache_folder",
    "course_root",
    "exclusive",
    "home_folder",
    "known_work_dir",
    "read_plain",
    "read_plain_text",
    "work_dir",
    "write_atomically",
]


class NotAPlainFile(OSError):
    """There is something of that name which is not to be read."""


def home_folder() -> Path:
    """What runs here, such as clusters: HALAB_HOME, or the user's data folder. May not exist yet."""
    return Path(os.environ.get("HALAB_HOME") or platformdirs.user_data_dir("halab"))


def cache_folder() -> Path:
    """What can be made again, such as unpacked binaries: HALAB_CACHE, or the user's cache folder."""
    return Path(os.environ.get("HALAB_CACHE") or platformdirs.user_cache_dir("halab"))


@contextmanager
def exclusive(path: Path, refusal: HalabError) -> Iterator[None]:
    """Hold a lock file for this process; it is free again when the process ends, however it does.

    Raises `refusal` at once if somebody else holds it.
    """
    from filelock import FileLock, Timeout  # here: most of who asks for a folder locks none

    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise refusal from None
    try:
        yield
    finally:
        lock.release()


def read_plain(path: Path, most: int) -> bytes:
    """The content of a plain file of at most so many bytes. Raises OSError: NotAPlainFile if it is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise NotAPlainFile(errno.ELOOP, "it is a link to itself", str(path)) from None
    described = os.fstat(handle)
    if not stat.S_ISREG(described.st_mode):  # asked first: Python opens no folder, and would leave its handle
        os.close(handle)
        raise NotAPlainFile(errno.EINVAL, "it is no plain file", str(path))
    with os.fdopen(handle, "rb") as file:
        content = file.read(most + 1) if described.st_size <= most else b""
        if described.st_size > most or len(content) > most:
            raise NotAPlainFile(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
        return content


def read_plain_text(path: Path, most: int) -> str:
    """As `read_plain`: the text of a file in UTF-8, lines ended by "\\n". Raises UnicodeDecodeError too."""
    return io.TextIOWrapper(io.BytesIO(read_plain(path, most)), encoding="utf-8").read()


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a reader never sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o644)
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def course_root() -> Path:
    """The folder that holds `cards/` and `course/`.

    HALAB_COURSE if it is set; else the nearest folder above this package; else the nearest above the current
    folder. Raises CourseError when there is none, or when HALAB_COURSE names a folder that is not one.
    """
    if root := _course():
        return root
    from halab.translation import gettext  # here: it asks where the learner keeps their language

    if named := os.environ.get("HALAB_COURSE"):
        raise CourseError(
            gettext(
                "HALAB_COURSE should name the folder that holds cards/ and course/, but it is {folder}."
            ).format(folder=Path(named).expanduser().resolve()),
            hint=gettext("Set it to the folder you cloned, or unset it."),
        )
    raise CourseError(
        gettext(
            "The course's folder (the one with cards/ and course/) was not found above the current folder."
        ),
        hint=gettext("Run the command inside the folder you cloned, or set HALAB_COURSE to it."),
    )


def work_dir() -> Path:
    """The learner's folder: HALAB_WORK if set, else `work/` in the course's folder. May not exist yet."""
    return known_work_dir() or course_root() / "work"


def known_work_dir() -> Path | None:
    """The same, or None where neither is known: for who must not fail for it."""
    if named := os.environ.get("HALAB_WORK"):
        return Path(named).expanduser().resolve()
    root = _course()
    return root / "work" if root else None


def _course() -> Path | None:
    if named := os.environ.get("HALAB_COURSE"):
        root = Path(named).expanduser().resolve()
        return root if _is_course(root) else None
    return next(filter(_is_course, _candidates()), None)


def _candidates() -> Iterator[Path]:
    yield from Path(__file__).resolve().parents
    here = Path.cwd()
    yield from (here, *here.parents)


def _is_course(folder: Path) -> bool:
    return (folder / "cards").is_dir() and (folder / "course").is_dir()
