"""Restore: a backup into a cluster, into a new name, or in place of what is there.

    restore(cluster, "backups/monday")                                  # nothing of those names may be there
    restore(cluster, "backups/monday", names={"halab_cards": "rescued"})
    restore(cluster, "backups/monday", replace=True)

The backup is verified first. Each collection is built under a name of its own, loaded and counted; only then
it gets its name. Until that moment nothing that was there is touched, and if anything fails, what was built
is dropped.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from halab.errors import BackupError
from halab.folders import exclusive, home_folder
from halab.measure.probing.milvus_collections import aliases_of, drop_collections
from halab.protect.backup.connection import connected, load, refusals
from halab.protect.backup.fields import rows_of
from halab.protect.backup.manifest import (
    DEFAULT_DATABASE,
    Collection,
    Field,
    Manifest,
    Progress,
    doubled_remark,
    split_name,
    verify,
)
from halab.translation import gettext

__all__ = ["Restored", "batches", "restore"]

_BATCH = 500  # rows in one insert, at most
_BATCH_BYTES = 1 << 20  # bytes in one insert, unless a single row has more
_UNFLUSHED = 1 << 20  # bytes between two flushes: the embedded cluster's log may keep no more than 5 MiB
_MOST_ROWS = 5000  # rows between two flushes
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,254}")


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

    `target` is a cluster, an address or a client. `names` gives new names by old ones; in another database
    than the default one a name is DATABASE.NAME, and the database is made if it is not there. `replace` puts
    a collection in the place of one that is there, which is dropped; without it that is an error, raised
    before anything is done. Raises BackupError if the backup is damaged, a name is taken or none of Milvus',
    another restore of it is under way, or Milvus refuses.
    """
    folder = Path(folder)
    plan = _plan(verify(folder, progress=progress), collections, names or {})
    with ExitStack() as stack:
        targets = [_Target(*each, folder, progress) for each in plan]
        for each in targets:
            each.open(target, stack)
        for each in targets:
            each.check(replace)
        notes = [note for each in targets for note in each.restore()]
    rows = {each.qualified: each.saved.rows for each in targets}
    if progress:
        progress("restored", sum(rows.values()), sum(rows.values()))
    return Restored(rows, tuple(notes))


def _plan(
    manifest: Manifest, wanted: Sequence[str], names: Mapping[str, str]
) -> list[tuple[Collection, str]]:
    saved = {collection.qualified: collection for collection in manifest.collections}
    unknown = [name for name in [*wanted, *names] if name not in saved]
    if unknown:
        raise BackupError(
            gettext("the backup holds no collection {name!r}").format(name=unknown[0]),
            hint=gettext("it holds {names}").format(names=", ".join(saved) or gettext("none")),
        )
    plan = [(saved[name], names.get(name, name)) for name in wanted or saved]
    targets = [name for _, name in plan]
    if len(set(targets)) < len(targets):
        raise BackupError(
            gettext("two collections would get the same name"), hint=gettext("give each its own")
        )
    return plan


@dataclass
class _Target:
    """A collection of a backup, and the qualified name that it gets."""

    saved: Collection
    qualified: str
    folder: Path
    progress: Progress | None
    client: Any = None

    @property
    def name(self) -> str:
        return split_name(self.qualified)[1]

    def open(self, target: Any, stack: ExitStack) -> None:
        """Reach its database, which is made if it is not there; keep other restores away from its name."""
        database = split_name(self.qualified)[0]
        if database != DEFAULT_DATABASE:
            with (
                connected(target) as client,
                refusals(gettext('the database "{database}" could not be made').format(database=database)),
            ):
                if database not in client.list_databases():
                    client.create_database(database)
        self.client = stack.enter_context(connected(target, database))
        if self.client is not target:
            stack.enter_context(_alone(getattr(target, "uri", target), self.qualified))

    def check(self, replace: bool) -> None:
        """Raises BackupError for whatever would end the restore later, before anything is done."""
        if not _NAME.fullmatch(self.name):
            raise BackupError(
                gettext("{name!r} cannot be a collection's name, and nothing was restored").format(
                    name=self.name[:40]
                ),
                hint=gettext("up to 255 letters, digits and _, beginning with a letter or _"),
            )
        with refusals(gettext("the cluster's collections could not be listed")):
            taken = self.client.has_collection(self.name)
            own = self.client.describe_collection(self.name)["collection_name"] if taken else ""
        if taken and own != self.name:
            raise BackupError(
                gettext('"{name}" is an alias of "{own}", and nothing was restored').format(
                    name=self.name, own=own
                ),
                hint=gettext("restore into a new name, or drop the alias first"),
            )
        if taken and not replace:
            raise BackupError(
                gettext('the collection "{name}" is already there, and nothing was restored').format(
                    name=self.name
                ),
                hint=gettext("restore into a new name, or say that it is to be replaced"),
            )

    def restore(self) -> list[str]:
        building = _temporary("restoring", self.name)
        client, saved, name = self.client, self.saved, self.name
        with refusals(
            gettext('"{name}" was not restored, and what was there is untouched').format(name=name)
        ):
            try:
                drop_collections(client, [building])  # left by a restore that was cut off
                _create(client, saved, building)
                _fill(client, saved, building, self.folder, self.progress)
                _load_and_count(client, saved, building)
                _put_in_place(client, building, name)
            except BaseException:
                with suppress(MilvusException):
                    drop_collections(client, [building])
                raise
        with refusals(gettext('"{name}" was restored, but its aliases were not').format(name=name)):
            return _aliases(client, saved, name) + _remarks(saved)


