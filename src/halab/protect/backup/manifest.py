"""What a backup records about itself (`manifest.json`), and `verify`, which checks it without a cluster.

    BACKUP/manifest.json                   written last; the folder is then renamed to its name
    BACKUP/<collection>/<partition>.parquet

The manifest holds counts, sizes and a SHA-256 of each file, and a digest of itself. That finds every
accident. It does not find a forger, who can write a new manifest: keep its digest elsewhere if that matters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Spec

from halab.errors import BackupError
from halab.folders import read_plain
from halab.translation import gettext

__all__ = [
    "DEFAULT_DATABASE",
    "MANIFEST",
    "PARTIAL",
    "VERSION",
    "Collection",
    "Field",
    "File",
    "Manifest",
    "digest_of",
    "doubled_remark",
    "qualified_name",
    "split_name",
    "verify",
]

FORMAT = "halab-backup"
VERSION = 1
MANIFEST = "manifest.json"
DEFAULT_DATABASE = "default"
_LARGEST = 64 << 20  # bytes; thousands of collections have less
PARTIAL = ".partial"
"""The ending of a folder that is still being written, or was cut off."""

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it is done, and how much there is."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Field(_Record):
    """A field of a schema; `params` hold its dimension, its greatest length and the like."""

    name: str
    type: str
    primary: bool = False
    auto_id: bool = False
    partition_key: bool = False
    nullable: bool = False
    element: str = ""
    description: str = ""
    params: dict[str, Any] = {}


class Index(_Record):
    """An index: its name, its field, and the parameters it was made with."""

    name: str
    field: str
    params: dict[str, Any]


class File(_Record):
    """A file of rows. `partition` is empty where Milvus itself decides which partition a row goes to."""

    path: str
    partition: str
    rows: int = Spec(ge=0)
    bytes: int = Spec(ge=0)
    sha256: str = Spec(pattern="^[0-9a-f]{64}$")


class Collection(_Record):
    """A collection as it was. `replicas` is 0 if it was not loaded.

    `num_partitions` is set where a key decides the partition. `doubled` are rows that Milvus counts and never
    answers with, because another has the same key: a backup has the row that it answers with. `doubled_keys`
    are some of those keys. `counted` is false in backups of before 2026-11-28, which were not compared with
    the server's count and can end too early.
    """

    name: str
    database: str = "default"
    description: str
    fields: tuple[Field, ...]
    dynamic: bool
    shards: int
    consistency: int
    properties: dict[str, str]
    indexes: tuple[Index, ...]
    aliases: tuple[str, ...]
    replicas: int
    num_partitions: int | None = None
    doubled: int = Spec(default=0, ge=0)
    doubled_keys: tuple[str, ...] = ()
    counted: bool = False
    files: tuple[File, ...]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def qualified(self) -> str:
        return qualified_name(self.database, self.name)


def qualified_name(database: str, collection: str) -> str:
    """DATABASE.NAME, or the name alone in the default database: no name of Milvus has a dot."""
    return collection if database == DEFAULT_DATABASE else f"{database}.{collection}"


def split_name(name: str) -> tuple[str, str]:
    """The database and the collection of a qualified name."""
    database, dot, collection = name.rpartition(".")
    return (database, collection) if dot else (DEFAULT_DATABASE, name)


def doubled_remark(collection: Collection) -> str:
    """What became of rows whose key another row has, as a sentence."""
    keys = ", ".join(collection.doubled_keys)
    return gettext(
        '"{qualified}" had {doubled:,} more rows of keys that were inserted twice (such as '
        "{keys}); Milvus answers with one row of a key, and the backup has that one"
    ).format(qualified=collection.qualified, doubled=collection.doubled, keys=keys)


class Manifest(_Record):
    """A whole backup. `begun` and `ended` are ISO 8601 (UTC): rows written in between may be in it or not."""

    format: Literal["halab-backup"] = "halab-backup"
    version: Literal[1] = 1
    begun: str
    ended: str
    milvus: str
    collections: tuple[Collection, ...]

    @property
    def rows(self) -> int:
        return sum(collection.rows for collection in self.collections)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for collection in self.collections for file in collection.files)

    def text(self) -> str:
        """As it is written, its digest included."""
        body = self.model_dump(mode="json")
        return json.dumps(body | {"digest": _digest(body)}, ensure_ascii=False, indent=1) + "\n"


def _digest(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BackupError if there is none, or if it cannot be read or trusted."""
    path = folder / MANIFEST
    if not folder.is_dir():
        raise BackupError(
            gettext("there is no backup at {folder}").format(folder=folder),
            hint=gettext("name the folder that `halab backup` made"),
        )
    if not path.is_file():
        raise BackupError(
            gettext("{folder} has no {file}, which is written last: it was cut off, or is no backup").format(
                folder=folder, file=MANIFEST
            ),
            hint=gettext("restore from an older backup; a folder that ends in .partial can be deleted"),
        )
    if path.stat().st_size > _LARGEST:
        raise BackupError(
            gettext("{path} has {size:,} bytes, and no manifest has more than {most:,}").format(
                path=path, size=path.stat().st_size, most=_LARGEST
            ),
            hint=gettext("was the right folder named?"),
        )
    try:
        body = json.loads(read_plain(path, _LARGEST))
        digest, computed = body.pop("digest", None), _digest(body)
        if body.get("format") != FORMAT:
            raise BackupError(
                gettext("{path} is not the manifest of a backup").format(path=path),
                hint=gettext("was the right folder named?"),
            )
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _damaged(path) from None
    if isinstance(body.get("version"), int) and body["version"] > VERSION:
        raise BackupError(
            gettext("{folder} is of version {version} of the format, and this halab reads {known}").format(
                folder=folder, version=body["version"], known=VERSION
            ),
            hint=gettext("restore it with the halab that made it, or a newer one"),
        )
    if digest != computed:
        raise _damaged(path)
    try:
        return Manifest.model_validate_json(json.dumps(body), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BackupError(
            gettext("{path} is whole but not a manifest: {place}: {problem}").format(
                path=path, place=where, problem=first["msg"]
            ),
            hint=gettext("it was not written by this halab; restore from another backup"),
        ) from None


def _damaged(path: Path) -> BackupError:
    return BackupError(
        gettext("{path} is damaged: it does not have the digest it was written with").format(path=path),
        hint=gettext("restore from another copy of this backup, or from an older one"),
    )


def verify(folder: str | Path, *, progress: Progress | None = None) -> Manifest:
    """Check a backup against its own manifest, every byte of it, without a cluster.

    Raises BackupError that names every file that is missing, cut or altered. Memory stays small however large
    the files are.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    files = [file for collection in manifest.collections for file in collection.files]
    problems = []
    for number, file in enumerate(files):
        if progress:
            progress(gettext("verifying {path}").format(path=file.path), number, len(files))
        problems += [f"{file.path}: {problem}" for problem in _problems(folder, file)]
    if problems:
        raise BackupError(
            gettext("{folder} cannot be restored from: {problems}").format(
                folder=folder, problems="; ".join(problems)
            ),
            hint=gettext("restore from another copy of this backup, or from an older one"),
        )
    if progress:
        progress("verified", len(files), len(files))
    return manifest


def _problems(folder: Path, file: File) -> list[str]:
    """What is wrong with a file: the first problem, or nothing."""
    parts = PurePosixPath(file.path)
    if parts.is_absolute() or ".." in parts.parts or "\0" in file.path:
        return [gettext("lies outside the backup")]
    path = folder / file.path
    if not path.is_file():
        return [gettext("is missing")]
    size = path.stat().st_size
    if size != file.bytes:
        return [gettext("has {size:,} bytes, {bytes:,} were written").format(size=size, bytes=file.bytes)]
    if digest_of(path) != file.sha256:
        return [gettext("was altered: its SHA-256 is another")]
    try:
        rows = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError):
        return [gettext("is not a Parquet file")]
    return (
        []
        if rows == file.rows
        else [gettext("has {rows:,} rows, the manifest says {listed:,}").format(rows=rows, listed=file.rows)]
    )
