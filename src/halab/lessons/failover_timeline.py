"""What lesson 6 calls: the failover timeline, one fault after another, and what they say to card 6."""

from __future__ import annotations

import math

from halab.cluster.protocol import Cluster
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    Sentence,
    cluster,
    experiment,
    keep,
    plot,
    show_card,
    show_run,
    summary,
    table,
)
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.run_view import RunView
from halab.measure.journal.title_marks import provenance
from halab.measure.probing.retrying import with_retries
from halab.models.failover import MILVUS
from halab.models.retry_policy import RetryPolicy
from halab.models.samples import Outcome, Sample
from halab.widgets.timeline import FailoverTimeline, lane

__all__ = [
    "MILVUS",
    "FailoverTimeline",
    "PredictionForm",
    "Retriever",
    "RetryPolicy",
    "cluster",
    "cut_off",
    "experiment",
    "keep",
    "lane",
    "plot",
    "requests",
    "results",
    "show_card",
    "show_run",
    "table",
    "with_retries",
]

_WHY = {
    "embedded": "processes that share this machine's loopback have no network of their own to cut",
    "simulated": "a cut network is not simulated, because no measurement of one stands behind the model",
}


def cut_off(
    cluster: Cluster, target: str, *, retriever: Retriever, number: int = 6, seconds: float = 18.0
) -> RunView | Sentence:
    """Take a component off its network for `seconds`, keep the journal, and show it beside the card.

    Where no network can be cut nothing is measured, and what is shown says so.
    """
    if cluster.engine in _WHY:
        containers = 'In containers it runs: lesson.cluster(engine="compose").'
        return Sentence(f"Skipped: {_WHY[cluster.engine]}. {containers}")
    journal = experiment(cluster, f"partition {target}", retriever=retriever, seconds=seconds)
    keep(journal, number)
    return show_run(journal, number)


def results(journal: Journal, operation: str = "search") -> dict[str, str]:
    """What a run says to claims of card 6, in words by claim id; each says whether it was simulated."""
    row = next(row for row in summary(journal).rows if row.operation == operation)
    how = f"{operation}, {provenance(journal)}, TTL {journal.header.ttl:g} s"
    words = {"failed-requests": f"{row.bad} of {row.sent} ({how})"}
    if row.rto is not None and row.last_bad is not None:
        length = "not recovered" if math.isinf(row.rto) else f"{row.rto:.1f} s"
        words["outage-total"] = words["failover-takes"] = f"{length} ({how})"
        words["clients-back"] = f"last failure after {row.last_bad:.1f} s ({how})"
    return words


def requests(pattern: str) -> list[Sample]:
    """A request a second from 0 s on, a sign for each: "." is answered at once, "x" failed, "?" unknown."""
    outcomes = {".": Outcome.OK, "x": Outcome.FAIL, "?": Outcome.UNKNOWN}
    return [
        Sample("search", number, number, number, number, outcomes[sign])
        for number, sign in enumerate(pattern)
    ]
