"""Backup: collections of a serving cluster into a folder.

    backup(cluster, "backups/monday", ["halab_cards"])

Each page of rows becomes a row group of a Parquet file; so memory holds one page however large the collection
is. Milvus 2.3 cannot be read as of one moment: a row written while the backup runs is in it or not, one
acknowledged before is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pymilvus.client.types import LoadState

from halab.errors import BackupError
from halab.protect.backup.connection import LOAD_TIMEOUT, connected, load, refusals
from halab.protect.backup.fields import arrow_schema, read_field, row_group
from halab.protect.backup.manifest import (
    DEFAULT_DATABASE,
    MANIFEST,
    Collection,
    File,
    Index,
    Manifest,
    Progress,
    digest_of,
    qualified_name,
    split_name,
)
from halab.protect.backup.partial_folder import partial_folder
from halab.protect.backup.partition_reader import PAGE, PartitionReader
from halab.translation import gettext

__all__ = ["backup"]

_LONGEST_NAME = 200  # letters of a name that are kept as a file's name; Milvus takes 255

# What `describe_index` returns about an index's present state, and not about how it was made.
_STATE = {
    "field_name", "index_name", "total_rows", "indexed_rows", "pending_index_rows", "state", "index_state",
    "index_state_fail_reason", "min_index_version", "max_index_version",
}  # fmt: skip


def backup(
    source: Any,
    folder: str | Path,
    collections: Sequence[str] = (),
    *,
    page: int = PAGE,
    progress: Progress | None = None,
) -> Manifest:
    """Copy collections (those of every database if none is named) into a new folder, while the cluster
    serves.

    `source` is a cluster, an address, or a client, which is asked for its own database only. A name is that
    of a collection or an alias, in another database than the default one DATABASE.NAME. The folder appears,
    whole, when everything is written; until then its name ends in ".partial", and on any failure it is
    removed again. What is not loaded is loaded for the time of the backup, with one copy. Raises BackupError
    if the folder exists or another backup is writing it, a collection does not exist or cannot be backed up,
    fewer rows were read than Milvus counts, Milvus refuses, or the disk does.
    """
    folder = Path(folder)
    with partial_folder(folder) as partial:
        begun = _now()
        with connected(source) as client, refusals(gettext("the collections could not be listed")):
            version = str(client.get_server_version())
            wanted = _by_database(client, collections, every=client is not source)
        saved = [
            each
            for database, names in wanted.items()
            for each in _database(source, database, names, partial, page, progress)
        ]
        manifest = Manifest(begun=begun, ended=_now(), milvus=version, collections=tuple(saved))
        (partial / MANIFEST).write_text(manifest.text(), encoding="utf-8")
    if progress:
        progress(gettext("backed up"), manifest.rows, manifest.rows)
    return manifest


def _by_database(client: Any, names: Sequence[str], *, every: bool) -> dict[str, list[str]]:
    """The collections to back up by their databases: those named, else all; an empty list is all of a
    database.
    """
    if not names:
        return {database: [] for database in (client.list_databases() if every else [DEFAULT_DATABASE])}
    wanted: dict[str, list[str]] = {}
    for name in names:
        database, collection = split_name(name)
        wanted.setdefault(database, []).append(collection)
    return wanted


def _database(
    source: Any, database: str, names: Sequence[str], into: Path, page: int, progress: Progress | None
) -> Iterator[Collection]:
    with connected(source, database) as client:
        for name in _collections(client, names):
            yield _collection(client, database, name, into, page, progress)


def _collections(client: Any, names: Sequence[str]) -> list[str]:
    """By their own names, each once, although an alias may have been named."""
    with refusals(gettext("the collections could not be listed")):
        missing = [name for name in names if not client.has_collection(name)]
        if missing:
            raise BackupError(
                gettext("there is no collection {name!r}").format(name=missing[0]),
                hint=gettext("there are {names}").format(
                    names=", ".join(sorted(client.list_collections())) or gettext("none")
                ),
            )
        own = [client.describe_collection(name)["collection_name"] for name in names]
        return list(dict.fromkeys(own)) or sorted(client.list_collections())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _collection(
    client: Any, database: str, name: str, into: Path, page: int, progress: Progress | None
) -> Collection:
    with refusals(gettext('the collection "{name}" could not be backed up').format(name=name)):
        described = client.describe_collection(name)
        if described.get("functions"):
            raise BackupError(
                gettext('the collection "{name}" has functions, which this version does not keep').format(
                    name=name
                ),
                hint=gettext("back it up with Milvus' own milvus-backup"),
            )
        fields = tuple(read_field(field) for field in described["fields"])
        dynamic = bool(described.get("enable_dynamic_field"))
        by_key = any(field.partition_key for field in fields)
        indexes = tuple(_index(client.describe_index(name, index)) for index in client.list_indexes(name))
        readers = [
            PartitionReader(client, name, partition, fields, dynamic, page)
            for partition in _partitions(client, name, by_key)
        ]
        subfolder = _file_name(qualified_name(database, name))
        (into / subfolder).mkdir()
        with _loaded(client, name, indexes, by_key) as replicas:
            files = tuple(_file(reader, into, subfolder, progress) for reader in readers)
        return Collection(
            name=name,
            database=database,
            description=described.get("description", ""),
            fields=fields,
            dynamic=dynamic,
            shards=described.get("num_shards", 1),
            consistency=int(described.get("consistency_level", 0)),
            properties={str(k): str(v) for k, v in (described.get("properties") or {}).items()},
            indexes=indexes,
            aliases=tuple(described.get("aliases") or ()),
            replicas=replicas,
            num_partitions=described.get("num_partitions") if by_key else None,
            doubled=sum(reader.doubled for reader in readers),
            doubled_keys=tuple(key for reader in readers for key in reader.doubled_keys),
            counted=True,
            files=files,
        )


def _partitions(client: Any, name: str, by_key: bool) -> list[str]:
    """One file a partition; where a key decides the partition, Milvus will decide again."""
    return [""] if by_key else list(client.list_partitions(name))


def _file_name(name: str) -> str:
    """A name of Milvus as one of the file system, which ends at 255 bytes with what is added to it."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _index(described: Mapping[str, Any]) -> Index:
    params = {key: value for key, value in described.items() if key not in _STATE and value is not None}
    return Index(name=described.get("index_name") or "", field=described["field_name"], params=params)


