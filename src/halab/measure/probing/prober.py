"""The open-loop prober: probes leave at intended times, whatever became of those before them.

    with probe(cluster, retriever.operations()) as run:
        ...                                             # any code: a fault, a restart, a load
    run.journal

Closed-loop clients wait for an answer before they ask again, and so ask least when the service is worst. Here
a late or missing answer never delays the next probe, and latency counts from the intended send.

Each probe has one of three outcomes: ok, fail, or unknown (its deadline passed; it may have happened). The
prober keeps the deadlines itself, so an operation that never answers is measured too.
"""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from halab.cluster.protocol import Cluster, Component, Event, Fault, FaultKind
from halab.errors import MeasurementError
from halab.measure.journal.journal_file import FaultRecord, Header, Journal, Scheduling, relative
from halab.measure.probing.machine_pressure import PressureLog
from halab.measure.probing.operations import NamedOperation, Operation, Renamed
from halab.measure.probing.quiet_moment import note_spoiled, wait_if_spoiled
from halab.measure.probing.retrying import Retrying
from halab.measure.probing.scheduler import Scheduler
from halab.models.samples import Outcome, Sample
from halab.translation import gettext

__all__ = ["Prober", "Run", "probe"]

_FAULT = "fault:"  # how the kind of an event of a fault begins
_UNDOING = {("user", "started"), ("user", "continued")}
_LEAD = 0.02  # seconds between starting the clockwork and the first intended send


