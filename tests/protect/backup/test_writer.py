"""Backup, verify and restore against a Milvus in memory."""

import errno
import hashlib
import json
import random
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.errors import BackupError
from halab.protect.backup import backup, restore, verify
from halab.protect.backup.fields import greatest_row
from halab.protect.backup.manifest import MANIFEST, Field, doubled_remark


@pytest.fixture
def saved(milvus, tmp_path):
    """What was there, and the folder it was backed up to."""
    before = milvus.fill()
    backup(milvus, tmp_path / "monday", page=60)
    return before, tmp_path / "monday"


def rewritten(folder, change):
    """A manifest with a change, and with the digest that belongs to it."""
    body = json.loads((folder / MANIFEST).read_text())
    del body["digest"]
    change(body)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    body["digest"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(body))


def test_everything_comes_back_as_it_was(milvus, saved):
    before, folder = saved
    milvus.made.clear()
    done = restore(milvus, folder)
    assert (done.rows, done.notes) == ({"cards": 250}, ())
    after = milvus.made["cards"]
    for part in ("described", "partitions", "aliases", "replicas"):
        wanted = dict(before[part]) if isinstance(before[part], dict) else before[part]
        found = dict(after[part]) if isinstance(after[part], dict) else after[part]
        for one in (wanted, found):
            if part == "described":
                del one["collection_name"]
        assert found == wanted, part
    assert after["indexes"].keys() == before["indexes"].keys()


def test_memory_holds_one_page_and_the_log_no_more_than_it_keeps(milvus, saved, monkeypatch):
    _, folder = saved
    assert milvus.largest_page == 60
    sizes = [pq.ParquetFile(path).num_row_groups for path in sorted(folder.rglob("*.parquet"))]
    assert sizes == [4, 1]
    rules = import_module("halab.protect.backup.restorer")
    monkeypatch.setattr(rules, "_BATCH", 20)
    monkeypatch.setattr(rules, "_MOST_ROWS", 50)
    milvus.made.clear()
    restore(milvus, folder)
    assert milvus.most_unflushed <= 60
    assert milvus.made["cards"]["unflushed"] == 0


def test_a_backup_ends_although_somebody_goes_on_writing(milvus, tmp_path):
    milvus.fill()
    query, fresh = milvus.query, iter(range(10**6, 10**7))

    def writing(*given, **options):
        milvus.made["cards"]["partitions"]["_default"].append({**milvus.rows("cards")[0], "id": next(fresh)})
        return query(*given, **options)

    milvus.query = writing
    backup(milvus, tmp_path / "one", page=60)
    assert 250 < verify(tmp_path / "one").rows < 260


@pytest.mark.parametrize("doubled", [[7], [249, 0], [3] * 130, list(range(250))])
def test_a_key_that_was_inserted_twice_cuts_no_backup_and_is_named(milvus, tmp_path, doubled):
    milvus.fill()
    first = milvus.rows("cards")
    milvus.made["cards"]["partitions"]["_default"] += [{**first[0], "id": key} for key in doubled]
    in_default = {row["id"] for row in milvus.made["cards"]["partitions"]["_default"]}
    in_late = {row["id"] for row in milvus.made["cards"]["partitions"]["late"]}
    manifest = backup(milvus, tmp_path / "one", page=60)
    (saved,) = manifest.collections
    assert manifest.rows == len(in_default) + len(in_late)
    assert saved.doubled == 250 + len(doubled) - manifest.rows
    if saved.doubled:
        assert set(saved.doubled_keys) <= set(map(str, doubled))
        assert doubled_remark(saved) in restore(milvus, tmp_path / "one", names={"cards": "again"}).notes


def test_rows_that_milvus_counts_and_does_not_answer_with_refuse_the_backup(milvus, tmp_path):
    milvus.fill()
    query = milvus.query

    def forgetful(name, filter, fields, **options):
        rows = query(name, filter, fields, **options)
        return rows if fields == ["count(*)"] else [row for row in rows if row["id"] != 33]

    milvus.query = forgetful
    with pytest.raises(BackupError, match=r"199 rows .* Milvus counts 200"):
        backup(milvus, tmp_path / "one", page=60)
    assert not list(tmp_path.iterdir())


def test_a_partition_that_was_not_loaded_is_read_and_not_loaded_afterwards(milvus, tmp_path):
    milvus.fill()
    milvus.made["cards"]["unloaded"] = {"late"}
    assert backup(milvus, tmp_path / "one").rows == 250
    assert milvus.made["cards"]["unloaded"] == {"late"}