@contextmanager
def _loaded(client: Any, name: str, indexes: Sequence[Index], by_key: bool) -> Iterator[int]:
    """The number of copies that were loaded. What was not loaded is, meanwhile: only then can it be read."""
    if client.get_load_state(name)["state"] == LoadState.Loaded:
        with _partitions_loaded(client, name, by_key):
            yield max(1, len(client.describe_replica(name)))
        return
    if not indexes:
        raise BackupError(
            gettext(
                'the collection "{name}" has no index, so Milvus does not load it and its rows cannot be read'
            ).format(name=name),
            hint=gettext("make an index first, or name the collections to back up"),
        )
    load(client, name, 1)
    try:
        yield 0
    finally:
        client.release_collection(name)


@contextmanager
def _partitions_loaded(client: Any, name: str, by_key: bool) -> Iterator[None]:
    """A collection counts as loaded if one partition is; where a key decides, all are or none."""
    partitions = [] if by_key else list(client.list_partitions(name))
    missing = [each for each in partitions if client.get_load_state(name, each)["state"] != LoadState.Loaded]
    if missing:
        client.load_partitions(name, missing, timeout=LOAD_TIMEOUT)
    try:
        yield
    finally:
        if missing:
            client.release_partitions(name, missing)


def _file(reader: PartitionReader, into: Path, subfolder: str, progress: Progress | None) -> File:
    relative = f"{subfolder}/{_file_name(reader.partition or 'rows')}.parquet"
    path, rows = into / relative, 0
    total = int(reader.client.get_collection_stats(reader.name)["row_count"])
    with pq.ParquetWriter(path, arrow_schema(reader.fields, reader.dynamic)) as writer:
        for batch in reader.pages():
            writer.write_table(row_group(batch, reader.fields, reader.dynamic))
            rows += len(batch)
            if progress:
                progress(gettext("backing up {name}").format(name=reader.name), rows, max(rows, total))
    return File(
        path=relative,
        partition=reader.partition,
        rows=rows,
        bytes=path.stat().st_size,
        sha256=digest_of(path),
    )
