"""Slides from the cards, in both languages, with speaker's notes, and without a network."""

import html
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from halab.classroom.slides import slides
from halab.cli import app
from halab.course.cards import card
from halab.course.catalogue import CATALOGUE
from halab.errors import CourseError


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_card_is_shown_as_it_stands_and_what_it_leaves_out_comes_after(lang):
    made = slides(lang)
    titles = [slide.title for slide in made]
    places = [titles.index(f"{one.number}. {one.title.in_(lang)}") for one in CATALOGUE]
    assert places == sorted(places)
    shown = html.unescape("\n".join(slide.content for slide in made))
    notes = "\n".join(note for slide in made for note in slide.notes)
    for one in CATALOGUE:
        of = card(one.number, lang)
        assert set(re.findall(r"^## (.+)$", of.body, re.MULTILINE)) <= set(titles)
        for claim in of.claims.values():
            if claim.tested or claim.verdict != "given":
                assert claim.leaves_out in (shown if claim.tested else notes)
    assert "35" in next(slide.notes[0] for slide in made if slide.title.startswith("6. "))


def test_the_command_writes_a_page_a_language_that_asks_nobody_for_anything(tmp_path):
    done = CliRunner().invoke(app, ["class", "slides", str(tmp_path / "day")])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        str(tmp_path / "day" / f"slides-{lang}.html") for lang in ("en", "zh")
    ]
    for file, lang in zip(done.stdout.splitlines(), ("en", "zh-Hans"), strict=True):
        page = Path(file).read_text(encoding="utf-8")
        assert f'<html lang="{lang}">' in page
        assert not re.search(r"(?:src|href)\s*=|@import|url\(|<script src", page)
        assert page.count("<section") == page.count("<aside") > 50


def test_a_plan_without_a_card_is_told(course):
    with pytest.raises(CourseError, match="The plan of the day should be in"):
        slides("en")
