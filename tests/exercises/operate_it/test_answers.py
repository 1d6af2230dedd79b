"""Answers to exercise 11 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.operate_it.variant import rules_reaching, variant
from support.answers import Answers, Wrong

FIRES = """
def fires(series, rule):
    begins, length = [], 0
    for at in range(len(series)):
        last = series[max(0, at + 1 - rule["window"]) : at + 1]
        values = {values}
        holds = sum(values) / len(values) > rule["above"] if values else rule["absent"]
        length = length + 1 if holds else {reset}
        if length == rule["for"] + {more}:
            begins.append(at)
    return begins
"""
VALUES = "[value for value in last if value is not None]"
PLAN = """
def plan(state):
    away = [one for one in state["processes"] if {away}]
    if any(one["lasted"] {patience} for one in away):
        return "halt"
    for one in away:
        if one["status"] == "drained":
            return f"restart {{one['name']}}"
    left = [one for one in state["processes"] if not one["updated"]]
    if not left and not away:
        return "done"
    if len(away) < {most}:
        for one in sorted(left, key=lambda one: {order}):
            if one["role"] not in {{other["role"] for other in away}}:
                return f"{{{verb}}} {{one['name']}}"
    return "wait"
"""
AWAY = 'one["status"] != "serving"'


def fires(values=VALUES, reset="0", more="1"):
    return {"11-1-fires-answer": FIRES.format(values=values, reset=reset, more=more)}


def rule(**changes):
    """One rule for every goal."""
    kept = {"window": 4, "above": 0.1, "for": 9, "absent": True} | changes
    return {"11-2-rule-answer": f"def rule(goal):\n    return {kept}"}


def plan(
    away=AWAY,
    patience='> state["patience"]',
    most='state["most_away"]',
    order='one["active"]',
    verb="'drain' if one['role'] == 'querynode' else 'restart'",
):
    written = PLAN.format(away=away, patience=patience, most=most, order=order, verb=verb)
    return {"11-3-plan-answer": written}


WRONG = {
    "takes a missing scrape for a 0": Wrong(
        fires(values="[value or 0.0 for value in last]"), {"11-1-absent": "11.1.absent"}
    ),
    "looks at one value": Wrong(
        fires(values="[value for value in last[-1:] if value is not None]"),
        {"11-1-window": "11.1.window", "11-1-for": "11.1.for", "11-1-absent": "11.1.absent"},
    ),
    "does not start the count again": Wrong(
        fires(reset="length"),
        {"11-1-window": "11.1.window", "11-1-for": "11.1.for", "11-1-absent": "11.1.absent"},
    ),
    "waits one scrape less": Wrong(
        fires(more="(1 if rule['for'] == 0 else 0)"), {"11-1-for": "11.1.for", "11-1-absent": "11.1.absent"}
    ),
    "pages at once": Wrong(
        rule(**{"window": 1, "above": 0.02, "for": 0}),
        {"11-2-time": "11.2.time", "11-2-quiet": "11.2.quiet", "11-2-gone": "11.2.gone"}
        | {"11-2-refused": "11.2.refused"},
    ),
    "never pages": Wrong(
        rule(**{"above": 2, "for": 2}),
        {"11-2-time": "11.2.time", "11-2-quiet": "11.2.never", "11-2-refused": "11.2.refused"},
    ),
    "counts the healthy": Wrong(
        plan(away='not one["healthy"] or one["status"] in ("draining", "drained")'),
        {"11-3-all": "11.3.done", "11-3-away": "11.3.loading", "11-3-order": "11.3.done"},
    ),
    "the active one first": Wrong(plan(order='not one["active"]'), {"11-3-order": "11.3.order"}),
    "drains nothing": Wrong(plan(verb="'restart'"), {"11-3-away": "11.3.drain"}),
    "one more at a time": Wrong(plan(most='state["most_away"] + 1'), {"11-3-away": "11.3.away"}),
    "waits for ever": Wrong(plan(patience="> 10**9"), {"11-3-halt": "11.3.halt"}),
    "halts a little early": Wrong(plan(patience='>= state["patience"]'), {"11-3-halt": "11.3.early"}),
}


class TestAnswers(Answers):
    NAME = "11-operate-it"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("11-2-time", "11-2-gone", "11-2-refused")

    @staticmethod
    def neighbour():
        bo = next(rules_reaching(variant("bo").goal))
        return rule(**bo)
