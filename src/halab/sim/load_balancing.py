"""Requests through a balancer to nodes of unequal speed, in virtual time.

    work = requests(rate=200, seconds=20, seed=1)
    race(FOUR_NODES, work, RoundRobin()).p99    # of balancing_strategies

A node serves one request after the other, in the order of their arrival. It may turn grey: from then on it
takes several times as long, without an error. It may leave: the requests that it still has then fail, and the
balancer sends it no more. Every strategy gets the same requests, with the same work and the same draws, so
that a race between strategies is fair.

`src/halab/widgets/balancer_race.js` is the mirror of this file; a test compares both.
"""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import simpy

from halab.translation import gettext

__all__ = [
    "Answer",
    "Node",
    "RaceReport",
    "Request",
    "Strategy",
    "race",
    "requests",
    "simulate_closed_loop",
]


@dataclass(frozen=True, slots=True)
class Node:
    """A node does `speed` requests of mean work a second.

    From `grey_at` (seconds) on it does a `grey`-th of that; at `leaves_at` it goes away for good.
    """

    speed: float
    grey_at: float = math.inf
    grey: float = 10.0
    leaves_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Request:
    """Arrives at `at` (seconds); its work is 1 on average; two draws from 0 to 1 for random strategies."""

    at: float
    work: float
    draws: tuple[float, float]


class Strategy(Protocol):
    """Chooses among the nodes in service."""

    def pick(self, loads: Mapping[int, int], draws: tuple[float, float]) -> int:
        """A node of `loads`, which holds the unanswered requests of each node in service, by number."""


def requests(rate: float, seconds: float, seed: int = 0) -> list[Request]:
    """Requests with random (Poisson) arrivals, `rate` a second on average, and exponential work.

    Raises ValueError unless `rate` and `seconds` are above 0.
    """
    if not (0 < rate < math.inf and 0 < seconds < math.inf):
        raise ValueError(gettext("rate and seconds must be above 0"))
    rng = random.Random(seed)
    arrivals: list[Request] = []
    at = rng.expovariate(rate)
    while at < seconds:
        arrivals.append(Request(at, rng.expovariate(1.0), (rng.random(), rng.random())))
        at += rng.expovariate(rate)
    return arrivals


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: the node it went to (None: there was none), when it ended, and how."""

    at: float
    node: int | None
    end: float
    ok: bool


@dataclass(frozen=True, slots=True)
class RaceReport:
    """The result of a race: its answers, in the order of the requests, and figures computed from them."""

    answers: tuple[Answer, ...]

    @property
    def failed(self) -> int:
        return sum(not answer.ok for answer in self.answers)

    @property
    def throughput(self) -> float:
        """Good answers a second, until the last one came."""
        good = [answer.end for answer in self.answers if answer.ok]
        return len(good) / max(good) if good else 0.0

    def latency(self, share: float) -> float:
        """The time that a share of the good answers did not exceed, seconds; infinite if there are none."""
        times = sorted(answer.end - answer.at for answer in self.answers if answer.ok)
        return times[math.ceil(share * len(times)) - 1] if times else math.inf

    @property
    def p99(self) -> float:
        return self.latency(0.99)

    @property
    def mean(self) -> float:
        times = [answer.end - answer.at for answer in self.answers if answer.ok]
        return math.fsum(times) / len(times) if times else math.inf

    def sent_to(self, node: int) -> int:
        return sum(answer.node == node for answer in self.answers)


class _Server:
    """A node at work."""

    def __init__(self, env: simpy.Environment, node: Node) -> None:
        self.node = node
        self.queue = simpy.Resource(env)
        self.unanswered = 0
        self.gone = env.event()
        self.left = False

    def takes(self, work: float, now: float) -> float:
        """Seconds for some work that begins now."""
        return work / self.node.speed * (self.node.grey if now >= self.node.grey_at else 1.0)


def race(nodes: Sequence[Node], work: Sequence[Request], strategy: Strategy) -> RaceReport:
    """Send requests, in the order of their coming, through one strategy.

    Raises ValueError if the strategy picks what is not in service, or if there are no nodes.
    """
    if not nodes or any(not 0 < node.speed < math.inf for node in nodes):
        raise ValueError(gettext("a race needs nodes, each with a speed above 0"))
    env = simpy.Environment()
    servers = [_Server(env, node) for node in nodes]
    answers: dict[int, Answer] = {}
    for server in servers:
        if server.node.leaves_at < math.inf:
            env.process(_leave(env, server))
    env.process(_arrive(env, servers, work, strategy, answers))
    env.run()
    return RaceReport(tuple(answers[number] for number in range(len(work))))


Steps = Generator[simpy.Event, Any, None]


def _leave(env: simpy.Environment, server: _Server) -> Steps:
    yield env.timeout(server.node.leaves_at)
    server.left = True
    server.gone.succeed()


def _arrive(
    env: simpy.Environment,
    servers: Sequence[_Server],
    work: Sequence[Request],
    strategy: Strategy,
    answers: dict[int, Answer],
) -> Steps:
    for number, request in enumerate(work):
        yield env.timeout(request.at - env.now)
        loads = {n: server.unanswered for n, server in enumerate(servers) if not server.left}
        if not loads:
            answers[number] = Answer(request.at, None, request.at, False)
            continue
        chosen = strategy.pick(dict(loads), request.draws)
        if isinstance(chosen, bool) or chosen not in loads:
            raise ValueError(
                gettext("{chosen!r} was picked, and only {loads} are in service").format(
                    chosen=chosen, loads=sorted(loads)
                )
            )
        env.process(_serve(env, servers[chosen], chosen, number, request, answers))
        servers[chosen].unanswered += 1


def _serve(
    env: simpy.Environment,
    server: _Server,
    chosen: int,
    number: int,
    request: Request,
    answers: dict[int, Answer],
) -> Steps:
    with server.queue.request() as turn:
        yield turn | server.gone
        if turn.triggered and not server.left:
            yield env.timeout(server.takes(request.work, env.now)) | server.gone
    answers[number] = Answer(request.at, chosen, env.now, not server.left)
    server.unanswered -= 1


def simulate_closed_loop(
    speeds: Sequence[float], clients: int, seconds: float, strategy: Strategy, seed: int = 0
) -> list[tuple[float, float]]:
    """A closed loop: each of `clients` waits for its answer before it asks again. Pairs (sent, answered).

    `speeds` are requests a second by node. Raises ValueError without a node, a client or an end, or for a
    speed that is not above 0.
    """
    if not speeds or min(speeds) <= 0 or clients < 1 or not 0 < seconds < math.inf:
        raise ValueError(gettext("a closed loop needs nodes with a speed, clients and an end"))
    env = simpy.Environment()
    servers = [_Server(env, Node(speed)) for speed in speeds]
    rng = random.Random(seed)
    pairs: list[tuple[float, float]] = []

    def client() -> Steps:
        while env.now < seconds:
            sent = env.now
            loads = {n: server.unanswered for n, server in enumerate(servers)}
            server = servers[strategy.pick(loads, (rng.random(), rng.random()))]
            server.unanswered += 1
            with server.queue.request() as turn:
                yield turn
                yield env.timeout(server.takes(rng.expovariate(1.0), env.now))
            server.unanswered -= 1
            pairs.append((sent, env.now))

    for _ in range(clients):
        env.process(client())
    env.run()
    return sorted(pairs)
