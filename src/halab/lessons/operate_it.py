"""What lesson 11 calls: a rolling restart, who is paged and when, room for a loss, the five advices."""

from __future__ import annotations

import math
import time

from halab.cluster.embedded.embedded_cluster import EmbeddedCluster
from halab.cluster.protocol import Cluster
from halab.course.paths import journals, state_dir
from halab.course.store import read
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    Sentence,
    ask_for_prediction,
    cluster,
    keep,
    plot,
    prediction_before,
    show_run,
    table,
)
from halab.lessons.operate_it_watch import PAGES, ask_watch, pages, try_rule, watch
from halab.measure.experiments.full_nodes import lose_a_node_when_full
from halab.measure.experiments.rolling_restart import Plan, plan_name, rolling_restart
from halab.measure.journal.experiment_name import experiment_of, run_in_words
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.summaries import OperationSummary, summary
from halab.measure.probing.progress_line import ProgressLine
from halab.models.memory_headroom import headroom
from halab.tables import Table
from halab.translation import LazyText, gettext, gettext_lazy, gettext_noop, ngettext

__all__ = [
    "Retriever",
    "advice",
    "ask_restarts",
    "ask_watch",
    "cluster",
    "keep",
    "lose_a_full_node",
    "pages",
    "plot",
    "price",
    "restart_all",
    "room",
    "show_run",
    "try_rule",
    "watch",
]


# -- rolling restart ----------------------------------------------------------------------------------------


def ask_restarts(*plans: Plan) -> PredictionForm:
    """Ask for the searches that go unanswered in each of these plans."""
    words: dict[Plan, LazyText] = {
        "one at a time": gettext_lazy("One at a time: searches without an answer"),
        "all roles at once": gettext_lazy("All roles at once: searches without an answer"),
        "query nodes drained": gettext_lazy("Query nodes drained: searches without an answer"),
        "query nodes killed": gettext_lazy("Query nodes killed: searches without an answer"),
    }
    questions = [
        Question(plan_name(plan), "unanswered_searches", words[plan], whole=True, high=100_000)
        for plan in plans
    ]
    return PredictionForm(11, questions)


def restart_all(cluster: Cluster, plan: Plan, *, retriever: Retriever) -> Journal:
    """Restart processes of Milvus by a plan while users ask, and keep the journal; see `rolling_restart`."""
    ask_for_prediction(plan_name(plan))
    journal = rolling_restart(cluster, plan, retriever=retriever)
    keep(journal, 11)
    return journal


def price(*runs: Journal) -> Table:
    """What each run cost: how long the restarts took, and of each operation what went unanswered."""
    operations = list(dict.fromkeys(name for run in runs for name in run.header.operations))
    rows = []
    for run in runs:
        lasted = max((fault.undone_at or fault.at for fault in run.faults), default=0.0) - min(
            (fault.at for fault in run.faults), default=0.0
        )
        by_name = {row.operation: row for row in summary(run).rows}
        rows.append(
            (
                run_in_words(experiment_of(run)),
                f"{lasted:.0f}",
                _said(prediction_before(run, 11).get("unanswered_searches")),
                *(_unanswered(by_name.get(name)) for name in operations),
            )
        )
    return table(
        gettext("What a rolling restart costs"),
        (gettext_noop("plan"), gettext_noop("took (s)"), gettext_noop("you said (searches)"), *operations),
        rows,
        gettext(
            "Of each operation: requests without an answer, of those that were sent; and its longest outage."
        ),
    )


def _said(number: float | None) -> str:
    return "-" if number is None else f"{number:g}"


def _unanswered(row: OperationSummary | None) -> str:
    if row is None:
        return "-"
    longest = max((outage.duration for outage in row.outages), default=0.0)
    words = gettext("not over") if math.isinf(longest) else gettext("{time} s").format(time=f"{longest:.1f}")
    return gettext("{bad} of {sent}; {detail}").format(bad=row.bad, sent=row.sent, detail=words)


# -- room for a loss ----------------------------------------------------------------------------------------


