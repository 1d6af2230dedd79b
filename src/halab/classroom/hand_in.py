"""What a learner hands in: one zip file with their exercises, journals, predictions and what they are worth.

hand-in.json                        learner, name, when, versions, and SHA-256 of each of the others
exercises/06-x/06-x.ipynb           as under `work/`, so that an unpacked one is a work folder
journals/06-….jsonl
.halab/predictions.jsonl, …

The same work handed in at the same second makes the same file. Who reads one trusts nothing in it: names that
are not of this form, links, and files beyond all measure are refused before anything is written.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import os
import platform
import re
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halab.classroom.work_records import measurer
from halab.course.catalogue import exercises
from halab.course.identity import learner_id, under_another_id, valid_learner
from halab.course.paths import class_folder, work_dir
from halab.errors import CourseError
from halab.folders import NotAPlainFile, read_plain, write_atomically
from halab.grading.environment_variables import temporary_environment
from halab.translation import Language, gettext, language, languages, ngettext

__all__ = [
    "HandIn", "HandedIn", "RefusedHandIn", "copy_work", "hand_in", "is_hand_in", "unpack", "working_in",
]  # fmt: skip

FORMAT = "halab-hand-in"
MANIFEST = "hand-in.json"
MAX_FILE = 100 * 1024**2
"""Bytes of one file in it, unpacked: as many as a notebook may have."""
MAX_ALL = 200 * 1024**2
"""Bytes of all of them."""
MAX_FILES = 600

_NAMES = re.compile(
    r"exercises/(?P<slug>\d\d-[a-z0-9-]{1,60})/(?P=slug)\.ipynb"
    r"|journals/[0-9][^/\\\x00]{0,150}\.jsonl"
    r"|\.halab/(predictions|grades|hints|copies)\.jsonl"
)
_VERSIONS = ("halab", "nbgrader", "pymilvus", "milvus")
_SHOWN_SIZE = 1024**2
_END = struct.Struct("<4s4H2LH")  # a zip's last record
_ENTRY_BYTES = 600  # of a file's entry in the zip's directory: a name and little more


class _Manifest(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    format: Literal["halab-hand-in"]
    version: Literal[1]
    learner: str
    name: Annotated[str, Field(max_length=100)] = ""
    time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")]
    language: Annotated[str, Field(max_length=100)] = "en"
    versions: dict[str, str]
    files: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What was written for a learner to hand in: the file, and how much is in it.

    `shared` is its copy in the class's shared folder, if the seat has one. `remark` is what the learner
    should know of it: that another id measured some of it, say.
    """

    file: Path
    learner: str
    exercises: int
    journals: int
    shared: Path | None = None
    remark: str = ""

    def sentence(self) -> str:
        """What was packed, what is left to do, and the remark."""
        done = gettext("{exercises} and {journals} of {learner} are in {file}.").format(
            exercises=ngettext("{n} exercise", "{n} exercises", self.exercises).format(n=self.exercises),
            journals=ngettext("{n} journal", "{n} journals", self.journals).format(n=self.journals),
            learner=self.learner,
            file=self.file,
        )
        left = (
            gettext("The class has its copy.")
            if self.shared
            else gettext("Give this file to your instructor.")
        )
        return " ".join(filter(None, (done, left, self.remark)))


class RefusedHandIn(CourseError):
    """A file that is no hand-in to be read; `problem` is the sentence's end, behind the file's name."""

    def __init__(self, name: str, problem: str) -> None:
        message = gettext("{name} {problem}.").format(name=name, problem=problem)
        super().__init__(message, hint=gettext("Ask for a new one, made by `halab hand-in`."))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class HandIn:
    """What an unpacked file says of itself. `time` is by the learner's clock: "2026-11-28 15:00:00 UTC"."""

    learner: str
    name: str
    time: str
    language: Language
    work: Path


