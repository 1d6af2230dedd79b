"""What lesson 3 calls: sessions read off etcd, and its faults beside the prediction and card 3.

The learner's own figures answer QUESTIONS: for how many seconds metadata calls get no answer.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace

from halab.cluster.protocol import COORDINATORS, Cluster
from halab.lessons import common
from halab.lessons.card_findings import finding, listed, recovered, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    Sentence,
    cluster,
    experiment,
    keep,
    outage_seconds,
    prediction_before,
    recovery,
    show_card,
    table,
)
from halab.measure.journal.experiment_name import experiment_of, run_in_words
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.run_view import RunView, Said
from halab.measure.journal.title_marks import mark_title, run_remarks
from halab.models.quorum import leadership
from halab.tables import Table
from halab.translation import (
    LazyText,
    gettext,
    gettext_lazy,
    gettext_noop,
    name_list,
    ngettext,
    pgettext_lazy,
)
from halab.widgets.architecture_map import ArchitectureMap
from halab.widgets.card_view import Finding, RunVerdict

__all__ = [
    "QUESTIONS",
    "ArchitectureMap",
    "PredictionForm",
    "Retriever",
    "cluster",
    "compare_parts",
    "copies",
    "experiment",
    "experiment_of",
    "keep",
    "read_sessions",
    "recovery",
    "results",
    "run_remarks",
    "show_card",
    "show_run",
    "table",
]

_FAULTS = {
    fault.message: fault
    for fault in (
        pgettext_lazy("experiment", "crash standby rootcoord"),
        pgettext_lazy("experiment", "crash active rootcoord"),
        pgettext_lazy("experiment", "crash etcd follower"),
        pgettext_lazy("experiment", "crash etcd leader"),
        pgettext_lazy("experiment", "crash etcd leader, crash etcd follower"),
    )
}
QUESTIONS = tuple(
    Question(
        name,
        "metadata_seconds",
        gettext_lazy("{fault}: no answer to metadata calls", fault=fault),
        gettext_lazy("s"),
        high=600,
    )
    for name, fault in _FAULTS.items()
)
"""What a form asks about the five faults of lesson 3."""

_STEADY, _PATIENCE = 3, 15.0  # equal answers one after the other, and seconds to wait for them

_METADATA = "metadata call"
_OPERATIONS = ("search", "strong search", "insert", "metadata call")


def read_sessions(cluster: Cluster) -> Table:
    """The coordinators' keys in etcd: who holds each, and how much of its lease is left, in seconds."""
    sessions = cluster.sessions()
    names = {each.address: each.name for each in cluster.components()}
    who = leadership({session.key: session.value for session in sessions})
    rows = []
    for session in sessions:
        role = session.key.partition("-")[0]
        if role in COORDINATORS:
            address = json.loads(session.value)["Address"]
            left = gettext("{left:g} of {granted:g} s").format(left=session.left, granted=session.granted)
            rows.append(
                (
                    session.key,
                    gettext("active") if session.key == role else "",
                    names.get(address, address),
                    left,
                )
            )
    waiting = sum(len(who[role].standby) for role in COORDINATORS if role in who)
    remarks = [
        gettext("{waiting} stand by. The lease is renewed as long as its process lives.").format(
            waiting=waiting
        )
    ]
    if cluster.engine == "simulated":
        remarks.insert(0, gettext("SIMULATED: these are the keys that such a cluster would have."))
    headings = (gettext_noop("key in etcd"), "", gettext_noop("held by"), gettext_noop("lease left"))
    return Table(
        gettext("Sessions of cluster {name}").format(name=cluster.name), headings, tuple(rows), tuple(remarks)
    )


def copies(retriever: Retriever) -> Sentence:
    """On which query nodes the passages are, one copy each, as the query coordinator says it.

    Asked until it says the same three times, a second apart, or for 15 s: it changes while a node leaves.
    """
    answers = [retriever.copies_on()]
    end = time.monotonic() + _PATIENCE
    while len(answers) < _STEADY or len(set(map(tuple, answers[-_STEADY:]))) > 1:
        if time.monotonic() > end:
            break
        if not retriever.simulated:
            time.sleep(1.0)
        answers.append(retriever.copies_on())
    nodes, wanted = answers[-1], retriever.replicas
    message = (
        gettext("{count} of {wanted} copies answer: {nodes}.")
        if nodes
        else gettext("{count} of {wanted} copies answer.")
    )
    sentence = message.format(count=len(nodes), wanted=wanted, nodes=name_list(nodes))
    if missing := wanted - len(nodes):
        sentence += ngettext(
            " {missing} has no query node now.", " {missing} have no query node now.", missing
        ).format(missing=missing)
    return Sentence(sentence)


def show_run(journal: Journal, number: int = 3, operation: str = _METADATA) -> RunView:
    """A run of this lesson beside what the learner said of its metadata calls; else as in every lesson."""
    shown = common.show_run(journal, number, operation)
    seconds = prediction_before(journal, number).get("metadata_seconds")
    if seconds is None or operation != _METADATA:
        return shown
    return replace(shown, prediction=Said(0.0, seconds) if seconds else Said(None, None))


def compare_parts(*journals: Journal) -> Table:
    """For each fault: what the learner said, and how long each operation was gone.

    A prediction counts if it was made before the measurement began.
    """
    rows = tuple(
        (
            run_in_words(experiment_of(journal)),
            _predicted(journal),
            *(recovery(journal, name) for name in _OPERATIONS),
        )
        for journal in journals
    )
    remark = gettext("You said: seconds without metadata calls. The others: seconds until lasting service.")
    title = gettext("What was lost, and how long was it gone?")
    headings = (gettext_noop("fault"), gettext_noop("you said"), *_OPERATIONS)
    return Table(mark_title(title, *journals), headings, rows, (*run_remarks(*journals), remark))


def results(*journals: Journal) -> dict[str, Finding]:
    """What the faults say to the card's claim of 3 or 5 coordinators.

    It is broken where the active one of two was lost and metadata calls came back.
    """
    journals = tuple(sound(*journals))
    if not journals:
        return unproven("coordinator-copies")
    times = listed(_metadata(journal) for journal in journals)
    words = gettext_lazy("2 of each here. {times}", times=times)
    survived = any(
        _active_lost(journal) and outage_seconds(journal, _METADATA) != math.inf for journal in journals
    )
    by = gettext_lazy("two, of which one was lost")
    verdict: RunVerdict = "broken" if survived else ""
    return {"coordinator-copies": finding(journals, verdict, words, by, measured=[2] if survived else [])}


def _active_lost(journal: Journal) -> bool:
    return [fault.target for fault in journal.faults] == ["active rootcoord"]


def _metadata(journal: Journal) -> LazyText:
    name = experiment_of(journal)
    return gettext_lazy(
        "{fault}: metadata call {recovered}",
        fault=_FAULTS.get(name, name),
        recovered=recovered(journal, _METADATA),
    )


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 3)
    return (
        gettext("{time} s").format(time=f"{figures['metadata_seconds']:g}")
        if "metadata_seconds" in figures
        else "-"
    )
