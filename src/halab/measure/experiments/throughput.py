"""Throughput by the number of query replicas: repeats in random order, each with a warm-up of its own.

    journal = throughput(cluster, "write", replicas=(1, 2, 3))
    speeds(journal)                  # median with interval, percentiles, cores, and who set the pace

Every repeat is a phase of the journal. The order is random so that what changes with time, such as a machine
that grows busier, does not pass for an effect of replicas.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, cast

from halab.cluster.protocol import Cluster
from halab.cluster.running_cluster import RunningCluster
from halab.errors import MeasurementError
from halab.measure.experiments.load import (
    CLIENT,
    Meter,
    bottlenecks,
    closed_loop,
    latencies,
    open_loop,
    percentile,
    rate,
)
from halab.measure.experiments.replica_collections import ReplicaCollections
from halab.measure.journal.experiment_name import load_of, run_in_words
from halab.measure.journal.journal_file import Header, Journal, Phase
from halab.measure.journal.journal_parts import in_phase
from halab.measure.journal.title_marks import mark_title
from halab.measure.probing.operations import Operation
from halab.measure.probing.progress_line import DONE, ProgressLine
from halab.measure.probing.quiet_moment import note_spoiled, wait_if_spoiled
from halab.models.bootstrap import Interval, median_interval
from halab.models.samples import Sample
from halab.tables import Row, Tabular
from halab.translation import gettext, gettext_noop, ngettext

__all__ = [
    "Kind",
    "Limit",
    "Measured",
    "Speed",
    "Speeds",
    "TimeLeft",
    "cores_of",
    "loaded",
    "pace",
    "shuffled",
    "speeds",
    "take_turns",
    "throughput",
    "turns_of",
]

Kind = Literal["write", "read"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Every query node may run for `share` of each `period` (seconds) only: slow machines, made of one."""

    share: float = 0.2
    period: float = 0.1

    def label(self, engine: str) -> str:
        """What stands below every result that was measured so, by the engine that kept the limit."""
        how = (
            gettext("Docker let every query node have {share:.0%} of a core (docker update --cpus).").format(
                share=self.share
            )
            if engine == "compose"
            else gettext(
                "every query node was stopped and continued {times:.0f} times a second, and ran for "
                "{share:.0%} of the time."
            ).format(times=1 / self.period, share=self.share)
        )
        return gettext("SPEED LIMIT: {how} These are figures of nodes made slow on one machine.").format(
            how=how
        )


def throughput(
    cluster: Cluster,
    kind: Kind,
    *,
    replicas: Sequence[int] = (1, 2, 3),
    repeats: int = 5,
    seconds: float = 3.0,
    warm_up: float = 1.0,
    clients: int = 4,
    arrivals: float | None = None,
    rows: int = 20_000,
    batch: int = 100,
    deadline: float = 10.0,
    limit: Limit | None = None,
    seed: int = 0,
) -> Journal:
    """Measure how many inserts (of `batch` rows) or searches a second a cluster answers, by replicas.

    A closed loop of `clients`, or with `arrivals` an open loop of so many requests a second. Each repeat runs
    `warm_up` seconds that do not count and `seconds` that do. `rows` rows are loaded beforehand. With a
    `limit` every query node may run for a share of the time only, and the journal says so. Raises
    MeasurementError.
    """
    if not replicas or min(replicas) < 1 or repeats < 1 or seconds <= 0 or warm_up < 0:
        raise MeasurementError(
            gettext(
                "replicas and repeats must be 1 or more and seconds above 0, found {tuple}, "
                "{repeats}, {seconds:g} s"
            ).format(tuple=tuple(replicas), repeats=repeats, seconds=seconds),
            hint=gettext("for example replicas=(1, 2, 3), repeats=5, seconds=3"),
        )
    if kind == "read" and rows < 1:
        raise MeasurementError(
            gettext("searches need rows to find, found rows={rows}").format(rows=rows),
            hint=gettext("for example rows=20000, or 100 to try it"),
        )
    order = shuffled(replicas, repeats, seed)
    wait_if_spoiled()
    on_progress = TimeLeft(len(order))
    began, wall = cluster.now(), datetime.now(UTC).isoformat(timespec="milliseconds")
    common: dict[str, float] = {"clients": clients} if arrivals is None else {"arrivals": arrivals}
    common |= {"share": limit.share, "period": limit.period} if limit else {}
    run = _closed(clients) if arrivals is None else _open(arrivals)
    collections = ReplicaCollections(cluster, replicas, rows, on_progress.preparing)
    with collections as copies, _limited(cluster, limit):

        def turn(number: int, repeat: int, _: int) -> tuple[Phase, list[Sample]]:
            on_progress(
                ngettext("{kind}, {number} replica", "{kind}, {number} replicas", number).format(
                    kind=gettext(kind), number=number
                )
            )
            writes = kind == "write"
            operation = copies.insert(number, batch) if writes else copies.search(number)
            settings = {"replicas": number, "repeat": repeat, "batch": batch if writes else 1, **common}
            return _repeat(operation, run, copies, settings, warm_up, seconds, deadline)

        phases, samples = take_turns(order, turn)
    on_progress.done()
    notes = [limit.label(cluster.engine)] if limit else []
    phases = [*copies.phases, *phases]
    return loaded(cluster, samples, phases, began, wall, deadline=deadline, seed=seed, notes=notes)


