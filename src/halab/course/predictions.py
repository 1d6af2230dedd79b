"""What the learner predicts, kept with the time at which it was predicted, and the run it belongs to.

predict(6, "crash active rootcoord", failed_requests=200)      before the fault; the lessons' forms call it
prediction(6, "crash active rootcoord").numbers                afterwards, beside the measurement

A run is called as `experiment_of` names its journal: fault and settings. So a prediction for a lease of 5 s
is none for one of 10.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from datetime import datetime

from halab.course.catalogue import BEYOND, CATALOGUE
from halab.course.identity import learner_id
from halab.course.paths import journals, state_dir
from halab.course.seat import tell_class
from halab.course.store import append, read
from halab.errors import CourseError
from halab.measure.journal.experiment_name import file_words
from halab.translation import gettext

__all__ = ["Prediction", "last_run", "predict", "prediction", "predictions"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction. `time` is seconds since the epoch; what each number means is the lesson's to say."""

    card: int
    experiment: str
    time: float
    numbers: dict[str, float]


def predict(card: int, experiment: str, /, **numbers: float) -> Prediction:
    """Keep a prediction for a card's experiment. Earlier ones stay on record.

    Raises CourseError when there is no number, or when one is not a finite number.
    """
    _check(card, numbers)
    made = Prediction(card, experiment, time.time(), {name: float(value) for name, value in numbers.items()})
    append(
        state_dir() / "predictions.jsonl",
        {
            "learner": learner_id(),
            "card": card,
            "experiment": experiment,
            "time": made.time,
            "numbers": made.numbers,
        },
    )
    tell_class("predicted", card)
    return made


def prediction(card: int, experiment: str, *, before: float = math.inf) -> Prediction | None:
    """What was predicted of this experiment before `before` (seconds since the epoch), or None.

    Several forms may ask about one run: of each number the last one counts. Give the time at which the run
    began as `before`, so that a number written after the fact does not count.
    """
    earlier = [made for made in predictions(card) if made.experiment == experiment and made.time < before]
    if not earlier:
        return None
    numbers = {name: value for made in earlier for name, value in made.numbers.items()}
    return Prediction(card, experiment, earlier[-1].time, numbers)


def predictions(card: int) -> list[Prediction]:
    """Every prediction for a card, oldest first."""
    return [
        Prediction(record["card"], record["experiment"], record["time"], record["numbers"])
        for record in read(state_dir() / "predictions.jsonl")
        if record["card"] == card
    ]


def last_run(card: int, experiment: str) -> datetime | None:
    """When the newest run of this experiment began that is kept for the card, by its file's name."""
    # keep() in the lessons names the files: card, time, experiment, part of the digest.
    kept = re.compile(
        rf"{card:02d}-(\d{{4}}-\d\d-\d\d-\d{{6}})-{re.escape(file_words(experiment))}-[0-9a-f]{{8}}"
    )
    named = (kept.fullmatch(path.stem) for path in journals(card))
    began = [datetime.strptime(name[1], "%Y-%m-%d-%H%M%S").astimezone() for name in named if name]
    return max(began, default=None)


def _check(card: int, numbers: dict[str, float]) -> None:
    example = gettext('For example: predict(6, "crash active rootcoord", failed_requests=200).')
    last = (*CATALOGUE, *BEYOND)[-1].number
    if not isinstance(card, int) or not 1 <= card <= last:
        raise CourseError(
            gettext("A prediction is for a lesson from 1 to {last}, not {card!r}.").format(
                last=last, card=card
            ),
            hint=example,
        )
    if not numbers:
        raise CourseError(gettext("A prediction needs at least one number with its name."), hint=example)
    for name, value in numbers.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise CourseError(
                gettext("{name} should be a number, and it is {number!r}.").format(name=name, number=value),
                hint=example,
            )
