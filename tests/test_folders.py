from pathlib import Path

import pytest

from halab.folders import cache_folder, home_folder, write_atomically


def test_folders_can_be_put_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HALAB_CACHE", str(tmp_path / "cache"))
    assert (home_folder(), cache_folder()) == (tmp_path / "home", tmp_path / "cache")


def test_they_are_two_without_any_setting(monkeypatch):
    monkeypatch.delenv("HALAB_HOME", raising=False)
    monkeypatch.delenv("HALAB_CACHE", raising=False)
    assert home_folder() != cache_folder()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "grades.csv"
    write_atomically(path, b"old")
    monkeypatch.setattr(Path, "replace", lambda *names: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
