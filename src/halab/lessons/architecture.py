"""What lesson 3 calls: sessions read off etcd, and its faults beside the prediction and card 3.

The learner's own figures are kept as predict(3, "metadata calls gone, crash etcd leader", seconds=0).
"""

from __future__ import annotations

import json

from halab.cluster.protocol import COORDINATORS, Cluster
from halab.lessons.common import (
    Retriever,
    Sentence,
    cluster,
    experiment,
    keep,
    predict,
    prediction_before,
    recovery,
    show_card,
    summary,
    table,
)
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance, simulated_remark
from halab.models.quorum import leadership
from halab.tables import Table
from halab.widgets.architecture_map import ArchitectureMap

__all__ = [
    "ArchitectureMap",
    "Retriever",
    "cluster",
    "compare_parts",
    "copies",
    "experiment",
    "experiment_of",
    "keep",
    "predict",
    "read_sessions",
    "recovery",
    "results",
    "show_card",
    "simulated_remark",
    "summary",
    "table",
]

_OPERATIONS = ("search", "strong search", "insert", "metadata call")


def read_sessions(cluster: Cluster) -> Table:
    """The coordinators' keys in etcd: who holds each, and how much of its lease is left, in seconds."""
    found = cluster.sessions()
    names = {each.address: each.name for each in cluster.components()}
    who = leadership({one.key: one.value for one in found})
    rows = []
    for one in found:
        role = one.key.partition("-")[0]
        if role in COORDINATORS:
            address = json.loads(one.value)["Address"]
            left = f"{one.left:g} of {one.granted:g} s"
            rows.append((one.key, "active" if one.key == role else "", names.get(address, address), left))
    waiting = sum(len(who[role].standby) for role in COORDINATORS if role in who)
    remarks = [f"{waiting} stand by. The lease is renewed as long as its process lives."]
    if cluster.engine == "simulated":
        remarks.insert(0, "SIMULATED: these are the keys that such a cluster would have.")
    headings = ("key in etcd", "", "held by", "lease left")
    return Table(f"Sessions of cluster {cluster.name}", headings, tuple(rows), tuple(remarks))


def copies(retriever: Retriever) -> Sentence:
    """On which query nodes the passages are, one copy each."""
    nodes = retriever.copies_on()
    return Sentence(f"{len(nodes)} copies{' on ' if nodes else ''}{', '.join(nodes)}.")


def compare_parts(*journals: Journal) -> Table:
    """For each fault: what the learner said, and how long each operation was gone.

    A prediction counts if it was made before the measurement began.
    """
    rows = tuple(
        (experiment_of(journal), _predicted(journal), *(recovery(journal, name) for name in _OPERATIONS))
        for journal in journals
    )
    remark = "You said: seconds without metadata calls. The others: seconds until lasting service."
    title = "What was lost, and how long was it gone?"
    headings = ("fault", "you said", *_OPERATIONS)
    return Table(title, headings, rows, (*simulated_remark(*journals), remark))


def results(*journals: Journal) -> dict[str, str]:
    """What the faults say to the card's claim of 3 or 5 coordinators; it says whether it was simulated."""
    said = "; ".join(
        f"{experiment_of(journal)}: metadata call {recovery(journal, 'metadata call')}"
        for journal in journals
    )
    how = provenance(*journals)
    return {"coordinator-copies": f"2 of each here. {said} ({how})"}


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 3, f"metadata calls gone, {experiment_of(journal)}")
    return f"{figures['seconds']:g} s" if "seconds" in figures else "-"
