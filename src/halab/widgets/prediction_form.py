"""A form to commit to a prediction before the fault: once locked in, it stays as it is."""

from __future__ import annotations

from typing import Any

import traitlets

from halab.course.catalogue import language
from halab.course.predictions import Prediction, predict, prediction
from halab.errors import CourseError
from halab.models.samples import OPERATIONS
from halab.widgets.base import CourseWidget, front_end

__all__ = ["PredictionForm"]


class PredictionForm(CourseWidget):
    """Predict the first and last failed search (seconds after the fault), how many fail, and what else does.

    Kept as first_failure, last_failure, failed_requests and, for each other operation, notices_<name> (1 or
    0); without times if no search fails. An earlier prediction for this experiment is shown as it was.
    """

    _esm, _css = front_end("prediction_form")

    card = traitlets.Int().tag(sync=True)
    experiment = traitlets.Unicode().tag(sync=True)
    operations = traitlets.List().tag(sync=True)
    locked = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    lang = traitlets.Enum(("en", "zh"), "en").tag(sync=True)

    def __init__(self, card: int, experiment: str) -> None:
        super().__init__(card=card, experiment=experiment, operations=list(OPERATIONS[1:]), lang=language())
        earlier = prediction(card, experiment)
        if earlier:
            self.locked = _shown(earlier)
        self.on_msg(self._from_browser)

    def lock(self, numbers: dict[str, float]) -> None:
        """Keep the prediction. Raises CourseError if there is one already or it makes no sense."""
        if self.locked is not None:
            raise CourseError(
                f'There is a prediction for "{self.experiment}" already, and it stays as it is.',
                hint="Run the experiment and compare.",
            )
        _check(numbers)
        self.locked = _shown(predict(self.card, self.experiment, **numbers))

    def text(self) -> str:
        if self.locked is None:
            call = f'predict({self.card}, "{self.experiment}", first_failure=..., last_failure=..., '
            return f"Your prediction, {self.experiment}: without a form, write\n{call}failed_requests=...)"
        said = ", ".join(f"{name} {value:g}" for name, value in self.locked["numbers"].items())
        return f"Your prediction, {self.experiment}: {said}"

    def _from_browser(self, _: Any, content: dict[str, Any], __: Any) -> None:
        try:
            self.lock({str(name): float(value) for name, value in content["lock"].items()})
            self.problem = ""
        except CourseError as error:
            self.problem = str(error)


def _check(numbers: dict[str, float]) -> None:
    if any(value < 0 for value in numbers.values()):
        raise CourseError("Times and counts are zero or more.", hint="Nothing fails before the fault.")
    first, last = numbers.get("first_failure", 0.0), numbers.get("last_failure", 0.0)
    if last < first:
        raise CourseError(
            f"The last failure ({last:g} s) cannot come before the first ({first:g} s).",
            hint="Seconds are counted from the fault.",
        )


def _shown(made: Prediction) -> dict[str, Any]:
    return {"numbers": made.numbers, "time": made.time}
