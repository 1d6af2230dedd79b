"""What lesson 8 calls: mistakes, each beside what the learner said and what card 8 says of it.

The learner predicts, of "delete rows" and "drop collection", `found`: how many of a hundred searches after
the command still find something, and `seconds`: how long the restore takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from halab.cluster.protocol import Cluster
from halab.course.cards import card
from halab.lessons.card_findings import finding, listed, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    ask_for_prediction,
    cluster,
    keep,
    prediction_before,
    show_card,
    show_run,
)
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.run_view import RunView
from halab.measure.journal.title_marks import KEEPS_NO_ROWS, mark_title, provenance, run_remarks
from halab.measure.probing.retriever import KNOWN_ROW_SEARCH
from halab.protect.backup import mistake as experiments
from halab.protect.backup.mistake import DataLossReport, Mistake, data_loss_report
from halab.tables import Row, Table
from halab.translation import LazyText, gettext, gettext_lazy, gettext_noop, language, pgettext_lazy
from halab.widgets.card_view import Finding
from halab.widgets.protection_table import ProtectionTable

__all__ = [
    "QUESTIONS",
    "PredictionForm",
    "ProtectionTable",
    "Retriever",
    "cluster",
    "compare_mistakes",
    "keep",
    "mistake",
    "results",
    "show_card",
    "show_mistake",
]

_FOUND, _RESTORE = pgettext_lazy("searches", "of 100"), gettext_lazy("s")


def _questions(run: str, command: LazyText) -> tuple[Question, Question]:
    return (
        Question(
            run,
            "found",
            gettext_lazy("{mistake}: searches that still find something", mistake=command),
            _FOUND,
            high=100,
            whole=True,
        ),
        Question(
            run,
            "seconds",
            gettext_lazy("{mistake}: the restore takes", mistake=command),
            _RESTORE,
        ),
    )


QUESTIONS = (
    *_questions("delete rows", gettext_lazy("Passages deleted")),
    *_questions("drop collection", gettext_lazy("Collection dropped")),
)
"""What the lesson asks before its two mistakes."""

_TITLE = gettext_noop("After the command")
_HEADINGS = (
    gettext_noop("mistake"),
    "",
    gettext_noop("still found"),
    gettext_noop("restore"),
    gettext_noop("rows lost"),
    gettext_noop("window"),
)


def mistake(cluster: Cluster, what: Mistake = "delete rows", *, retriever: Retriever) -> Journal:
    """One wrong command and its restore, as `halab.protect.backup.mistake.mistake` measures it."""
    ask_for_prediction(what)
    return experiments.mistake(cluster, what, retriever=retriever)


def compare_mistakes(*journals: Journal) -> Table:
    """Prediction, card and measurement of each mistake.

    A prediction counts if it was made before the measurement began. Raises MeasurementError for a
    journal that is none of a mistake.
    """
    claims = card(8, "en").claims
    rows: list[Row] = [
        (
            gettext("any"),
            gettext("the card"),
            "-",
            claims["backup-rto"].text(language()),
            "-",
            gettext("up to {text}").format(text=claims["daily-loss"].text(language())),
        )
    ]
    for journal in journals:
        report, how = data_loss_report(journal), gettext(provenance(journal))
        rows.append((experiment_of(journal), gettext("you said"), *_predicted(journal), "-", "-"))
        rows.append((experiment_of(journal), how, _found(report), _took(report), *_lost(report)))
    remarks = [gettext("Still found: searches after the command that found what had been there.")]
    remarks += run_remarks(*journals, detail=KEEPS_NO_ROWS)
    return Table(mark_title(_TITLE, *journals), _HEADINGS, tuple(rows), tuple(remarks))


def show_mistake(journal: Journal) -> RunView:
    """One sentence, one picture and, folded, what became of the rows; raises as `data_loss_report` does."""
    report = data_loss_report(journal)
    return replace(
        show_run(journal, 8, KNOWN_ROW_SEARCH),
        told=_sentence(journal, report),
        folded={gettext("Rows, by when they were acknowledged"): report},
    )


def _sentence(journal: Journal, report: DataLossReport) -> str:
    if report.last_found is None:
        return gettext("A simulated cluster keeps no rows: none was backed up, destroyed or restored.")
    numbers = prediction_before(journal, 8)
    searches = (
        gettext("You said {found:g} of 100; ").format(found=numbers["found"]) if "found" in numbers else ""
    )
    took = (
        gettext(", and you said {seconds:g} s").format(seconds=numbers["seconds"])
        if "seconds" in numbers
        else ""
    )
    after = gettext("after the command {found} searches still found something.").format(found=_found(report))
    if report.restore_seconds is None:
        return gettext("{capital} The restore failed.").format(capital=_capital(searches + after))
    return gettext("{capital} The restore took {took}{second_took}.").format(
        capital=_capital(searches + after), took=_took(report), second_took=took
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def results(*journals: Journal) -> dict[str, Finding]:
    """What mistakes say to claims of card 8, by claim id; nothing of simulated runs."""
    measured = [journal for journal in journals if not journal.simulated]
    real = sound(*measured)
    if not real:
        return unproven("replicas", "backup-rto", "daily-loss") if measured else {}
    reports = [(journal, data_loss_report(journal)) for journal in real]
    restores = [report.restore_seconds for _, report in reports if report.restore_seconds is not None]
    windows = [report.window for _, report in reports if report.window is not None]
    return {
        "replicas": finding(
            real,
            "broken",
            _told(reports, gettext_noop("{mistake}: {found} searches still found something"), found=_found),
            gettext_lazy("one wrong command"),
        ),
        "backup-rto": finding(
            real,
            "incomparable",
            _told(reports, gettext_noop("{mistake}: {took} to restore, a few passages only"), took=_took),
            measured=[seconds / _HOUR for seconds in restores],
            predicted=[seconds / _HOUR for seconds in said_before(real, 8, "seconds")],
        ),
        "daily-loss": finding(
            real,
            "incomparable",
            _told(
                reports,
                gettext_noop("{mistake}: {window} of data lost, the backup being a few seconds old"),
                window=_window,
            ),
            measured=[seconds / _HOUR for seconds in windows],
        ),
    }


def _told(
    reports: Sequence[tuple[Journal, DataLossReport]],
    message: str,
    **figures: Callable[[DataLossReport], str],
) -> LazyText:
    """Of each mistake what was measured, by a message with {mistake} and the names of the figures."""
    return listed(
        gettext_lazy(
            message,
            mistake=_mistake(journal),
            **{name: partial(figure, report) for name, figure in figures.items()},
        )
        for journal, report in reports
    )


_HOUR = 3600.0  # seconds
_MISTAKES = {
    mistake.message: mistake
    for mistake in (
        pgettext_lazy("experiment", "delete rows"),
        pgettext_lazy("experiment", "drop collection"),
    )
}


def _mistake(journal: Journal) -> LazyText | str:
    name = experiment_of(journal)
    return _MISTAKES.get(name, name)


def _predicted(journal: Journal) -> tuple[str, str]:
    numbers = prediction_before(journal, 8)
    return (
        gettext("{found:g} of 100").format(found=numbers["found"]) if "found" in numbers else "-",
        gettext("{time} s").format(time=f"{numbers['seconds']:g}") if "seconds" in numbers else "-",
    )


def _found(report: DataLossReport) -> str:
    return (
        gettext("not measured")
        if report.last_found is None
        else gettext("{still_found} of {searches}").format(
            still_found=report.still_found, searches=report.searches
        )
    )


def _took(report: DataLossReport) -> str:
    return (
        gettext("not measured")
        if report.restore_seconds is None
        else gettext("{time} s").format(time=f"{report.restore_seconds:.1f}")
    )


def _lost(report: DataLossReport) -> tuple[str, str]:
    lost = gettext("not counted") if report.window is None else str(sum(rows.missing for rows in report.rows))
    return lost, _window(report)


def _window(report: DataLossReport) -> str:
    return (
        gettext("not counted")
        if report.window is None
        else gettext("{time} s").format(time=f"{report.window:.1f}")
    )
