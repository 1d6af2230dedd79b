"""Backup: collections of a serving cluster into a folder.

    backup(cluster, "backups/monday", ["halab_cards"])

Rows are read page by page in the order of their keys, each page with Strong consistency, and each page
becomes a row group of a Parquet file; so memory holds one page however large the collection is. Milvus 2.3
cannot be read as of one moment: a row written while the backup runs is in it or not, one acknowledged
before is.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pymilvus.client.types import LoadState

from halab.errors import BackupError
from halab.protect.backup.connection import connected, load, refusals
from halab.protect.backup.fields import arrow_schema, read_field, row_group
from halab.protect.backup.manifest import (
    MANIFEST,
    PARTIAL,
    Collection,
    Field,
    File,
    Index,
    Manifest,
    Progress,
    digest_of,
)

__all__ = ["backup"]

PAGE = 1000  # rows read, and written as one row group

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
    """Copy collections (all of them if none is named) into a new folder, while the cluster serves.

    `source` is a cluster, an address or a client. The folder appears, whole, when everything is written;
    until then its name ends in ".partial", and on any failure it is removed again. A collection that is not
    loaded is loaded for the time of the backup, with one copy. Raises BackupError if the folder exists, a
    collection does not or cannot be backed up, Milvus refuses, or the disk does.
    """
    folder = Path(folder)
    if folder.exists():
        raise BackupError(
            f"{folder} is already there, and a backup is never overwritten", hint="choose another name"
        )
    with connected(source) as client, _partial_folder(folder) as partial:
        begun = _now()
        with refusals("the collections could not be listed"):
            names = list(collections) or sorted(client.list_collections())
            version = str(client.get_server_version())
            missing = [name for name in names if not client.has_collection(name)]
        if missing:
            raise BackupError(
                f"there is no collection {missing[0]!r}", hint="see which there are, and name one"
            )
        saved = tuple(_collection(client, name, partial, page, progress) for name in names)
        manifest = Manifest(begun=begun, ended=_now(), milvus=version, collections=saved)
        (partial / MANIFEST).write_text(manifest.text(), encoding="utf-8")
    if progress:
        progress("backed up", manifest.rows, manifest.rows)
    return manifest


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that gets its name at the end, or is removed."""
    partial = folder.with_name(folder.name + PARTIAL)
    try:
        shutil.rmtree(partial, ignore_errors=True)  # left by a backup that was cut off
        partial.mkdir(parents=True)
        yield partial
        _sync(partial)
        partial.rename(folder)
    except (OSError, pa.ArrowException) as error:
        raise BackupError(
            f"the backup could not be written to {folder}: {error}; nothing of it was kept",
            hint="is the disk full? make room, or name a folder elsewhere, and back up again",
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Write everything to the disk: a power cut must not leave a folder with its name and not its rows."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _collection(client: Any, name: str, into: Path, page: int, progress: Progress | None) -> Collection:
    with refusals(f'the collection "{name}" could not be backed up'):
        described = client.describe_collection(name)
        if described.get("functions"):
            raise BackupError(
                f'the collection "{name}" has functions, which this version does not keep',
                hint="back it up with Milvus' own milvus-backup",
            )
        fields = tuple(read_field(field) for field in described["fields"])
        dynamic = bool(described.get("enable_dynamic_field"))
        indexes = tuple(_index(client.describe_index(name, index)) for index in client.list_indexes(name))
        with _loaded(client, name, indexes) as replicas:
            (into / name).mkdir()
            files = tuple(
                _file(client, name, partition, fields, dynamic, into, page, progress)
                for partition in _partitions(client, name, fields)
            )
        return Collection(
            name=name,
            description=described.get("description", ""),
            fields=fields,
            dynamic=dynamic,
            shards=described.get("num_shards", 1),
            consistency=int(described.get("consistency_level", 0)),
            properties={str(k): str(v) for k, v in (described.get("properties") or {}).items()},
            indexes=indexes,
            aliases=tuple(client.list_aliases(name)["aliases"]),
            replicas=replicas,
            files=files,
        )


def _partitions(client: Any, name: str, fields: Sequence[Field]) -> list[str]:
    """One file a partition; where a key decides the partition, Milvus will decide again."""
    return [""] if any(field.partition_key for field in fields) else list(client.list_partitions(name))


def _index(described: Mapping[str, Any]) -> Index:
    params = {key: value for key, value in described.items() if key not in _STATE and value is not None}
    return Index(name=described.get("index_name") or "", field=described["field_name"], params=params)


@contextmanager
def _loaded(client: Any, name: str, indexes: Sequence[Index]) -> Iterator[int]:
    """The number of copies that were loaded. What was not loaded is, meanwhile: only then can it be read."""
    if client.get_load_state(name)["state"] == LoadState.Loaded:
        yield max(1, len(client.describe_replica(name)))
        return
    if not indexes:
        raise BackupError(
            f'the collection "{name}" has no index, so Milvus does not load it and its rows cannot be read',
            hint="make an index first, or name the collections to back up",
        )
    load(client, name, 1)
    try:
        yield 0
    finally:
        client.release_collection(name)


def _file(
    client: Any,
    name: str,
    partition: str,
    fields: Sequence[Field],
    dynamic: bool,
    into: Path,
    page: int,
    progress: Progress | None,
) -> File:
    relative = f"{name}/{partition or 'rows'}.parquet"
    path, rows = into / relative, 0
    total = int(client.get_collection_stats(name)["row_count"])
    with pq.ParquetWriter(path, arrow_schema(fields, dynamic)) as writer:
        for batch in _pages(client, name, partition, fields, dynamic, page):
            writer.write_table(row_group(batch, fields, dynamic))
            rows += len(batch)
            if progress:
                progress(f"backing up {name}", rows, max(rows, total))
    return File(
        path=relative, partition=partition, rows=rows, bytes=path.stat().st_size, sha256=digest_of(path)
    )


def _pages(
    client: Any, name: str, partition: str, fields: Sequence[Field], dynamic: bool, page: int
) -> Iterator[list[dict[str, Any]]]:
    """Rows in the order of their keys, page by page.

    Not by pymilvus' query_iterator: on Milvus 2.3 it reads with the collection's own consistency, whatever
    it is told, and with Bounded that missed rows acknowledged just before (measured). A query with a limit
    gives the least keys above the last one, because each segment answers with its own least ones.
    """
    key = next(field.name for field in fields if field.primary)
    above = ""
    while True:
        page_rows = client.query(
            name,
            above,
            ["*"] if dynamic else [field.name for field in fields],
            partition_names=[partition] if partition else None,
            limit=page,
            consistency_level="Strong",
        )
        rows = [dict(row) for row in page_rows]
        keys = [row[key] for row in rows]
        if any(first >= second for first, second in itertools.pairwise(keys)):
            raise BackupError(
                f'the rows of "{name}" did not come in the order of their keys, so some could be missed',
                hint="this version reads Milvus 2.3; take Milvus' own milvus-backup for others",
            )
        if rows:
            yield rows
        # A page that is not full is the last: waiting for an empty one would race whoever writes new keys.
        if len(rows) < page:
            return
        above = f"{key} > {json.dumps(keys[-1], ensure_ascii=False)}"
