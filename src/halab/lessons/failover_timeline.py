"""What lesson 6 calls: the failover timeline, one fault after another, and what they say to card 6."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, replace

from halab.cluster.protocol import Cluster
from halab.course.cards import card
from halab.course.paths import course_root
from halab.lessons.card_findings import finding, recovered, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    Sentence,
    cluster,
    experiment,
    keep,
    plot,
    recovery,
    show_card,
    show_run,
    summary,
    table,
)
from halab.measure.journal.experiment_name import experiment_of, run_in_words, run_name
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.run_view import RunView
from halab.measure.journal.title_marks import mark_title, run_remarks
from halab.measure.probing.retrying import with_retries
from halab.models.failover import MILVUS
from halab.models.milvus_versions import ARCHITECTURES
from halab.models.retry_policy import RetryPolicy
from halab.models.samples import Outcome, Sample
from halab.tables import Table
from halab.translation import LazyText, gettext, gettext_lazy, gettext_noop
from halab.widgets.card_view import Finding
from halab.widgets.timeline import FailoverTimeline, lane

__all__ = [
    "MILVUS",
    "TODAY",
    "FailoverTimeline",
    "PredictionForm",
    "Retriever",
    "RetryPolicy",
    "cluster",
    "compare_failovers",
    "cut_off",
    "experiment",
    "keep",
    "lane",
    "mark_title",
    "plot",
    "requests",
    "results",
    "run_remarks",
    "show_card",
    "show_run",
    "table",
    "with_retries",
]

TODAY = ARCHITECTURES["2.6"].failovers["2.6.22, 3.0"]
"""A coordinator's failover today: the TTL from its source, not measured here."""

_WHY = {
    "embedded": gettext_noop(
        "processes that share this machine's loopback have no network of their own to cut"
    ),
    "simulated": gettext_noop("a cut network is not simulated"),
}
_RECORDING = "partition.jsonl"


@dataclass(frozen=True, repr=False)
class RecordedRun:
    """A run that was not measured here, under a line that says where it was; it counts for nothing."""

    said: Sentence
    run: RunView

    def __repr__(self) -> str:
        return f"{self.said}\n\n{self.run!r}"

    def _repr_html_(self) -> str:
        border = "border-left: 4px solid currentColor; padding-left: 10px; margin: 0.4em 0"
        return f'<p style="{border}"><strong>{html.escape(self.said)}</strong></p>{self.run._repr_html_()}'


def compare_failovers(*journals: Journal) -> Table:
    """How long each operation was gone after each loss of the coordinator. Raises JournalError for a journal
    without one of them."""
    operations = ("search", "insert", "metadata call")
    return Table(
        mark_title(gettext_noop("How long was each operation gone?"), *journals),
        (gettext_noop("fault"), *operations),
        tuple(
            (run_in_words(experiment_of(journal)), *(recovery(journal, name) for name in operations))
            for journal in journals
        ),
        (
            *run_remarks(*journals),
            gettext(
                "From the fault to the first lasting answer. A lease is renewed every third of its TTL: it "
                "has two thirds of it left when the fault strikes, or more, so two crashes differ by that "
                "much."
            ),
        ),
    )


def cut_off(
    cluster: Cluster, target: str, *, retriever: Retriever, number: int = 6, seconds: float = 18.0
) -> RunView | RecordedRun:
    """Take a component off its network for `seconds`, keep the journal, and show it beside the card.

    Where no network can be cut nothing is measured: what is shown was recorded in containers, and says so.
    """
    fault = f"partition {target}"
    if cluster.engine in _WHY:
        return _recorded(gettext(_WHY[cluster.engine]), run_name([fault], cluster.ttl), number)
    journal = experiment(cluster, fault, retriever=retriever, seconds=seconds)
    keep(journal, number)
    return show_run(journal, number)


def _recorded(why: str, predicted: str, number: int) -> RecordedRun:
    """The run of docs/partition.jsonl beside what the learner said of `predicted` and the card says."""
    journal = Journal.load(course_root() / "docs" / _RECORDING)
    header = journal.header
    sentence = Sentence(
        gettext(
            "RECORDED, not measured here: {why}. This run is of {day}, in containers on a "
            "machine with {cores} cores, Milvus {milvus}. It counts for nothing. To measure your "
            'own: lesson.cluster(engine="compose").'
        ).format(
            why=why,
            day=header.started[:10],
            cores=header.machine["cores"],
            milvus=header.versions["milvus"],
        )
    )
    return RecordedRun(sentence, replace(show_run(journal, number, predicted=predicted), here=False))


def results(journal: Journal) -> dict[str, Finding]:
    """What the searches of a run say to claims of card 6, by claim id.

    A claim is held if it took no more than the card says.
    """
    if not sound(journal):
        return unproven("failed-requests", "outage-total", "failover-takes", "clients-back")
    row = next(row for row in summary(journal).rows if row.operation == "search")
    failed = gettext_lazy("{bad} of {sent} failed", bad=row.bad, sent=row.sent)
    findings = {"failed-requests": _of(journal, "failed-requests", row.bad, failed, "failed_requests")}
    if row.rto is not None and row.last_bad is not None:
        took = recovered(journal, "search")
        for claim in ("outage-total", "failover-takes"):
            findings[claim] = _of(journal, claim, row.rto, took, "last_failure")
        # Who was never answered again has not come back, whenever the last request failed.
        last = row.last_bad if row.rto < math.inf else math.inf
        back = gettext_lazy("last failure after {seconds:.1f} s", seconds=row.last_bad)
        findings["clients-back"] = _of(journal, "clients-back", last, back, "last_failure")
    return findings


def _of(journal: Journal, claim: str, figure: float, words: LazyText, predicted: str) -> Finding:
    ttl = journal.header.ttl
    return finding(
        [journal],
        "held" if figure <= card(6, "en").claim(claim).high else "broken",
        gettext_lazy("{finding}; search, TTL {ttl:g} s", finding=words, ttl=ttl),
        words,
        measured=[figure],
        predicted=said_before([journal], 6, predicted),
    )


def requests(pattern: str) -> list[Sample]:
    """A request a second from 0 s on, a sign for each: "." is answered at once, "x" failed, "?" unknown."""
    outcomes = {".": Outcome.OK, "x": Outcome.FAIL, "?": Outcome.UNKNOWN}
    return [
        Sample("search", number, number, number, number, outcomes[sign])
        for number, sign in enumerate(pattern)
    ]
