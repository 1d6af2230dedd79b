"""Answers to exercise 5 as learners give them: what each earns, and which hint it gets."""

from typing import NamedTuple

import pytest

from halab.course.tasks.reading import variant
from halab.course.tasks.reading_checks import _needed, flaw_of

pytestmark = [pytest.mark.grading, pytest.mark.timeout(900)]  # the first test grades for all

NAME = "05-reading"
LEARNER = "ada"


class Wrong(NamedTuple):
    """An answer: the cells it replaces, and for each check it fails the hint it must get."""

    cells: dict[str, str]
    fails: dict[str, str]


PICK = """
class {name}:
    {state}
    def pick(self, loads):
        from random import choice, choices
        {pick}
"""
RATE = "def rate(n, one, contention, coherence):\n    return {rate}"
NEEDED = """
def needed(peak, one, contention, coherence, headroom, spare):
    for n in range(1, {most}):
        if rate(n, one, contention, coherence) * {part} >= peak * (1 - 1e-12):
            return {found}
    return {none}
"""
FLAW = """
def flaw(table):
    from statistics import median
    first, *others = table["rates"]
    if table["client_cores"] >= {cores}:
        return "client-bound"
    if {cold} < median(others) / 2:
        return "no warm-up"
    if {loop} and table["longest"] >= 10 * table["p99"]:
        return "coordinated omission"
    return "none"
"""
HONEST = """
def honest(latencies, interval):
    found = []
    for latency in latencies:
        found.append(latency)
        for k in range(1, int(latency / interval) + {more}):
            found.append({waited})
    return found
"""
RR, LEAST, CHANCE = "05-1-round-robin-answer", "05-1-least-answer", "05-1-random-answer"
COUNTER = "def __init__(self):\n        self.turn = -1\n"
CLOSED = 'table["loop"] == "closed"'

WRONG = {
    "always begins with the first": Wrong(
        {RR: PICK.format(name="RoundRobin", state="", pick="return list(loads)[0]")},
        {"05-1-round-robin": "05.1.turns", "05-1-race": "05.1.turns"},
    ),
    "shares its turn with every balancer": Wrong(
        {
            RR: PICK.format(
                name="RoundRobin",
                state="turn = [-1]\n",
                pick="self.turn[0] += 1; return list(loads)[self.turn[0] % len(loads)]",
            )
        },
        {"05-1-round-robin": "05.1.turns"},
    ),
    "clings to a node that left": Wrong(
        {
            RR: PICK.format(
                name="RoundRobin",
                state="def __init__(self):\n        self.turn, self.names = -1, None\n",
                pick="self.names = self.names or list(loads); self.turn += 1; "
                "return self.names[self.turn % len(self.names)]",
            )
        },
        {"05-1-round-robin": "05.1.gone", "05-1-race": "05.1.gone"},
    ),
    "takes the first of equals": Wrong(
        {LEAST: PICK.format(name="LeastConnections", state="", pick="return min(loads, key=loads.get)")},
        {"05-1-least": "05.1.ties"},
    ),
    "takes the most": Wrong(
        {LEAST: PICK.format(name="LeastConnections", state="", pick="return max(loads, key=loads.get)")},
        {"05-1-least": "05.1.least", "05-1-race": "05.1.least"},
    ),
    "sends everybody in turn by chance": Wrong(
        {
            CHANCE: PICK.format(
                name="Chance",
                state=COUNTER,
                pick="self.turn += 1; return list(loads)[self.turn % len(loads)]",
            )
        },
        {"05-1-random": "05.1.random"},
    ),
    "weighs chance by load": Wrong(
        {
            CHANCE: PICK.format(
                name="Chance",
                state="",
                pick="return choices(list(loads), [1 / (1 + n) for n in loads.values()])[0]",
            )
        },
        {"05-1-random": "05.1.random", "05-1-race": "05.1.random"},
    ),
    "lets a node be as fast as ever": Wrong(
        {"05-2-response-answer": "def response(arrivals, service):\n    return 1 / service"},
        {"05-2-response": "05.2.response"},
    ),
    "waits less than nothing": Wrong(
        {
            "05-2-response-answer": "def response(arrivals, service):\n"
            "    return 1 / (service - arrivals) if arrivals != service else float('inf')"
        },
        {"05-2-response": "05.2.endless"},
    ),
    "adds nodes up": Wrong(
        {"05-2-rate-answer": RATE.format(rate="one * n")},
        {"05-2-rate": "05.2.rate", "05-2-needed": "05.2.needed", "05-2-hopeless": "05.2.hopeless"},
    ),
    "plans without a spare": Wrong(
        {"05-2-needed-answer": NEEDED.format(most=9999, part="(1 - headroom)", found="n", none="None")},
        {"05-2-needed": "05.2.spare"},
    ),
    "plans without headroom": Wrong(
        {"05-2-needed-answer": NEEDED.format(most=9999, part="1", found="n + spare", none="None")},
        {"05-2-needed": "05.2.headroom", "05-2-hopeless": "05.2.hopeless"},
    ),
    "promises what none can": Wrong(
        {"05-2-needed-answer": NEEDED.format(most=9999, part="(1 - headroom)", found="n + spare", none="n")},
        {"05-2-hopeless": "05.2.hopeless"},
    ),
    "does not look at the client": Wrong(
        {"05-3-flaw-answer": FLAW.format(cores="2", cold="first", loop=CLOSED)},
        {"05-3-flaw": "05.3.client"},
    ),
    "blames every stall": Wrong(
        {"05-3-flaw-answer": FLAW.format(cores="0.9", cold="first", loop="True")},
        {"05-3-flaw": "05.3.blamed"},
    ),
    "takes any slow second for a cold start": Wrong(
        {"05-3-flaw-answer": FLAW.format(cores="0.9", cold="min(table['rates'])", loop=CLOSED)},
        {"05-3-flaw": "05.3.blamed"},
    ),
    "believes every closed loop": Wrong(
        {"05-3-flaw-answer": FLAW.format(cores="0.9", cold="first", loop="False")},
        {"05-3-flaw": "05.3.omission"},
    ),
    "leaves out what was never sent": Wrong(
        {"05-3-honest-answer": "def honest(latencies, interval):\n    return latencies"},
        {"05-3-honest": "05.3.missed"},
    ),
    "lets all wait for the whole stall": Wrong(
        {"05-3-honest-answer": HONEST.format(more=1, waited="latency")},
        {"05-3-honest": "05.3.missed"},
    ),
    "drops the stalls": Wrong(
        {
            "05-3-honest-answer": "def honest(latencies, interval):\n"
            "    return [one for one in latencies if one < interval]"
        },
        {"05-3-honest": "05.3.honest"},
    ),
}