def test_an_alias_names_its_collection_and_cannot_be_a_target(milvus, saved, tmp_path):
    assert [each.name for each in backup(milvus, tmp_path / "two", ["cards_alias", "cards"]).collections] == [
        "cards"
    ]
    with pytest.raises(BackupError, match='"cards_alias" is an alias of "cards", and nothing was restored'):
        restore(milvus, saved[1], names={"cards": "cards_alias"}, replace=True)


@pytest.mark.parametrize("name", ["n" * 256, "1st", "with-dash", "ü", ""])
def test_a_name_that_milvus_does_not_take_is_refused_before_anything_is_done(milvus, saved, name):
    calls = len(milvus.calls)
    with pytest.raises(BackupError, match="cannot be a collection's name, and nothing was restored"):
        restore(milvus, saved[1], names={"cards": name})
    assert "create_collection" not in milvus.calls[calls:]


def test_names_of_255_letters_are_kept(milvus, tmp_path):
    long = "n" * 255
    milvus.fill(long, rows=4)
    milvus.made[long]["partitions"]["p" * 255] = milvus.made[long]["partitions"].pop("late")
    backup(milvus, tmp_path / "one")
    restore(milvus, tmp_path / "one", replace=True)
    assert len(milvus.rows(long)) == 4
    assert set(milvus.made) == {long}


def test_inserts_are_bounded_in_bytes(milvus, tmp_path):
    milvus.fill(rows=40)
    for row in milvus.rows("cards"):
        row["title"] = "x" * 60_000
    inserted = []
    insert = milvus.insert
    milvus.insert = lambda name, rows, **more: (inserted.append(len(rows)), insert(name, rows, **more))
    backup(milvus, tmp_path / "one")
    restore(milvus, tmp_path / "one", names={"cards": "again"})
    assert max(inserted) * 60_000 <= 1 << 20
    assert sum(inserted) == 40


