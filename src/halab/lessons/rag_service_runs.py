"""Users of seven services at once under one fault: each service has one protection more than the one before.

All ask the same questions of the same clusters in the same seconds, so that what differs is the protection.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes

from halab.cluster.protocol import Cluster
from halab.errors import MeasurementError, RagError
from halab.folders import course_root
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.experiments.fault_experiment import parse_fault
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.plots import Picture, ink
from halab.measure.probing.addresses import AddressBook, Application
from halab.measure.probing.operations import Done, Operation
from halab.measure.probing.prober import probe
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome, Sample
from halab.rag.ingest import ingest
from halab.rag.local_passages import LocalPassages
from halab.rag.passage_collection import Address, PassageCollection
from halab.rag.protections import NAIVE, Protections
from halab.rag.question_service import QuestionService
from halab.rag.vectors import LexicalVectors
from halab.translation import gettext, gettext_noop

__all__ = ["CLIENTS", "Fates", "Trial", "Users", "UsersInDrill", "fates", "worth"]

RATE, PATIENCE = 20.0, 2.0  # questions a second of each client, and seconds until a user gives up
NAME, COPIES = "halab_lesson12", 3
DEGRADED, WRONG = "degraded: ", "wrong: "
SERVICE = gettext_noop("the service of this lesson")

_CHECKED = replace(NAIVE, deadline=1.0, check_empty=True)
_RETRIED = replace(_CHECKED, attempts=4)
_RESTED = replace(_RETRIED, breaker=True)
_HEDGED = replace(_RESTED, hedge_after=0.25)
CLIENTS: dict[str, tuple[Protections, int]] = {
    gettext_noop("naive"): (NAIVE, 1),
    gettext_noop("+ deadline, empty is no answer"): (_CHECKED, 1),
    gettext_noop("+ retries within a budget"): (_RETRIED, 1),
    gettext_noop("+ second proxy, breaker"): (_RESTED, 2),
    gettext_noop("+ second request when slow"): (_HEDGED, 2),
    gettext_noop("+ standby cluster"): (_HEDGED, 3),
    gettext_noop("+ degraded answers"): (Protections(), 3),
}
"""Each client has the protections of those before it and one more; the number is of the addresses it knows:
a proxy, the other proxy, the standby's."""

KNOWN = (
    "How long does a failover take?",
    "What is the difference between RTO and RPO?",
    "Does a replica protect me from a wrong delete?",
    "What is round robin?",
    "How often should a critical system be rehearsed?",
    "误删了数据，副本能救回来吗？",
    "就绪探针失败会发生什么？",
    "协调器为什么要奇数个？",
    "双 11 的流量高峰是怎么扛住的？",
    "关键业务多久演练一次？",
)


