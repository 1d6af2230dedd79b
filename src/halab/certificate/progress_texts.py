"""Progress in words, in both languages: the same facts for the board in a notebook and for the terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from halab.certificate.learner_progress import CardProgress, PredictionOutcome, Progress
from halab.certificate.record import PASS_MARK
from halab.course.catalogue import CERTIFIED, CHECKLIST, Entry
from halab.translation import Language, gettext

__all__ = ["HEADINGS", "Fact", "State", "Step", "facts", "items_met", "next_step", "state", "steps_done"]

State = Literal["new", "begun", "done"]
"""Where a card stands: nothing was done, something, or all that it asks for."""

HEADINGS = {
    "en": ("Lesson", "Prediction", "Lab", "Exercise", "Checklist"),
    "zh": ("课程", "预测", "实测", "练习", "考核项"),
}
"""What `facts` speaks of, in its order."""


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
    zh = lang == "zh"
    return (
        Fact(done.lesson_done, _lesson(done, zh)),
        Fact(done.prediction_done, _prediction(done, zh)),
        Fact(done.measured > 0, _lab(done, zh)),
        Fact(done.exercise_done, _exercise(done, zh)),
        Fact(done.met, _item(done, zh)),
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
    met, all_of = sum(progress.items), len(CHECKLIST)
    if lang == "zh":
        return f"证书的 {all_of} 个考核项，已达成 {met} 个。"
    return f"The certificate's checklist: {met} of {all_of} items met."


def next_step(progress: Progress, lang: Language) -> Step:
    """What is nearest: the next thing of the card of which most is done already."""
    zh = lang == "zh"
    if all(progress.items):
        return Step(
            "十个考核项全部达成。运行：halab certify" if zh else "All ten items are met: halab certify"
        )
    open_cards = [(card, done) for card in CERTIFIED if not all(_steps(done := progress.cards[card.number]))]
    card, done = max(open_cards, key=lambda open_card: sum(_steps(open_card[1])))
    text, path = _next_of(card, done, zh)
    called = card.called(lang)
    return Step(f"{called}：{text}" if zh else f"{called.capitalize()}: {text}", path)


def _steps(done: CardProgress) -> tuple[bool, ...]:
    """What a card asks for, in the order in which it is done."""
    return done.opened, done.prediction_done, done.measured > 0, done.lesson_done, done.exercise_done


def _next_of(card: Entry, done: CardProgress, zh: bool) -> tuple[str, str]:
    """The first thing of a card that is not done, and its notebook."""
    lesson = f"course/{card.lesson_path.name}"
    exercise = f"exercises/{card.slug}/{card.exercise_path.name}"
    if not done.opened:
        return (f"打开课程 {lesson}。" if zh else f"open the lesson {lesson}."), lesson
    if not done.predicted:
        words = f"先做预测，再动手：{lesson}。" if zh else f"predict before you measure, in {lesson}."
        return words, lesson
    if not done.prediction_done:
        words = gettext("run a lab that you have predicted once more, in {lesson}.").format(lesson=lesson)
        return words, lesson
    if not done.measured and done.rejected:
        words = f"none of your runs counts (the notes say why): run the lab again, in {lesson}."
        return (f"你的实测都不作数（原因见备注），请把实验再跑一遍：{lesson}。" if zh else words), lesson
    if not done.measured:
        words = (
            f"在真实集群上运行实测：{lesson}。" if zh else f"run the lab on the real cluster, in {lesson}."
        )
        return words, lesson
    left = done.cells - done.cells_run
    if left:
        words = f"run the {left} code cell{'s' * (left != 1)} left in {lesson}, and save."
        return (f"运行余下的 {left} 个代码单元并保存：{lesson}。" if zh else words), lesson
    return _exercise_step(card, done, zh), exercise


def _exercise_step(card: Entry, done: CardProgress, zh: bool) -> str:
    number = f"{card.number:02d}"
    if done.points is None:
        if zh:
            return f"做练习，保存，然后运行：halab grade {number}"
        return f"do the exercise, save, then: halab grade {number}"
    wanted = f"{PASS_MARK * (done.max_points or 0):g}"
    if zh:
        return f"练习得了 {done.points:g} 分，需要 {wanted} 分：halab grade {number}"
    return f"the exercise has {done.points:g} points and needs {wanted}: halab grade {number}"


def _lesson(done: CardProgress, zh: bool) -> str:
    if not done.opened:
        return "未打开" if zh else "not opened"
    saved = done.cells_run < done.cells  # what was run since the notebook was saved is not seen
    if zh:
        return f"{'上次保存时' if saved else ''}已运行 {done.cells_run}/{done.cells} 个代码单元"
    return f"{done.cells_run} of {done.cells} cells run{' when last saved' if saved else ''}"


def _prediction(done: CardProgress, zh: bool) -> str:
    if done.compared:
        more = len(done.compared) - 1
        rest = (f"（另有 {more} 次）" if zh else f" (and {more} more)") if more else ""
        return _prediction_error(done.compared[-1], zh) + rest
    if done.foreseen:
        of = done.measured
        return (
            f"{of} 次实测中有 {done.foreseen} 次先做了预测"
            if zh
            else f"made for {done.foreseen} of {of} measurements"
        )
    if done.predicted and done.measured:
        if zh:
            return "已做，但没有一次实测是在预测之后：请把那个单元再运行一次"
        return "made, but for none of your measurements: run that cell again"
    if done.predicted and done.rejected:
        return "已做，但测到的都不作数" if zh else "made, but no run yet that counts"
    if done.predicted:
        return "已做，还没有对应的实测" if zh else "made, not measured yet"
    if done.measured:
        return (
            "未做就先实测了：先预测，再运行一次"
            if zh
            else "none before you measured: predict, then run the lab again"
        )
    return "还没有" if zh else "none yet"


def _prediction_error(outcome: PredictionOutcome, zh: bool) -> str:
    said, rto = outcome.predicted, outcome.measured
    predicted = ("无失败" if zh else "no failure") if said is None else _seconds(said, zh)
    if rto is None:
        measured = "无人察觉" if zh else "nobody noticed"
    elif math.isinf(rto):
        measured = "没有恢复" if zh else "not back"
    else:
        measured = f"{_seconds(rto, zh)}后恢复" if zh else f"back after {_seconds(rto, zh)}"
    off = ""
    if said is not None and rto is not None and math.isfinite(rto):
        off = f"，相差 {_seconds(abs(said - rto), zh)}" if zh else f", {_seconds(abs(said - rto), zh)} off"
    return f"预测 {predicted}，实测 {measured}{off}" if zh else f"you said {predicted}, {measured}{off}"


def _seconds(value: float, zh: bool) -> str:
    return f"{round(value, 1):g} {'秒' if zh else 's'}"


def _lab(done: CardProgress, zh: bool) -> str:
    if not done.measured and done.rejected:
        return f"{done.rejected} 份日志，都不算数" if zh else f"{done.rejected} kept, none counts"
    if not done.measured:
        return "未做" if zh else "not measured"
    rest = ""
    if done.rejected:
        rest = f"，另有 {done.rejected} 份不算数" if zh else f", {done.rejected} more not counted"
    runs = "measurement" if done.measured == 1 else "measurements"
    return f"实测 {done.measured} 次{rest}" if zh else f"{done.measured} {runs}{rest}"


def _item(done: CardProgress, zh: bool) -> str:
    if done.met:
        return "已达成" if zh else "item met"
    lab, foreseen, exercise = done.measured > 0, done.foreseen > 0, done.exercise_done
    if foreseen and exercise:
        cards = ("、" if zh else ", ").join(map(str, done.waits_for))
        if zh:
            return f"这一项还要看第 {cards} 张卡片：它的实测或练习还没完成"
        return f"waits for card {cards}, which belongs to the same item"
    if zh:
        lacking = ["实测"] * (not lab) + ["实测前的预测"] * (lab and not foreseen) + ["练习"] * (not exercise)
        return "还缺" + "和".join(lacking)
    lacking = ["the lab"] * (not lab) + ["a prediction before the lab"] * (lab and not foreseen)
    return "needs " + " and ".join(lacking + ["the exercise"] * (not exercise))


def _exercise(done: CardProgress, zh: bool) -> str:
    if done.points is None:
        return "未评分" if zh else "not graded"
    if zh:
        return f"{done.points:g} 分，满分 {done.max_points or 0:g} 分"
    return f"{done.points:g} of {done.max_points or 0:g} points"
