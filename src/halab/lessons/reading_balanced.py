"""What lesson 5 does with a balancer: whether there is one, and its measurements beside what was said before.

The learner's own figures answer BALANCER_QUESTIONS: by strategy, the clients of the proxy that has more of
them (roundrobin, leastconn, random), and the seconds in which clients get no answer (kept, new).
"""

from __future__ import annotations

import math

from halab.cluster.haproxy import find_haproxy
from halab.cluster.protocol import Cluster
from halab.errors import ClusterError, MeasurementError
from halab.lessons.common import Question, prediction_before
from halab.measure.experiments.behind_balancer import (
    KEPT_CONNECTIONS,
    NEW_CONNECTIONS,
    NO_BALANCER,
    ONE_CONNECTION,
)
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.journal_parts import connections
from halab.measure.journal.summaries import fault_time, summary
from halab.measure.journal.title_marks import mark_title, run_remarks
from halab.tables import Table
from halab.translation import gettext, gettext_lazy, gettext_noop, name_list

__all__ = ["BALANCER_QUESTIONS", "balancer_here", "compare_connection_spread", "compare_crash"]

_SPREAD = f"search with roundrobin, leastconn, random, {ONE_CONNECTION}"
_CRASH = "crash proxy-1"
_CLIENTS, _SECONDS = gettext_lazy("of 8 clients"), gettext_lazy("s")


def _fuller(strategy: str) -> Question:
    words = gettext_lazy("{strategy}: clients of the fuller proxy", strategy=strategy)
    return Question(_SPREAD, strategy, words, _CLIENTS, low=4, high=8, whole=True)


BALANCER_QUESTIONS = (
    *map(_fuller, ("roundrobin", "leastconn", "random")),
    Question(
        _CRASH,
        "kept",
        gettext_lazy("proxy-1 is killed: no answer on connections that are kept"),
        _SECONDS,
        high=600,
    ),
    Question(
        _CRASH,
        "new",
        gettext_lazy("proxy-1 is killed: no answer on new connections"),
        _SECONDS,
        high=600,
    ),
)
"""What a form asks about the two labs with a balancer."""


def balancer_here(cluster: Cluster) -> bool:
    """True if a balancer can be run in front of this cluster's proxies; if not, say why."""
    if cluster.engine == "simulated":
        print(gettext("A balancer is not simulated, so this part has nothing to measure. The rest goes on."))
        return False
    try:
        find_haproxy()
    except ClusterError as error:
        print(
            gettext("{message} This part is left out, and the rest goes on. {hint}").format(
                message=error.message, hint=error.hint
            )
        )
        return False
    return True


def compare_connection_spread(journal: Journal) -> Table:
    """How many of the clients that stay each proxy got, by strategy. Raises MeasurementError."""
    parts = [phase for phase in journal.phases if phase.name != ONE_CONNECTION]
    if not parts or len(parts) == len(journal.phases):
        raise MeasurementError(
            gettext("these are no clients of a balancer"),
            hint=gettext("measure with connection_spread(cluster, ...)"),
        )
    proxies = list(parts[0].figures)
    predicted = _predicted(journal)
    rows = tuple(
        (part.name, predicted.get(part.name, "-"), *(f"{part.figures[proxy]:.0f}" for proxy in proxies))
        for part in parts
    )
    last = journal.phases[-1]
    counts = name_list(f"{proxy} {last.figures[proxy]:.0f}" for proxy in proxies)
    remark = gettext(
        "Then {clients:.0f} users asked over one connection. Connections that the balancer "
        "saw: {counts}. All their searches went one way."
    ).format(clients=last.settings["clients"], counts=counts)
    clients = f"{parts[0].settings['clients']:.0f}"
    title = gettext("{clients} clients that stay, {clients} that leave").format(clients=clients)
    return Table(
        title, ("", gettext_noop("the fuller one,\nyou said"), *proxies), rows, (remark, *journal.notes)
    )


def compare_crash(journal: Journal) -> Table:
    """What each kind of client saw of the proxy's end, and where their connections went.

    Raises MeasurementError for a journal without a balancer's counts.
    """
    counts = connections(journal)
    if not counts or not journal.faults:
        raise MeasurementError(
            gettext("no proxy ended behind a balancer here"), hint=gettext("measure with behind(cluster)")
        )
    predicted = _predicted(journal)
    keys = {KEPT_CONNECTIONS: "kept", NEW_CONNECTIONS: "new", NO_BALANCER: "straight"}
    rows = tuple(
        (
            row.operation.removeprefix("search, "),
            predicted.get(keys[row.operation], "-"),
            name_list(_length(outage.duration) for outage in row.outages) or "0",
            str(row.failed),
            str(row.unknown),
            str(row.sent),
        )
        for row in summary(journal).rows
    )
    headings = (
        gettext_noop("clients with"),
        gettext_noop("without answers (s),\nyou said"),
        gettext_noop("measured"),
        gettext_noop("failed"),
        gettext_noop("unknown"),
        gettext_noop("sent"),
    )
    fault = journal.faults[0]
    title = mark_title(
        gettext("{kind} {component}, and who noticed").format(kind=fault.kind, component=fault.component),
        journal,
    )
    return Table(title, headings, rows, (*run_remarks(journal), *_where(journal), *journal.notes))


def _length(seconds: float) -> str:
    return gettext("not over") if math.isinf(seconds) else f"{seconds:.{2 if seconds < 1 else 1}f}"


def _where(journal: Journal) -> list[str]:
    """Where the kept connections were, and when the balancer saw what had happened, in sentences."""
    at, undone = fault_time(journal), journal.faults[0].undone_at
    moments = [
        (gettext("before the fault"), at),
        (gettext("before it was undone"), undone),
        (gettext("in the end"), math.inf),
    ]
    places = [
        f"{when} {' and '.join(str(_at(steps, until)) for steps in connections(journal).values())}"
        for when, until in moments
        if until is not None
    ]
    names = gettext(" and ").join(connections(journal))
    sentences = [
        gettext("Kept connections of {names}: {places}.").format(names=names, places=name_list(places))
    ]
    for kind, words in (("down", "out"), ("up", gettext("in again"))):
        sentences += [
            gettext("The balancer took {component} {away} {time:.1f} s after the fault.").format(
                component=event.component, away=words, time=event.time - at
            )
            for event in journal.events
            if (event.by, event.kind) == ("balancer", kind)
        ]
    if len(sentences) == 1:
        sentences.append(gettext("The balancer took nobody out: its checks went on passing."))
    return sentences


def _at(steps: list[tuple[float, int]], until: float) -> int:
    """How many connections there were just before `until`."""
    return [number for time, number in steps if time < until][-1]


def _predicted(journal: Journal) -> dict[str, str]:
    """The numbers of the last prediction made before the measurement began."""
    return {name: f"{value:g}" for name, value in prediction_before(journal, 5).items()}
