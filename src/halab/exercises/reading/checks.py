"""What exercise 5 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from halab.exercises.expectations import call_many, example, expect, whole
from halab.exercises.learner_numbers import draw
from halab.exercises.reading.given import Data, NotInService, Plan, Strategy, Workload, race
from halab.models.capacity import Usl, mm1
from halab.sim.balancing_strategies import LeastConnections
from halab.sim.load_balancing import race as run
from halab.sim.load_balancing import requests
from halab.translation import gettext, gettext_noop

__all__ = [
    "check_flaw",
    "check_honest",
    "check_hopeless",
    "check_least",
    "check_needed",
    "check_race",
    "check_random",
    "check_rate",
    "check_response",
    "check_round_robin",
    "draw",
]

Function = Callable[..., Any]
MakeStrategy = Callable[[], Strategy]


def _loads(rng: random.Random, names: Sequence[str]) -> dict[str, int]:
    return {name: rng.randint(0, 9) for name in names}


def _pick(strategy: Strategy, loads: dict[str, int]) -> str:
    """One pick, which must be of a node in service."""
    picked: object = strategy.pick(dict(loads))
    expect(
        isinstance(picked, str) and picked in loads,
        gettext(
            "A pick is the name of a node that is in service now; one that left is not in `loads` any more."
        ),
        "05.1.gone",
    )
    return str(picked)


def _names(rng: random.Random, count: int) -> list[str]:
    return [f"node-{number}" for number in rng.sample(range(1, 30), count)]


def check_round_robin(make: MakeStrategy, seed: int) -> None:
    """In turn, whatever the loads, also after a node has left."""
    rng = random.Random(seed)
    for count in (1, 2, 3, 5):
        names, strategy = _names(rng, count), make()
        other = make()
        for _ in range(3):
            seen = []
            for _ in names:
                seen.append(_pick(strategy, _loads(rng, names)))
                _pick(other, _loads(rng, names))
                _pick(other, _loads(rng, names))
            expect(
                sorted(seen) == sorted(names),
                gettext(
                    "Of n picks in a row each of the n nodes gets one, whatever its load and whatever "
                    "another balancer does."
                ),
                "05.1.turns",
            )
    for count in (3, 4, 6):
        names, strategy = _names(rng, count), make()
        for _ in range(rng.randint(count, 2 * count)):
            _pick(strategy, _loads(rng, names))
        gone = rng.choice(names)
        left = [name for name in names if name != gone]
        picks = Counter(_pick(strategy, _loads(rng, left)) for _ in range(4 * len(left)))
        expect(
            max(picks.values()) - min(picks.get(name, 0) for name in left) <= 1,
            gettext("When a node leaves, the others go on in turn and share its part evenly."),
            "05.1.left",
        )


def check_least(make: MakeStrategy, seed: int) -> None:
    """The fewest unanswered requests; equals share."""
    rng = random.Random(seed)
    strategy = make()
    for _ in range(60):
        loads = _loads(rng, _names(rng, rng.randint(1, 6)))
        expect(
            loads[_pick(strategy, loads)] == min(loads.values()),
            gettext("The node with the fewest unanswered requests gets the next one."),
            "05.1.least",
        )
    for count in (2, 3, 5):
        names, strategy = _names(rng, count), make()
        loads = dict.fromkeys(names, 2) | {"node-99": 7}
        picks = Counter(_pick(strategy, loads) for _ in range(60 * count))
        expect(
            all(picks[name] >= 20 for name in names),
            gettext(
                "Among equals it is not always the same node: at a low load all are equal most of the time."
            ),
            "05.1.ties",
        )


def check_random(make: MakeStrategy, seed: int) -> None:
    """Each equally likely, in no order."""
    rng = random.Random(seed)
    names = _names(rng, 4)
    strategy = make()
    loads = dict(zip(names, (0, 3, 50, 7), strict=True))
    picks = [_pick(strategy, loads) for _ in range(800)]
    counted = Counter(picks)
    expect(
        all(130 <= counted[name] <= 270 for name in names),
        gettext("Every node in service is equally likely, whatever its load."),
        "05.1.random",
    )
    again = sum(before == after for before, after in pairwise(picks))
    expect(
        120 <= again <= 280,
        gettext("Chance has no memory: of four nodes, the same one comes again one time in four."),
        "05.1.random",
    )
    for _ in range(10):
        _pick(strategy, _loads(rng, _names(rng, 2)))


def check_race(
    turns: MakeStrategy, least: MakeStrategy, chance: MakeStrategy, workloads: Sequence[Workload]
) -> None:
    """All three in the simulator: what each is known for."""
    for workload in workloads:
        try:
            reports = [race(workload, make()) for make in (turns, least, chance)]
        except NotInService:
            expect(
                False,
                gettext(
                    "In a race a strategy picked a node that had left: only the names in `loads` are in "
                    "service."
                ),
                "05.1.gone",
            )
        right = run(
            workload.nodes, requests(workload.rate, workload.seconds, workload.seed), LeastConnections()
        )
        staying = [n for n, node in enumerate(workload.nodes) if node.leaves_at == math.inf]
        shares = [reports[0].sent_to(n) for n in staying]
        expect(
            max(shares) - min(shares) <= 2,
            gettext("In a race round robin sends each node that stays as many requests as any other."),
            "05.1.turns",
        )
        expect(
            reports[1].p99 <= 2 * right.p99 and reports[1].mean <= 1.5 * right.mean,
            gettext(
                "In a race least connections spares a slow node: its p99 stays near the best that can be had."
            ),
            "05.1.least",
        )
        chances = [reports[2].sent_to(n) for n in staying]
        expect(
            min(chances) > 0.6 * max(chances),
            gettext("In a race `Chance` sends each node about as many requests, the slow one too."),
            "05.1.random",
        )


@example(90.0, 100.0, gives=0.1)
def check_response(response: Function, seed: int) -> None:
    """A single queue's mean time, and a queue that has no end."""
    rng = random.Random(seed)
    cases = [(rng.uniform(1, 99), 100.0) for _ in range(6)] + [(99.9, 100.0), (0.5, 1.0)]
    for (arrivals, service), answer in zip(cases, call_many(response, cases), strict=True):
        expect(
            _near(answer, mm1(arrivals, service).response),
            gettext(
                "The nearer the arrivals come to what the node can serve, the longer an answer "
                "takes: one over the rate that is left."
            ),
            "05.2.response",
        )
    for answer in call_many(response, [(100.0, 100.0), (150.0, 100.0)]):
        expect(
            isinstance(answer, float) and answer == math.inf,
            gettext(
                "As many arrivals as the node can serve, or more: the queue grows without end, and "
                'so does the time (float("inf")).'
            ),
            "05.2.endless",
        )


