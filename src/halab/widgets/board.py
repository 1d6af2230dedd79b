"""The ten cards as a board: what the course has of each, and what the learner has done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import traitlets

from halab.course.catalogue import CATALOGUE, Entry, Language, language
from halab.course.progress import Done
from halab.widgets.base import CourseWidget

__all__ = ["Board", "show_board"]

_HERE = Path(__file__).parent


class Board(CourseWidget):
    """Ten tiles, in the course's order."""

    _esm = _HERE / "board.js"
    _css = _HERE / "board.css"

    tiles = traitlets.List().tag(sync=True)
    lang = traitlets.Enum(("en", "zh"), "en").tag(sync=True)

    def text(self) -> str:
        return "\n".join(_line(tile, self.lang) for tile in self.tiles)


def show_board(done: Mapping[int, Done] | None = None) -> Board:
    """The board of the ten cards. `done` maps a card's number to what was done of it; absent is not begun."""
    lang, known = language(), done or {}
    return Board(
        tiles=[_tile(entry, known.get(entry.number, Done()), lang) for entry in CATALOGUE], lang=lang
    )


def _tile(entry: Entry, done: Done, lang: Language) -> dict[str, Any]:
    return {
        "number": entry.number,
        "title": entry.title.in_(lang),
        "summary": entry.summary.in_(lang),
        "checklist": entry.checklist.words.in_(lang),
        # As JupyterLab names them, whose root is the learner's folder.
        "lesson": f"course/{entry.lesson_path.name}" if entry.has_lesson else "",
        "exercise": f"exercises/{entry.slug}/{entry.exercise_path.name}" if entry.has_exercise else "",
        **asdict(done),
    }


def _line(tile: Mapping[str, Any], lang: Language) -> str:
    head = f"{tile['number']:>2}  {tile['title']}"
    if not tile["lesson"]:
        return f"{head}: {'尚未推出' if lang == 'zh' else 'coming'}"
    words = ("看过", "预测过", "测过") if lang == "zh" else ("opened", "predicted", "measured")
    marks = [word for word, key in zip(words, ("opened", "predicted", "measured"), strict=True) if tile[key]]
    if tile["points"] is not None:
        marks.append(f"{tile['points']:g}/{tile['max_points']:g}")
    nothing = "还没开始" if lang == "zh" else "not begun"
    return f"{head}: {', '.join(marks) or nothing}"
