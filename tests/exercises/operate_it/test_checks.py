import random

import pytest

from halab.exercises.operate_it import checks
from halab.exercises.operate_it.given import upgrade
from halab.exercises.operate_it.variant import (
    KINDS,
    firing,
    make_goal,
    make_impossible_goal,
    make_reading,
    rules_reaching,
)
from support.answers import hint_of

GOAL = make_goal(random.Random(3))
CLUSTERS, BROKEN = checks.make_clusters(3), checks.make_clusters(3, 6, broken=True)


def best(goal):
    """The first rule that reaches a goal, of a learner's kind of goal."""
    series = {tuple(one) for one in goal["healthy"]}
    (mine,) = [one for one in GOALS if set(one.healthy) == series]
    for rule in rules_reaching(mine):
        return rule
    raise ValueError("none")


def plan(state):
    away = [one for one in state["processes"] if one["status"] != "serving"]
    if any(one["lasted"] > state["patience"] for one in away):
        return "halt"
    for one in away:
        if one["status"] == "drained":
            return f"restart {one['name']}"
    left = [one for one in state["processes"] if not one["updated"]]
    if not left and not away:
        return "done"
    if len(away) < state["most_away"]:
        for one in sorted(left, key=lambda one: one["active"]):
            if one["role"] not in {other["role"] for other in away}:
                return f"{'drain' if one['role'] == 'querynode' else 'restart'} {one['name']}"
    return "wait"


IMPOSSIBLE = checks.draw(make_impossible_goal, 5, 3)
EASY = make_goal(random.Random(11))  # what check_refused calls beside the impossible ones
GOALS = [GOAL, EASY, *IMPOSSIBLE]


@pytest.mark.parametrize("seed", range(4))
def test_the_right_answer_is_right_on_every_seed(seed):
    readings = checks.draw(make_reading, seed, 5)
    for check in (checks.check_window, checks.check_for, checks.check_absent):
        check(firing, readings)
    for check in (checks.check_all, checks.check_away, checks.check_order):
        check(plan, checks.make_clusters(seed))
    checks.check_halt(plan, checks.make_clusters(seed, broken=True))


def test_a_rule_that_reaches_its_goal_passes_and_what_no_rule_reaches_is_refused():
    for check in (checks.check_time, checks.check_quiet, checks.check_gone):
        check(best, [GOAL])
    checks.check_refused(best, IMPOSSIBLE)


def test_a_rule_fires_again_after_it_was_silent_and_not_twice_in_between():
    rule = {"window": 1, "above": 0.1, "for": 1, "absent": False}
    assert firing([0.0, 0.5, 0.5, 0.5, None, 0.5, 0.5, 0.0], rule) == [2, 6]
    assert firing([0.0, None, None, None], rule | {"absent": True}) == [2]


def test_no_rule_is_right_for_most_goals():
    goals = [make_goal(random.Random(seed)) for seed in range(12)]
    right = [str(rule) for goal in goals for rule in rules_reaching(goal)]
    assert max(right.count(rule) for rule in right) <= 8


def test_each_wrong_rule_gets_its_hint():
    (rule,) = [best(GOAL.data)]
    silent = rule | {"above": 2.0}
    assert hint_of(checks.check_time, lambda _: silent, [GOAL]) == "11.2.time"
    assert hint_of(checks.check_quiet, lambda _: silent, [GOAL]) == "11.2.never"
    assert hint_of(checks.check_gone, lambda _: rule | {"absent": False}, [GOAL]) == "11.2.gone"
    hasty = rule | {"window": 1, "for": 0}
    assert hint_of(checks.check_quiet, lambda _: hasty, [GOAL]) == "11.2.quiet"
    high = {"window": 1, "above": 0.45, "for": 0, "absent": True}
    assert hint_of(checks.check_time, lambda _: high, [GOAL]) == "11.2.part"
    part = {one.kind: max(one.series[one.at :]) for one in GOAL.outages if one.kind == "part"}["part"]
    between = {"window": 1, "above": part * 0.5, "for": 2, "absent": True}
    assert hint_of(checks.check_time, lambda _: between, [GOAL]) in {"11.2.part", "11.2.flaps"}
    assert {one.kind for one in GOAL.outages} == set(KINDS)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"window": 0, "above": 0.1, "for": 0, "absent": True},
        {"window": 1, "above": 0.1, "for": 1.5, "absent": True},
        {"window": True, "above": 0.1, "for": 1, "absent": True},
        {"window": 1, "above": float("nan"), "for": 1, "absent": True},
        {"window": 1, "above": 0.1, "for": 1, "absent": "yes"},
    ],
)
def test_what_is_no_rule_is_told_so(answer):
    for check in (checks.check_time, checks.check_quiet, checks.check_gone):
        assert hint_of(check, lambda _: answer, [GOAL]) == "11.2.rule"


def test_wrong_readings_get_their_hints():
    readings = checks.draw(make_reading, 5, 10)
    for check, hint in (
        (checks.check_window, "11.1.window"),
        (checks.check_for, "11.1.for"),
        (checks.check_absent, "11.1.absent"),
    ):
        assert hint_of(check, lambda *_: None, readings) == hint
        assert hint_of(check, lambda *_: [], readings) == hint


def hasty(change):
    """The plan, told something else of the cluster."""

    def wrong(state):
        return plan(state | {"processes": [change(dict(one)) for one in state["processes"]]})

    return wrong


@pytest.mark.parametrize(
    ("wrong", "check", "hint"),
    [
        (lambda state: "wait", checks.check_all, "11.3.end"),
        (lambda state: "done", checks.check_all, "11.3.done"),
        (lambda state: None, checks.check_all, "11.3.action"),
        (lambda state: "restart nobody", checks.check_all, "11.3.action"),
        (lambda state: "halt", checks.check_all, "11.3.early"),
        (lambda state: "halt", checks.check_halt, "11.3.early"),
        (lambda state: plan(state).replace("drain", "restart"), checks.check_away, "11.3.drain"),
        (lambda state: plan(state | {"most_away": 3}), checks.check_away, "11.3.away"),
        (
            hasty(lambda one: one | {"status": "serving"} if one["status"] == "loading" else one),
            checks.check_away,
            "11.3.loading",
        ),
        (hasty(lambda one: one | {"active": not one["active"]}), checks.check_order, "11.3.order"),
        (lambda state: plan(state | {"patience": 300}), checks.check_halt, "11.3.halt"),
        (lambda state: plan(state | {"patience": 30}), checks.check_halt, "11.3.early"),
    ],
)
def test_each_wrong_plan_gets_its_hint(wrong, check, hint):
    assert hint_of(check, wrong, BROKEN if check is checks.check_halt else CLUSTERS) == hint


def test_a_process_is_restarted_once_and_only_query_nodes_are_drained():
    run = upgrade(CLUSTERS[0])
    run.act("drain rootcoord-1")
    assert run.broke == {"all"}
    assert hint_of(checks.check_all, twice, CLUSTERS) == "11.3.all"


def twice(state):
    """The plan, and before its end one process again."""
    action = plan(state)
    if action == "done" and state["seconds"] % 100 < 60:
        return f"restart {state['processes'][0]['name']}"
    return action
