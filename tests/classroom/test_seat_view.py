"""What seats tell a class, and the page that an instructor looks at."""

import pytest
from typer.testing import CliRunner

from halab.classroom.seat_view import read_seats, seat_page
from halab.cli import app
from halab.course.predictions import predict
from halab.course.seat import tell_class


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
    tell_class("graded", 6, 12.0, 20.0)
    monkeypatch.setenv("HALAB_LEARNER", "bo")
    assert CliRunner().invoke(app, ["hand"]).exit_code == 0
    first, second = read_seats(seats)
    assert (first.learner, first.hand) == ("bo", True)
    assert (second.card, second.did, second.points) == (6, "graded", {6: (12.0, 20.0)})
    now = second.at
    page = seat_page([first, second], now + 60, ends=now + 150)
    assert page.index("✋ hand") < page.index("王伟")
    assert "06: 12/20" in page
    assert "1:30 left" in page
    assert "stuck" not in page
    assert "⏳ stuck?" in seat_page([second], now + 700)
    assert "王伟" not in seat_page([second], now, hide_names=True)
    CliRunner().invoke(app, ["hand", "--down"])
    assert not read_seats(seats)[0].hand


def test_what_a_learner_wrote_there_by_hand_is_text_and_harms_nobody(seats):
    (seats / "seats").mkdir(parents=True)
    (seats / "seats" / "eve.jsonl").write_text(
        'no json\n{"time": 1, "did": "<script>\\u001b[31m", "card": "x"}\n'
    )
    (seats / "seats" / "ada.jsonl").write_text('{"time": 1, "did": "<script>\\u001b[31m"}\n')
    page = seat_page(read_seats(seats), 2.0)
    assert "<script>" not in page
    assert "\x1b" not in page


def test_a_folder_that_cannot_be_written_costs_the_learner_nothing(seats):
    seats.write_text("a file")
    assert not tell_class("predicted", 6)
    predict(6, "crash active rootcoord", failed_requests=200)
