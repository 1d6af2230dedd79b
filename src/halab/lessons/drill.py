"""What lesson 10 calls: a drill, beside what the learner said and what card 10 says of it.

The learner predicts, of "lose primary", `seconds`: RTO to verified service, `rows` lost at the failover, and
`unanswered`: questions that a client with two addresses gets no answer to.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime

from halab.course.cards import card
from halab.lessons.card_findings import finding, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    Sentence,
    ask_for_prediction,
    cluster,
    keep,
    prediction_before,
    show_card,
    show_run,
)
from halab.measure.journal.experiment_name import operation_in_words
from halab.measure.journal.run_view import RunView
from halab.measure.journal.title_marks import mark_title, simulated_remark
from halab.measure.journal.validity import objections
from halab.measure.probing.addresses import TWO_ADDRESSES, Application
from halab.protect.drill import drill_calendar, rehearsal
from halab.protect.drill.rehearsal import Rehearsal, unanswered
from halab.tables import Row, Table
from halab.translation import gettext, gettext_lazy, gettext_noop, language, name_list, pgettext_lazy
from halab.widgets.card_view import Finding
from halab.widgets.drill_clock import DrillClock

__all__ = [
    "QUESTIONS",
    "Application",
    "DrillClock",
    "PredictionForm",
    "Retriever",
    "cluster",
    "compare_drill",
    "keep",
    "measured",
    "questions",
    "rehearse",
    "remarks",
    "results",
    "save_calendar",
    "show_card",
    "show_drill",
    "step_results",
    "targets",
]


LOSS = "lose primary"
"""What a rehearsal is called as a run."""

QUESTIONS = (
    Question(
        LOSS,
        "seconds",
        gettext_lazy("From the loss to a verified service"),
        gettext_lazy("s"),
    ),
    Question(
        LOSS,
        "rows",
        gettext_lazy("Rows lost at the failover"),
        gettext_lazy("rows"),
        whole=True,
    ),
    Question(
        LOSS,
        "unanswered",
        gettext_lazy("Questions unanswered, client with two addresses"),
        pgettext_lazy("unit", "questions"),
        whole=True,
    ),
)
"""What the lesson asks before the rehearsal."""


def rehearse(app: Application) -> Rehearsal:
    """Rehearse the loss of the primary, in a new folder `drills/...` named by the time."""
    ask_for_prediction(LOSS)
    return rehearsal.rehearse(app, f"drills/{datetime.now():%Y-%m-%d-%H%M%S}")


def show_drill(drill: Rehearsal) -> RunView:
    """One sentence, one picture and, folded, the drill's steps."""
    folded = {gettext("Every step of the drill"): drill.report}
    return replace(show_run(drill.journal, 10), told=_sentence(drill), folded=folded)


def _sentence(drill: Rehearsal) -> str:
    """What the three predictions were about, beside them."""
    report, numbers = drill.report, prediction_before(drill.journal, 10)
    if report.simulated:
        return gettext("The steps were gone through, and nothing was measured.")
    if report.rto is None:
        return report.verdict

    def said(name: str, unit: str = "") -> str:
        return (
            gettext(" (you said {number:g}{unit})").format(number=numbers[name], unit=unit)
            if name in numbers
            else ""
        )

    rows = (
        gettext("nobody counted the rows")
        if report.rpo_rows is None
        else gettext("{rpo_rows} rows were lost").format(rpo_rows=report.rpo_rows)
    )
    return gettext(
        "Verified on the standby {rto:.1f} s after the loss{said_rto}. At the failover "
        "{rows}{said_rows}, and with two addresses {unanswered} questions got no answer{said_unanswered}."
    ).format(
        rto=report.rto,
        said_rto=said("seconds", " s"),
        rows=rows,
        said_rows=said("rows"),
        unanswered=_unanswered(drill),
        said_unanswered=said("unanswered"),
    )


def remarks(drill: Rehearsal) -> tuple[str, ...]:
    """What must stand beside a drill's figures: that they are simulated, or that they prove nothing and what
    to do then; nothing where they can be trusted."""
    reasons = objections(drill.journal)
    if not reasons:
        return simulated_remark(drill.journal)
    return (
        gettext(
            "The seconds of this drill prove nothing. {reasons} Which steps were done holds all "
            "the same. For the seconds, close what else is running and run the cell with "
            "lesson.rehearse(app) again."
        ).format(reasons=" ".join(reasons)),
    )


def step_results(drill: Rehearsal) -> dict[str, str]:
    """How each step of the drill ended, by its title: "done" if it went as planned."""
    return {record.title: record.status for record in drill.report.records}


def measured(drill: Rehearsal) -> dict[str, float]:
    """RTO and RPO of the drill in seconds; NaN, which is within no target, where it was not measured."""
    figures = {"RTO": drill.report.rto, "RPO": drill.report.rpo}
    return {name: math.nan if seconds is None else seconds for name, seconds in figures.items()}


