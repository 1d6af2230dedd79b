"""The catalogue: ten cards in order, in two languages, each with its notebooks."""

import pytest

from halab.course.cards import card
from halab.course.catalogue import CATALOGUE, CHECKLIST, entry
from halab.course.paths import course_root
from halab.errors import CourseError


def test_there_are_ten_cards_in_order_with_ten_checklist_items() -> None:
    assert [one.number for one in CATALOGUE] == list(range(1, 11))
    assert all(one.slug.startswith(f"{one.number:02d}-") for one in CATALOGUE)
    assert len(CHECKLIST) == 10
    assert {number for item in CHECKLIST for number in item.cards} == {*range(1, 11), 12}


def test_every_text_is_in_both_languages() -> None:
    texts = [words for one in CATALOGUE for words in (one.title, one.summary)]
    for words in [*texts, *(item.words for item in CHECKLIST)]:
        assert words.in_("en").isascii()
        assert any("一" <= sign <= "鿿" for sign in words.in_("zh")) or words.in_("zh") == "RTO 与 RPO"


def test_a_card_has_the_catalogues_title_and_summary() -> None:
    for one in CATALOGUE:
        for lang in ("en", "zh"):
            assert card(one.number, lang).title == one.title.in_(lang)
            assert card(one.number, lang).summary == one.summary.in_(lang)


def test_every_card_has_its_lesson_its_exercise_and_its_solution() -> None:
    for one in CATALOGUE:
        assert one.lesson_path.is_file()
        assert one.exercise_path.is_file()
        assert (course_root() / "solutions" / one.slug / one.exercise_path.name).is_file()


def test_an_unknown_number_is_an_error() -> None:
    with pytest.raises(CourseError, match="1 to 10"):
        entry(0)