def _law(plan: Plan) -> Usl:
    return Usl(plan.one_node, plan.contention, plan.coherence)


@example(2, 100.0, 0.25, 0.0, gives=160.0)
def check_rate(rate: Function, plans: Sequence[Plan]) -> None:
    """What n nodes do together."""
    cases = [(n, plan.one_node, plan.contention, plan.coherence) for plan in plans for n in (1, 2, 3, 5, 20)]
    cases += [(4, 100.0, 0.0, 0.0), (3, 100.0, 1.0, 0.0)]
    for (n, one_node, contention, coherence), answer in zip(cases, call_many(rate, cases), strict=True):
        expect(
            _near(answer, Usl(one_node, contention, coherence).rate(n)),
            gettext(
                "n nodes serve n times what one serves, over 1 + contention (n - 1) + coherence n (n - 1)."
            ),
            "05.2.rate",
        )


def right_needed(plan: Plan) -> int | None:
    law = _law(plan)
    # Beyond the best number of nodes another makes it slower, so that none beyond it helps.
    most = 10_000 if law.most == math.inf else math.floor(law.most) + 1
    wanted = plan.peak / (1 - plan.headroom)
    return next((n + plan.spare for n in range(1, most + 1) if law.rate(n) >= wanted), None)


def _arguments(plan: Plan) -> tuple[float, float, float, float, float, int]:
    return plan.peak, plan.one_node, plan.contention, plan.coherence, plan.headroom, plan.spare


@example(400, 100, 0.0, 0.0, 0.2, 1, gives=6)
def check_needed(needed: Function, plans: Sequence[Plan]) -> None:
    """As many nodes as the peak needs, with some of them gone."""
    cases = [*plans, Plan(500, 100, 0.0, 0.0, 0.0, 0), Plan(500, 100, 0.0, 0.0, 0.0, 1)]
    cases += [Plan(50, 100, 0.1, 0.0, 0.5, 2), Plan(400, 100, 0.05, 0.002, 0.3, 1)]
    answers = list(map(whole, call_many(needed, map(_arguments, cases))))
    right = list(map(right_needed, cases))
    if answers != right:
        alone = [right_needed(replace(case, spare=0)) for case in cases]
        expect(
            answers != alone,
            gettext("The peak must be served with the spare nodes gone: they come on top."),
            "05.2.spare",
        )
        full = [right_needed(replace(case, headroom=0.0)) for case in cases]
        expect(
            answers != full,
            gettext("Headroom is the part of the nodes' rate that must stay unused in the peak."),
            "05.2.headroom",
        )
    expect(
        answers == right and all(type(count) is int for count in answers),
        gettext(
            "The answer is the fewest nodes that serve the peak with the spare ones gone and the "
            "headroom unused."
        ),
        "05.2.needed",
    )


