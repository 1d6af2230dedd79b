"""What lesson 6 calls: the failover timeline, one fault after another, and what they say to card 6."""

from __future__ import annotations

import math
from dataclasses import dataclass

from halab.cluster.protocol import Cluster
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    cluster,
    experiment,
    in_one_picture,
    keep,
    plot,
    show_card,
    summary,
)
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.plots import Picture
from halab.measure.journal.simulation_mark import provenance
from halab.measure.probing.retrying import with_retries
from halab.models.failover import MILVUS
from halab.models.retry_policy import RetryPolicy
from halab.widgets.timeline import FailoverTimeline, lane

__all__ = [
    "MILVUS",
    "FailoverTimeline",
    "PredictionForm",
    "Retriever",
    "RetryPolicy",
    "Skipped",
    "cluster",
    "cut_off",
    "experiment",
    "in_one_picture",
    "keep",
    "lane",
    "plot",
    "results",
    "show_card",
    "summary",
    "with_retries",
]

_WHY = {
    "embedded": "processes that share this machine's loopback have no network of their own to cut",
    "simulated": "a cut network is not simulated, because no measurement of one stands behind the model",
}


@dataclass(frozen=True)
class Skipped:
    """A measurement that was not made, and why: shown as that sentence."""

    why: str

    def __repr__(self) -> str:
        return f'Skipped: {self.why}. In containers it runs: halab.cluster(engine="compose").'


def cut_off(
    cluster: Cluster, target: str, *, retriever: Retriever, number: int = 6, seconds: float = 18.0
) -> Picture | Skipped:
    """Take a component off its network for `seconds`, keep the journal, and show it beside the card.

    Where no network can be cut nothing is measured, and what is shown says so.
    """
    if cluster.engine in _WHY:
        return Skipped(_WHY[cluster.engine])
    journal = experiment(cluster, f"partition {target}", retriever=retriever, seconds=seconds)
    keep(journal, number)
    return in_one_picture(journal, number)


def results(journal: Journal, operation: str = "search") -> dict[str, str]:
    """What a run says to claims of card 6, in words by claim id; each says whether it was simulated."""
    row = next(row for row in summary(journal).rows if row.operation == operation)
    how = f"{operation}, {provenance(journal)}, TTL {journal.header.ttl:g} s"
    words = {"failed-requests": f"{row.failed + row.unknown} of {row.sent} ({how})"}
    if row.rto is not None and row.last_bad is not None:
        length = "not recovered" if math.isinf(row.rto) else f"{row.rto:.1f} s"
        words["outage-total"] = words["failover-takes"] = f"{length} ({how})"
        words["clients-back"] = f"last failure after {row.last_bad:.1f} s ({how})"
    return words
