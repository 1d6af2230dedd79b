"""The board: ten tiles, each with links to its notebooks, and the same facts as `halab progress`."""

from pathlib import Path

import pytest

from halab.certificate.learner_progress import CardProgress, PredictionOutcome, Progress
from halab.course.catalogue import CERTIFIED
from halab.course.paths import course_root
from halab.widgets.board import show_board

NOTHING = Progress({card.number: CardProgress() for card in CERTIFIED})


def done(**fields: object) -> Progress:
    return Progress({**NOTHING.cards, 6: CardProgress(**fields)})  # type: ignore[arg-type]


def test_every_tile_links_only_to_files_that_exist() -> None:
    tiles = show_board(NOTHING).tiles
    assert [tile["number"] for tile in tiles] == [*range(1, 11), 12]
    for tile in tiles:
        for path in (tile["lesson"], tile["exercise"]):
            assert (course_root() / path).is_file()
            assert not Path(path).is_absolute()


def test_it_says_what_was_done_and_how_far_off_the_prediction_was() -> None:
    compared = (PredictionOutcome("crash active rootcoord", 11.0, 9.25),)
    board = show_board(
        done(opened=True, cells_run=12, cells=20, predicted=True, foreseen=1, compared=compared, measured=1)
    )
    line = repr(board).splitlines()[5]
    assert line == (
        " 6  The failover timeline: ○ Lesson: 12 of 20 cells run when last saved; "
        "✓ Prediction: you said 11 s, back after 9.2 s, 1.8 s off; ✓ Lab: 1 measurement; "
        "○ Exercise: not graded; ○ Checklist: needs the exercise"
    )
    assert board.step["path"] == "course/06-failover-timeline.ipynb"
    assert "8 code cells left" in repr(board).splitlines()[-1]


def test_runs_that_do_not_count_are_told_from_no_run_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    run = done(opened=True, predicted=True, rejected=2)
    shown = repr(show_board(run))
    assert "✓ Prediction: made, but no run yet that counts" in shown
    assert "none of your runs counts" in shown.splitlines()[-1]
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert "你的实测都不作数" in repr(show_board(run))


def test_it_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LANG", "zh")
    shown = repr(show_board(done(opened=True, cells_run=20, cells=20, points=16, max_points=20)))
    assert "✓ 课程：已运行 20/20 个代码单元" in shown
    assert "✓ 练习：16 分，满分 20 分" in shown
    assert "下一步：第 6 张卡片：先做预测" in shown


def test_what_was_not_begun_is_one_word_and_what_is_finished_looks_different() -> None:
    assert repr(show_board(NOTHING)).splitlines()[0] == " 1  The essence of high availability: not begun"
    finished = done(opened=True, cells_run=3, cells=3, predicted=True, measured=1, points=20, max_points=20)
    unforeseen = show_board(finished)
    assert "○ Checklist: needs a prediction before the lab" in repr(unforeseen)
    assert "run a lab that you have predicted once more" in repr(unforeseen).splitlines()[-1]
    finished = show_board(
        done(
            opened=True, cells_run=3, cells=3, predicted=True, foreseen=1, measured=1, points=20,
            max_points=20, met=True,
        )
    )  # fmt: skip
    board = finished
    assert [tile["state"] for tile in board.tiles] == ["new"] * 5 + ["done"] + ["new"] * 5
    assert board.steps == [5, 55]


def test_an_item_that_two_cards_share_says_which_one_it_waits_for() -> None:
    waiting = done(foreseen=1, measured=1, points=20, max_points=20, waits_for=(5,))
    assert "○ Checklist: waits for card 5" in repr(show_board(waiting))


def test_what_needs_attention_is_on_the_board() -> None:
    board = show_board(Progress(NOTHING.cards, notes=("06-crash.jsonl does not count: it is a simulation.",)))
    assert board.notes == ["06-crash.jsonl does not count: it is a simulation."]
    assert "Note: 06-crash.jsonl does not count" in repr(board)