def _limited(cluster: Cluster, limit: Limit | None) -> AbstractContextManager[None]:
    if limit is None:
        return nullcontext()
    return cast(RunningCluster, cluster).slow("querynode", limit.share, limit.period)


Loop = Callable[..., list[Sample]]


def _closed(clients: int) -> Loop:
    def run(operation: Operation, seconds: float, first: int, deadline: float) -> list[Sample]:
        return closed_loop(operation, clients=clients, seconds=seconds, first=first, deadline=deadline)

    return run


def _open(arrivals: float) -> Loop:
    def run(operation: Operation, seconds: float, first: int, deadline: float) -> list[Sample]:
        samples = open_loop(operation, rate=arrivals, seconds=seconds, deadline=deadline)
        return [replace(sample, number=first + sample.number) for sample in samples]

    return run


def _repeat(
    operation: Operation,
    run: Loop,
    copies: ReplicaCollections,
    settings: dict[str, float],
    warm_up: float,
    seconds: float,
    deadline: float,
) -> tuple[Phase, list[Sample]]:
    operation.start()
    try:
        if warm_up:
            run(operation, warm_up, 0, deadline)
            operation.start()  # new keys: those of the warm-up are written already
        with Meter(copies.processes(), copies.cluster.now) as meter:
            start = copies.cluster.now()
            samples = run(operation, seconds, 0, deadline)
    finally:
        operation.stop()
    return Phase(operation.name, start, start + seconds, settings, {}, meter.usage()), samples


def shuffled(replicas: Sequence[int], repeats: int, seed: int) -> list[tuple[int, int]]:
    """Every number of replicas once a repeat, in an order of its own: pairs (replicas, repeat)."""
    rng = random.Random(seed)
    return [(number, each) for each in range(repeats) for number in rng.sample(replicas, len(replicas))]


Measured = tuple[list[Phase], list[Sample]]
Turn = Callable[[int, int, int], tuple[Phase, list[Sample]]]
"""Measures one turn, given its replicas, its repeat and how many samples there are from those before."""


def take_turns(order: Iterable[tuple[int, int]], turn: Turn) -> Measured:
    """The phases and samples of all turns, taken one after the other in this order."""
    phases: list[Phase] = []
    samples: list[Sample] = []
    for replicas, repeat in order:
        phase, taken = turn(replicas, repeat, len(samples))
        phases.append(phase)
        samples += taken
    return phases, samples


class TimeLeft:
    """A line of progress that says how long the rest will take, from what the steps so far took."""

    def __init__(self, steps: int) -> None:
        self._began = self._first = time.monotonic()
        self._line = ProgressLine(lambda: time.monotonic() - self._began)
        self._steps, self._taken = steps, 0

    def preparing(self, what: str) -> None:
        """Say what is prepared; it is no step of the measurement, and nothing is known of the rest yet."""
        self._line(what)

    def __call__(self, what: str) -> None:
        """Begin the next step."""
        left = ""
        if self._taken:
            each = (time.monotonic() - self._first) / self._taken
            left = gettext(", about {time:.0f} s left").format(time=each * (self._steps - self._taken))
        else:
            self._first = time.monotonic()
        self._line(what, left)
        self._taken += 1

    def done(self) -> None:
        self._line(DONE)


def loaded(
    cluster: Cluster,
    samples: Sequence[Sample],
    phases: Sequence[Phase],
    began: float,
    wall: str,
    *,
    deadline: float,
    seed: int,
    notes: Iterable[str] = (),
) -> Journal:
    """The journal of a load whose times are on the cluster's clock; `began` becomes its zero."""
    names = tuple(dict.fromkeys(sample.operation for sample in samples))
    length = max(phase.end for phase in phases) - began
    header = Header.of(
        cluster,
        seed=seed,
        started=wall,
        rate=round(max(len(samples), 1) / max(len(names), 1) / length, 3),
        deadline=deadline,
        timeouts=dict.fromkeys(names, deadline),
    )
    journal = Journal.write(
        header,
        samples=[
            replace(
                sample,
                intended=round(sample.intended - began, 6),
                sent=round(sample.sent - began, 6),
                done=round(sample.done - began, 6),
            )
            for sample in samples
        ],
        phases=[
            replace(phase, start=round(phase.start - began, 6), end=round(phase.end - began, 6))
            for phase in phases
        ],
        notes=notes,
    )
    note_spoiled(journal)
    return journal


