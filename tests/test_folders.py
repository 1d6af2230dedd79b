from halab.folders import cache_folder, home_folder


def test_folders_can_be_put_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("HALAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HALAB_CACHE", str(tmp_path / "cache"))
    assert (home_folder(), cache_folder()) == (tmp_path / "home", tmp_path / "cache")


def test_they_are_two_without_any_setting(monkeypatch):
    monkeypatch.delenv("HALAB_HOME", raising=False)
    monkeypatch.delenv("HALAB_CACHE", raising=False)
    assert home_folder() != cache_folder()