def _alone(uri: str, name: str) -> AbstractContextManager[None]:
    locks = home_folder() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(f"{uri} {name}".encode()).hexdigest()[:16]
    refusal = BackupError(
        gettext('another restore of "{name}" is under way at {uri}, and this one has done nothing').format(
            name=name, uri=uri
        ),
        hint=gettext("wait for it, or restore into a new name"),
    )
    return exclusive(locks / f"restore-{digest}.lock", refusal)


def _temporary(purpose: str, name: str) -> str:
    """A name beside `name`, which may have all the 255 letters that Milvus takes."""
    return f"halab_{purpose}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


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
        **({"num_partitions": saved.num_partitions} if saved.num_partitions else {}),
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
            progress(gettext("restoring {name}").format(name=saved.name), done, saved.rows)
    if rows:
        client.flush(name)


def batches(saved: Collection, folder: Path) -> Iterator[tuple[str, int, list[dict[str, Any]]]]:
    """Partition, bytes and rows of one insert after the other."""
    for file in saved.files:
        with pq.ParquetFile(folder / file.path) as source:
            for batch in itertools.chain.from_iterable(map(_within_bytes, source.iter_batches(_BATCH))):
                yield file.partition, batch.nbytes, rows_of(batch, saved.fields, saved.dynamic)


def _within_bytes(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Halved until each part is small enough for one insert."""
    if batch.nbytes <= _BATCH_BYTES or batch.num_rows == 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _within_bytes(batch.slice(0, half))
    yield from _within_bytes(batch.slice(half))


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
            gettext(
                '{count:,} of {rows:,} rows of "{name}" were there after the restore, so it was undone'
            ).format(count=count, rows=saved.rows, name=saved.name),
            hint=gettext("see `halab status`; when every role is healthy, restore again"),
        )
    if not saved.replicas:
        client.release_collection(name)


def _put_in_place(client: Any, built: str, name: str) -> None:
    """The old one makes room and goes last, so that it can come back if the new one does not get its name."""
    old = _temporary("replaced", name)
    drop_collections(client, [old])
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
        for alias in aliases_of(client, old):
            client.alter_alias(name, alias)
        with suppress(MilvusException):
            drop_collections(client, [old])


def _aliases(client: Any, saved: Collection, name: str) -> list[str]:
    """Aliases come back with the collection's own name; under a new name they stay where they point."""
    if name != saved.name:
        return (
            [
                gettext('"{name}" has none of the aliases {aliases}').format(
                    name=name, aliases=", ".join(saved.aliases)
                )
            ]
            if saved.aliases
            else []
        )
    present = set(aliases_of(client, name))
    notes = []
    for alias in saved.aliases:
        if alias in present:
            continue
        try:
            client.create_alias(name, alias)
        except MilvusException:
            notes.append(
                gettext('the alias "{alias}" points to another collection and was left alone').format(
                    alias=alias
                )
            )
    return notes


def _remarks(saved: Collection) -> list[str]:
    if any(field.primary and field.auto_id for field in saved.fields):
        return [
            gettext('the rows of "{name}" have new keys: Milvus makes them itself').format(name=saved.name)
        ]
    return [doubled_remark(saved)] if saved.doubled else []