def targets(drill: Rehearsal) -> dict[str, float]:
    """What was promised of RTO and RPO, seconds."""
    return {"RTO": drill.report.targets.rto, "RPO": drill.report.targets.rpo}


def save_calendar(drill: Rehearsal) -> Sentence:
    """Put the next drills of a critical system into a calendar file in the drill's folder; name its files."""
    drill_calendar.save_calendar(
        drill.folder / "drills.ics", gettext("Card search"), "critical", date.today()
    )
    names = name_list(sorted(path.name for path in drill.folder.iterdir()))
    return Sentence(gettext("In {folder}: {names}.").format(folder=drill.folder, names=names))


def compare_drill(drill: Rehearsal) -> Table:
    """Prediction, card and measurement. A prediction counts if it was made before the measurement began."""
    claims, report = card(10, "en").claims, drill.report
    rows: list[Row] = [
        (gettext("the card"), claims["rto"].text(language()), "-", "-"),
        (gettext("you said"), *_predicted(drill)),
    ]
    if report.simulated:
        rows.append(
            (gettext("simulated"), gettext("not measured"), gettext("not counted"), gettext("not asked"))
        )
        return Table(gettext("The drill"), _HEADINGS, tuple(rows), simulated_remark(drill.journal))
    rows.append(
        (
            gettext("measured"),
            gettext("not measured")
            if report.rto is None
            else gettext("{time} s").format(time=f"{report.rto:.1f}"),
            gettext("not counted") if report.rpo_rows is None else str(report.rpo_rows),
            _unanswered(drill),
        )
    )
    title = mark_title(gettext("The drill"), drill.journal)
    return Table(title, _HEADINGS, tuple(rows), (report.verdict, *remarks(drill)))


_HEADINGS = ("", "RTO", gettext_noop("rows lost at the failover"), gettext_noop("unanswered, two addresses"))


def questions(drill: Rehearsal) -> Table:
    """Questions asked since the loss and how many of them got no answer, by kind of client."""
    rows = tuple(
        (operation_in_words(row.operation), str(row.sent), str(row.unanswered), str(row.degraded))
        for row in unanswered(drill.journal)
    )
    remarks = [gettext("Degraded: answered, by the cluster that was not in charge, and said so.")]
    if drill.report.simulated:
        remarks.append(gettext("SIMULATED: there is one address only, and nobody asked a question."))
    headings = (
        gettext_noop("client"),
        gettext_noop("questions"),
        gettext_noop("unanswered"),
        gettext_noop("degraded"),
    )
    return Table(gettext("Questions since the loss"), headings, rows, tuple(remarks))


def results(drill: Rehearsal) -> dict[str, Finding]:
    """What a drill says to claims of card 10, by claim id; nothing of a simulated one.

    Which steps were done is known of every drill, also where its seconds prove nothing.
    """
    report = drill.report
    if report.simulated:
        return {}
    journals = [drill.journal]
    done, of = sum(record.status == "done" for record in report.records), len(report.records)
    steps = gettext_lazy("{done} of {steps} steps done, the way home included", done=done, steps=of)
    failed = gettext_lazy("a step that was not done")
    findings = {"steps": finding(journals, "held" if done == of else "broken", steps, failed)}
    if report.rto is None:
        return findings
    if not sound(drill.journal):
        return findings | unproven("rto", "target")
    rto, promised = report.rto, report.targets.rto
    predicted = said_before(journals, 10, "seconds")
    findings["rto"] = finding(
        journals,
        "incomparable",
        gettext_lazy(
            "{rto:.1f} s from the loss to a verified service; people need longer to decide", rto=rto
        ),
        measured=[rto / 60],
        predicted=[seconds / 60 for seconds in predicted],
    )
    findings["target"] = finding(
        journals,
        "held" if rto <= promised else "broken",
        gettext_lazy(
            "{rto:.1f} s, and this drill's own target was {promised:g} s", rto=rto, promised=promised
        ),
        gettext_lazy("this drill"),
        measured=[rto / 3600],
        predicted=[seconds / 3600 for seconds in predicted],
    )
    return findings


def _predicted(drill: Rehearsal) -> tuple[str, str, str]:
    numbers = prediction_before(drill.journal, 10)
    return (
        gettext("{time} s").format(time=f"{numbers['seconds']:g}") if "seconds" in numbers else "-",
        f"{numbers['rows']:g}" if "rows" in numbers else "-",
        f"{numbers['unanswered']:g}" if "unanswered" in numbers else "-",
    )


def _unanswered(drill: Rehearsal) -> str:
    row = next(row for row in unanswered(drill.journal) if row.operation == TWO_ADDRESSES)
    return gettext("{unanswered} of {sent}").format(unanswered=row.unanswered, sent=row.sent)
