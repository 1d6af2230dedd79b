"""Exercise 11: made-up series for alert rules, and clusters whose processes are restarted one by one.

A series is the share of requests that failed, one value a scrape, or None where the scrape reached nobody. An
alert rule is a dict:

    {"window": 4, "above": 0.1, "for": 3, "absent": True}

It holds at a scrape if the mean of the values in the last `window` scrapes is above `above`; where there is
no value in the window, it holds if `absent` is true. It begins to fire once it has held for `for` scrapes
after the first one at which it held.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from halab.exercises.learner_numbers import per_learner
from halab.exercises.operate_it.given import (
    EVERY,
    TICK,
    Cluster,
    Data,
    Goal,
    Outage,
    Series,
    Variant,
    upgrade,
)

__all__ = [
    "ABOVE",
    "FORS",
    "KINDS",
    "WINDOWS",
    "firing",
    "is_silent",
    "make_cluster",
    "make_goal",
    "make_impossible_goal",
    "make_reading",
    "pages_in_time",
    "rules_reaching",
    "upgrade",
    "variant",
]

LENGTH = 80  # scrapes of a series
WINDOWS, ABOVE, FORS = (1, 2, 4, 8), (0.02, 0.05, 0.1, 0.2, 0.5), tuple(range(13))
"""The rules that an answer is looked for among."""
KINDS = ("total", "part", "flaps", "gone")
"""Outages: nearly everything fails; some of it does; it fails every other time; nobody can be scraped."""


# -- alert rules --------------------------------------------------------------------------------------------


def firing(series: Series, rule: Data) -> list[int]:
    """The scrapes, counted from 0, at which a rule begins to fire; after it was silent it may begin again."""
    return _begins(_held(series, rule), rule["for"])


def _held(series: Series, rule: Data) -> list[bool]:
    """Whether the rule holds, scrape by scrape."""
    held = []
    for at in range(len(series)):
        values = [value for value in series[max(0, at + 1 - rule["window"]) : at + 1] if value is not None]
        held.append(sum(values) / len(values) > rule["above"] if values else bool(rule["absent"]))
    return held


def _begins(held: Sequence[bool], scrapes: int) -> list[int]:
    """Where a rule begins to fire that waits for so many scrapes."""
    begins, length = [], 0
    for at, holds in enumerate(held):
        length = length + 1 if holds else 0
        if length == scrapes + 1:
            begins.append(at)
    return begins


def is_silent(goal: Goal, rule: Data) -> bool:
    """Whether a rule never fires on a healthy day."""
    return not any(firing(series, rule) for series in goal.healthy)


def pages_in_time(goal: Goal, rule: Data, outage: Outage) -> bool:
    """Whether the first page comes in time, and not before there is anything to page."""
    return _in_time(goal, firing(outage.series, rule), outage)


def _in_time(goal: Goal, begins: Sequence[int], outage: Outage) -> bool:
    """The same for the scrapes at which a rule begins to fire."""
    return bool(begins) and 0 <= begins[0] - outage.at <= goal.within / EVERY


def make_goal(rng: random.Random) -> Goal:
    """A goal that a few rules reach, and most do not."""
    while True:
        noise, failover = rng.uniform(0.01, 0.12), rng.randrange(1, 7)
        healthy = tuple(_healthy(rng, noise, failover) for _ in range(2))
        outages = tuple(_outage(kind, rng, noise) for kind in KINDS)
        goal = Goal(rng.randrange(6, 17) * EVERY, healthy, outages)
        if 1 <= sum(1 for _ in rules_reaching(goal)) <= 15:
            return goal


def make_impossible_goal(rng: random.Random) -> Goal:
    """A goal that no rule reaches: up to its deadline the outage is what a healthy day's failover was."""
    noise, at = rng.uniform(0.006, 0.035), rng.randrange(20, 40)
    length = rng.randrange(5, 10)
    quiet = [_share(rng, 0, noise) for _ in range(LENGTH)]
    failing = [_share(rng, 0.9, 1) for _ in range(LENGTH)]
    outage = tuple(quiet[:at] + failing[at:])
    healthy = tuple(quiet[:at] + failing[at : at + length] + quiet[at + length :])
    return Goal((length - 2) * EVERY, (healthy,), (Outage("total", at, outage),))


