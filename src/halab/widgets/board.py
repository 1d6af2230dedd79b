"""The ten cards and lesson 12 as a board: what the learner has done of each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import traitlets

from halab.certificate.learner_progress import CardProgress, Progress
from halab.certificate.progress_texts import (
    HEADINGS,
    Fact,
    facts,
    items_met,
    next_step,
    state,
    steps_done,
)
from halab.course.catalogue import CERTIFIED, Entry
from halab.translation import Language, gettext, language
from halab.widgets.base import CourseWidget, front_end

__all__ = ["Board", "show_board"]


class Board(CourseWidget):
    """A tile for each, in the course's order; above them what is nearest to do and what needs attention.

    Every word of what was done comes from `halab.certificate.progress_texts`, as in `halab progress`.
    """

    _esm, _css = front_end("board")

    tiles = traitlets.List().tag(sync=True)
    items = traitlets.Unicode().tag(sync=True)
    steps = traitlets.List().tag(sync=True)
    step = traitlets.Dict().tag(sync=True)
    notes = traitlets.List().tag(sync=True)

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        super().__init__(steps=list(steps_done(progress)))

    def told(self) -> dict[str, Any]:
        done, lang = self._progress, language()
        return {
            "tiles": [
                _tile(entry, done.cards.get(entry.number, CardProgress()), lang) for entry in CERTIFIED
            ],
            "items": items_met(done, lang),
            "step": asdict(next_step(done, lang)),
            "notes": list(done.notes),
        }

    def text(self) -> str:
        lines = [_line(tile) for tile in self.tiles]
        lines += [gettext("Note: {note}").format(note=note) for note in self.notes]
        return "\n".join([*lines, self.items, gettext("Next: {step}").format(step=self.step["text"])])


def show_board(progress: Progress) -> Board:
    """The board of all that the certificate asks for, with what was done of each."""
    return Board(progress)


def _tile(entry: Entry, done: CardProgress, lang: Language) -> dict[str, Any]:
    return {
        "number": entry.number,
        "title": entry.title.in_(lang),
        "summary": entry.summary.in_(lang),
        "state": state(done),
        "checklist": entry.checklist.words.in_(lang),
        # As JupyterLab names them, whose root is the learner's folder.
        "lesson": f"course/{entry.lesson_path.name}",
        "exercise": f"exercises/{entry.slug}/{entry.exercise_path.name}",
        "facts": [
            _fact(gettext(heading), fact) for heading, fact in zip(HEADINGS, facts(done, lang), strict=True)
        ],
    }


def _fact(heading: str, fact: Fact) -> dict[str, Any]:
    return {"heading": heading, "done": fact.done, "text": fact.text}


def _line(tile: dict[str, Any]) -> str:
    colon = gettext(": ")
    marks = [
        f"{'✓' if fact['done'] else '○'} {fact['heading']}{colon}{fact['text']}" for fact in tile["facts"]
    ]
    state = gettext("not begun") if tile["state"] == "new" else gettext("; ").join(marks)
    return f"{tile['number']:>2}  {tile['title']}{colon}{state}"