class Prober:
    """Sends probes of several operations, each `rate` times a second, and keeps what became of them.

    The operations are shifted against each other by equal parts of the interval, so that they do not leave
    together. `clock` gives seconds; `deadline` is seconds from the actual send.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        *,
        rate: float,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.samples: list[Sample] = []
        self.started = 0.0
        self._operations = operations
        self._interval = 1.0 / rate
        self._deadline = deadline
        self._clock = clock
        self._changed = threading.Condition()
        self._open = 0
        self._sending = False
        self._clockwork = Scheduler(clock)

    def start(self) -> None:
        """Start sending; `started` is the first intended send."""
        self._clockwork.start()
        self._sending = True
        self.started = self._clock() + _LEAD
        for index, operation in enumerate(self._operations):
            shift = self._interval * index / len(self._operations)
            self._plan(operation, self.started + shift, 0)

    def stop(self) -> None:
        """Send no more, and wait until every probe under way has its outcome."""
        longest = max((operation.timeout(self._deadline) for operation in self._operations), default=0.0)
        with self._changed:
            self._sending = False
            # Deadlines end every probe; the second is for a machine too busy to notice them in time.
            self._changed.wait_for(lambda: self._open == 0 or self._clockwork.error, longest + 1.0)
        self._clockwork.stop()
        if self._clockwork.error is not None:
            raise MeasurementError(
                gettext("a probe could not be sent: {error!r}").format(error=self._clockwork.error),
                hint=gettext("an operation must report failures through `done`, not raise them"),
            ) from self._clockwork.error

    def _plan(self, operation: Operation, first: float, number: int) -> None:
        # From the first send, not from the last: rounding must not let the timetable drift.
        intended = first + number * self._interval
        self._clockwork.at(intended, partial(self._send, operation, first, number, intended))

    def _send(self, operation: Operation, first: float, number: int, intended: float) -> None:
        # Under one lock: `stop` either sees this probe and waits for it, or it is not sent.
        with self._changed:
            if not self._sending:
                return
            self._open += 1
        self._plan(operation, first, number + 1)
        sent = self._clock()
        pending = _Pending(self, operation.name, number, intended, sent, operation.timeout(self._deadline))
        pending.key = operation.send(number, self._deadline, pending.done)
        self._clockwork.at(sent + pending.timeout, pending.expire)
        pending.release()

    def keep(self, sample: Sample) -> None:
        with self._changed:
            self.samples.append(sample)
            self._open -= 1
            self._changed.notify_all()


class _Pending:
    """A probe under way. The first of answer and deadline decides; what comes later is dropped."""

    def __init__(
        self, prober: Prober, operation: str, number: int, intended: float, sent: float, timeout: float
    ) -> None:
        self.timeout = timeout
        self.key: int | None = None
        self._prober = prober
        self._fields = (operation, number, intended, sent)
        self._lock = threading.Lock()
        self._result: tuple[float, Outcome, str] | None = None
        self._released = False

    def done(self, outcome: Outcome, error: str = "") -> None:
        sent = self._fields[3]
        now = self._prober._clock()
        if now - sent > self.timeout:
            self.expire()
        else:
            self._settle(now, outcome, error)

    def expire(self) -> None:
        self._settle(self._fields[3] + self.timeout, Outcome.UNKNOWN, "deadline passed")

    def release(self) -> None:
        """An answer may come before `send` has returned the key; it is kept back until then."""
        with self._lock:
            self._released = True
            ready = self._result is not None
        if ready:
            self._keep()

    def _settle(self, done: float, outcome: Outcome, error: str) -> None:
        with self._lock:
            if self._result is not None:
                return
            self._result = (done, outcome, error)
            ready = self._released
        if ready:
            self._keep()

    def _keep(self) -> None:
        assert self._result is not None
        operation, number, intended, sent = self._fields
        done, outcome, error = self._result
        self._prober.keep(Sample(operation, number, intended, sent, done, outcome, error, self.key))


class Run:
    """A measurement under way; a context manager. Afterwards `journal` holds it.

    `started` is when it began, seconds on the cluster's clock: the zero of the journal's times; `wall` is the
    same moment in ISO 8601 (UTC). `orders` are the faults that were asked for, in words, and when; whether
    and when each struck, `faults` says. `under_way` is True once probes leave, and `ended` is set when the
    last one has its outcome, or the run failed.
    """

    def __init__(
        self,
        cluster: Cluster,
        operations: Sequence[Operation],
        rate: float,
        deadline: float,
        seed: int,
    ) -> None:
        names = [operation.name for operation in operations]
        if not names or len(set(names)) < len(names):
            raise MeasurementError(
                gettext("a measurement needs operations with different names, these are {names}").format(
                    names=names
                ),
                hint=gettext('for example retriever.operations("search", "insert")'),
            )
        if rate <= 0 or deadline <= 0:
            raise MeasurementError(
                gettext(
                    "rate and deadline must be above 0, they are {rate:g} a second and {deadline:g} s"
                ).format(rate=rate, deadline=deadline),
                hint=gettext("20 probes a second with a deadline of 1 s are usual"),
            )
        self.cluster = cluster
        self._operations = list(operations)
        self._rate, self._deadline, self._seed = rate, deadline, seed
        self._prober: Prober | None = None
        self._faults: list[tuple[Fault, float]] = []
        self._pressure = PressureLog(cluster.now)
        self._notes: list[str] = []
        self._journal: Journal | None = None
        self.orders: list[tuple[str, float]] = []
        self.under_way = False
        self.ended = threading.Event()
        self.started = 0.0
        self.wall = ""

    @property
    def journal(self) -> Journal:
        """The finished measurement. Raises MeasurementError while it is still running."""
        if self._journal is None:
            raise MeasurementError(
                gettext("the measurement is not finished"), hint=gettext("leave its `with` block first")
            )
        return self._journal

    @property
    def elapsed(self) -> float:
        """Seconds since the measurement started; 0 before."""
        return max(0.0, self.cluster.now() - self.started) if self.under_way else 0.0

    @property
    def rate(self) -> float:
        """Probes a second of each operation."""
        return self._rate

    @property
    def operations(self) -> tuple[str, ...]:
        """Names of the operations. Number n of the i-th is meant to leave (n + i / how many) / rate seconds
        after the start."""
        return tuple(operation.name for operation in self._operations)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that were injected in this run, so far."""
        return tuple(fault for fault, _ in self._faults)

    def so_far(self, first: int = 0) -> list[Sample]:
        """Samples that have their outcome already, in the order of the outcomes, without the `first` ones.

        Times are on the cluster's clock. None if simulated: there samples come at the end.
        """
        return self._prober.samples[first:] if self._prober else []

    def inject(self, kind: FaultKind, target: str | Component) -> Fault:
        """Inject a fault that stays until it is undone, and put into the journal what was asked for and when.

        The cluster's events may know neither. Raises TargetError and FaultError.
        """
        ordered_at = self.cluster.now()
        self.orders.append((f"{kind} {target if isinstance(target, str) else target.name}", ordered_at))
        fault = self.cluster.inject(kind, target)
        self._faults.append((fault, ordered_at))
        return fault

    def note(self, text: str) -> None:
        """Put a remark into the journal."""
        self._notes.append(text)

    def __enter__(self) -> Run:
        self.wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self.cluster.simulation is not None:
            self.started = self.cluster.now()
            self.under_way = True
            return self
        self._prober = Prober(
            self._operations,
            rate=self._rate,
            deadline=self._deadline,
            clock=self.cluster.now,
        )
        try:
            for operation in self._operations:
                operation.start()
        except BaseException:
            self._stop_operations()
            raise
        self._pressure.start()
        self._prober.start()
        self.started = self._prober.started
        self.under_way = True
        return self

    def __exit__(self, *_: object) -> None:
        try:
            end = self.cluster.now()
            if self._prober is not None:
                self._prober.stop()
                self._pressure.stop()
            samples = self._prober.samples if self._prober else self._simulated(end)
            self._journal = self._written(samples)
            note_spoiled(self._journal)
        finally:
            self.ended.set()
            self._stop_operations()

    def _stop_operations(self) -> None:
        if self._prober is not None:
            self._pressure.stop()
            for operation in self._operations:
                operation.stop()

    def _simulated(self, end: float) -> list[Sample]:
        """Samples of a simulated cluster: it knows what each probe would have met at its virtual time."""
        return [sample for operation in self._operations for sample in self._simulated_one(operation, end)]

    def _simulated_one(self, operation: Operation, end: float) -> list[Sample]:
        once = operation.inner if isinstance(operation, Retrying | Renamed) else operation
        policy = operation.policy if isinstance(operation, Retrying) else None
        assert self.cluster.simulation is not None
        samples = self.cluster.simulation.simulate(
            self.started,
            end,
            [once.name],
            self._rate,
            self._deadline,
            self._seed,
            replicas=once.replicas if isinstance(once, NamedOperation) else 3,
            retry=policy,
        )
        return [replace(sample, operation=operation.name) for sample in samples]

    def _written(self, samples: Sequence[Sample]) -> Journal:
        events = [relative(event, self.started) for event in self.cluster.events(self.started)]
        scheduling = _scheduling(samples) if self._prober else Scheduling()
        if scheduling.p99 > 1.0 / self._rate:
            self.note(
                gettext(
                    "One probe in a hundred left {late:.3f} s late or more (this machine was busy): edges "
                    "of outages are known no better than that."
                ).format(late=scheduling.p99)
            )
        return Journal.write(
            Header.of(
                self.cluster,
                seed=self._seed,
                started=self.wall,
                rate=self._rate,
                deadline=self._deadline,
                timeouts={each.name: each.timeout(self._deadline) for each in self._operations},
            ),
            samples=[_shifted(sample, self.started) for sample in samples],
            faults=_fault_records(self._faults, events, self.started),
            events=events,
            pressure=[replace(p, time=round(p.time - self.started, 6)) for p in self._pressure.records],
            notes=self._notes,
            scheduling=scheduling,
        )