@dataclass(frozen=True, slots=True)
class Speed:
    """What so many replicas gave: good answers a second with its interval, latencies in seconds, cores."""

    replicas: int
    rate: Interval
    repeats: int
    p50: float
    p99: float
    bad: int
    query_nodes: float
    client: float


@dataclass(frozen=True, repr=False)
class Speeds(Tabular):
    """A load in one table."""

    title: str
    rows: tuple[Speed, ...]
    remarks: tuple[str, ...]

    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        return _HEADINGS, [
            (
                str(row.replicas),
                f"{row.rate.median:.1f}",
                f"{row.rate.low:.1f}–{row.rate.high:.1f}" if row.repeats > 1 else gettext("once, no range"),
                f"{row.p50 * 1000:.1f}",
                f"{row.p99 * 1000:.1f}",
                str(row.bad),
                f"{row.query_nodes:.2f}",
                f"{row.client:.2f}",
            )
            for row in self.rows
        ]


_HEADINGS = (
    gettext_noop("replicas"),
    gettext_noop("requests\na second"),
    gettext_noop("95 %\ninterval"),
    gettext_noop("p50\n(ms)"),
    gettext_noop("p99\n(ms)"),
    gettext_noop("not\nok"),
    gettext_noop("query nodes\n(cores)"),
    gettext_noop("client\n(cores)"),
)


def turns_of(journal: Journal) -> list[Phase]:
    """The phases in which a load ran, without those in which it was prepared."""
    return [phase for phase in journal.phases if phase.name in journal.header.operations]


def speeds(journal: Journal) -> Speeds:
    """Throughput and latency by replicas, a pure function of the journal.

    Raises MeasurementError for a journal without a load.
    """
    ran = turns_of(journal)
    if not ran:
        raise MeasurementError(
            gettext("there is no load in this journal"),
            hint=gettext('make one with throughput(cluster, "write")'),
        )
    counts = sorted({int(phase.settings["replicas"]) for phase in ran})
    groups = [(number, [p for p in ran if p.settings["replicas"] == number]) for number in counts]
    rows = tuple(_speed(journal, number, group) for number, group in groups)
    title = mark_title(
        gettext("{load_of}, {engine} engine").format(
            load_of=run_in_words(load_of(journal)), engine=journal.header.engine
        ),
        journal,
    )
    return Speeds(title, rows, tuple(_remarks(journal, ran)))


def _speed(journal: Journal, replicas: int, phases: Sequence[Phase]) -> Speed:
    by_phase = [(phase, in_phase(journal, phase)) for phase in phases]
    waits = [wait for phase, samples in by_phase for wait in latencies(samples, phase)]
    return Speed(
        replicas,
        median_interval([rate(samples, phase) for phase, samples in by_phase]),
        len(phases),
        percentile(waits, 0.5),
        percentile(waits, 0.99),
        sum(sample.outcome.value != "ok" for _, samples in by_phase for sample in samples),
        statistics.median(sum(cores_of(phase, "querynode")) for phase in phases),
        statistics.median(sum(cores_of(phase, CLIENT)) for phase in phases),
    )


def cores_of(phase: Phase, name: str) -> list[float]:
    """Cores each process whose name begins so kept busy in a phase."""
    return [used["cores"] for process, used in phase.usage.items() if process.startswith(name)]


def _remarks(journal: Journal, ran: Sequence[Phase]) -> list[str]:
    batch = ran[0].settings.get("batch", 1)
    how = (
        gettext("{clients:g} clients, each waiting for its answer (closed loop)").format(
            clients=ran[0].settings["clients"]
        )
        if "clients" in ran[0].settings
        else gettext("{arrivals:g} requests a second, whatever became of them (open loop)").format(
            arrivals=ran[0].settings["arrivals"]
        )
    )
    remarks = (
        [
            gettext("Each request inserts ")
            + (gettext("{batch:g} rows.").format(batch=batch) if batch > 1 else gettext("one row."))
        ]
        if batch > 1
        else []
    )
    remarks.append(gettext("{how}; repeats in random order, each after a warm-up.").format(how=how))
    return remarks + pace(journal, ran) + list(journal.notes)


def pace(journal: Journal, ran: Sequence[Phase]) -> list[str]:
    """What else than the cluster may have set the pace of these phases, in sentences; none if nothing did."""
    cores = int(journal.header.machine.get("cores", 0))
    of_a_kind: dict[str, list[str]] = {}
    for phase in ran:
        for cause, sentence in bottlenecks(in_phase(journal, phase), phase, cores).items():
            of_a_kind.setdefault(cause, []).append(sentence)
    return [
        gettext(
            "The pace may not be the cluster's own: {sentences}. This was so in {count} of {all} repeats."
        ).format(sentences=max(sentences), count=len(sentences), all=len(ran))
        for sentences in of_a_kind.values()
    ]