class Users:
    """Two clusters with the cards in both, and users of every client in `CLIENTS`.

    `right` holds, by question, the key of the passage that a whole index finds first: who answers without it,
    and does not say that the answer is degraded, answers wrongly.
    """

    def __init__(self, primary: Cluster, standby: Cluster, local: Path) -> None:
        if primary.simulation is not None:
            raise MeasurementError(
                gettext("this lesson needs a real cluster: a simulated one holds no passages"),
                hint=gettext("run it where `halab doctor` finds the embedded engine or Docker"),
            )
        self.primary, self.standby = primary, standby
        for cluster, replicas in ((primary, COPIES), (standby, 1)):
            collection = PassageCollection(cluster.uri, NAME, replicas=replicas)
            ingest(course_root() / "cards", collection, LexicalVectors(LocalPassages().rarity), local)
        self.passages = LocalPassages.load(local)
        self.vectors = LexicalVectors(self.passages.rarity)
        self.right = self._right()

    def _right(self) -> dict[str, str]:
        passages = list(self.passages)
        vectors = self.vectors.of_passages([passage.full for passage in passages])
        nearest = {asked: int(np.argmax(vectors @ self.vectors.of_question(asked))) for asked in KNOWN}
        return {question: passages[index].key for question, index in nearest.items()}

    def service(self, protections: Protections, addresses: int) -> QuestionService:
        """A service that knows so many addresses: the primary's proxies first, then the standby's."""
        proxies = [part.address for part in self.primary.components() if part.role == "proxy"]
        known = [Address(proxy, NAME, name=f"proxy {number}") for number, proxy in enumerate(proxies, 1)]
        known.append(Address(self.standby.uri, NAME, name="standby", standby=True))
        for unknown in known[addresses:]:
            unknown.close()
        return QuestionService(known[:addresses], self.vectors, self.passages, protections)

    def trial(
        self,
        faults: str | Sequence[str],
        *,
        before: float = 3.0,
        seconds: float = 12.0,
        clients: Sequence[str] = tuple(CLIENTS),
    ) -> Trial:
        """Questions of all clients, `RATE` a second for each, while faults strike the primary and are undone.

        `before` and `seconds` are seconds of asking before the fault and with it. Raises what the fault may.
        """
        wanted = [parse_fault(words) for words in ([faults] if isinstance(faults, str) else faults)]
        asking = [Asking(name, self.service(*CLIENTS[name]), self.right) for name in clients]
        run = probe(self.primary, asking, rate=RATE, deadline=PATIENCE)
        steps = ExperimentSteps(run)
        with run:
            steps.wait(before, gettext("before the fault"))
            with steps.faults(wanted, gettext("undoing the fault, waiting for health")):
                steps.wait(seconds, gettext(" and ").join(f"{kind} {target}" for kind, target in wanted))
            steps.wait_until_answered(3.0, gettext("after the fault"))
        requests = {each.name: each.requests for each in asking}
        counts = gettext("; ").join(
            gettext("{name}: {said}").format(name=gettext(name), said=number)
            for name, number in requests.items()
        )
        journal = steps.count_rows(run.journal, None).extended(
            notes=[gettext("Requests sent to Milvus: {said}.").format(said=counts)]
        )
        return Trial(journal, requests)


class Asking:
    """The users of one service, as an operation of the prober: each question in a thread of its own."""

    def __init__(self, name: str, service: QuestionService, right: dict[str, str]) -> None:
        self.name = name
        self.requests = 0
        self._service, self._right = service, right
        self._questions = list(right)
        self._threads: ThreadPoolExecutor | None = None

    def timeout(self, deadline: float) -> float:
        return deadline

    def start(self) -> None:
        self._threads = ThreadPoolExecutor(200, thread_name_prefix=self.name)
        for question in self._questions:  # what was answered before the fault is there when it strikes
            self._service.ask(question)

    def stop(self) -> None:
        if self._threads is not None:
            self.requests = self._service.requests - len(self._questions)
            self._service.close()  # who still waits is told that the answer will not come
            self._threads.shutdown()
            self._threads = None

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        assert self._threads is not None
        self._threads.submit(self._ask, self._questions[number % len(self._questions)], done)
        return None

    def _ask(self, question: str, done: Done) -> None:
        try:
            answer = self._service.ask(question)
        except RagError as error:
            done(Outcome.FAIL, error.message)
            return
        if answer.degraded:
            done(Outcome.OK, DEGRADED + answer.degraded)
        elif self._right[question] in {passage.key for passage in answer.passages}:
            done(Outcome.OK, "")
        else:
            done(
                Outcome.FAIL,
                WRONG + (gettext("another passage") if answer.passages else gettext("nothing found")),
            )


class UsersInDrill(Application):
    """Lesson 10's application on a site and the standby, and on top of both users of the best service.

    Which of its two addresses is in charge, and so is asked first, the drill's address book tells it.
    """

    def __init__(self, asked: Users, site: Cluster) -> None:
        super().__init__(Retriever(site, replicas=1), Retriever(asked.standby, replicas=1))
        self._asked = asked

    def operations(self) -> list[Operation]:
        addresses = [Address(home.cluster.uri, NAME, name=name) for name, home in self.homes.items()]
        service = QuestionService(addresses, self._asked.vectors, self._asked.passages)
        return [*super().operations(), _AskingByBook(self.book, service, self._asked.right)]