@pytest.mark.parametrize(("dim", "rows"), [(4, 1000), (32_768, 480)])
def test_a_page_of_the_widest_rows_fits_into_memory(dim, rows):
    vector = Field(name="v", type="FLOAT_VECTOR", params={"dim": dim})
    text = Field(name="t", type="VARCHAR", params={"max_length": 100})
    assert min(1000, (64 << 20) // greatest_row([vector, text], False)) == pytest.approx(rows, rel=0.07)


def test_a_second_backup_into_a_folder_is_refused_by_name_before_it_writes(milvus, tmp_path):
    milvus.fill()
    query, second = milvus.query, []

    def meanwhile(*given, **options):
        if not second:
            second.append(
                pytest.raises(BackupError, match=r"another backup is writing .*/one at this moment")
            )
            with second[0]:
                backup(milvus, tmp_path / "one")
        return query(*given, **options)

    milvus.query = meanwhile
    assert backup(milvus, tmp_path / "one", page=60).rows == 250
    assert verify(tmp_path / "one").rows == 250


def test_a_second_restore_of_a_name_is_refused_and_does_nothing(milvus, saved, monkeypatch, tmp_path):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("halab.protect.backup.connection.MilvusClient", lambda *_, **__: milvus)
    milvus.close = lambda: None
    insert, second = milvus.insert, []

    def meanwhile(*given, **options):
        if not second:
            second.append(True)
            with pytest.raises(BackupError, match='another restore of "again" is under way'):
                restore("http://127.0.0.1:1", saved[1], names={"cards": "again"})
        return insert(*given, **options)

    milvus.insert = meanwhile
    assert restore("http://127.0.0.1:1", saved[1], names={"cards": "again"}).rows == {"again": 250}
    assert restore("http://127.0.0.1:1", saved[1], names={"cards": "again"}, replace=True)


def test_a_disk_that_refuses_is_told_with_its_own_reason(milvus, tmp_path, monkeypatch):
    milvus.fill()

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", refuse)
    with pytest.raises(BackupError, match="Permission denied") as caught:
        backup(milvus, tmp_path / "one")
    assert "may not write" in caught.value.hint


def test_a_null_in_json_comes_back_as_a_null(milvus, tmp_path):
    milvus.fill(rows=3)
    milvus.rows("cards")[0]["facts"] = None
    backup(milvus, tmp_path / "one")
    restore(milvus, tmp_path / "one", names={"cards": "again"})
    assert None in [row["facts"] for row in milvus.rows("again")]


def test_a_manifest_counts_and_says_when(saved):
    manifest = verify(saved[1])
    assert manifest.rows == 250
    assert manifest.begun <= manifest.ended
    assert manifest.bytes == sum(path.stat().st_size for path in saved[1].rglob("*.parquet"))


def test_what_was_not_loaded_is_not_loaded_afterwards(milvus, tmp_path):
    milvus.fill(replicas=0)
    backup(milvus, tmp_path / "one")
    assert milvus.made["cards"]["replicas"] == 0
    restore(milvus, tmp_path / "one", names={"cards": "again"})
    assert milvus.made["again"]["replicas"] == 0
    assert len(milvus.rows("again")) == 250


def test_a_new_name_leaves_the_old_collection_and_its_alias_alone(milvus, saved):
    done = restore(milvus, saved[1], names={"cards": "rescued"})
    assert milvus.made["cards"]["aliases"] == ["cards_alias"]
    assert "cards_alias" in done.notes[0]
    assert set(milvus.made) == {"cards", "rescued"}


def test_in_place_the_rows_of_the_backup_are_there_and_no_others(milvus, saved):
    milvus.made["cards"]["partitions"]["_default"] = [{"id": 9}]
    restore(milvus, saved[1], replace=True)
    assert len(milvus.rows("cards")) == 250
    assert set(milvus.made) == {"cards"}
    assert milvus.made["cards"]["aliases"] == ["cards_alias"]


def test_what_is_there_is_not_touched_unless_one_says_so(milvus, saved):
    milvus.fill("other", rows=3)
    calls = len(milvus.calls)
    with pytest.raises(BackupError, match="already there, and nothing was restored"):
        restore(milvus, saved[1])
    assert not {"create_collection", "insert", "drop_collection"} & set(milvus.calls[calls:])


@pytest.mark.parametrize(
    "refuse",
    ["create_collection", ("insert", 1), "create_index", "load_collection", "rename_collection",
     ("rename_collection", 1)],
)  # fmt: skip
def test_a_restore_that_fails_leaves_what_was_there_and_nothing_else(milvus, saved, refuse):
    milvus.calls.clear()
    milvus.refuse = refuse
    if refuse == ("rename_collection", 1):
        original = milvus.rename_collection

        def rename(old, new):  # only the second of them fails; putting the old one back must not
            milvus.refuse = refuse if old.startswith("halab_restoring") else None
            original(old, new)

        milvus.rename_collection = rename
    with pytest.raises(BackupError, match="untouched"):
        restore(milvus, saved[1], replace=True)
    assert set(milvus.made) == {"cards"}
    assert len(milvus.rows("cards")) == 250
    assert milvus.made["cards"]["aliases"] == ["cards_alias"]


def test_rows_that_do_not_arrive_are_noticed_and_the_restore_undone(milvus, saved):
    milvus.made.clear()
    insert = milvus.insert
    milvus.insert = lambda name, rows, partition_name: insert(name, rows[1:], partition_name)
    with pytest.raises(BackupError, match="of 250 rows"):
        restore(milvus, saved[1])
    assert not milvus.made


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[random.Random(1).randrange(len(data))] ^= 4
    path.write_bytes(data)


DAMAGES = {
    "is missing": Path.unlink,
    "SHA-256 is another": flip_a_bit,
    "bytes, ": lambda path: path.write_bytes(path.read_bytes()[:-7]),
}


@pytest.mark.parametrize("said", DAMAGES)
def test_a_damaged_file_is_named_and_nothing_is_restored(milvus, saved, said):
    DAMAGES[said](saved[1] / "cards" / "late.parquet")
    milvus.made.clear()
    with pytest.raises(BackupError, match=said) as caught:
        restore(milvus, saved[1])
    assert "cards/late.parquet" in caught.value.message
    assert not milvus.made


def test_every_damaged_file_is_named(saved):
    for path in saved[1].rglob("*.parquet"):
        flip_a_bit(path)
    with pytest.raises(BackupError, match=r"cards/_default\.parquet.*cards/late\.parquet"):
        verify(saved[1])


@pytest.mark.parametrize("seed", range(20))
def test_any_changed_byte_of_the_manifest_is_noticed(saved, seed):
    path = saved[1] / MANIFEST
    data = bytearray(path.read_bytes())
    data[random.Random(seed).randrange(len(data) - 1)] ^= 1
    path.write_bytes(data)
    with pytest.raises(BackupError):
        verify(saved[1])


def test_a_backup_that_was_cut_off_is_none(saved, tmp_path):
    (saved[1] / MANIFEST).unlink()
    with pytest.raises(BackupError, match="cut off"):
        verify(saved[1])
    with pytest.raises(BackupError, match="there is no backup at"):
        verify(tmp_path / "tuesday")


def test_a_newer_version_is_told_and_not_guessed_at(saved):
    rewritten(saved[1], lambda body: body.update(version=2, something="new"))
    with pytest.raises(BackupError, match="version 2"):
        verify(saved[1])


def test_a_field_type_of_a_newer_milvus_is_told(milvus, tmp_path):
    milvus.fill()
    milvus.made["cards"]["described"]["fields"][1]["type"] = 104  # a sparse vector
    with pytest.raises(BackupError, match="SPARSE_FLOAT_VECTOR"):
        backup(milvus, tmp_path / "one")
    assert not list(tmp_path.iterdir())


def test_a_manifest_cannot_point_outside_its_folder(saved):
    rewritten(saved[1], lambda body: body["collections"][0]["files"][0].update(path="../secret"))
    with pytest.raises(BackupError, match="outside the backup"):
        verify(saved[1])


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"format": "\\ud800"}', "[]", "null", "", '{"format": "halab-backup", "version": 1e999}',
     "x" * 100, '{"digest": NaN}'],
)  # fmt: skip
def test_a_bent_manifest_is_told_in_words(saved, text):
    (saved[1] / MANIFEST).write_text(text)
    with pytest.raises(BackupError, match=r"manifest"):
        verify(saved[1])


