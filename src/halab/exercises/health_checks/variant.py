"""Exercise 9: goals for health checks, each with made-up latencies. Times are seconds."""

from __future__ import annotations

import random
from collections.abc import Iterator

from halab.exercises.health_checks.given import Goal, Variant
from halab.exercises.learner_numbers import per_learner
from halab.models.health_probes import HealthProbe, detection, false_restarts, share_over, start_allowance

__all__ = ["make_answers", "make_goal", "make_impossible_goal", "make_probes", "probes_reaching", "variant"]

SAMPLE = 2000  # latencies
MOST = 30  # seconds of period and timeout, and failures, that an answer is looked for in


def _latencies(rng: random.Random) -> tuple[float, ...]:
    """Answers of a process that is busy now and then: mostly milliseconds, some of them seconds."""
    busy, longest = rng.uniform(0.01, 0.03), rng.uniform(2.2, 4.8)
    return tuple(
        round(rng.uniform(0.5, longest) if rng.random() < busy else rng.lognormvariate(-5, 0.6), 4)
        for _ in range(SAMPLE)
    )


def probes_reaching(goal: Goal) -> Iterator[HealthProbe]:
    """Every liveness probe of whole numbers that reaches a goal, the cheapest timeouts first."""
    for timeout in range(1, MOST):
        late = share_over(goal.latencies, timeout)
        for failures in range(1, MOST):
            for period in range(1, MOST):
                probe = HealthProbe(period, timeout, failures)
                if detection(probe, "hang").most > goal.within:
                    break
                if false_restarts(probe, late) * goal.years <= 1:
                    yield probe


def make_goal(rng: random.Random) -> Goal:
    """A goal that some probe reaches, and that neither the card's settings nor its faster ones reach."""
    while True:
        goal = Goal(
            rng.randrange(14, 32), rng.choice((5, 10, 20, 50)), rng.randrange(100, 400), _latencies(rng)
        )
        late = share_over(goal.latencies, 3)
        if false_restarts(HealthProbe(3, 3, 2), late) * goal.years > 1 and next(probes_reaching(goal), None):
            return goal


def make_impossible_goal(rng: random.Random) -> Goal:
    """A goal that no probe reaches: to be noticed sooner than the slowest healthy answer comes."""
    slow = tuple(round(rng.uniform(4, 6), 3) if rng.random() < 0.2 else 0.01 for _ in range(SAMPLE))
    return Goal(rng.randrange(3, 6), 20, 100, slow)


def reaches(goal: Goal, startup: HealthProbe) -> bool:
    """Whether a start of the goal's length is always allowed."""
    return start_allowance(startup).least >= goal.start


def make_probes(rng: random.Random, count: int = 12) -> list[HealthProbe]:
    """Probes of every shape, some with a timeout longer than their period."""
    drawn = [
        HealthProbe(rng.randrange(1, 31), rng.randrange(1, 11), rng.randrange(1, 6)) for _ in range(count)
    ]
    return [*drawn, HealthProbe(rng.randrange(1, 4), rng.randrange(6, 11), rng.randrange(2, 6))]


def make_answers(rng: random.Random, count: int = 60) -> list[bool]:
    """What a probe heard, in order: spells of answers and of silence."""
    heard: list[bool] = []
    while len(heard) < count:
        heard += [True] * rng.randrange(1, 7) + [False] * rng.randrange(1, 7)
    return heard[:count]


@per_learner(card=9)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(make_goal(rng), make_probes(rng), make_answers(rng))