class _AskingByBook(Asking):
    def __init__(self, book: AddressBook, service: QuestionService, right: dict[str, str]) -> None:
        super().__init__(SERVICE, service, right)
        self._book = book

    def _ask(self, question: str, done: Done) -> None:
        for address in self._service.addresses:
            address.standby = address.name != self._book.current
        self._service.addresses = tuple(sorted(self._service.addresses, key=lambda each: each.standby))
        super()._ask(question, done)


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured under one fault, and how many requests each client sent for its questions."""

    journal: Journal
    requests: dict[str, int]


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of a client's questions since the fault."""

    client: str
    questions: int
    unanswered: int
    wrong: int
    degraded: int
    load: float
    """Requests a question, over the whole run."""


def fates(trial: Trial) -> list[Fates]:
    """Of each client, in the order of `CLIENTS`: its questions since the fault, by what became of them."""
    began = min((fault.at for fault in trial.journal.faults), default=0.0)
    return [_fates(trial, name, began) for name in trial.requests]


def _fates(trial: Trial, client: str, began: float) -> Fates:
    asked = trial.journal.samples(client)
    since = [sample for sample in asked if sample.intended >= began]
    wrong = [sample for sample in since if sample.error.startswith(WRONG)]
    bad = [sample for sample in since if sample.outcome is not Outcome.OK]
    degraded = [sample for sample in since if _is_degraded(sample)]
    return Fates(
        client, len(since), len(bad) - len(wrong), len(wrong), len(degraded),
        trial.requests[client] / len(asked),
    )  # fmt: skip


def _is_degraded(sample: Sample) -> bool:
    return sample.outcome is Outcome.OK and sample.error.startswith(DEGRADED)


_PARTS = {
    "unanswered": ("#c0392b", "xxx"),
    "wrong": ("#6c3483", "..."),
    "degraded": ("#d4a017", "///"),
}


def worth(trials: dict[str, Trial]) -> Picture:
    """A column for each fault, a bar for each client: its questions that were unanswered, wrong, degraded."""
    figure = Picture(figsize=(1.9 + 1.5 * len(trials), 3.2), layout="constrained")
    with rc_context({**ink(), "hatch.linewidth": 0.6, "font.size": 8}):
        columns = figure.subplots(1, len(trials), sharey=True, squeeze=False)[0]
        for column, (fault, trial) in zip(columns, trials.items(), strict=True):
            column.set_title(gettext(fault).replace(", ", ",\n"), fontsize=8)
            _draw(column, fates(trial))
        columns[0].invert_yaxis()  # shared by all columns
        figure.supxlabel(gettext("questions since the fault: unanswered/wrong/degraded"), fontsize=8)
        parts = columns[0].get_legend_handles_labels()
        figure.legend(*parts, loc="outside upper center", ncols=3, frameon=False)
    figure.alt = " ".join(
        gettext("{name}: {said}.").format(name=gettext(fault), said=_in_words(fates(trial)))
        for fault, trial in trials.items()
    )
    return figure


def _draw(column: Axes, rows: list[Fates]) -> None:
    ends = np.zeros(len(rows))
    for part, (colour, hatch) in _PARTS.items():
        lengths = np.array([getattr(row, part) for row in rows], float)
        names = [gettext(row.client) for row in rows]
        column.barh(
            names, lengths, left=ends, color=colour, hatch=hatch, edgecolor="white", label=gettext(part)
        )
        ends += lengths
    for place, row in enumerate(rows):
        column.text(ends[place], place, f" {row.unanswered}/{row.wrong}/{row.degraded}", va="center")
    column.set_xlim(0, max(ends.max(), 1) * 1.75)


def _in_words(rows: list[Fates]) -> str:
    return gettext("; ").join(
        gettext("{client} {unanswered}, {wrong}, {degraded}").format(
            client=gettext(row.client), unanswered=row.unanswered, wrong=row.wrong, degraded=row.degraded
        )
        for row in rows
    )
