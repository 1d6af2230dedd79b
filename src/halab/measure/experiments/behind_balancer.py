"""Clients behind a real balancer: which proxy they get, and what they see when it dies.

    connection_spread(cluster, retriever=retriever)                       # which clients get which proxy
    probe_behind_balancer(cluster, "crash proxy-1", retriever=retriever)  # what they see of a crash

A balancer of TCP connections chooses once for each. A gRPC client sends all its requests over one HTTP/2
connection and keeps it, so the strategy deals out clients and not requests (grpc.io, "gRPC Load Balancing",
transport against application level).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from halab.cluster.haproxy import ALGORITHMS, Balancer, Server, balance, proxies
from halab.cluster.protocol import Cluster, Event
from halab.errors import MeasurementError
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.experiments.fault_experiment import parse_fault
from halab.measure.experiments.load import closed_loop
from halab.measure.experiments.throughput import loaded
from halab.measure.journal.journal_file import Journal, Phase, relative
from halab.measure.journal.journal_parts import CONNECTION_COUNT
from halab.measure.probing.operations import Done, Operation, Renamed
from halab.measure.probing.prober import probe
from halab.measure.probing.progress_line import DONE, ProgressLine
from halab.measure.probing.retriever import Retriever
from halab.measure.probing.scheduler import Scheduler
from halab.models.samples import Sample
from halab.translation import gettext

__all__ = [
    "KEPT_CONNECTIONS",
    "NEW_CONNECTIONS",
    "NO_BALANCER",
    "ONE_CONNECTION",
    "connection_spread",
    "probe_behind_balancer",
]

ONE_CONNECTION = "one connection"
"""The part of `connection_spread` in which many ask over one connection."""

KEPT_CONNECTIONS, NEW_CONNECTIONS, NO_BALANCER = (
    "search, kept connections",
    "search, new connections",
    "search, no balancer",
)
"""The three kinds of clients of `probe_behind_balancer`."""

_DEADLINE = 10.0  # seconds
_LOOK = 0.1  # seconds between two looks at a balancer's counts
_SETTLES = 5.0  # seconds a balancer may take to notice that a client has left


def connection_spread(
    cluster: Cluster,
    algorithms: Sequence[str] = ALGORITHMS,
    *,
    retriever: Retriever,
    clients: int = 8,
    asking: int = 48,
) -> Journal:
    """Let `clients` come one after the other and stay, and after each one another that asks once and leaves.

    Each strategy is a phase of the journal, with the connections that each proxy has in the end as its
    figures. A last phase lets `asking` users ask over one connection; its figures are the connections that
    each proxy ever had. Raises MeasurementError, and ClusterError without HAProxy.
    """
    if clients < 1 or asking < 1:
        raise MeasurementError(
            gettext("a spread needs at least one client of each kind, found {clients} and {asking}").format(
                clients=clients, asking=asking
            ),
            hint=gettext("for example clients=8, asking=48"),
        )
    servers = proxies(cluster)
    began, wall = cluster.now(), datetime.now(UTC).isoformat(timespec="milliseconds")
    on_progress = ProgressLine(lambda: cluster.now() - began)
    phases: list[Phase] = []
    samples: list[Sample] = []
    for algorithm in algorithms:
        on_progress(gettext("{clients} clients, {algorithm}").format(clients=clients, algorithm=algorithm))
        start = cluster.now()
        with balance(servers, algorithm) as front:
            asked, counts = _come_and_go(retriever, front, clients, len(samples))
        figures = {server.name: float(server.open) for server in counts}
        phases.append(Phase(algorithm, start, cluster.now(), {"clients": clients}, figures))
        samples += asked
    on_progress(gettext("{users} users on one connection").format(users=asking))
    start = cluster.now()
    with balance(servers, algorithms[0]) as front:
        samples += _asked(retriever.search_via(front.uri), asking, len(samples))
        figures = {server.name: float(server.total) for server in front.servers()}
    phases.append(Phase(ONE_CONNECTION, start, cluster.now(), {"clients": asking}, figures))
    on_progress(DONE)
    return loaded(cluster, samples, phases, began, wall, deadline=_DEADLINE, seed=0)


def _come_and_go(
    retriever: Retriever, front: Balancer, clients: int, first: int
) -> tuple[list[Sample], list[Server]]:
    """The searches of clients that come to a balancer, and its counts while those that stay are there."""
    samples: list[Sample] = []
    with ExitStack() as staying:
        for here in range(1, clients + 1):
            stays = retriever.search_via(front.uri)
            stays.start()
            staying.callback(stays.stop)
            samples += closed_loop(stays, requests=1, first=first + len(samples), deadline=_DEADLINE)
            leaves = retriever.search_via(front.uri, new_connection=True)
            samples += closed_loop(leaves, requests=1, first=first + len(samples), deadline=_DEADLINE)
            leaves.stop()
            counts = _settled(front, here)
    return samples, counts


def _asked(search: Operation, users: int, first: int) -> list[Sample]:
    """Five requests of each of so many users over one connection."""
    search.start()
    try:
        return closed_loop(search, clients=users, requests=5 * users, first=first, deadline=_DEADLINE)
    finally:
        search.stop()


def _settled(front: Balancer, here: int) -> list[Server]:
    """The balancer's counts as soon as it has noticed that only so many connections are left."""
    until = time.monotonic() + _SETTLES
    while True:
        counts = front.servers()
        open_now = sum(server.open for server in counts)
        if open_now == here:
            return counts
        if time.monotonic() > until:
            raise MeasurementError(
                gettext("{here} clients are connected and the balancer counts {open_now}").format(
                    here=here, open_now=open_now
                ),
                hint=gettext("see `halab status` for the proxies, and measure again"),
            )
        time.sleep(0.02)