def hand_in(name: str = "", folder: Path | None = None) -> HandedIn:
    """Pack the learner's work into `folder` (default: `work/hand-in`), in place of an earlier one.

    `name` is the learner's, for the instructor's tables; by default HALAB_NAME. Where HALAB_CLASS names a
    folder that the class shares, a copy goes into its `hand-ins`. Raises CourseError if there
    is no exercise to hand in, if the work is beyond what a hand-in may hold, or if nothing can be written.
    """
    learner, work = learner_id(), work_dir()
    files = _files(work)
    if not any(path.startswith("exercises/") for path in files):
        raise CourseError(
            gettext("There is no exercise in {folder} to hand in.").format(folder=work / "exercises"),
            hint=gettext("Open an exercise and save it, or set HALAB_WORK to the folder you work in."),
        )
    manifest = {
        "format": FORMAT,
        "version": 1,
        "learner": learner,
        "name": " ".join((name or os.environ.get("HALAB_NAME", "")).split())[:100],
        "time": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "language": language(),
        "versions": _versions(),
        "files": {path: hashlib.sha256(content).hexdigest() for path, content in files.items()},
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    packed, name_of_it = _zip({MANIFEST: text.encode()} | files), f"hand-in-{learner}.zip"
    file = _written((folder or work / "hand-in") / name_of_it, packed)
    measurers = [
        (name.removeprefix("journals/"), measurer(files[name]))
        for name in files
        if name.startswith("journals/")
    ]
    of_class = class_folder()
    shared = _written(of_class / "hand-ins" / name_of_it, packed) if of_class else None
    return HandedIn(
        file,
        learner,
        exercises=sum(path.startswith("exercises/") for path in files),
        journals=sum(path.startswith("journals/") for path in files),
        shared=shared,
        remark=under_another_id(measurers, learner),
    )


def copy_work(work: Path, into: Path) -> None:
    """Copy what a hand-in would hold from a work folder into the folder `into`, which is made.

    Raises CourseError if it is beyond what a hand-in may hold, or cannot be read.
    """
    for name, content in _files(work).items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_bytes(content)


def is_hand_in(file: Path) -> bool:
    """Whether a file is named as a zip; what is in it is another question."""
    return file.suffix.lower() == ".zip"


def unpack(file: Path, into: Path) -> HandIn:
    """Unpack a hand-in into the folder `into`, which is made. Raises RefusedHandIn: what is wrong with it.

    Nothing is written before names, kinds, number and sizes of all files in it are known to be right.
    """
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as raw:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise _refused(file, gettext("is no plain file"))
            _check_directory(file, raw)
            with zipfile.ZipFile(raw) as archive:
                return _unpack(file, archive, into)
    except OSError as error:
        raise _refused(file, gettext("cannot be read: {why}").format(why=error.strerror or error)) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _refused(file, gettext("is damaged ({why})").format(why=str(error)[:100])) from None


@contextmanager
def working_in(file: Path) -> Iterator[HandIn]:
    """Have halab work as its learner in an unpacked hand-in. Raises CourseError as `unpack` does."""
    with TemporaryDirectory(prefix="halab-hand-in-") as folder:
        handed = unpack(file, Path(folder) / "work")
        with temporary_environment(HALAB_WORK=str(handed.work), HALAB_LEARNER=handed.learner):
            yield handed


def _written(file: Path, content: bytes) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, content)
    except OSError as error:
        raise CourseError(
            gettext("{file} cannot be written: {why}.").format(file=file, why=error.strerror),
            hint=gettext("Choose another folder: halab hand-in --out FOLDER."),
        ) from None
    return file


