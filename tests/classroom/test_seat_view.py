"""What seats tell a class, and the page that an instructor looks at."""

import json
import time
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from halab.classroom.seat_view import read_seats, seat_page
from halab.cli import app
from halab.course.catalogue import entry
from halab.course.predictions import predict
from halab.course.seat import follow_cells, tell_class


@pytest.fixture
def seats(course, tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_LEARNER", "王伟")
    monkeypatch.setenv("HALAB_CLASS", str(tmp_path / "class"))
    return tmp_path / "class"


def test_a_seat_that_was_not_started_for_a_class_tells_nobody(course, tmp_path, monkeypatch):
    monkeypatch.delenv("HALAB_CLASS", raising=False)
    assert not tell_class("predicted", 6)
    assert "not started for a class" in str(CliRunner().invoke(app, ["hand"]).exception)


def test_the_page_shows_card_points_hand_and_who_is_stuck(seats, monkeypatch):
    predict(6, "crash active rootcoord", failed_requests=200)
    tell_class("graded", 6, points=12.0, out_of=20.0)
    monkeypatch.setenv("HALAB_LEARNER", "bo")
    assert CliRunner().invoke(app, ["hand"]).exit_code == 0
    first, second = read_seats(seats)
    assert (first.learner, first.hand) == ("bo", True)
    assert (second.card, second.did, second.points) == (6, "graded", {6: (12.0, 20.0)})
    now = second.at
    page = seat_page([first, second], now + 60, ends=now + 150)
    assert page.index("! hand") < page.index("王伟")
    assert "06: 12/20" in page
    assert "1:30 left" in page
    assert "stuck" not in page
    assert "! stuck?" in seat_page([second], now + 700)
    assert "王伟" not in seat_page([second], now, hide_names=True)
    CliRunner().invoke(app, ["hand", "--down"])
    assert not read_seats(seats)[0].hand


@pytest.fixture
def shell(monkeypatch):
    """What a kernel's IPython is to a seat."""
    hooks = SimpleNamespace()
    hooks.events = SimpleNamespace(register=lambda when, hook: setattr(hooks, when, hook))
    monkeypatch.setattr("IPython.get_ipython", lambda: hooks)
    monkeypatch.setenv("JPY_SESSION_NAME", "course/06-failover-timeline.ipynb")
    return hooks


def test_the_page_shows_the_cell_in_the_instructor_s_language(seats, shell, monkeypatch):
    cells = [f"cell-{number}" for number in range(9)]
    lesson = {"cells": [{"cell_type": "code", "id": cell} for cell in cells]}
    entry(6).lesson_path.write_text(json.dumps(lesson))
    follow_cells()
    for cell in ("mine", cells[4]):
        shell.pre_run_cell(SimpleNamespace(cell_id=cell))
        wait_for(lambda cell=cell: [seat.cell for seat in read_seats(seats)] == [cell])
    (seat,) = read_seats(seats)
    assert (seat.card, seat.did) == (6, "ran a cell")
    assert f"<td>lesson 5 of {len(cells)}</td>" in seat_page([seat], seat.at)
    seat.cell = "mine"
    assert "lesson, a cell of their own" in seat_page([seat], seat.at)
    monkeypatch.setenv("HALAB_LANG", "zh")
    page = seat_page([seat], seat.at, hide_names=True)
    assert 'lang="zh-Hans"' in page
    for word in ("1 号座位", "运行了一个单元格", "单元格", "课文"):
        assert word in page


def test_nobody_follows_the_cells_of_a_seat_without_a_class_or_of_another_notebook(shell, monkeypatch):
    monkeypatch.delenv("HALAB_CLASS", raising=False)
    follow_cells()
    monkeypatch.setenv("HALAB_CLASS", "/nowhere")
    monkeypatch.setenv("JPY_SESSION_NAME", "own/06-diary.ipynb")
    follow_cells()
    assert not hasattr(shell, "pre_run_cell")


def wait_for(told):
    end = time.monotonic() + 10
    while not told():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_a_learner_wrote_there_by_hand_is_text_and_harms_nobody(seats):
    (seats / "seats").mkdir(parents=True)
    (seats / "seats" / "eve.jsonl").write_text(
        'no json\n{"time": 1, "did": "<script>\\u001b[31m", "card": "x"}\n'
    )
    (seats / "seats" / "ada.jsonl").write_text('{"time": 1, "did": "<script>\\u001b[31m"}\n')
    page = seat_page(read_seats(seats), 2.0)
    assert "<script>" not in page
    assert "\x1b" not in page


def test_a_seat_of_which_nothing_can_be_read_is_on_the_page_with_the_reason(seats):
    (seats / "seats").mkdir(parents=True)
    for learner, content in {
        "big": "x" * 3_000_000,
        "odd": '{"time": 1e400, "did": "graded"}\n{"time": 1, "did": "graded", "card": 1%s}\n' % ("0" * 400),
    }.items():
        (seats / "seats" / f"{learner}.jsonl").write_text(content)
    page = seat_page(read_seats(seats, {"zoe": "Zoë Ek", "odd": "王伟"}), time.time())
    for row in (
        "<td>big</td><td></td><td></td><td>its file cannot be read, or has more than 2 MB</td><td></td>",
        "<td>王伟 (odd)</td><td></td><td></td><td>its file has no line that can be read</td><td></td>",
        "<td>Zoë Ek (zoe)</td><td></td><td></td><td>nothing yet</td><td></td>",
    ):
        assert row in page
    assert "stuck" not in page


def test_a_folder_that_cannot_be_written_costs_the_learner_nothing(seats):
    seats.write_text("a file")
    assert not tell_class("predicted", 6)
    predict(6, "crash active rootcoord", failed_requests=200)