def rules_reaching(goal: Goal) -> Iterator[Data]:
    """Every rule that reaches a goal."""
    for window in WINDOWS:
        for above in ABOVE:
            rule = {"window": window, "above": above, "for": 0, "absent": True}
            healthy = [_held(series, rule) for series in goal.healthy]
            broken = [(_held(outage.series, rule), outage) for outage in goal.outages]
            for scrapes in FORS:
                silent = not any(_begins(held, scrapes) for held in healthy)
                if silent and all(_in_time(goal, _begins(held, scrapes), outage) for held, outage in broken):
                    yield rule | {"for": scrapes}


def make_reading(rng: random.Random) -> tuple[list[float | None], Data]:
    """A short series with failures and missing scrapes, and a rule to read it by. No mean lies at its
    threshold, where rounding would decide."""
    while True:
        series: list[float | None] = []
        while len(series) < 60:
            low, high = rng.choice(((0.2, 1), (0, 0.05)))
            stretch = [_share(rng, low, high) for _ in range(rng.randrange(1, 9))]
            series += stretch if rng.random() < 0.75 else [None] * rng.randrange(1, 7)
        window = rng.randrange(1, 6)
        rule = {
            "window": window,
            "above": rng.choice((0.05, 0.1, 0.3)),
            "for": rng.randrange(0, 5),
            "absent": rng.random() < 0.5,
        }
        if all(abs(mean - rule["above"]) > 1e-6 for mean in _means(series, window)):
            return series, rule


def _means(series: Series, window: int) -> Iterator[float]:
    for at in range(len(series)):
        values = [value for value in series[max(0, at + 1 - window) : at + 1] if value is not None]
        if values:
            yield sum(values) / len(values)


def _share(rng: random.Random, low: float, high: float) -> float:
    return round(rng.uniform(low, high), 4)


def _healthy(rng: random.Random, noise: float, failover: int) -> tuple[float | None, ...]:
    """A healthy stretch: some failures always, a failover of so many scrapes, a few that reached nobody."""
    series: list[float | None] = [_share(rng, 0, noise) for _ in range(LENGTH)]
    begin, gap = rng.randrange(10, 30), rng.randrange(45, 65)
    for at in range(begin, begin + failover):
        series[at] = _share(rng, 0.5, 1)
    for at in range(gap, gap + rng.randrange(1, 5)):
        series[at] = None
    return tuple(series)


def _outage(kind: str, rng: random.Random, noise: float) -> Outage:
    at, every = rng.randrange(15, 40), rng.randrange(2, 5)
    level = 0.03 + noise * rng.uniform(1.5, 2.5)
    series: list[float | None] = [_share(rng, 0, noise) for _ in range(LENGTH)]
    for number in range(at, LENGTH):
        if kind == "gone":
            series[number] = None
        elif kind == "total":
            series[number] = _share(rng, 0.9, 1)
        elif kind == "part":
            series[number] = _share(rng, 0.85 * level, 1.15 * level)
        elif (number - at) % every == 0:
            series[number] = _share(rng, 0.5, 1)
    return Outage(kind, at, tuple(series))


# -- a rolling restart --------------------------------------------------------------------------------------

_COORDINATORS = ("rootcoord", "datacoord", "querycoord")


def make_cluster(rng: random.Random, broken: bool = False) -> Cluster:
    """A cluster of its own size and pace, in a drawn order."""
    counts = dict.fromkeys(_COORDINATORS, 2) | {
        "proxy": rng.randrange(1, 3),
        "querynode": rng.randrange(2, 5),
        "datanode": rng.randrange(1, 3),
    }
    roles = {f"{role}-{number}": role for role, many in counts.items() for number in range(1, many + 1)}
    names = rng.sample([*roles], len(roles))
    stages = ("draining", "starting", "loading")
    ticks = {name: {stage: rng.randrange(1, 4) for stage in stages} for name in names}
    # A node that is slow to load is healthy all the while: the one that a hasty plan goes past.
    ticks["querynode-1"]["loading"] = rng.randrange(3, 5)
    bad = rng.choice(names) if broken else ""
    stuck = rng.choice(("starting", "loading")) if roles.get(bad) == "querynode" else "starting"
    return Cluster(
        {name: roles[name] for name in names},
        tuple(f"{role}-{rng.randrange(1, 3)}" for role in _COORDINATORS),
        ticks,
        rng.randrange(1, 3),
        rng.randrange(6, 10) * TICK,
        bad,
        stuck,
    )


@per_learner(card=11)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    return Variant(
        [make_reading(rng) for _ in range(4)], make_goal(rng), [make_cluster(rng), make_cluster(rng, True)]
    )
