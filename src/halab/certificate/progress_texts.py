"""Progress in words, in any language: the same facts for the board in a notebook and for the terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from halab.certificate.learner_progress import CardProgress, PredictionOutcome, Progress
from halab.certificate.record import PASS_MARK
from halab.course.catalogue import CERTIFIED, CHECKLIST, Entry
from halab.translation import Language, gettext, gettext_noop, name_list, ngettext, speaking

__all__ = ["HEADINGS", "Fact", "State", "Step", "facts", "items_met", "next_step", "state", "steps_done"]

State = Literal["new", "begun", "done"]
"""Where a card stands: nothing was done, something, or all that it asks for."""

HEADINGS = (
    gettext_noop("Lesson"),
    gettext_noop("Prediction"),
    gettext_noop("Lab"),
    gettext_noop("Exercise"),
    gettext_noop("Checklist"),
)
"""What `facts` speaks of, in its order; to be translated where they are shown."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing about a card: whether it is done, and how far in words."""

    done: bool
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next. `path` is the notebook to open, from the learner's folder; "" if there is none."""

    text: str
    path: str = ""


def facts(done: CardProgress, lang: Language) -> tuple[Fact, ...]:
    """What was done of a card, one fact a heading."""
    with speaking(lang):
        return (
            Fact(done.lesson_done, _lesson(done)),
            Fact(done.prediction_done, _prediction(done)),
            Fact(done.measured > 0, _lab(done)),
            Fact(done.exercise_done, _exercise(done)),
            Fact(done.met, _item(done)),
        )


def state(done: CardProgress) -> State:
    """Where a card stands."""
    if all(_steps(done)):
        return "done"
    return "begun" if any((*_steps(done), done.rejected, done.points is not None)) else "new"


def steps_done(progress: Progress) -> tuple[int, int]:
    """How many steps of all that the certificate asks for are done, and how many there are."""
    steps = [step for card in CERTIFIED for step in _steps(progress.cards[card.number])]
    return sum(steps), len(steps)


def items_met(progress: Progress, lang: Language) -> str:
    """How many items of the checklist are met, in one sentence."""
    with speaking(lang):
        said = gettext("The certificate's checklist: {met} of {all_of} items met.")
    return said.format(met=sum(progress.items), all_of=len(CHECKLIST))


def next_step(progress: Progress, lang: Language) -> Step:
    """What is nearest: the next thing of the card of which most is done already."""
    with speaking(lang):
        if all(progress.items):
            return Step(gettext("All ten items are met: halab certify"))
        cards = progress.cards
        begun = [(card, done) for card in CERTIFIED if not all(_steps(done := cards[card.number]))]
        card, done = max(begun, key=lambda each: sum(_steps(each[1])))
        text, path = _next_of(card, done)
        called = str(card.called)
        return Step(gettext("{card}: {step}").format(card=called[0].upper() + called[1:], step=text), path)


def _steps(done: CardProgress) -> tuple[bool, ...]:
    """What a card asks for, in the order in which it is done."""
    return done.opened, done.prediction_done, done.measured > 0, done.lesson_done, done.exercise_done


def _next_of(card: Entry, done: CardProgress) -> tuple[str, str]:
    """The first thing of a card that is not done, and its notebook."""
    lesson = f"course/{card.lesson_path.name}"
    exercise = f"exercises/{card.slug}/{card.exercise_path.name}"
    if not done.opened:
        said = gettext("open the lesson {lesson}.")
    elif not done.predicted:
        said = gettext("predict before you measure, in {lesson}.")
    elif not done.prediction_done:
        said = gettext("run a lab that you have predicted once more, in {lesson}.")
    elif not done.measured and done.rejected:
        said = gettext("none of your runs counts (the notes say why): run the lab again, in {lesson}.")
    elif not done.measured:
        said = gettext("run the lab on the real cluster, in {lesson}.")
    elif left := done.cells - done.cells_run:
        said = ngettext(
            "run the {left} code cell left in {lesson}, and save.",
            "run the {left} code cells left in {lesson}, and save.",
            left,
        )
        return said.format(left=left, lesson=lesson), lesson
    else:
        return _exercise_step(card, done), exercise
    return said.format(lesson=lesson), lesson


