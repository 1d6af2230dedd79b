"""What lesson 11 calls to watch a cluster: who is paged of which fault and when, and a rule of one's own."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

import yaml

from halab.cluster.embedded.embedded_cluster import EmbeddedCluster
from halab.cluster.protocol import Cluster
from halab.cluster.running_cluster import RunningCluster
from halab.course.paths import state_dir
from halab.course.predictions import prediction
from halab.course.store import append
from halab.errors import ClusterError, MeasurementError
from halab.lessons.common import PredictionForm, Question, Sentence, ask_for_prediction
from halab.measure.experiments.disk_quota import full_disk
from halab.measure.experiments.fault_experiment import parse_fault
from halab.measure.experiments.shard_leader import shard_leader
from halab.measure.journal.experiment_name import run_in_words
from halab.measure.journal.plots import Picture
from halab.measure.probing.progress_line import ProgressLine
from halab.monitoring.canary import COLLECTION
from halab.monitoring.dashboard import dashboard
from halab.monitoring.monitor import Monitor, monitor
from halab.monitoring.own_rule import OwnRule, read_rule, spans, unknown_metrics
from halab.monitoring.servers import find_programs, rule_files
from halab.tables import Tabular
from halab.translation import gettext, gettext_lazy, gettext_noop, name_list

__all__ = ["PAGES", "ask_watch", "pages", "try_rule", "watch"]

PAGES = "pages.jsonl"
_NO_PAGE = 20.0  # seconds that a fault stays of which nobody is to hear
_PATIENCE = 150.0  # seconds that another fault stays for a page, and that a page has to be resolved
_ENDS_WITHIN = 60.0  # seconds after a fault in which a rule that was tried should be silent again
_CANARYS_NODE = "crash the canary's query node"
_FULL_DISK = "fill the disk quota"
_WORDS = {
    "crash active rootcoord": gettext_lazy("The active root coordinator is killed"),
    "hang log": gettext_lazy("The log hangs"),
    _CANARYS_NODE: gettext_lazy("The query node of a collection with one copy is killed"),
    _FULL_DISK: gettext_lazy("The disk quota is full"),
}


class Watched:
    """A cluster with Prometheus, Alertmanager and a canary beside it: until `stop`, or this kernel ends.

    `faults` are those that it has seen, in their order.
    """

    def __init__(self, cluster: RunningCluster, monitor: Monitor, stop: Callable[[], None]) -> None:
        self.cluster, self.monitor, self.began = cluster, monitor, time.time()
        self.faults: list[Page] = []
        self._stop = stop

    def stop(self) -> None:
        """End them. What they saw is gone with them."""
        self._stop()
        atexit.unregister(self._stop)

    def __repr__(self) -> str:
        return gettext("Watched. Prometheus is on {prometheus}, the inbox on {inbox}").format(
            prometheus=self.monitor.prometheus, inbox=self.monitor.inbox_page
        )


@dataclass(frozen=True)
class Page:
    """What became of one fault. `paged` is seconds from the fault to the page, `resolved` from the end of the
    fault to the message that it is over; None where there was none. `began` is seconds since 1970, `lasted`
    how many seconds the fault stayed. `said` is what the learner predicted. `told` is what a client was told.
    """

    fault: str
    began: float
    alert: str
    paged: float | None
    resolved: float | None
    lasted: float
    told: str = ""
    said: str = "-"

    @property
    def ended(self) -> float:
        return self.began + self.lasted


@dataclass(frozen=True, repr=False)
class Pages(Tabular):
    """Which faults paged somebody, and how long after; `dashboard` is what Prometheus saw meanwhile."""

    rows: tuple[Page, ...]
    dashboard: Picture
    remarks: tuple[str, ...] = ()
    title: str = field(default_factory=lambda: gettext("Who was paged"))

    def headings_and_rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        headings = (
            gettext_noop("fault"),
            gettext_noop("you said"),
            gettext_noop("alert"),
            gettext_noop("fault to page (s)"),
            gettext_noop("end to resolved (s)"),
        )
        return headings, [
            (
                run_in_words(page.fault),
                page.said,
                page.alert or gettext("nobody, in {lasted:.0f} s").format(lasted=page.lasted),
                _s(page.paged),
                _s(page.resolved),
            )
            for page in self.rows
        ]


def _s(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f}"


# -- predict, break, be paged -------------------------------------------------------------------------------


def ask_watch(*faults: str) -> PredictionForm:
    """Ask of each fault which alert somebody is paged with, and how many seconds after."""
    unit = gettext_lazy("s; 0 for nobody")
    questions = []
    for fault in faults:
        words = _WORDS[fault]
        questions += [
            Question(
                f"page for {fault}",
                "alert",
                gettext_lazy("{fault}: which alert", fault=words),
                choices=(gettext("nobody is paged"), *_alerts()),
            ),
            Question(
                f"page for {fault}",
                "paged",
                gettext_lazy("{fault}: how long after", fault=words),
                unit,
            ),
        ]
    return PredictionForm(11, questions)


def _alerts() -> list[str]:
    """Every alert that the Prometheus beside the cluster may send."""
    files = [yaml.safe_load(path.read_text()) for path in rule_files()]
    return [rule["alert"] for file in files for group in file["groups"] for rule in group["rules"]]


def watch(cluster: Cluster) -> Watched | Sentence:
    """Start Prometheus, Alertmanager and a canary beside a cluster; without them, or beside a simulated one,
    a sentence says why not."""
    if cluster.simulation is not None:
        return Sentence(
            gettext(
                "A simulated cluster has no process that Prometheus could ask. Nothing was measured; "
                "go on with the next part."
            )
        )
    try:
        find_programs()
    except ClusterError as error:
        return Sentence(
            gettext("{message} {hint} Nothing was measured; go on with the next part.").format(
                message=error.message, hint=error.hint
            )
        )
    stack = ExitStack()
    running = cast(RunningCluster, cluster)  # what is not simulated runs
    watched = Watched(running, stack.enter_context(monitor(running)), stack.close)
    atexit.register(stack.close)
    return watched


def pages(watched: Watched | Sentence, *faults: str, rule: str | None = None) -> Pages | Sentence:
    """Break a cluster that is watched, one fault after the other, and say who was paged and when.

    A fault stays until somebody was paged, or for 150 seconds; a crash of an active coordinator, from which
    Milvus recovers by itself, for 20. `rule` is an alert rule of one's own, which Prometheus gets before.
    Raises MeasurementError for a rule that is none.
    """
    if isinstance(watched, Sentence):
        return watched
    if _FULL_DISK in faults and not isinstance(watched.cluster, EmbeddedCluster):
        return Sentence(
            gettext(
                "Nothing was measured: only the embedded engine changes Milvus' settings while it "
                "runs. Read on."
            )
        )
    if rule is not None:
        watched.monitor.use_rules(read_rule(rule).file)
    for fault in faults:
        ask_for_prediction(f"page for {fault}")
    began = time.monotonic()
    on_progress = ProgressLine(lambda: time.monotonic() - began)
    rows = tuple(_paged(watched, fault, on_progress) for fault in faults)
    watched.faults += rows
    shaded = [(run_in_words(page.fault), page.began, page.ended) for page in rows]
    told = [page.told for page in rows if page.told]
    remark = gettext("Measured by this cluster's own Prometheus and Alertmanager, with production's rules.")
    return Pages(rows, dashboard(watched.monitor, time.monotonic() - began, shaded), (*told, remark))


def _paged(watched: Watched, words: str, on_progress: ProgressLine) -> Page:
    watch, stays = watched.monitor, _NO_PAGE if words.startswith("crash active") else _PATIENCE
    known = len(watch.inbox.messages)
    with _broken(watched.cluster, words, on_progress) as told:
        on_progress(gettext("{plan}: waiting for a page").format(plan=run_in_words(words)))
        began, wall = time.monotonic(), time.time()
        while time.monotonic() - began < stays and len(watch.inbox.messages) == known:
            time.sleep(0.2)
        lasted = time.monotonic() - began
    watched.cluster.wait_healthy()
    page = Page(words, wall, "", None, None, lasted, told, _said(words, wall))
    if new := watch.inbox.messages[known:]:
        alert = new[0].alert
        on_progress(
            gettext("{plan}: waiting until {alert} is resolved").format(plan=run_in_words(words), alert=alert)
        )
        try:
            resolved = watch.wait_for(alert, _PATIENCE, resolved=True).resolved
        except MeasurementError:
            resolved = None
        page = replace(
            page, alert=alert, paged=new[0].arrived - wall, resolved=resolved and resolved - page.ended
        )
    append(state_dir() / PAGES, {"fault": words, "alert": page.alert, "paged": page.paged, "time": wall})
    return page


@contextmanager
def _broken(cluster: RunningCluster, words: str, on_progress: ProgressLine) -> Iterator[str]:
    """Break a cluster while the block runs; gives what a client was told, where that is worth telling."""
    if words == _FULL_DISK:
        with full_disk(cast(EmbeddedCluster, cluster), on_progress=on_progress) as refusal:
            yield gettext('What an insert was told: "{refusal}"').format(refusal=refusal)
        return
    if words == _CANARYS_NODE:
        kind, target = parse_fault(f"crash {shard_leader(cluster, COLLECTION)}")
    else:
        kind, target = parse_fault(words)
    with cluster.fault(kind, target):
        yield ""


def _said(fault: str, before: float) -> str:
    """What the learner predicted of a fault before it happened, in words."""
    made = prediction(11, f"page for {fault}", before=before)
    if made is None or "alert" not in made.numbers:
        return "-"
    number = int(made.numbers["alert"])
    if number == 0:
        return gettext("nobody is paged")
    return gettext("{alert}, {seconds:g} s").format(
        alert=_alerts()[number - 1], seconds=made.numbers["paged"]
    )


# -- a rule of one's own ------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Trial(Tabular):
    """What a rule would have done in all that was watched so far: of each fault, and of the time between."""

    rows: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...]
    title: str = field(default_factory=lambda: gettext("Your rule, on what this Prometheus has seen"))

    def headings_and_rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        return (gettext_noop("while"), gettext("would page (s)"), gettext("would end (s)")), self.rows


def try_rule(watched: Watched | Sentence, rule: str, fault: str = _FULL_DISK) -> Trial | Sentence:
    """Try an alert rule on everything that Prometheus saw since the watch began; `fault` is what it is for.

    Raises MeasurementError for a rule that is none, or that asks for a metric which nobody has.
    """
    if isinstance(watched, Sentence):
        return watched
    own = read_rule(rule)
    if unknown := unknown_metrics(watched.monitor, own.expr):
        raise MeasurementError(
            gettext("No process here has this metric: {unknown}").format(unknown=unknown[0]),
            hint=gettext("on the page of Prometheus, {prometheus}, the field completes names").format(
                prometheus=watched.monitor.prometheus
            ),
        )
    if all(page.fault != fault for page in watched.faults):
        raise MeasurementError(
            gettext("There was no such fault yet: {fault}.").format(fault=fault),
            hint=gettext('run lesson.pages(watched, "{fault}") first').format(fault=fault),
        )
    held = spans(watched.monitor.history(own.expr, watched.began, time.time()))
    fired = [(begin + own.wait, end) for begin, end in held if end - begin >= own.wait]
    rows = [(run_in_words(page.fault), *_would(page, fired)) for page in watched.faults]
    alarms = sum(all(not _belongs(begin, page) for page in watched.faults) for begin, _ in fired)
    rows.append((gettext("nothing is broken"), gettext("{n} times").format(n=alarms) if alarms else "-", "-"))
    meant = [page for page in watched.faults if page.fault == fault]
    others = [page.fault for page in watched.faults if page.fault != fault and _would(page, fired)[0] != "-"]
    sentences = [_verdict(own, meant, held, fired, alarms)]
    if others:
        sentences.append(
            gettext("It pages of this as well: {others}. Is that the same to whoever is woken?").format(
                others=name_list(dict.fromkeys(map(run_in_words, others)))
            )
        )
    return Trial(tuple(rows), tuple(sentences))


def _belongs(at: float, page: Page) -> bool:
    return page.began <= at <= page.ended + _ENDS_WITHIN


def _would(page: Page, fired: Sequence[tuple[float, float]]) -> tuple[str, str]:
    """How long after a fault a rule would page, and how long after its end it would be silent again."""
    during = [span for span in fired if page.began <= span[0] <= page.ended]
    if not during:
        return "-", "-"
    last = max(end for _, end in during) - page.ended
    return f"{during[0][0] - page.began:.0f}", f"{max(0.0, last):.0f}"


def _verdict(
    own: OwnRule,
    meant: Sequence[Page],
    held: Sequence[tuple[float, float]],
    fired: Sequence[tuple[float, float]],
    alarms: int,
) -> str:
    """What to mend first in a rule that is for these faults."""
    page = meant[-1]
    if not any(begin <= page.ended and end >= page.began for begin, end in held):
        return gettext(
            "Its expression gives nothing while the fault lasts: another metric, or another bound."
        )
    during = [span for span in fired if page.began <= span[0] <= page.ended]
    if alarms or any(begin <= page.began <= end for begin, end in fired):
        return gettext("It fires while nothing is broken: who is woken by it will not believe it.")
    if not during:
        return gettext(
            "Its expression holds while the fault lasts, but not for {wait:g} s at a stretch: shorten `for`."
        ).format(wait=own.wait)
    if max(end for _, end in during) > page.ended + _ENDS_WITHIN:
        return gettext(
            "It pages in time, and goes on for more than {most:g} s after the fault is over: nobody would "
            "know when it ends."
        ).format(most=_ENDS_WITHIN)
    return gettext("It pages while the fault lasts, ends after it, and is silent when nothing is broken.")