def _files(work: Path) -> dict[str, bytes]:
    """What is handed in, by its name below the work folder, in order of names."""
    notebooks = (f"exercises/{card.slug}/{card.slug}.ipynb" for card in exercises())
    journals = (f"journals/{path.name}" for path in (work / "journals").glob("*.jsonl"))
    records = (f".halab/{name}.jsonl" for name in ("predictions", "grades", "hints", "copies"))
    files: dict[str, bytes] = {}
    for name in sorted([*notebooks, *journals, *records]):
        path = work / name
        if path.is_symlink() or not path.exists() or not _NAMES.fullmatch(name):
            continue
        try:
            files[name] = read_plain(path, MAX_FILE)
        except NotAPlainFile as error:
            raise CourseError(
                gettext("{path} cannot be handed in: {why}.").format(path=path, why=error.strerror),
                hint=gettext(
                    "If it is a notebook: Edit, Clear Outputs of All Cells; save, and hand in again."
                ),
            ) from None
        except OSError as error:
            raise CourseError(
                gettext("{file} cannot be read: {why}.").format(file=path, why=error.strerror),
                hint=gettext("Put it back."),
            ) from None
        if len(files) >= MAX_FILES or sum(map(len, files.values())) > MAX_ALL:
            raise CourseError(
                gettext(
                    "A hand-in holds {files} files and {mebibytes} MiB at most; there is more in {work}."
                ).format(files=MAX_FILES, mebibytes=MAX_ALL // _SHOWN_SIZE, work=work),
                hint=gettext("Move journals that you do not need out of journals/."),
            )
    return files


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in _VERSIONS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # of 1980: a file's own time says nothing, and would change it
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def _check_directory(file: Path, raw: BinaryIO) -> None:
    """Refuse a zip whose list of files alone would take minutes to read."""
    size = os.fstat(raw.fileno()).st_size
    if size > MAX_ALL:
        raise _refused(
            file,
            gettext("has {size:.0f} MiB; a hand-in has {most} at most").format(
                size=size / _SHOWN_SIZE, most=MAX_ALL // _SHOWN_SIZE
            ),
        )
    before = min(size, 20 + _END.size)
    raw.seek(size - before)
    tail = raw.read()
    if len(tail) < _END.size or not tail[-_END.size :].startswith(b"PK\5\6"):
        raise _refused(file, gettext("is no zip file, or was cut off"))
    _, _, _, _, count, length, _, _ = _END.unpack(tail[-_END.size :])
    if (
        tail[: -_END.size].startswith(b"PK\6\7")
        or count > MAX_FILES + 1
        or length > _ENTRY_BYTES * (count + 1)
    ):
        raise _refused(file, gettext("holds more than {most} files").format(most=MAX_FILES))


def _unpack(file: Path, archive: zipfile.ZipFile, into: Path) -> HandIn:
    entries = _named_as_packed(archive)
    for name, entry in entries:
        if problem := _problem(name, entry):
            raise _refused(file, problem)
    names = [name for name, _ in entries]
    if MANIFEST not in names:
        raise _refused(
            file,
            gettext("has no {name}; if it is an LMS' download, unpack it first").format(name=MANIFEST),
        )
    if len(set(names)) < len(names):
        raise _refused(file, gettext("holds two files of one name"))
    if sum(entry.file_size for _, entry in entries) > MAX_ALL:
        raise _refused(
            file, gettext("would unpack to more than {most} MiB").format(most=MAX_ALL // _SHOWN_SIZE)
        )
    manifest = _manifest(file, archive.read(dict(entries)[MANIFEST]))
    for name, entry in entries:
        if name != MANIFEST:
            content = archive.read(entry)  # never more bytes than the entry says, and those were counted
            if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
                raise _refused(
                    file,
                    gettext("was altered: {name} is not what it was when it was handed in").format(name=name),
                )
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if missing := sorted(manifest.files.keys() - set(names)):
        raise _refused(file, gettext("was altered: {name} is missing").format(name=missing[0][:100]))
    spoken = manifest.language.lower().replace("_", "-").partition("-")[0]  # zh-CN is zh
    learns_in = spoken if spoken in languages() else "en"
    return HandIn(valid_learner(manifest.learner), manifest.name, manifest.time, learns_in, into)


def _named_as_packed(archive: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
    """The files in a zip by the names that a hand-in has for them, also if macOS or Windows packed it anew:
    they put it into a folder, add files of their own, or write another stroke between folders."""
    named = [(entry.filename.replace("\\", "/"), entry) for entry in archive.infolist()]
    named = [
        (name, entry)
        for name, entry in named
        if not (name.startswith("__MACOSX/") or name.endswith(("/", "/.DS_Store")) or name == ".DS_Store")
    ]
    top = next((name.removesuffix(MANIFEST) for name, _ in named if name.endswith(f"/{MANIFEST}")), "")
    return [(name.removeprefix(top), entry) for name, entry in named]


def _problem(filename: str, entry: zipfile.ZipInfo) -> str:
    """Why a file in a zip, called `filename` there, is none of a hand-in's, or ""."""
    name = filename[:60] if filename.isprintable() else ascii(filename[:60]).strip("'")
    if filename != MANIFEST and not _NAMES.fullmatch(filename):
        return gettext("holds {name}, which no hand-in has").format(name=name)
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return gettext("holds a link or a device, {name}").format(name=name)
    if entry.flag_bits & 1:
        return gettext("is locked with a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return gettext("is packed in a way that `halab hand-in` does not use")
    if entry.file_size > MAX_FILE:
        return gettext("would unpack {name} to {size:.0f} MiB").format(
            name=name, size=entry.file_size / _SHOWN_SIZE
        )
    return ""


def _manifest(file: Path, content: bytes) -> _Manifest:
    try:
        manifest = _Manifest.model_validate_json(content.removeprefix(codecs.BOM_UTF8))
        valid_learner(manifest.learner)
    except (ValidationError, RecursionError):
        raise _refused(
            file, gettext("has a {name} that this halab cannot read").format(name=MANIFEST)
        ) from None
    except CourseError:
        raise _refused(file, gettext("is of a learner whose id cannot be one")) from None
    if not manifest.name.isprintable():
        raise _refused(file, gettext("has a name in it that cannot be printed"))
    return manifest


def _refused(file: Path, problem: str) -> RefusedHandIn:
    return RefusedHandIn(file.name[:100] if file.name.isprintable() else ascii(file.name[:100]), problem)