def room(nodes: int, node_gib: float, copy_gib: float, copies: int) -> Table:
    """Whether copies of a collection fit on query nodes, and still do once one is lost: see `headroom`."""
    now, after = headroom(nodes, node_gib, copy_gib, copies)
    rows = [
        (
            when,
            fit.nodes,
            gettext("{held:.1f} of {node_gib:g}").format(held=fit.held, node_gib=node_gib),
            gettext("yes") if fit.fits else gettext("no"),
        )
        for when, fit in ((gettext("all nodes up"), now), (gettext("it has lost one"), after))
    ]
    return table(
        gettext(
            "{copies} copies of {copy_gib:g} GiB on {nodes} query nodes of {node_gib:g} GiB: calculated"
        ).format(copies=copies, copy_gib=copy_gib, nodes=nodes, node_gib=node_gib),
        (
            gettext_noop("the copy with the fewest nodes"),
            gettext_noop("its nodes"),
            gettext_noop("GiB on each"),
            gettext_noop("fits"),
        ),
        rows,
        gettext("A node that is 90 % full loads no more (queryCoord.overloadedMemoryThresholdPercentage)."),
    )


def lose_a_full_node(cluster: Cluster) -> Table | Sentence:
    """Kill a query node while the others are full, then give them room: see `lose_a_node_when_full`."""
    if not isinstance(cluster, EmbeddedCluster):
        return Sentence(
            gettext(
                "Nothing was measured: only the embedded engine changes Milvus' settings while it "
                "runs. Read on."
            )
        )
    began = time.monotonic()
    seen = lose_a_node_when_full(cluster, on_progress=ProgressLine(lambda: time.monotonic() - began))
    full = (
        gettext("no answer")
        if seen.full is None
        else gettext("at best {full} of {asked}").format(full=seen.full, asked=seen.asked)
    )
    rows = [
        (
            gettext("all nodes up"),
            gettext("{before} of {asked}").format(before=seen.before, asked=seen.asked),
        ),
        (
            gettext("{lost} lost, the others full, for {watched:.0f} s").format(
                lost=seen.lost, watched=seen.watched
            ),
            full,
        ),
        (
            gettext("the others have room again"),
            gettext("never")
            if seen.whole is None
            else gettext("all, after {whole:.0f} s").format(whole=seen.whole),
        ),
    ]
    sentences = [
        gettext(
            "Loads that Milvus refused meanwhile (OOM if load), by the nodes' own logs: {refused}."
        ).format(refused=seen.refused)
    ]
    if seen.error:
        sentences.append(gettext("What a search was told: {error}").format(error=seen.error))
    return table(
        gettext("A node lost while the others are full"),
        ("", gettext_noop("rows found")),
        rows,
        " ".join(sentences),
    )


# -- the five pieces of advice ------------------------------------------------------------------------------


def advice() -> Table:
    """The five pieces of advice the course began with, and what you have done of each."""
    runs = sum(len(journals(number)) for number in range(1, 11))
    failovers, drills, probes = (len(journals(card)) for card in (6, 10, 9))
    watched = len(read(state_dir() / PAGES))
    rows = [
        (
            gettext("Deploy a highly available cluster"),
            _done(
                runs,
                ngettext("✓ {n} run on a cluster of yours", "✓ {n} runs on a cluster of yours", runs),
                gettext("any lesson"),
            ),
        ),
        (
            gettext("Test its failover"),
            _done(
                failovers,
                ngettext("✓ {n} failover measured", "✓ {n} failovers measured", failovers),
                gettext("lesson 6"),
            ),
        ),
        (
            gettext("Rehearse every quarter"),
            _done(
                drills,
                ngettext("✓ {n} rehearsal kept", "✓ {n} rehearsals kept", drills),
                gettext("lesson 10"),
            ),
        ),
        (
            gettext("Tune by what you found"),
            _done(probes, ngettext("✓ {n} probe tried", "✓ {n} probes tried", probes), gettext("lesson 9")),
        ),
        (
            gettext("Watch it, and be paged"),
            _done(
                watched,
                ngettext("✓ {n} fault watched", "✓ {n} faults watched", watched),
                gettext("this lesson"),
            ),
        ),
    ]
    return table(
        gettext("Five pieces of advice"), (gettext_noop("advice"), gettext_noop("what you have done")), rows
    )


def _done(count: int, done: str, where: str) -> str:
    """What was done, or where to do it; `done` has the count as {n}."""
    return done.format(n=count) if count else gettext("not yet: {notebook}").format(notebook=where)
