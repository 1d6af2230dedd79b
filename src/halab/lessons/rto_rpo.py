"""What lesson 7 calls: disasters, each beside what the learner said and what card 7 says of it.

The learner's own figures answer QUESTIONS: of the rows that were acknowledged and not flushed, how many of a
hundred will be missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from halab.cluster.protocol import Cluster
from halab.course.cards import card
from halab.lessons.card_findings import finding, listed, named, recovered, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    ask_for_prediction,
    cluster,
    keep,
    outage_seconds,
    prediction_before,
    recovery,
    show_card,
    show_run,
    table,
)
from halab.measure.experiments import disaster as disasters
from halab.measure.experiments.disaster import EVERYTHING, UNFLUSHED, Loss, loss
from halab.measure.journal.experiment_name import experiment_of, run_in_words, run_name
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.run_view import RunView
from halab.measure.journal.summaries import summary
from halab.measure.journal.title_marks import KEEPS_NO_ROWS, mark_title, run_remarks
from halab.models.recovery import Periodic, retention, retention_gap
from halab.models.samples import Outcome
from halab.tables import Row, Table
from halab.translation import LazyText, gettext, gettext_lazy, gettext_noop, ngettext, pgettext_lazy
from halab.widgets.card_view import Finding
from halab.widgets.recovery_planner import RecoveryPlanner
from halab.widgets.survival_map import SurvivalMap

__all__ = [
    "QUESTIONS",
    "Periodic",
    "PredictionForm",
    "RecoveryPlanner",
    "Retriever",
    "SurvivalMap",
    "achieved",
    "acknowledged",
    "cluster",
    "compare_losses",
    "disaster",
    "keep",
    "results",
    "retention",
    "retention_gap",
    "show_card",
    "show_disaster",
    "still_there",
    "table",
]

_FAULTS = {
    "crash any data node": gettext_lazy("Data node killed"),
    "crash any query node": gettext_lazy("Query node killed"),
    f"crash {EVERYTHING}": gettext_lazy("Every Milvus process killed"),
    "crash log": gettext_lazy("Log killed"),
}
QUESTIONS = tuple(
    Question(
        run,
        "percent",
        gettext_lazy("{disaster}: unflushed rows missing", disaster=words),
        pgettext_lazy("rows", "of 100"),
        high=100,
    )
    for run, words in _FAULTS.items()
)
"""What the lesson asks before its four disasters."""

_TITLE = gettext_noop("Acknowledged rows that were not flushed: how many are missing?")
_HEADINGS = (
    gettext_noop("disaster"),
    gettext_noop("you said"),
    gettext_noop("the card says"),
    gettext_noop("missing"),
    gettext_noop("RTO, insert"),
    gettext_noop("RTO, search"),
)


def disaster(cluster: Cluster, target: str = EVERYTHING, *, retriever: Retriever) -> Journal:
    """A crash while rows are written, as `halab.measure.experiments.disaster.disaster` measures it."""
    ask_for_prediction(run_name([f"crash {target}"], cluster.ttl))
    return disasters.disaster(cluster, target, retriever=retriever)


def show_disaster(journal: Journal) -> RunView:
    """One sentence, one picture and, folded, what became of the rows; raises as `loss` does."""
    lost = loss(journal)
    return replace(
        show_run(journal, 7),
        told=_sentence(journal, lost),
        folded={gettext("Rows, by when they were acknowledged"): lost},
    )


def _sentence(journal: Journal, lost: Loss) -> str:
    """What was lost, and when searches were back: RPO and RTO, in words."""
    missing, of = _unflushed(lost)
    if not of:
        return gettext("No row was counted, so nothing is known of what was lost. {back}").format(
            back=_back(journal)
        )
    if missing:
        told = ngettext(
            "Of the {of} acknowledged rows that were not flushed, {missing} is missing.",
            "Of the {of} acknowledged rows that were not flushed, {missing} are missing.",
            missing,
        ).format(of=of, missing=missing)
    else:
        told = gettext("Of the {of} acknowledged rows that were not flushed, none is missing.").format(of=of)
    numbers = prediction_before(journal, 7)
    if "percent" in numbers:
        losses = gettext("You said {percent:g} of 100.").format(percent=numbers["percent"])
        told = gettext("{first} {second}").format(first=losses, second=told)
    return gettext("{first} {second}").format(first=told, second=_back(journal))


def _back(journal: Journal) -> str:
    numbers = prediction_before(journal, 7)
    predicted = (
        gettext(", and you said {last_failure:g} s").format(last_failure=numbers["last_failure"])
        if "last_failure" in numbers
        else ""
    )
    seconds = outage_seconds(journal, "search")
    if seconds is None:
        return gettext("Every search was answered.")
    if math.isinf(seconds):
        return gettext("Searches were not back when the recording ended{said}.").format(said=predicted)
    return gettext("Searches were back after {seconds}{said}.").format(
        seconds=recovery(journal, "search"), said=predicted
    )


def compare_losses(*journals: Journal) -> Table:
    """Prediction, card and measurement of each disaster.

    A prediction counts if it was made before the measurement began. Raises MeasurementError for a journal
    that is none of a disaster.
    """
    says = card(7, "en").claims["replicas-rpo"]
    remarks = [*run_remarks(*journals, detail=KEEPS_NO_ROWS)]
    remarks.append(gettext("RTO: from the disaster to the first lasting answer."))
    return Table(
        mark_title(_TITLE, *journals),
        _HEADINGS,
        tuple(
            (
                run_in_words(experiment_of(journal)),
                _predicted(journal),
                gettext("RPO {high:g}").format(high=says.high),
                _share(loss(journal)),
                *(recovery(journal, operation) for operation in ("insert", "search")),
            )
            for journal in journals
        ),
        tuple(remarks),
    )


def results(*journals: Journal) -> dict[str, Finding]:
    """What disasters say to claims of card 7, by claim id."""
    journals = tuple(sound(*journals))
    if not journals:
        return unproven("replicas-rto", "replicas-rpo")
    findings = {"replicas-rto": _of_recovery(journals)}
    if counted := [journal for journal in journals if journal.count]:
        findings["replicas-rpo"] = _of_loss(counted)
    return findings


def _of_recovery(journals: Sequence[Journal]) -> Finding:
    """Inserts and searches: who promises a time to recover, promises it of both."""
    says = card(7, "en").claims["replicas-rto"].high
    times = {journal.digest: [row.rto for row in summary(journal).rows if row.rto] for journal in journals}
    late = [journal for journal in journals if max(times[journal.digest], default=0.0) > says]
    return finding(
        journals,
        "broken" if late else "held",
        listed(_recovered(journal) for journal in journals),
        named(_fault(journal) for journal in late),
        measured=[time for each in times.values() for time in each],
        predicted=said_before(journals, 7, "last_failure"),
    )


def _of_loss(journals: Sequence[Journal]) -> Finding:
    """The seconds of data that were lost, for each disaster whose rows were counted."""
    losses = [(journal, loss(journal)) for journal in journals]
    words = listed(
        gettext_lazy(
            "{disaster}: {share} of the unflushed rows missing",
            disaster=_fault(journal),
            share=partial(_share, lost),
        )
        for journal, lost in losses
    )
    losers = [_fault(journal) for journal, lost in losses if lost.missing]
    windows = [lost.window for _, lost in losses if lost.window is not None]
    return finding(journals, "broken" if losers else "held", words, named(losers), measured=windows)


def _fault(journal: Journal) -> LazyText:
    name = experiment_of(journal)
    return _FAULTS.get(name, LazyText(name))


def _recovered(journal: Journal) -> LazyText:
    return gettext_lazy(
        "{disaster}: insert {insert}, search {search}",
        disaster=_fault(journal),
        insert=recovered(journal, "insert"),
        search=recovered(journal, "search"),
    )


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 7)
    return f"{figures['percent']:g} %" if "percent" in figures else "-"


def _share(lost: Loss) -> str:
    """The missing share of the unflushed rows; of all before the disaster where no flush was made."""
    missing, of = _unflushed(lost)
    return (
        gettext("{share:.0f} % ({missing} of {of})").format(share=100 * missing / of, missing=missing, of=of)
        if of
        else gettext("not counted")
    )


def _unflushed(lost: Loss) -> tuple[int, int]:
    """Rows that are missing, and of how many; of none where they were not counted."""
    group = next((rows for rows in lost.rows if rows.when == UNFLUSHED), lost.rows[0])
    return (0, 0) if lost.window is None else (group.missing, group.acknowledged)


def acknowledged(journal: Journal) -> dict[int, float]:
    """When each acknowledged row was acknowledged (seconds on the journal's clock), by its key."""
    return {
        sample.key: sample.done
        for sample in journal.samples("insert")
        if sample.outcome is Outcome.OK and sample.key is not None
    }


def still_there(journal: Journal) -> set[int] | None:
    """The keys of the acknowledged rows that were there afterwards; None if they were not counted."""
    return None if journal.count is None else set(acknowledged(journal)) - set(journal.count.missing)


def achieved(rpo: Callable[..., tuple[int, float]], *journals: Journal) -> Table:
    """Rows and seconds lost in each disaster, worked out by the learner's own function."""
    rows: list[Row] = []
    for journal in journals:
        there, at = still_there(journal), journal.faults[0].at
        rows.append(
            (run_in_words(experiment_of(journal)), gettext("not counted"), gettext("not counted"))
            if there is None
            else (run_in_words(experiment_of(journal)), *map(_figure, rpo(acknowledged(journal), there, at)))
        )
    headings = (gettext_noop("disaster"), gettext_noop("rows lost"), gettext_noop("data lost (s)"))
    remarks = run_remarks(*journals, detail=KEEPS_NO_ROWS)
    return Table(mark_title(gettext("RPO, as it was achieved"), *journals), headings, tuple(rows), remarks)


def _figure(value: float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
