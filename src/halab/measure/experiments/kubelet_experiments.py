"""Health probes as an experiment: a fault the kubelet must notice, a stalling process, a lost dependency.

    hung = health_check(cluster, "hang any query node", pod=pod, retriever=retriever)
    detection_times(hung)          # seconds from the fault to the verdict, the restart and being ready again

A journal holds the kubelet's settings and every decision it made beside the searches of that time, so every
result here is a pure function of the journal.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace

from halab.cluster.protocol import Cluster, Event, Fault
from halab.errors import FaultError, MeasurementError
from halab.measure.experiments.fault_experiment import parse_fault
from halab.measure.experiments.kubelet import Check, HttpGet, Kubelet, Pod, TcpSocket, container_of
from halab.measure.journal.journal_file import Journal, relative
from halab.measure.probing.prober import Run, probe
from halab.measure.probing.progress_line import DONE, view_of
from halab.measure.probing.retriever import SETTLE, Retriever
from halab.models.health_probes import HealthProbe
from halab.models.samples import Outcome
from halab.translation import gettext

__all__ = [
    "DetectionTimes",
    "OutageChecks",
    "TcpHttpPasses",
    "dependency_outage",
    "detection_times",
    "health_check",
    "health_probes_of",
    "outage_checks",
    "restarts",
    "stalling_process",
    "tcp_http_passes",
    "tcp_vs_http",
    "usual_pod",
]

_SET = "probes"  # the event that holds a kubelet's settings
_TIMEOUT = 90.0  # seconds until a fault that nobody has mended is given up
_NEVER = 10**6  # failures in a row until a restart, where there is to be none
_LOOK, _STEADY = 0.5, 3  # seconds between two looks at whether all is well, and looks on end that say so
_SEES = HealthProbe(period=1, timeout=3, failures=1)


def usual_pod(liveness: HealthProbe, grace: float = 2.0) -> Pod:
    """Liveness and readiness by /healthz; readiness once a second, so that the end of a restart is seen.

    The delay of `liveness` is left out: the lab's processes run already. `grace` is short for the lab's sake.
    """
    judged = HealthProbe(liveness.period, liveness.timeout, liveness.failures)
    return Pod(Check(HttpGet(), judged), Check(HttpGet(), HealthProbe(1, 1, 2)), grace=grace)


def health_check(
    cluster: Cluster,
    fault: str,
    *,
    pod: Pod,
    retriever: Retriever,
    watch: bool = False,
    after: float = 3.0,
    rate: float = 20.0,
    seed: int | None = None,
) -> Journal:
    """Let a fault strike anywhere between two probes, and the kubelet alone mend it.

    With `watch=False` a process that has ended is noticed by its probes only, which is what the card
    computes; with True the kubelet also looks for it. A fault that is not mended within a minute and a half
    is undone, and a note says so. Raises MeasurementError, TargetError and FaultError.
    """
    kind, target = parse_fault(fault)
    if pod.liveness is None:
        raise MeasurementError(
            gettext("a fault is mended by a liveness probe, and this pod has none"),
            hint=gettext("use usual_pod(TUNED)"),
        )
    _wait_until_well(cluster, retriever)
    part = cluster.resolve(target)
    chance = random.Random(seed)
    with ExitStack() as stack:
        run = stack.enter_context(probe(cluster, retriever.operations("search"), rate=rate))
        kubelet = stack.enter_context(
            Kubelet(container_of(cluster, part.name), pod, watch=watch, seed=chance.randrange(2**32))
        )
        on_progress = view_of(run)
        on_progress(gettext("waiting for the first probes"))
        kubelet.wait(_TIMEOUT, lambda: kubelet.seen("liveness ok") is not None and kubelet.ready)
        kubelet.wait(pod.liveness.probe.period * chance.random())
        broken = run.inject(kind, part.name)
        on_progress(f"{kind} {part.name}")
        if not kubelet.wait(_TIMEOUT, lambda: kubelet.restarts > 0 and kubelet.ready):
            run.note(
                gettext("The kubelet did not mend the fault within {time:g} s; it was undone.").format(
                    time=_TIMEOUT
                )
            )
        broken.undo()
        cluster.wait_healthy()
        kubelet.wait(after)
        on_progress(DONE)
    journal = _with_events(run, [kubelet])
    # As it was asked for: the kubelet had to know which component that is, a prediction does not.
    return journal.extended(faults=[replace(fault, target=target) for fault in journal.faults])


def stalling_process(
    cluster: Cluster,
    target: str,
    *,
    pod: Pod,
    retriever: Retriever,
    pauses: int = 4,
    pause: float = 1.5,
    rest: float = 2.0,
    rate: float = 20.0,
) -> Journal:
    """A process that is well and now and then stands still for `pause` seconds, as in a long garbage
    collection.

    It never needs a restart. Whether it gets one is up to the probes.
    """
    _wait_until_well(cluster, retriever)
    part = cluster.resolve(target)
    with ExitStack() as stack:
        run = stack.enter_context(probe(cluster, retriever.operations("search"), rate=rate))
        kubelet = stack.enter_context(Kubelet(container_of(cluster, part.name), pod, seed=1))
        on_progress = view_of(run)
        on_progress(gettext("waiting for the first probes"))
        kubelet.wait(_TIMEOUT, lambda: kubelet.seen("liveness ok") is not None)
        for number in range(1, pauses + 1):
            pulse = _hang(cluster, kubelet, part.name)
            on_progress(gettext("pause {number} of {count}").format(number=number, count=pauses))
            kubelet.wait(pause)
            pulse.undo()
            kubelet.wait(rest)
        cluster.wait_healthy()
        on_progress(DONE)
    return _with_events(run, [kubelet])


def _hang(cluster: Cluster, kubelet: Kubelet, name: str) -> Fault:
    """Let a process stand still that is well. Raises FaultError if it cannot be, but for a restart."""
    while True:
        kubelet.wait(_TIMEOUT, lambda: not kubelet.restarting and cluster.resolve(name).health == "healthy")
        restarts = kubelet.restarts
        try:
            return cluster.inject("hang", name)
        except FaultError:
            if not kubelet.restarting and kubelet.restarts == restarts:
                raise
            # A late answer let the kubelet restart it in this very moment: it is waited for again.


def tcp_vs_http(
    cluster: Cluster,
    fault: str = "hang any query node",
    *,
    retriever: Retriever,
    seconds: float = 8.0,
    after: float = 2.0,
    rate: float = 20.0,
) -> Journal:
    """Ask a broken process by tcpSocket (as liveness) and by httpGet (as readiness), once a second each.

    Nothing is restarted: the fault is undone after `seconds`.
    """
    kind, target = parse_fault(fault)
    _wait_until_well(cluster, retriever)
    part = cluster.resolve(target)
    pod = Pod(Check(TcpSocket(), HealthProbe(1, 1, _NEVER)), Check(HttpGet(), HealthProbe(1, 1, 1)))
    with ExitStack() as stack:
        run = stack.enter_context(probe(cluster, retriever.operations("search"), rate=rate))
        kubelet = stack.enter_context(Kubelet(container_of(cluster, part.name), pod, watch=False))
        on_progress = view_of(run)
        on_progress(gettext("waiting for the first probes"))
        kubelet.wait(_TIMEOUT, lambda: kubelet.ready)
        broken = run.inject(kind, part.name)
        on_progress(f"{kind} {part.name}")
        _mend(cluster, broken, kubelet, seconds, after, on_progress)
    return _with_events(run, [kubelet])


def dependency_outage(
    cluster: Cluster,
    fault: str = "hang log",
    *,
    retriever: Retriever,
    seconds: float = 12.0,
    after: float = 5.0,
    rate: float = 20.0,
) -> Journal:
    """Break what every role depends on, and ask each role's /healthz and a synthetic query meanwhile.

    On the simulated engine one proxy stands for all: its components have no dependencies that /healthz could
    miss.
    """
    kind, target = parse_fault(fault)
    _wait_until_well(cluster, retriever)
    asked = [each.name for each in cluster.components() if each.role not in ("etcd", "log", "objectstore")]
    if cluster.engine == "simulated":
        asked = ["proxy-1"]
    pod = Pod(readiness=Check(HttpGet(), _SEES))
    with ExitStack() as stack:
        run = stack.enter_context(probe(cluster, retriever.operations("search"), rate=rate))
        kubelets = [stack.enter_context(Kubelet(container_of(cluster, name), pod)) for name in asked]
        on_progress = view_of(run)
        on_progress(gettext("before the fault"))
        kubelets[0].wait(3.0)
        broken = run.inject(kind, target)
        on_progress(fault)
        _mend(cluster, broken, kubelets[0], seconds, after, on_progress)
    return _with_events(run, kubelets)


def _wait_until_well(cluster: Cluster, retriever: Retriever) -> None:
    """Until what the last run broke is over: each copy has a node again, and all questions find something.

    A node that was started again may answer without a hit at first, and that would be measured as this run's.
    """
    cluster.wait_healthy()
    if retriever.simulated:
        return
    end = time.monotonic() + SETTLE
    while len(retriever.copies_on()) < retriever.replicas and time.monotonic() < end:
        time.sleep(_LOOK)
    # More than once: a copy that is named may be asked only later, and then have no row yet.
    for _ in range(_STEADY):
        time.sleep(_LOOK)
        retriever.wait_until_searchable()


def _mend(
    cluster: Cluster,
    broken: Fault,
    kubelet: Kubelet,
    seconds: float,
    after: float,
    on_progress: Callable[[str], None],
) -> None:
    """Watch a fault for `seconds`, undo it, and watch the healthy cluster for `after` more."""
    kubelet.wait(seconds)
    on_progress(gettext("undoing the fault, waiting for health"))
    broken.undo()
    cluster.wait_healthy()
    on_progress(gettext("after the fault"))
    kubelet.wait(after)
    on_progress(DONE)


def _with_events(run: Run, kubelets: Sequence[Kubelet]) -> Journal:
    events = [relative(event, run.started) for kubelet in kubelets for event in kubelet.events]
    settings = [
        Event(0.0, each.container.name, _SET, "kubelet", json.dumps(asdict(each.pod), sort_keys=True))
        for each in kubelets
    ]
    return run.journal.extended(events=[*settings, *events])


def health_probes_of(journal: Journal) -> dict[str, HealthProbe]:
    """The numbers of the probes that watched, by "liveness" and so on. Raises MeasurementError."""
    for event in journal.events:
        if (event.by, event.kind) == ("kubelet", _SET):
            pod = json.loads(event.detail)
            names = ("liveness", "readiness", "startup")
            return {name: HealthProbe(**pod[name]["probe"]) for name in names if pod[name]}
    raise MeasurementError(
        gettext("no kubelet watched in this journal"),
        hint=gettext("make one with health_check, stalling_process or dependency_outage"),
    )


@dataclass(frozen=True, slots=True)
class DetectionTimes:
    """What the kubelet did about a fault: seconds after it, None for what did not happen.

    `verdict` is when the liveness probe had failed often enough, or the exit was seen; `out` when readiness
    took it out of service.
    """

    verdict: float | None
    out: float | None
    restarted: float | None
    ready: float | None


def detection_times(journal: Journal) -> DetectionTimes:
    """What the kubelet did about the journal's first fault. Raises MeasurementError if there is none."""
    if not journal.faults:
        raise MeasurementError(
            gettext("nothing was broken in this journal"), hint=gettext("make one with health_check")
        )
    fault = journal.faults[0]

    def first(since: float, *kinds: str) -> float | None:
        times = (e.time for e in journal.events if e.by == "kubelet" and e.kind in kinds and e.time >= since)
        return next(times, None)

    restarted = first(fault.at, "restarted")
    times = (
        first(fault.at, "unhealthy", "exit seen"),
        first(fault.at, "not ready"),
        restarted,
        None if restarted is None else first(restarted, "ready"),
    )
    return DetectionTimes(*(None if time is None else round(time - fault.at, 3) for time in times))