@example(1000, 100, 1.0, 0.1, 0.2, 1, gives=None)
def check_hopeless(needed: Function, plans: Sequence[Plan]) -> None:
    """A peak that no number of nodes can serve."""
    cases = []
    for plan in plans:
        law = _law(plan)
        best = max(law.rate(n) for n in range(1, math.floor(law.most) + 2))
        cases.append(Plan(best * 1.05, plan.one_node, plan.contention, plan.coherence, 0.0, plan.spare))
        cases.append(Plan(best * 0.9, plan.one_node, plan.contention, plan.coherence, 0.2, plan.spare))
    for answer in call_many(needed, map(_arguments, cases)):
        expect(
            answer is None,
            gettext(
                "From some number on each further node makes the service slower. A peak above the "
                "best rate cannot be served: None."
            ),
            "05.2.hopeless",
        )
    expect(
        None not in call_many(needed, map(_arguments, plans)),
        gettext("A peak that some number of nodes can serve has an answer, and it is not None."),
        "05.2.hopeless",
    )


_FLAW_MESSAGES = {
    "coordinated omission": (
        gettext_noop(
            "A closed loop with one very long answer sent nothing meanwhile, so its p99 does not show it."
        ),
        "05.3.omission",
    ),
    "client-bound": (
        gettext_noop("A client that used up its core measured itself, not the service."),
        "05.3.client",
    ),
    "no warm-up": (
        gettext_noop("A first second far below the others shows the start, not the service."),
        "05.3.warm-up",
    ),
    "none": (
        gettext_noop(
            "A table without a flaw is not blamed: an open loop does notice a stall, and a slow second later "
            "on is no cold start."
        ),
        "05.3.blamed",
    ),
}


def right_flaw(table: Data) -> str:
    """The flaw by the exercise's own rules."""
    if table["client_cores"] >= 0.9:
        return "client-bound"
    if table["rates"][0] < statistics.median(table["rates"][1:]) / 2:
        return "no warm-up"
    if table["loop"] == "closed" and table["longest"] >= 10 * table["p99"]:
        return "coordinated omission"
    return "none"


def check_flaw(flaw: Function, tables: Sequence[Data]) -> None:
    """The flaw's name, or none."""
    for table, answer in zip(tables, call_many(flaw, [(table,) for table in tables]), strict=True):
        right = right_flaw(table)
        # Whoever takes another second for the first one blames it in tables of every kind.
        behaviour, hint = _FLAW_MESSAGES["none" if answer == "no warm-up" else right]
        expect(answer == right, gettext(behaviour), hint)


def check_honest(honest: Function, cases: Sequence[tuple[list[float], float]]) -> None:
    """The latencies with those put back that were never asked for."""
    for latencies, interval in [*cases, ([0.5, 0.5], 1.0), ([1.25], 0.5)]:
        answer = honest(list(latencies), interval)
        right = sorted(wait for latency in latencies for wait in [latency, *_unsent(latency, interval)])
        expect(
            isinstance(answer, Sequence) and not isinstance(answer, str) and all(map(_number, answer)),
            gettext("It is a list of seconds: those that were measured and those that were left out."),
            "05.3.honest",
        )
        expect(
            len(answer) >= len(latencies) and min(answer) > 0,
            gettext("Nothing that was measured is dropped, and no request waited for less than 0 s."),
            "05.3.honest",
        )
        expect(
            len(answer) == len(right)
            and all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(sorted(answer), right, strict=True)),
            gettext(
                "A stall of L kept back the requests that were due in it: they would have waited L "
                "less one interval, L less two, and so on, as long as that is above 0."
            ),
            "05.3.missed",
        )


def _unsent(latency: float, interval: float) -> list[float]:
    return [latency - k * interval for k in range(1, math.ceil(latency / interval))]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _near(value: Any, right: float) -> bool:
    return _number(value) and math.isclose(value, right, rel_tol=1e-6, abs_tol=1e-9)