def probe_behind_balancer(
    cluster: Cluster,
    fault: str = "crash proxy-1",
    *,
    retriever: Retriever,
    algorithm: str = "leastconn",
    clients: int = 8,
    before: float = 3.0,
    seconds: float = 10.0,
    after: float = 4.0,
    rate: float = 30.0,
) -> Journal:
    """Probe through a balancer while a fault strikes a proxy, stays and is undone.

    Three kinds of clients search `rate` times a second each: `clients` that keep their connection, in turn;
    those that make a new one each time; and one that is connected to the first proxy itself, without a
    balancer. The first two have a HAProxy each, so that the counts of one do not blur those of the other.
    `before`, `seconds` and `after` are seconds. The journal holds what the first one counted. Raises
    MeasurementError, TargetError and FaultError, and ClusterError without HAProxy.
    """
    kind, target = parse_fault(fault)
    cluster.resolve(target)
    servers = proxies(cluster)
    with balance(servers, algorithm) as kept, balance(servers, algorithm) as new:
        operations: list[Operation] = [
            InTurn(KEPT_CONNECTIONS, [retriever.search_via(kept.uri) for _ in range(clients)]),
            Renamed(retriever.search_via(new.uri, new_connection=True), NEW_CONNECTIONS),
            Renamed(retriever.search_via(f"http://{next(iter(servers.values()))}"), NO_BALANCER),
        ]
        with probe(cluster, operations, rate=rate) as run, _Watch(kept, cluster.now) as watch:
            steps = ExperimentSteps(run)
            steps.wait(before, gettext("before the fault"))
            cluster.wait_healthy()
            with steps.faults([(kind, target)], gettext("undoing the fault, waiting for health")):
                steps.wait(seconds, fault)
            steps.wait(after, gettext("after the fault"))
            steps.on_progress(DONE)
    note = gettext(
        "HAProxy, balance {algorithm}: {clients} clients keep their connection, others make a new one."
    ).format(algorithm=algorithm, clients=clients)
    events = [relative(event, run.started) for event in watch.events]
    return run.journal.extended(events=events, notes=[note])


class InTurn:
    """Several clients under one name, each with a connection of its own; probes go to one after the other."""

    def __init__(self, name: str, clients: Sequence[Operation]) -> None:
        self.name = name
        self._clients = list(clients)

    def timeout(self, deadline: float) -> float:
        return self._clients[0].timeout(deadline)

    def start(self) -> None:
        for each in self._clients:
            each.start()

    def stop(self) -> None:
        for each in self._clients:
            each.stop()

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        return self._clients[number % len(self._clients)].send(number, deadline, done)


class _Watch:
    """Looks at a balancer's counts ten times a second and keeps what has changed, as events."""

    def __init__(self, front: Balancer, clock: Callable[[], float]) -> None:
        self.events: list[Event] = []
        self._front, self._clock = front, clock
        self._seen: dict[str, Server] = {}
        self._clockwork = Scheduler(clock)

    def __enter__(self) -> _Watch:
        self._clockwork.start()
        self._look(self._clock())
        return self

    def __exit__(self, *_: object) -> None:
        self._clockwork.stop()
        if self._clockwork.error is not None:
            raise self._clockwork.error

    def _look(self, at: float) -> None:
        for server in self._front.servers():
            old = self._seen.get(server.name)
            if old is None or old.open != server.open:
                self._note(server.name, CONNECTION_COUNT, str(server.open))
            if old is not None and old.up != server.up:
                self._note(server.name, "up" if server.up else "down")
            self._seen[server.name] = server
        self._clockwork.at(at + _LOOK, partial(self._look, at + _LOOK))

    def _note(self, server: str, kind: str, detail: str = "") -> None:
        self.events.append(Event(self._clock(), server, kind, "balancer", detail))
