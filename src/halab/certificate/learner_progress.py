"""What the learner has done of each card, read from what lies under `work/`.

Nothing of it is stored as such: a lesson is done if its copy says so, a lab if its journal is whole. So it
survives a restart, an upgrade and a moved folder. The points are those of the last `halab grade`;
`halab certify` grades again.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from halab.certificate.evidence import Evidence, Measurement, evidence, foreseen
from halab.certificate.record import passes
from halab.course.catalogue import CERTIFIED, CHECKLIST, Entry, Item, entry
from halab.course.identity import learner_id, under_another_id
from halab.course.paths import state_dir, work_dir
from halab.course.predictions import predictions
from halab.course.store import DamagedFileWarning, read
from halab.folders import read_plain
from halab.grading.grader import last_grade
from halab.grading.preparation import MAX_BYTES
from halab.translation import gettext, language

__all__ = ["CardProgress", "PredictionOutcome", "Progress", "progress"]

_ABOUT_SEARCHES = {"last_failure", "failed_requests"}
"""What the numbers of a prediction about failed searches are called."""


@dataclass(frozen=True, slots=True)
class PredictionOutcome:
    """A prediction beside the measurement it was made for, seconds after the fault.

    `predicted` is the last failed search, None if none was to fail; `measured` the RTO of searches: None if
    nobody noticed, infinite if they did not come back.
    """

    experiment: str
    predicted: float | None
    measured: float | None


@dataclass(frozen=True, slots=True)
class CardProgress:
    """What a learner has done of one card.

    `cells_run` of the lesson's `cells` code cells were run in the saved copy and did not stop with an error.
    `predicted` is whether a prediction was made, `foreseen` how many of the `measured` journals of a real
    cluster had one, and `compared` holds what became of those about failed searches, the latest measurement
    last. `rejected` counts the journals that do not count. `points` is the exercise's last grade, None before
    the first. `met` is whether the card's item of the checklist has all it asks for; `waits_for` are the
    item's other cards that still lack something.
    """

    opened: bool = False
    cells_run: int = 0
    cells: int = 0
    predicted: bool = False
    foreseen: int = 0
    compared: tuple[PredictionOutcome, ...] = ()
    measured: int = 0
    rejected: int = 0
    points: float | None = None
    max_points: float | None = None
    met: bool = False
    waits_for: tuple[int, ...] = ()

    @property
    def lesson_done(self) -> bool:
        return 0 < self.cells == self.cells_run

    @property
    def prediction_done(self) -> bool:
        """Whether nothing is left to predict: once there are measurements, one of them was foreseen."""
        return self.foreseen > 0 if self.measured else self.predicted

    @property
    def exercise_done(self) -> bool:
        """Whether the points are enough for the certificate."""
        return self.points is not None and passes(self.points, self.max_points or 0.0)


@dataclass(frozen=True, slots=True)
class Progress:
    """Cards, and lesson 12, by number; which items of the checklist are met, and what needs attention."""

    cards: Mapping[int, CardProgress]
    items: tuple[bool, ...] = (False,) * len(CHECKLIST)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        cards = [{"card": number, **asdict(done)} for number, done in self.cards.items()]
        return {"cards": cards, "items": list(self.items), "notes": list(self.notes)}


def progress() -> Progress:
    """What was done of each card, and what of it needs attention.

    A lab is measured by an intact journal `work/journals/NN-*.jsonl` of a real cluster. One that is
    simulated, damaged or copied from another card is named in `notes` and does not count. So is a damaged
    file of the board's own, which was set aside.
    """
    with warnings.catch_warnings(record=True) as damaged:
        warnings.simplefilter("always", DamagedFileWarning)
        measured = evidence()
        notes: list[str] = []
        before = {card.number: _card_progress(card, measured[card.number], notes) for card in CERTIFIED}
    notes = [str(file.message) for file in damaged if issubclass(file.category, DamagedFileWarning)] + notes
    notes += [note for kept in measured.values() for note in kept.notes(language())]
    pins = [run.pin for kept in measured.values() for run in kept.accepted]
    if any(pin.learner for pin in pins):
        other = under_another_id(((pin.file, pin.learner) for pin in pins), learner_id())
        notes += [other] * bool(other)
    cards = {number: _with_item(number, before) for number in before}
    return Progress(cards, tuple(_met(item, before) for item in CHECKLIST), tuple(notes))


def _card_progress(card: Entry, measured: Evidence, notes: list[str]) -> CardProgress:
    graded = last_grade(card.number) or {}
    copy = work_dir() / "course" / card.lesson_path.name
    run, cells = _cells(card, copy, notes)
    predicted = [(run, made) for run in measured.accepted if (made := foreseen(run))]
    return CardProgress(
        opened=copy.is_file(),
        cells_run=run,
        cells=cells,
        predicted=bool(predictions(card.number)),
        foreseen=len(predicted),
        compared=tuple(_compared(run, made) for run, made in predicted if made.keys() & _ABOUT_SEARCHES),
        measured=len(measured.accepted),
        rejected=len(measured.rejected),
        points=graded.get("points"),
        max_points=graded.get("out_of"),
    )


def _compared(run: Measurement, numbers: Mapping[str, float]) -> PredictionOutcome:
    return PredictionOutcome(run.experiment, numbers.get("last_failure"), run.searches.rto)


class _Cell(BaseModel):
    """What is read of a notebook's cell."""

    cell_type: str
    id: str = ""
    source: str | list[str] = ""
    execution_count: int | None = None
    outputs: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def ran(self) -> bool:
        return self.execution_count is not None and not any(
            output.get("output_type") == "error" for output in self.outputs
        )