@pytest.mark.parametrize(
    ("where", "value"),
    [("rows", 10**400), ("rows", -1), ("rows", None), ("path", "a\0b"), ("path", "/etc/passwd"),
     ("bytes", "7"), ("sha256", "x"), ("path", ["a"])],
)  # fmt: skip
def test_a_field_of_the_wrong_type_or_size_is_named(saved, where, value):
    rewritten(saved[1], lambda body: body["collections"][0]["files"][0].update({where: value}))
    with pytest.raises(BackupError, match=r"collections\.0\.files\.0|outside the backup|manifest says"):
        verify(saved[1])


def test_a_manifest_of_gigabytes_is_not_read(saved):
    with (saved[1] / MANIFEST).open("r+b") as file:
        file.truncate(3 << 30)
    with pytest.raises(BackupError, match="no manifest has more than"):
        verify(saved[1])


def test_the_manifest_s_counts_are_checked_against_the_files(saved):
    rewritten(saved[1], lambda body: body["collections"][0]["files"][0].update(rows=7))
    with pytest.raises(BackupError, match="the manifest says 7"):
        verify(saved[1])


@pytest.mark.parametrize("refuse", ["describe_collection", "query", ("query", 2)])
def test_a_backup_that_fails_leaves_nothing_behind(milvus, tmp_path, refuse):
    milvus.fill()
    milvus.refuse = refuse
    with pytest.raises(BackupError, match="could not be backed up"):
        backup(milvus, tmp_path / "one", page=60)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing_behind(milvus, tmp_path, monkeypatch):
    milvus.fill()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(BackupError, match="No space left on device"):
        backup(milvus, tmp_path / "one")
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_never_overwritten(milvus, saved):
    with pytest.raises(BackupError, match="already there"):
        backup(milvus, saved[1])
    assert verify(saved[1]).rows == 250


def test_what_a_killed_backup_left_is_in_nobody_s_way(milvus, tmp_path):
    milvus.fill()
    (tmp_path / "one.partial" / "cards").mkdir(parents=True)
    backup(milvus, tmp_path / "one")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_collection_without_an_index_is_refused_in_words(milvus, tmp_path):
    milvus.fill(replicas=0)
    milvus.made["cards"]["indexes"].clear()
    with pytest.raises(BackupError, match="no index"):
        backup(milvus, tmp_path / "one")


def test_names_that_are_not_there_are_told(milvus, saved, tmp_path):
    with pytest.raises(BackupError, match="no collection 'carts'"):
        backup(milvus, tmp_path / "two", ["carts"])
    with pytest.raises(BackupError, match="holds no collection 'carts'"):
        restore(milvus, saved[1], names={"carts": "x"})


def test_a_simulated_cluster_has_nothing_to_back_up(tmp_path):
    with pytest.raises(BackupError, match="keeps no rows"):
        backup(SimulatedCluster("lab", "ha", 10), tmp_path / "one")
