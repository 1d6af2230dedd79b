"""Retention on folders of backups: what stays, what goes, and what is never touched."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from halab.errors import BackupError
from halab.models.retention import Retention
from halab.protect.backup import backup, verify
from halab.protect.backup.manifest import MANIFEST, Manifest, read_manifest
from halab.protect.backup.pruning import prune

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = Retention(daily=2, weekly=1, monthly=1)


def dated(folder, begun, names=None):
    """A sound backup whose manifest says when it was begun, and of which collections."""
    manifest = read_manifest(folder)
    collections = manifest.collections
    if names is not None:
        collections = tuple(collections[0].model_copy(update={"name": name}) for name in names)
    told = manifest.model_copy(update={"begun": begun.isoformat(), "collections": collections})
    (folder / MANIFEST).write_text(Manifest.model_validate(told.model_dump()).text())


@pytest.fixture
def store(milvus, tmp_path):
    """A folder of backups, and how to put one more into it, so many days before the newest."""
    milvus.fill(rows=3)
    backup(milvus, tmp_path / "original")
    folder = tmp_path / "backups"
    folder.mkdir()

    def add(name, days, names=None):
        shutil.copytree(tmp_path / "original", folder / name)
        dated(folder / name, NOON - timedelta(days=days), names)
        return folder / name

    add.folder = folder
    return add


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_what_no_rule_keeps_is_deleted_and_the_table_says_why(store):
    for day in (0, 1, 2, 40):
        store(f"day-{day}", day)
    done = prune(store.folder, Retention(2, 1, 3))
    assert names(store.folder) == {"day-0", "day-1", "day-40"}
    assert [one.why for one in done.entries] == ["newest, daily, weekly, monthly", "daily", "", "monthly"]
    said = repr(done)
    assert "no rule keeps it" in said
    assert "3 stay, 1 went" in said
    assert all(verify(store.folder / name) for name in names(store.folder))


def test_a_dry_run_deletes_nothing_and_says_the_same(store):
    for day in range(4):
        store(f"day-{day}", day)
    said = prune(store.folder, Retention(1, 0, 0), dry_run=True)
    assert len(names(store.folder)) == 4
    assert "1 stay, 3 would go" in repr(said)
    assert [one.goes for one in said.entries] == [
        one.goes for one in prune(store.folder, Retention(1, 0, 0)).entries
    ]
    assert names(store.folder) == {"day-0"}


def test_a_damaged_backup_is_told_left_and_never_the_one_that_is_kept(store):
    newest, older, oldest = store("newest", 0), store("older", 0.1), store("oldest", 0.2)
    next(newest.rglob("*.parquet")).write_bytes(b"gone")
    done = prune(store.folder, Retention(1, 0, 0))
    assert names(store.folder) == {"newest", "older"}
    assert not oldest.exists()
    assert verify(older).rows == 3
    damaged = next(one for one in done.entries if one.name == "newest")
    assert "bytes, " in damaged.why
    assert not done.sound


def test_if_all_are_damaged_nothing_is_deleted(store):
    for day in range(3):
        (store(f"day-{day}", day) / MANIFEST).write_text("{}")
    assert not prune(store.folder, Retention(1, 0, 0)).sound
    assert len(names(store.folder)) == 3


def test_a_backup_of_one_collection_is_no_reason_to_delete_that_of_another(store):
    store("cards", 9, ["cards"])
    store("users", 0, ["users"])
    prune(store.folder, Retention(1, 0, 0))
    assert names(store.folder) == {"cards", "users"}


def test_one_from_the_future_or_without_a_time_does_not_push_others_out(store):
    store("today", 0)
    store("future", -30_000)
    manifest = read_manifest(store("undated", 1)).model_copy(update={"begun": "monday"})
    (store.folder / "undated" / MANIFEST).write_text(manifest.text())
    done = prune(store.folder, Retention(1, 0, 0))
    assert names(store.folder) == {"today", "future", "undated"}
    assert sum(not one.sound for one in done.entries) == 2


def test_what_was_cut_off_is_left_to_who_writes_it(store):
    store("today", 0)
    (store.folder / "next.partial").mkdir()
    done = prune(store.folder, Retention(1, 0, 0))
    assert "cut off" in next(one for one in done.entries if one.name == "next.partial").why
    assert names(store.folder) == {"today", "next.partial"}


@pytest.mark.parametrize("other", ["file", "folder", "link"])
def test_a_folder_that_holds_anything_else_is_refused(store, tmp_path, other):
    store("new", 0), store("old", 9)
    path = store.folder / "photos"
    if other == "file":
        path.write_text("x")
    elif other == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "original", target_is_directory=True)
    with pytest.raises(BackupError, match=r"no backup \(photos\)"):
        prune(store.folder, Retention(1, 0, 0))
    assert names(store.folder) == {"new", "old", "photos"}


def test_a_backup_an_empty_folder_and_none_are_refused(store, tmp_path):
    with pytest.raises(BackupError, match="holds no backup"):
        prune(store.folder, ALL)
    with pytest.raises(BackupError, match="itself a backup"):
        prune(store("today", 0), ALL)
    with pytest.raises(BackupError, match="no folder"):
        prune(tmp_path / "nowhere", ALL)


def test_what_cannot_be_deleted_is_said(store, monkeypatch):
    store("new", 0), store("old", 9)

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(BackupError, match=r"old could not be deleted.*Permission denied"):
        prune(store.folder, Retention(1, 0, 0))
