"""The commands that back up, restore, verify and prune."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from halab.cli import app
from halab.protect.backup import backup
from halab.protect.backup.manifest import MANIFEST, read_manifest


@pytest.fixture
def saved(milvus, tmp_path):
    """The folder of a backup."""
    milvus.fill()
    backup(milvus, tmp_path / "monday", page=60)
    return tmp_path / "monday"


@pytest.fixture
def store(saved, tmp_path):
    """A folder of three backups, each a day older than the one before."""
    folder = tmp_path / "backups"
    for day in range(3):
        copied = shutil.copytree(saved, folder / f"day-{day}")
        begun = datetime(2026, 11, 20, 12, tzinfo=UTC) - timedelta(days=day)
        manifest = read_manifest(copied).model_copy(update={"begun": begun.isoformat()})
        (copied / MANIFEST).write_text(manifest.text())
    return folder


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_halab_verify_tells_a_backup_by_its_folder(saved, tmp_path):
    good = CliRunner().invoke(app, ["verify", str(saved)], env={"COLUMNS": "200"})
    assert good.exit_code == 0, good.output
    assert "250 rows" in good.output
    bad = shutil.copytree(saved, tmp_path / "bad")
    (bad / "cards" / "late.parquet").unlink()
    both = CliRunner().invoke(app, ["verify", str(saved), str(bad)], env={"COLUMNS": "200"})
    assert both.exit_code == 1
    assert "cards/late.parquet: is missing" in both.output


def test_a_new_name_is_given_as_a_pair():
    run = CliRunner().invoke(app, ["restore", "folder", "--as", "cards"])
    assert run.exit_code == 2
    assert "OLD=NEW" in run.output


def test_the_command_deletes_and_tells(store):
    arguments = ["prune", str(store), "--daily", "1", "--weekly", "0", "--monthly", "0"]
    dry = CliRunner().invoke(app, [*arguments, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert len(names(store)) == 3
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code == 0, run.output
    assert names(store) == {"day-0"}
    (store / "day-0" / MANIFEST).write_text("{}")
    assert CliRunner().invoke(app, arguments).exit_code == 1


@pytest.mark.parametrize("numbers", [("0", "0", "0"), ("-1", "1", "1"), ("x", "1", "1")])
def test_a_retention_that_keeps_nothing_or_is_no_number_is_refused(store, numbers):
    given = [
        f"--{name}={number}" for name, number in zip(("daily", "weekly", "monthly"), numbers, strict=True)
    ]
    run = CliRunner().invoke(app, ["prune", str(store), *given])
    assert run.exit_code == 2
    assert len(names(store)) == 3