@pytest.fixture(scope="module")
def graded(grade_answers):
    """Every submission of this file. The numbers are ada's; bo has worked out his own as constants."""
    bo = variant("bo")
    constants = {
        "05-2-needed-answer": f"def needed(*given):\n    return {_needed(bo.plan)}",
        "05-3-flaw-answer": f"found = {[flaw_of(one) for one in bo.tables]}\n"
        "def flaw(table):\n    found.append(found.pop(0))\n    return found[-1]",
    }
    return grade_answers(
        NAME, LEARNER, {name: one.cells for name, one in WRONG.items()}, {"neighbour": constants}
    )


def test_the_solution_earns_everything(graded):
    assert [check for check in graded.reports["solution"].checks if not check.passed] == []
    assert (graded.reports["solution"].points, graded.reports["solution"].out_of) == (20, 20)


def test_the_exercise_as_handed_out_earns_nothing_and_says_so_kindly(graded):
    report = graded.reports["release"]
    assert report.points == 0
    assert report.notes == ()
    assert {check.behaviour for check in report.checks} == {"Nothing is written here yet."}


@pytest.mark.parametrize("name", WRONG)
def test_a_named_answer_loses_what_it_should_and_gets_its_hint(graded, name):
    checks = graded.checks(name)
    assert {check.name: check.hint for check in checks if not check.passed} == WRONG[name].fails
    assert sum(check.points for check in checks) == sum(
        check.out_of for check in checks if check.name not in WRONG[name].fails
    )


def test_a_neighbour_s_numbers_are_not_mine(graded):
    failed = {check.name for check in graded.reports["neighbour"].checks if not check.passed}
    assert failed >= {"05-2-needed", "05-3-flaw"}


def test_a_failed_check_tells_the_behaviour_and_never_the_test(graded):
    told = [
        check.behaviour for report in graded.reports.values() for check in report.checks if check.behaviour
    ]
    assert told
    assert not [text for text in told if "checks." in text or "HIDDEN" in text or "Traceback" in text]
