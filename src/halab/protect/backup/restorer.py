"""Restore: a backup into a cluster, into a new name, or in place of what is there.

    restore(cluster, "backups/monday")                                  # nothing of those names may be there
    restore(cluster, "backups/monday", names={"halab_cards": "rescued"})
    restore(cluster, "backups/monday", replace=True)

The backup is verified first. Each collection is built under a name of its own, loaded and counted; only then
it gets its name. Until that moment nothing that was there is touched, and if anything fails, what was built
is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from halab.errors import BackupError
from halab.protect.backup.connection import connected, load, refusals
from halab.protect.backup.fields import rows_of
from halab.protect.backup.manifest import Collection, Field, Manifest, Progress, verify

__all__ = ["Restored", "batches", "restore"]

_BATCH = 500  # rows in one insert
_UNFLUSHED = 1 << 20  # bytes between two flushes: the embedded cluster's log may keep no more than 5 MiB
_MOST_ROWS = 5000  # rows between two flushes
_BUILDING, _OLD = "_halab_restoring", "_halab_replaced"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore made: rows by collection, and notes on what is not as it was."""

    rows: dict[str, int]
    notes: tuple[str, ...] = ()


def restore(
    target: Any,
    folder: str | Path,
    collections: Sequence[str] = (),
    *,
    names: Mapping[str, str] | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> Restored:
    """Bring collections of a backup (all if none is named) into a cluster, verified and counted.

    `target` is a cluster, an address or a client. `names` gives new names by old ones. `replace` puts a
    collection in the place of one that is there, which is dropped; without it that is an error, raised before
    anything is done. Raises BackupError if the backup is damaged, a name is taken, or Milvus refuses.
    """
    folder = Path(folder)
    manifest = verify(folder, progress=progress)
    plan = _plan(manifest, collections, names or {})
    with connected(target) as client:
        _check_targets(client, plan, replace)
        notes = [
            note
            for collection, name in plan
            for note in _restore_one(client, collection, name, folder, progress)
        ]
    rows = {name: collection.rows for collection, name in plan}
    if progress:
        progress("restored", sum(rows.values()), sum(rows.values()))
    return Restored(rows, tuple(notes))


def _plan(
    manifest: Manifest, wanted: Sequence[str], names: Mapping[str, str]
) -> list[tuple[Collection, str]]:
    saved = {collection.name: collection for collection in manifest.collections}
    unknown = [name for name in [*wanted, *names] if name not in saved]
    if unknown:
        raise BackupError(
            f"the backup holds no collection {unknown[0]!r}", hint=f"it holds {', '.join(saved) or 'none'}"
        )
    plan = [(saved[name], names.get(name, name)) for name in wanted or saved]
    targets = [name for _, name in plan]
    if len(set(targets)) < len(targets):
        raise BackupError("two collections would get the same name", hint="give each its own")
    return plan


def _check_targets(client: Any, plan: Sequence[tuple[Collection, str]], replace: bool) -> None:
    with refusals("the cluster's collections could not be listed"):
        taken = [name for _, name in plan if client.has_collection(name)]
    if taken and not replace:
        raise BackupError(
            f'the collection "{taken[0]}" is already there, and nothing was restored',
            hint="restore into a new name, or say that it is to be replaced",
        )


def _restore_one(
    client: Any, saved: Collection, name: str, folder: Path, progress: Progress | None
) -> list[str]:
    building = name + _BUILDING
    with refusals(f'"{name}" was not restored, and what was there is untouched'):
        try:
            _drop(client, building)  # left by a restore that was cut off
            _create(client, saved, building)
            _fill(client, saved, building, folder, progress)
            _load_and_count(client, saved, building)
            _put_in_place(client, building, name)
        except BaseException:
            with suppress(MilvusException):
                _drop(client, building)
            raise
    with refusals(f'"{name}" was restored, but its aliases were not'):
        return _aliases(client, saved, name) + _remarks(saved)


def _create(client: Any, saved: Collection, name: str) -> None:
    schema = client.create_schema(
        auto_id=any(field.auto_id for field in saved.fields),
        enable_dynamic_field=saved.dynamic,
        description=saved.description,
    )
    for field in saved.fields:
        schema.add_field(field.name, DataType[field.type], **_field_options(field))
    client.create_collection(
        name,
        schema=schema,
        num_shards=saved.shards,
        consistency_level=saved.consistency,
        **({"properties": saved.properties} if saved.properties else {}),
    )
    for partition in {file.partition for file in saved.files} - {"", "_default"}:
        client.create_partition(name, partition)


def _field_options(field: Field) -> dict[str, Any]:
    options: dict[str, Any] = {"description": field.description, **field.params}
    flags = {"is_primary": field.primary, "is_partition_key": field.partition_key, "nullable": field.nullable}
    options |= {name: True for name, set_ in flags.items() if set_}
    if field.element:
        options["element_type"] = DataType[field.element]
    return options


def _fill(client: Any, saved: Collection, name: str, folder: Path, progress: Progress | None) -> None:
    done = unflushed = rows = 0
    for partition, size, batch in batches(saved, folder):
        client.insert(name, batch, partition_name=partition)
        done, unflushed, rows = done + len(batch), unflushed + size, rows + len(batch)
        # The log keeps little: what it holds is moved to the object store before it is too much.
        if unflushed >= _UNFLUSHED or rows >= _MOST_ROWS:
            client.flush(name)
            unflushed = rows = 0
        if progress:
            progress(f"restoring {saved.name}", done, saved.rows)
    if rows:
        client.flush(name)


def batches(saved: Collection, folder: Path) -> Iterator[tuple[str, int, list[dict[str, Any]]]]:
    """Partition, bytes and rows of one insert after the other."""
    for file in saved.files:
        with pq.ParquetFile(folder / file.path) as source:
            for batch in source.iter_batches(_BATCH):
                yield file.partition, batch.nbytes, rows_of(batch, saved.fields, saved.dynamic)


def _load_and_count(client: Any, saved: Collection, name: str) -> None:
    """Index, load and count; what was not loaded is released again."""
    if saved.indexes:
        params = client.prepare_index_params()
        for index in saved.indexes:
            params.add_index(field_name=index.field, index_name=index.name, **index.params)
        client.create_index(name, params)
    if not saved.indexes:
        return
    load(client, name, saved.replicas or 1)
    count = client.query(name, "", ["count(*)"], consistency_level="Strong")[0]["count(*)"]
    if count != saved.rows:
        raise BackupError(
            f'{count:,} of {saved.rows:,} rows of "{saved.name}" were there after the restore, '
            "so it was undone",
            hint="see `halab status`; when every role is healthy, restore again",
        )
    if not saved.replicas:
        client.release_collection(name)


def _put_in_place(client: Any, built: str, name: str) -> None:
    """The old one makes room and goes last, so that it can come back if the new one does not get its name."""
    old = name + _OLD
    _drop(client, old)
    replaced = client.has_collection(name)
    if replaced:
        client.rename_collection(name, old)
    try:
        client.rename_collection(built, name)
    except BaseException:
        if replaced:
            client.rename_collection(old, name)
        raise
    if replaced:
        for alias in client.list_aliases(old)["aliases"]:
            client.alter_alias(name, alias)
        with suppress(MilvusException):
            _drop(client, old)


def _aliases(client: Any, saved: Collection, name: str) -> list[str]:
    """Aliases come back with the collection's own name; under a new name they stay where they point."""
    if name != saved.name:
        return [f'"{name}" has none of the aliases {", ".join(saved.aliases)}'] if saved.aliases else []
    present = set(client.list_aliases(name)["aliases"])
    notes = []
    for alias in saved.aliases:
        if alias in present:
            continue
        try:
            client.create_alias(name, alias)
        except MilvusException:
            notes.append(f'the alias "{alias}" points to another collection and was left alone')
    return notes


def _remarks(saved: Collection) -> list[str]:
    if any(field.primary and field.auto_id for field in saved.fields):
        return [f'the rows of "{saved.name}" have new keys: Milvus makes them itself']
    return []


def _drop(client: Any, name: str) -> None:
    if client.has_collection(name):
        for alias in client.list_aliases(name)["aliases"]:
            client.drop_alias(alias)
        client.release_collection(name)
        client.drop_collection(name)
