"""Widgets and plots have one palette for what became of a request."""

import re
from pathlib import Path

import pytest

import halab.widgets
from halab.measure.journal.marks import MARKS

SHARED = (Path(halab.widgets.__file__).parent / "shared.css").read_text()
COLOURS = dict(re.findall(r"--(halab-\w+): ([^;]+);", SHARED))
STROKES = dict(re.findall(r"\.halab-mark-(\w+) {\s+stroke: var\(--(halab-\w+)\);", SHARED))


@pytest.mark.parametrize("kind", MARKS)
def test_the_widgets_colours_are_the_plots_colours(kind: str) -> None:
    assert COLOURS[STROKES[kind]] == MARKS[kind].css


def test_no_two_marks_have_one_shape_or_sign() -> None:
    for of in ("shape", "sign", "words", "colour"):
        assert len({getattr(mark, of) for mark in MARKS.values()}) == len(MARKS)