def _exercise_step(card: Entry, done: CardProgress) -> str:
    if done.points is None:
        return gettext("do the exercise, save, then: halab grade {number:02d}").format(number=card.number)
    return gettext(
        "the exercise has {points:g} points and needs {wanted:g}: halab grade {number:02d}"
    ).format(points=done.points, wanted=PASS_MARK * (done.max_points or 0), number=card.number)


def _lesson(done: CardProgress) -> str:
    if not done.opened:
        return gettext("not opened")
    said = (
        gettext("{run} of {cells} cells run when last saved")  # what was run since then is not seen
        if done.cells_run < done.cells
        else gettext("{run} of {cells} cells run")
    )
    return said.format(run=done.cells_run, cells=done.cells)


def _prediction(done: CardProgress) -> str:
    if done.compared:
        said = _prediction_error(done.compared[-1])
        more = gettext(" (and {n} more)").format(n=len(done.compared) - 1)
        return f"{said}{more}" if len(done.compared) > 1 else said
    if done.foreseen:
        return gettext("made for {foreseen} of {measured} measurements").format(
            foreseen=done.foreseen, measured=done.measured
        )
    if done.predicted and done.measured:
        return gettext("made, but for none of your measurements: run that cell again")
    if done.predicted and done.rejected:
        return gettext("made, but no run yet that counts")
    if done.predicted:
        return gettext("made, not measured yet")
    if done.measured:
        return gettext("none before you measured: predict, then run the lab again")
    return gettext("none yet")


def _prediction_error(outcome: PredictionOutcome) -> str:
    said, rto = outcome.predicted, outcome.measured
    predicted = gettext("no failure") if said is None else _seconds(said)
    if rto is None:
        measured = gettext("nobody noticed")
    elif math.isinf(rto):
        measured = gettext("not back")
    else:
        measured = gettext("back after {time}").format(time=_seconds(rto))
    text = gettext("you said {predicted}, {measured}").format(predicted=predicted, measured=measured)
    if said is None or rto is None or not math.isfinite(rto):
        return text
    return text + gettext(", {time} off").format(time=_seconds(abs(said - rto)))


def _seconds(value: float) -> str:
    return gettext("{seconds:g} s").format(seconds=round(value, 1))


def _lab(done: CardProgress) -> str:
    if not done.measured and done.rejected:
        return gettext("{n} kept, none counts").format(n=done.rejected)
    if not done.measured:
        return gettext("not measured")
    runs = ngettext("{n} measurement", "{n} measurements", done.measured).format(n=done.measured)
    if not done.rejected:
        return runs
    return runs + gettext(", {n} more not counted").format(n=done.rejected)


def _item(done: CardProgress) -> str:
    if done.met:
        return gettext("item met")
    if done.foreseen and done.exercise_done:
        said = gettext("waits for card {cards}, which belongs to the same item")
        return said.format(cards=name_list(done.waits_for))
    lacking = []
    if not done.measured:
        lacking.append(gettext("the lab"))
    elif not done.foreseen:
        lacking.append(gettext("a prediction before the lab"))
    if not done.exercise_done:
        lacking.append(gettext("the exercise"))
    if len(lacking) == 1:
        return gettext("needs {what}").format(what=lacking[0])
    return gettext("needs {what} and {more}").format(what=lacking[0], more=lacking[1])


def _exercise(done: CardProgress) -> str:
    if done.points is None:
        return gettext("not graded")
    return gettext("{points:g} of {out_of:g} points").format(points=done.points, out_of=done.max_points or 0)
