"""Answers to exercise 5 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.reading.checks import right_flaw, right_needed
from halab.exercises.reading.variant import variant
from support.answers import Answers, Wrong

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


class TestAnswers(Answers):
    NAME = "05-reading"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("05-2-hopeless", "05-2-needed", "05-3-flaw")

    @staticmethod
    def neighbour():
        bo = variant("bo")
        return {
            "05-2-needed-answer": f"def needed(*given):\n    return {right_needed(bo.plan)}",
            "05-3-flaw-answer": f"found = {[right_flaw(one) for one in bo.tables]}\n"
            "def flaw(table):\n    found.append(found.pop(0))\n    return found[-1]",
        }
