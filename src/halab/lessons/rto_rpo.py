"""What lesson 7 calls: disasters, each beside what the learner said and what card 7 says of it.

The learner's own figures answer QUESTIONS: of the rows that were acknowledged and not flushed, how many of a
hundred will be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from halab.cluster.protocol import Cluster
from halab.course.cards import card
from halab.course.catalogue import Bilingual
from halab.lessons.card_findings import finding, listed, named, recovered, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    ask_for_prediction,
    cluster,
    keep,
    prediction_before,
    recovery,
    show_card,
    show_run,
    table,
)
from halab.measure.experiments import disaster as disasters
from halab.measure.experiments.disaster import EVERYTHING, UNFLUSHED, Loss, loss
from halab.measure.journal.experiment_name import experiment_of, run_name
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.run_view import RunView
from halab.measure.journal.summaries import summary
from halab.measure.journal.title_marks import KEEPS_NO_ROWS, mark_title, run_remarks
from halab.models.recovery import Periodic, retention, retention_gap
from halab.models.samples import Outcome
from halab.tables import Row, Table
from halab.translation import gettext, gettext_noop
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
    "crash any data node": Bilingual("Data node killed", "杀掉一个数据节点"),
    "crash any query node": Bilingual("Query node killed", "杀掉一个查询节点"),
    f"crash {EVERYTHING}": Bilingual("Every Milvus process killed", "杀掉所有 Milvus 进程"),
    "crash log": Bilingual("Log killed", "杀掉日志"),
}
QUESTIONS = tuple(
    Question(
        run,
        "percent",
        Bilingual(f"{words.en}: unflushed rows missing", f"{words.zh}：没落盘的行会丢多少"),
        Bilingual("of 100", "%"),
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
    numbers = prediction_before(journal, 7)
    said = (
        gettext("You said {percent:g} of 100; of").format(percent=numbers["percent"])
        if "percent" in numbers
        else "Of"
    )
    gone = {0: gettext("none is"), 1: gettext("one is")}.get(missing, f"{missing} are")
    return gettext("{said} the {of} acknowledged rows that were not flushed, {gone} missing. {back}").format(
        said=said, of=of, gone=gone, back=_back(journal)
    )


def _back(journal: Journal) -> str:
    numbers = prediction_before(journal, 7)
    said = (
        gettext(", and you said {last_failure:g} s").format(last_failure=numbers["last_failure"])
        if "last_failure" in numbers
        else ""
    )
    seconds = recovery(journal, "search")
    if seconds == "not noticed":
        return gettext("Every search was answered.")
    if seconds == "not recovered":
        return gettext("Searches were not back when the recording ended{said}.").format(said=said)
    return gettext("Searches were back after {seconds}{said}.").format(seconds=seconds, said=said)


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
                experiment_of(journal),
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
    said = {"replicas-rto": _of_recovery(journals)}
    if counted := [journal for journal in journals if journal.count]:
        said["replicas-rpo"] = _of_loss(counted)
    return said


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
    found = [(journal, loss(journal)) for journal in journals]
    words = listed(
        Bilingual(
            f"{_fault(journal).en}: {_share(lost)} of the unflushed rows missing",
            f"{_fault(journal).zh}：没落盘的行丢了 {_share_zh(lost)}",
        )
        for journal, lost in found
    )
    losers = [_fault(journal) for journal, lost in found if lost.missing]
    windows = [lost.window for _, lost in found if lost.window is not None]
    return finding(journals, "broken" if losers else "held", words, named(losers), measured=windows)


def _fault(journal: Journal) -> Bilingual:
    name = experiment_of(journal)
    return _FAULTS.get(name, Bilingual(name, name))


def _recovered(journal: Journal) -> Bilingual:
    insert, search, fault = recovered(journal, "insert"), recovered(journal, "search"), _fault(journal)
    return Bilingual(
        f"{fault.en}: insert {insert.en}, search {search.en}",
        f"{fault.zh}：插入{insert.zh}，搜索{search.zh}",
    )


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 7)
    return f"{figures['percent']:g} %" if "percent" in figures else "-"


def _share(found: Loss) -> str:
    """The missing share of the unflushed rows; of all before the disaster where no flush was made."""
    missing, of = _unflushed(found)
    return (
        gettext("{share:.0f} % ({missing} of {of})").format(share=100 * missing / of, missing=missing, of=of)
        if of
        else gettext("not counted")
    )


def _share_zh(found: Loss) -> str:
    missing, of = _unflushed(found)
    return f"{100 * missing / of:.0f}%（{of} 行中的 {missing} 行）" if of else "多少没有数"


def _unflushed(found: Loss) -> tuple[int, int]:
    """Rows that are missing, and of how many; of none where they were not counted."""
    group = next((rows for rows in found.rows if rows.when == UNFLUSHED), found.rows[0])
    return (0, 0) if found.window is None else (group.missing, group.acknowledged)


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
            (experiment_of(journal), gettext("not counted"), gettext("not counted"))
            if there is None
            else (experiment_of(journal), *map(_figure, rpo(acknowledged(journal), there, at)))
        )
    headings = (gettext_noop("disaster"), gettext_noop("rows lost"), gettext_noop("data lost (s)"))
    remarks = run_remarks(*journals, detail=KEEPS_NO_ROWS)
    return Table(mark_title(gettext("RPO, as it was achieved"), *journals), headings, tuple(rows), remarks)


def _figure(value: float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