class _Notebook(BaseModel):
    cells: list[_Cell]


def _cells(card: Entry, copy: Path, notes: list[str]) -> tuple[int, int]:
    """How many of the lesson's code cells were run in the saved copy, and how many there are.

    They are told by their ids, so a learner's own cells do not count. A cell the learner deleted was not
    run; one that came into the lesson after it was copied is not asked for.
    """
    given = _code(card.lesson_path) or {}
    if not copy.is_file():
        return 0, len(given)
    mine = _code(copy)
    if mine is None:
        notes.append(_unreadable(copy))
        return 0, len(given)
    asked = given.keys() & mine.keys() if _changed(card) else given.keys()
    return sum(name in mine and mine[name].ran for name in asked), len(asked)


def _code(path: Path) -> dict[str, _Cell] | None:
    """The code cells that are not empty, by id; None if the file is no notebook that can be read."""
    try:
        cells = _Notebook.model_validate_json(read_plain(path, MAX_BYTES)).cells
    except (OSError, ValidationError):
        return None
    return {cell.id: cell for cell in cells if cell.cell_type == "code" and "".join(cell.source).strip()}


def _unreadable(copy: Path) -> str:
    return gettext(
        "{name} is not a notebook that can be read, so it does not show what was run. "
        "Rename it and open the lesson again."
    ).format(name=copy.name)


def _changed(card: Entry) -> bool:
    """Whether the course's lesson is another one than the learner's copy was made from."""
    now = hashlib.sha256(card.lesson_path.read_bytes()).hexdigest()
    name = f"course/{card.lesson_path.name}"
    records = read(state_dir() / "copies.jsonl")
    copied = [record["sha256"] for record in records if record["path"] == name]
    return bool(copied) and copied[-1] != now


def _met(item: Item, cards: Mapping[int, CardProgress]) -> bool:
    return not _lacking(item, cards)


def _lacking(item: Item, cards: Mapping[int, CardProgress]) -> tuple[int, ...]:
    """The item's cards of which the exercise is not done, or no measurement that was predicted."""
    return tuple(n for n in item.cards if not (cards[n].foreseen and cards[n].exercise_done))


def _with_item(number: int, cards: Mapping[int, CardProgress]) -> CardProgress:
    lacking = _lacking(entry(number).checklist, cards)
    others = tuple(other for other in lacking if other != number)
    return replace(cards[number], met=not lacking, waits_for=others)