def probe(
    cluster: Cluster,
    operations: Sequence[Operation],
    *,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
) -> Run:
    """Probe a cluster for as long as a `with` block runs.

    `rate` is probes a second for each operation, `deadline` seconds. Faults and restarts that happen
    meanwhile are taken from the cluster's events. On the simulated engine the block's virtual time is filled
    with simulated samples, and the journal says so. In a notebook's cell whose last run was spoiled by a busy
    machine it first waits for a quiet moment. Raises MeasurementError if that is stopped, or if an operation
    cannot connect.
    """
    if cluster.simulation is None:
        wait_if_spoiled()
    return Run(cluster, operations, rate, deadline, seed)


def _shifted(sample: Sample, start: float) -> Sample:
    """The sample on the journal's clock, rounded to the microsecond."""
    return Sample(
        sample.operation,
        sample.number,
        round(sample.intended - start, 6),
        round(sample.sent - start, 6),
        round(sample.done - start, 6),
        sample.outcome,
        sample.error,
        sample.key,
    )


def _scheduling(samples: Sequence[Sample]) -> Scheduling:
    late = sorted(sample.sent - sample.intended for sample in samples)
    if not late:
        return Scheduling()
    return Scheduling(
        median=round(statistics.median(late), 6),
        p99=round(late[math.ceil(0.99 * len(late)) - 1], 6),
        max=round(late[-1], 6),
        clock_resolution=time.get_clock_info("monotonic").resolution,
    )


def _fault_records(
    faults: Sequence[tuple[Fault, float]], events: Sequence[Event], start: float
) -> list[FaultRecord]:
    """The marked faults, and those that only the cluster's events tell of.

    A marked fault has an event too, which knows less: its event of a restart is written when the process is
    back. So each takes the event of its kind, target and component that is nearest in time.
    """
    told = [
        FaultRecord(
            event.kind.removeprefix(_FAULT),
            event.detail or event.component,
            event.component,
            event.time,
            _undone(event, events),
        )
        for event in events
        if event.by == "user" and event.kind.startswith(_FAULT)
    ]
    marked = [
        FaultRecord(
            fault.kind,
            fault.target,
            fault.component,
            round(fault.at - start, 6),
            None if fault.undone_at is None else round(fault.undone_at - start, 6),
            round(ordered_at - start, 6),
        )
        for fault, ordered_at in faults
    ]
    for fault in marked:
        same = [
            record
            for record in told
            if (record.kind, record.target, record.component) == (fault.kind, fault.target, fault.component)
        ]
        if same:
            told.remove(min(same, key=lambda record: abs(record.at - fault.at)))
    return marked + told


def _undone(fault: Event, events: Sequence[Event]) -> float | None:
    """When the user undid a fault: when they next started or continued the same component."""
    own = [e for e in events if e.component == fault.component and (e.by, e.kind) in _UNDOING]
    return min((event.time for event in own if event.time > fault.time), default=None)
