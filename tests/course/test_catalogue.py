"""The catalogue: ten cards in order, two languages, and no claim that something exists which does not."""

from pathlib import Path

import pytest

from halab.course.cards import card
from halab.course.catalogue import CATALOGUE, CHECKLIST, entry
from halab.errors import CourseError


def test_there_are_ten_cards_in_order_with_ten_checklist_items() -> None:
    assert [one.number for one in CATALOGUE] == list(range(1, 11))
    assert all(one.slug.startswith(f"{one.number:02d}-") for one in CATALOGUE)
    assert len(CHECKLIST) == 10
    assert {number for item in CHECKLIST for number in item.cards} == set(range(1, 11))


def test_every_text_is_in_both_languages() -> None:
    texts = [words for one in CATALOGUE for words in (one.title, one.summary)]
    for words in [*texts, *(item.words for item in CHECKLIST)]:
        assert words.en.isascii()
        assert any("一" <= sign <= "鿿" for sign in words.zh) or words.zh == "RTO 与 RPO"


def test_a_written_card_has_the_catalogues_title_and_summary() -> None:
    for one in CATALOGUE:
        for lang in ("en", "zh"):
            if one.has_card:
                assert card(one.number, lang).title == one.title.in_(lang)
                assert card(one.number, lang).summary == one.summary.in_(lang)


def test_what_exists_is_read_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("cards/en", "cards/zh", "course", "exercises"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("HALAB_COURSE", str(tmp_path))
    two = entry(2)
    assert (two.has_card, two.has_lesson, two.has_exercise) == (False, False, False)
    two.lesson_path.touch()
    two.card_path("en").touch()
    assert two.has_lesson
    assert not two.has_card, "a card counts only in both languages"


def test_an_unknown_number_is_an_error() -> None:
    with pytest.raises(CourseError, match="1 to 10"):
        entry(0)
