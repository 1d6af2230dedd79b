"""What the learner predicts, kept with the time at which it was predicted.

predict(6, first_failure=0.1, last_failure=11, failed_requests=200)      in the lesson, before the fault
prediction(6).numbers                                           afterwards, beside the measurement
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from halab.course.identity import learner_id
from halab.course.paths import state_dir
from halab.course.store import append, read
from halab.errors import CourseError

__all__ = ["Prediction", "predict", "prediction", "predictions"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction. `time` is seconds since the epoch; what each number means is the lesson's to say."""

    card: int
    experiment: str
    time: float
    numbers: dict[str, float]


def predict(card: int, experiment: str = "main", /, **numbers: float) -> Prediction:
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
    return made


def prediction(card: int, experiment: str = "main", *, before: float = math.inf) -> Prediction | None:
    """The last prediction for this experiment made before `before` (seconds since the epoch), or None.

    Give the time of the fault as `before`, so that a number written after the fact does not count.
    """
    earlier = [made for made in predictions(card) if made.experiment == experiment and made.time < before]
    return earlier[-1] if earlier else None


def predictions(card: int) -> list[Prediction]:
    """Every prediction for a card, oldest first."""
    return [
        Prediction(record["card"], record["experiment"], record["time"], record["numbers"])
        for record in read(state_dir() / "predictions.jsonl")
        if record["card"] == card
    ]


def _check(card: int, numbers: dict[str, float]) -> None:
    example = "For example: predict(6, first_failure=0.1, last_failure=11, failed_requests=200)."
    if not isinstance(card, int) or not 1 <= card <= 10:
        raise CourseError(f"A prediction is for a card from 1 to 10, not {card!r}.", hint=example)
    if not numbers:
        raise CourseError("A prediction needs at least one number with its name.", hint=example)
    for name, value in numbers.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise CourseError(f"{name} should be a number, and it is {value!r}.", hint=example)
