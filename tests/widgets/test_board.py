"""The board: ten tiles, and only what exists has a link."""

from pathlib import Path

import pytest

from halab.course.paths import course_root
from halab.course.progress import Done
from halab.widgets.board import show_board


def test_ten_tiles_link_only_to_files_that_exist() -> None:
    tiles = show_board().tiles
    assert [tile["number"] for tile in tiles] == list(range(1, 11))
    for tile in tiles:
        for path in (tile["lesson"], tile["exercise"]):
            assert not path or (course_root() / path).is_file()
            assert not Path(path).is_absolute()


def test_a_card_without_a_lesson_is_coming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("cards", "course"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("HALAB_COURSE", str(tmp_path))
    assert repr(show_board()).count("coming") == 10


def test_it_says_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("cards", "course"):
        (tmp_path / folder).mkdir()
    (tmp_path / "course/06-failover-timeline.ipynb").touch()
    monkeypatch.setenv("HALAB_COURSE", str(tmp_path))
    done = {6: Done(opened=True, predicted=True, points=7, max_points=10)}
    line = repr(show_board(done)).splitlines()[5]
    assert line == " 6  The failover timeline: opened, predicted, 7/10"
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert repr(show_board()).splitlines()[5] == " 6  故障转移的时间线: 还没开始"
