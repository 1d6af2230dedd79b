"""A form to commit to a prediction before the fault: once locked in, it stays as it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from halab.course.predictions import last_run, predict, prediction
from halab.errors import CourseError
from halab.measure.journal.experiment_name import run_in_words
from halab.models.samples import OPERATIONS
from halab.translation import NO_TEXT, LazyText, gettext, gettext_lazy, speaking
from halab.widgets.base import CourseWidget, front_end

__all__ = ["PredictionForm", "Question", "remind"]


_TIMES = ("first_failure", "last_failure")


@dataclass(frozen=True, slots=True)
class Question:
    """A number to predict of one run, kept under `name`.

    `experiment` is the run as `experiment_of` names its journal. `words` are the label, `unit` stands behind
    the field; the number lies between `low` and `high`, and is whole if `whole` says so. With `choices` it is
    the place of one of them, from 0.
    """

    experiment: str
    name: str
    words: LazyText
    unit: LazyText = NO_TEXT
    low: float = 0.0
    high: float = math.inf
    whole: bool = False
    choices: tuple[str, ...] = ()

    @property
    def most(self) -> float:
        return len(self.choices) - 1 if self.choices else self.high


class PredictionForm(CourseWidget):
    """Ask for a prediction of the run `about`, or for the answers to the questions `about`.

    Of a run it asks for the first and last failed search (seconds after the fault), how many fail, and what
    else does; kept as first_failure, last_failure, failed_requests and, for each other operation,
    notices_<name> (1 or 0); without times if no search fails. It starts empty. What was locked in before is
    shown as it was. Raises CourseError without a question.
    """

    _esm, _css = front_end("prediction_form")

    heading = traitlets.Unicode().tag(sync=True)
    fields = traitlets.List().tag(sync=True)
    operations = traitlets.List().tag(sync=True)
    locked = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    too_late = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, card: int, about: str | Sequence[Question]) -> None:
        self._card = card
        self._of_outage = isinstance(about, str)
        self._questions = {_key(question, about): question for question in _asked(about)}
        super().__init__(
            operations=list(OPERATIONS[1:]) if isinstance(about, str) else [],
        )
        self._read()
        for experiment in self.experiments:
            _forms[experiment] = self
        self.on_msg(self._from_browser)

    def told(self) -> dict[str, Any]:
        return {
            "heading": run_in_words(self.experiments[0]) if self._of_outage else "",
            "fields": [_field(key, question) for key, question in self._questions.items()],
        }

    @property
    def experiments(self) -> tuple[str, ...]:
        """The runs that are asked about."""
        return tuple(dict.fromkeys(question.experiment for question in self._questions.values()))

    def lock(self, numbers: dict[str, float]) -> None:
        """Keep the prediction: a number for each field, by the names that `text` shows.

        Raises CourseError if there is one already, if it makes no sense, or if a number is missing.
        """
        self._read()
        if self.locked is not None:
            raise CourseError(
                gettext("There is a prediction already, and it stays as it is."),
                hint=gettext("Run the experiment and compare."),
            )
        self._check(numbers)
        if self._of_outage and numbers["failed_requests"] == 0:  # nothing fails, so nothing has a time
            numbers = {key: value for key, value in numbers.items() if key not in _TIMES}
        for experiment in self.experiments:
            predict(self._card, experiment, **self._of(experiment, numbers))
        self._read()

    def text(self) -> str:
        if self.locked is None:
            call = ", ".join(f'"{key}": ...' for key in self._questions)
            return gettext(
                "{title}: not locked in when this cell ran. Without a form: its lock({{{call}}})."
            ).format(title=self._title(), call=call)
        predicted = ", ".join(
            f"{name} {self._word(name, value)}" for name, value in self.locked["numbers"].items()
        )
        return f"{self._title()}: {predicted}"

    def _word(self, key: str, value: float) -> str:
        question = self._questions.get(key)
        return question.choices[int(value)] if question and question.choices else f"{value:g}"

    def _title(self) -> str:
        return gettext("Your prediction, {experiments}").format(
            experiments=gettext("; ").join(map(run_in_words, self.experiments))
        )

    def _read(self) -> None:
        """What was locked in for each run, if all of them were, and what came too late for a run."""
        made = {run: prediction(self._card, run) for run in self.experiments}
        numbers = {
            key: kept.numbers[question.name]
            for key, question in self._questions.items()
            if (kept := made[question.experiment]) and question.name in kept.numbers
        }
        times = [kept.time for kept in made.values() if kept]
        answered = "failed_requests" in numbers if self._of_outage else len(numbers) == len(self._questions)
        if answered:
            noticed = {name: value for kept in made.values() if kept for name, value in kept.numbers.items()}
            numbers |= {name: value for name, value in noticed.items() if name.startswith("notices_")}
            self.locked = {"numbers": numbers, "time": max(times)}
        runs = [run for name in self.experiments if (run := last_run(self._card, name))]
        first = min(times) if answered else math.inf
        late = [run for run in runs if run.timestamp() < first]
        self.too_late = max(late).isoformat() if late else ""

    def _of(self, experiment: str, numbers: dict[str, float]) -> dict[str, float]:
        """The numbers of one run, by the names they are kept under."""
        mine = {
            question.name: numbers[key]
            for key, question in self._questions.items()
            if question.experiment == experiment and key in numbers
        }
        return mine | {name: value for name, value in numbers.items() if name.startswith("notices_")}

    def _check(self, numbers: dict[str, float]) -> None:
        nothing_fails = self._of_outage and numbers.get("failed_requests") == 0
        for key, question in self._questions.items():
            if key in numbers:
                _check_bounds(key, question, numbers[key])
            elif not nothing_fails:
                raise CourseError(
                    gettext("A number for {key} is missing.").format(key=key),
                    hint=question.words.in_(self.lang),
                )
        first, last = (numbers.get(time, 0.0) for time in _TIMES)
        if nothing_fails and last > 0:
            raise CourseError(
                gettext("No search fails, and yet the last one fails after {last:g} s.").format(last=last),
                hint=gettext("How many fail between the first and the last? Or tick that none will."),
            )
        if last < first:
            raise CourseError(
                gettext("The last failure ({last:g} s) cannot come before the first ({first:g} s).").format(
                    last=last, first=first
                ),
                hint=gettext("Seconds are counted from the fault."),
            )

    def _from_browser(self, _: Any, content: dict[str, Any], __: Any) -> None:
        try:
            self.lock({str(name): float(value) for name, value in content["lock"].items()})
            self.problem = ""
        except CourseError as error:
            self.problem = str(error)


_forms: dict[str, PredictionForm] = {}
"""The newest form of this kernel for each run."""


def remind(experiment: str) -> str:
    """A line for a run that a form of this notebook asks about and that was not predicted; "" if it was.

    The run goes on all the same: a class and a machine that runs notebooks must not wait for anybody.
    """
    form = _forms.get(experiment)
    if form is None or form.locked is not None:
        return ""
    with speaking(form.lang):
        return gettext(
            "You have not predicted this run: {experiment}. To predict it first, stop this cell, "
            "fill in the form above, lock it in, and run the cell again."
        ).format(experiment=run_in_words(experiment))


def _asked(about: str | Sequence[Question]) -> Sequence[Question]:
    if not about:
        raise CourseError(gettext("A form asks about a run, or at least one question."))
    if not isinstance(about, str):
        return about
    seconds = gettext_lazy("s")
    return (
        Question(
            about,
            "first_failure",
            gettext_lazy("First failed search, after the fault"),
            seconds,
        ),
        Question(
            about,
            "last_failure",
            gettext_lazy("Last failed search, after the fault"),
            seconds,
        ),
        Question(
            about,
            "failed_requests",
            gettext_lazy("Failed searches, of 20 a second"),
            whole=True,
        ),
    )


def _key(question: Question, about: str | Sequence[Question]) -> str:
    """What a number is called in this form: its name, and its run where that leaves a doubt."""
    if isinstance(about, str) or sum(other.name == question.name for other in about) == 1:
        return question.name
    return f"{question.name}, {question.experiment}"


def _field(key: str, question: Question) -> dict[str, Any]:
    return {
        "key": key,
        "label": str(question.words),
        "unit": str(question.unit),
        "low": question.low,
        "high": None if math.isinf(question.most) else question.most,
        "whole": question.whole,
        "choices": list(question.choices),
    }


def _check_bounds(key: str, question: Question, value: float) -> None:
    only_whole = question.whole or bool(question.choices)
    whole = gettext("a whole number") if only_whole else gettext("a number")
    if question.low <= value <= question.most and (not only_whole or value == int(value)):
        return
    most = "" if math.isinf(question.most) else gettext(", {high:g} at most").format(high=question.most)
    raise CourseError(
        gettext("{key} should be {whole}, {low:g} or more{most}; it is {number:g}.").format(
            key=key, whole=whole, low=question.low, most=most, number=value
        ),
        hint=" ".join(filter(None, (str(question.words), str(question.unit)))),
    )
