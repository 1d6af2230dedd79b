"""What exercise 11 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from halab.exercises.expectations import call_many, example, expect, expect_refused
from halab.exercises.learner_numbers import draw
from halab.exercises.operate_it.given import Cluster, Data, Goal, Upgrade, upgrade
from halab.exercises.operate_it.variant import (
    KINDS,
    firing,
    is_silent,
    make_cluster,
    make_goal,
    pages_in_time,
)
from halab.translation import gettext, gettext_noop

__all__ = [
    "check_absent",
    "check_all",
    "check_away",
    "check_for",
    "check_gone",
    "check_halt",
    "check_order",
    "check_quiet",
    "check_refused",
    "check_time",
    "check_window",
    "draw",
    "make_clusters",
]

Function = Callable[..., Any]
Reading = tuple[Sequence[float | None], Data]
_PROXY = {"name": "proxy-1", "role": "proxy", "active": False, "updated": True, "healthy": False}
_OVERDUE = {
    "seconds": 40.0,
    "patience": 30.0,
    "most_away": 1,
    "processes": [_PROXY | {"status": "starting", "lasted": 35.0}],
}
"""A small case that a failed check tells: a process that has been away for too long."""

_MOST = 240  # questions after which a plan is going round in circles


@example([0.0, 0.3, 0.3], {"window": 2, "above": 0.1, "for": 0, "absent": False}, gives=[1])
def check_window(fires: Function, readings: Sequence[Reading]) -> None:
    """The mean of a window, without waiting and without missing scrapes."""
    whole = [
        ([value for value in series if value is not None], rule | {"for": 0}) for series, rule in readings
    ]
    _compare(
        fires,
        whole,
        gettext(
            "A rule holds where the mean of the last `window` scrapes, this one included, is "
            "above `above`; at the beginning there are fewer. It fires when it begins to hold, "
            "and again after it was silent."
        ),
        "11.1.window",
    )


@example([0.3, 0.3, 0.3], {"window": 1, "above": 0.1, "for": 2, "absent": False}, gives=[2])
def check_for(fires: Function, readings: Sequence[Reading]) -> None:
    """How long a rule waits."""
    whole = [([0.0 if value is None else value for value in series], rule) for series, rule in readings]
    _compare(
        fires,
        whole,
        gettext(
            "A rule fires once it has held without a break for `for` scrapes after the first at "
            "which it held; one scrape at which it does not hold starts the count again."
        ),
        "11.1.for",
    )


@example([None, 0.0], {"window": 1, "above": 0.1, "for": 0, "absent": True}, gives=[0])
def check_absent(fires: Function, readings: Sequence[Reading]) -> None:
    """Scrapes that reached nobody."""
    both = [(series, rule | {"absent": absent}) for series, rule in readings for absent in (False, True)]
    _compare(
        fires,
        both,
        gettext(
            "A missing scrape is no value, and no 0. Where a whole window is missing the rule "
            "holds only if `absent` is true."
        ),
        "11.1.absent",
    )


def check_time(rule: Function, goals: Sequence[Goal]) -> None:
    """Every outage that has values is paged in time."""
    for goal, answer in _rules(rule, goals):
        for outage in goal.outages:
            if outage.kind in _PAGED:
                behaviour, hint = _PAGED[outage.kind]
                expect(pages_in_time(goal, answer, outage), gettext(behaviour), hint)


_PAGED = {
    "total": (
        gettext_noop(
            "When nearly every request fails, the page comes within `within` seconds, and not before."
        ),
        "11.2.time",
    ),
    "part": (
        gettext_noop(
            "An outage in which some requests fail is paged in time too: the threshold is below it."
        ),
        "11.2.part",
    ),
    "flaps": (
        gettext_noop(
            "An outage that shows only at some scrapes is paged in time too: a longer window sees it."
        ),
        "11.2.flaps",
    ),
}


def check_quiet(rule: Function, goals: Sequence[Goal]) -> None:
    """Nobody is woken on a healthy day, by a rule that can wake somebody."""
    for goal, answer in _rules(rule, goals):
        expect(
            bool(firing(goal.outages[KINDS.index("total")].series, answer)),
            gettext("A rule that never fires is silent on a healthy day, and on every other one."),
            "11.2.never",
        )
        expect(
            is_silent(goal, answer),
            gettext(
                "In the healthy series nobody is paged: not for the failures that are always there, "
                "not for a failover, and not for a few scrapes that reached nobody."
            ),
            "11.2.quiet",
        )


def check_gone(rule: Function, goals: Sequence[Goal]) -> None:
    """A target that is gone is paged."""
    for goal, answer in _rules(rule, goals):
        expect(
            pages_in_time(goal, answer, goal.outages[KINDS.index("gone")]),
            gettext("When nobody can be scraped any more, that is paged within `within` seconds as well."),
            "11.2.gone",
        )


def check_refused(rule: Function, goals: Sequence[Goal]) -> None:
    """A goal that no rule reaches is refused, and one that some rule reaches is not."""
    expect_refused(
        rule,
        [(goal.data,) for goal in goals],
        (make_goal(random.Random(11)).data,),
        gettext("Where no rule reaches the goal, a ValueError says so."),
        "11.2.refused",
    )


def make_clusters(seed: int, count: int = 3, broken: bool = False) -> list[Cluster]:
    """Clusters to upgrade, drawn from a seed; in a broken one a process does not come back."""
    return draw(lambda rng: make_cluster(rng, broken), seed, count)


def check_all(plan: Function, clusters: Sequence[Cluster]) -> None:
    """Where nothing goes wrong: each process once, and then it is done."""
    for run in _run(plan, clusters):
        expect(
            "all" not in run.broke,
            gettext(
                "Each process is restarted once; one that is new already is left alone, and only "
                "query nodes are drained."
            ),
            "11.3.all",
        )
        _expect_complete(run)


def check_away(plan: Function, clusters: Sequence[Cluster]) -> None:
    """How many are out of service at a time."""
    for run in _run(plan, clusters):
        expect(
            "drain" not in run.broke,
            gettext("A query node is drained before it is restarted, and restarted once it is drained."),
            "11.3.drain",
        )
        expect(
            "away" not in run.broke,
            gettext("At most `most_away` processes are not serving at a time, and never two of one role."),
            "11.3.away",
        )
        expect(
            "loading" not in run.broke,
            gettext(
                "A query node that is healthy and still loads is not back: it counts as away until it serves."
            ),
            "11.3.loading",
        )
        _expect_complete(run)


def check_order(plan: Function, clusters: Sequence[Cluster]) -> None:
    """The standby before the active one."""
    for run in _run(plan, clusters):
        expect(
            "order" not in run.broke,
            gettext(
                "Of each kind of coordinator the standby is restarted first: whoever takes over is "
                "new already."
            ),
            "11.3.order",
        )
        _expect_complete(run)


@example(_OVERDUE, gives="halt")
def check_halt(plan: Function, clusters: Sequence[Cluster]) -> None:
    """A process that does not come back ends the upgrade."""
    for run in _run(plan, clusters):
        expect(
            "early" not in run.broke and run.actions[-1:] != ["done"],
            gettext(
                "An upgrade is halted when a process has been away for more than `patience` seconds, "
                "and not before."
            ),
            "11.3.early",
        )
        expect(
            run.actions[-1:] == ["halt"] and "halt" not in run.broke,
            gettext(
                "When a process has been away for more than `patience` seconds, the next action is to halt."
            ),
            "11.3.halt",
        )


def _compare(fires: Function, readings: Sequence[Reading], behaviour: str, hint: str) -> None:
    answers = call_many(fires, ((list(series), dict(rule)) for series, rule in readings))
    for (series, rule), answer in zip(readings, answers, strict=True):
        expect(
            isinstance(answer, Sequence) and not isinstance(answer, str),
            gettext("The answer is a list of scrapes, counted from 0."),
            hint,
        )
        expect(list(answer) == firing(series, rule), behaviour, hint)


def _rules(rule: Function, goals: Sequence[Goal]) -> list[tuple[Goal, Data]]:
    answers = call_many(rule, ((goal.data,) for goal in goals))
    for answer in answers:
        expect(
            _is_rule(answer),
            gettext(
                "A rule is a dict with window (a whole number from 1), above (a number), for (a "
                "whole number from 0) and absent (True or False)."
            ),
            "11.2.rule",
        )
    return list(zip(goals, answers, strict=True))


def _is_rule(answer: Any) -> bool:
    if not isinstance(answer, Mapping) or set(answer) != {"window", "above", "for", "absent"}:
        return False
    return (
        _whole(answer["window"], 1)
        and _whole(answer["for"], 0)
        and isinstance(answer["above"], int | float)
        and not isinstance(answer["above"], bool)
        and math.isfinite(answer["above"])
        and isinstance(answer["absent"], bool)
    )


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _expect_complete(run: Upgrade) -> None:
    expect(
        "early" not in run.broke,
        gettext("An upgrade in which every process comes back in time is not halted."),
        "11.3.early",
    )
    expect(
        run.complete, gettext("An upgrade is done when every process is new and serves again."), "11.3.done"
    )


def _run(plan: Function, clusters: Sequence[Cluster]) -> list[Upgrade]:
    """Every upgrade to its end. All of them are asked for their next action at once, round after round."""
    runs = [upgrade(cluster) for cluster in clusters]
    for _ in range(_MOST):
        going = [run for run in runs if not run.ended]
        if not going:
            return runs
        for run, action in zip(going, call_many(plan, ((run.state(),) for run in going)), strict=True):
            expect(
                isinstance(action, str) and run.knows(action),
                gettext("The plan answers with an action, for every state of the cluster."),
                "11.3.action",
            )
            run.act(action)
    expect(False, gettext("An upgrade comes to an end."), "11.3.end")
    return runs