def restarts(journal: Journal) -> int:
    """How often the kubelet restarted a process."""
    return sum((event.by, event.kind) == ("kubelet", "restarted") for event in journal.events)


@dataclass(frozen=True, slots=True)
class OutageChecks:
    """What was seen of a `dependency_outage` while the dependency was broken.

    `checks` are answers of /healthz, `healthy` those that passed; `searches` were sent, `answered` succeeded.
    """

    checks: int
    healthy: int
    searches: int
    answered: int


def outage_checks(journal: Journal) -> OutageChecks:
    """Answers of /healthz and of the synthetic query from the fault to its undoing.

    Raises MeasurementError if no fault was undone in the journal.
    """
    begin, end = _while_broken(journal)
    asked = [sample.outcome for sample in journal.samples("search") if begin <= sample.intended < end]
    return OutageChecks(*_answers(journal, "readiness"), len(asked), asked.count(Outcome.OK))


@dataclass(frozen=True, slots=True)
class TcpHttpPasses:
    """Health probes of a broken process by tcpSocket and httpGet, and how many of each passed."""

    tcp: int
    tcp_passed: int
    http: int
    http_passed: int


def tcp_http_passes(journal: Journal) -> TcpHttpPasses:
    """How many health probes of either kind passed from the fault to its undoing.

    Raises MeasurementError if no fault was undone in the journal.
    """
    return TcpHttpPasses(*_answers(journal, "liveness"), *_answers(journal, "readiness"))


def _while_broken(journal: Journal) -> tuple[float, float]:
    if not journal.faults or journal.faults[0].undone_at is None:
        raise MeasurementError(
            gettext("no fault was undone in this journal"),
            hint=gettext("make one with dependency_outage(cluster, ...) or tcp_vs_http(cluster, ...)"),
        )
    return journal.faults[0].at, journal.faults[0].undone_at


def _answers(journal: Journal, kind: str) -> tuple[int, int]:
    """Health probes of one kind while the fault stood: how many were sent, and how many passed."""
    begin, end = _while_broken(journal)
    answers = [e.kind for e in journal.events if e.by == "kubelet" and begin <= e.time < end]
    passed = answers.count(f"{kind} ok")
    return passed + answers.count(f"{kind} failed"), passed
