"""Answers to exercise 7 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.rto_rpo.variant import variant
from support.answers import Answers, Wrong

LOST = """
def lost(backups, moment):
    usable = [one for one in backups if {which}]
    return {age} if usable else None
"""
AGE = 'moment - max(one["begun"] for one in usable)'
CHOOSE = """
def choose(strategies, service):
    good = []
    for one in strategies:
        pairs = [one["recoveries"].get(name{default}) for name in service["disasters"]]
        if all(pair is not None and {fits} for pair in pairs):
            good.append((one["cost"], one["name"]))
    return {pick} if good else None
"""
FITS = 'pair[0] <= service["rto"] and pair[1] <= service["rpo"]'
TABLE = """
def table(services, drills):
    words = {{}}
    for service in services:
        mine = [one for one in drills if one["service"] == service["name"]]
        broken = {broken}(one["rto"] > service["rto"] or (one["rpo"] or 0) > service["rpo"] for one in mine)
        proven = {proven}
        words[service["name"]] = "missed" if broken else "met" if proven else "unproven"
    return words
"""

WRONG = {
    "counts what got no answer as lost": Wrong(
        {
            "07-1-counts-answer": """
def counts(incident):
    found = set(incident["found"])
    gone = [one["outcome"] for one in incident["inserts"] if one["key"] not in found]
    there = [one["outcome"] for one in incident["inserts"] if one["key"] in found]
    return gone.count("ok") + gone.count("unknown"), there.count("unknown")
"""
        },
        {"07-1-counts": "07.1.counts"},
    ),
    "takes every unknown row for one that landed": Wrong(
        {
            "07-1-counts-answer": """
def counts(incident):
    found = set(incident["found"])
    outcomes = [one["outcome"] for one in incident["inserts"]]
    gone = [one for one in incident["inserts"] if one["outcome"] == "ok" and one["key"] not in found]
    return len(gone), outcomes.count("unknown")
"""
        },
        {"07-1-counts": "07.1.landed"},
    ),
    "measures the loss from the last lost row": Wrong(
        {
            "07-1-window-answer": """
def loss_window(incident):
    found = set(incident["found"])
    lost = [one["done"] for one in incident["inserts"] if one["outcome"] == "ok" and one["key"] not in found]
    return incident["disaster_at"] - max(lost) if lost else 0.0
"""
        },
        {"07-1-window": "07.1.window"},
    ),
    "knows no incident without a loss": Wrong(
        {
            "07-1-window-answer": """
def loss_window(incident):
    found = set(incident["found"])
    return incident["disaster_at"] - min(
        one["done"] for one in incident["inserts"] if one["outcome"] == "ok" and one["key"] not in found
    )
"""
        },
        {"07-1-window": "07.1.window"},
    ),
    "takes the first sign of service for the end": Wrong(
        {
            "07-1-rto-answer": """
def rto(events):
    disaster = next(one["at"] for one in events if one["what"] == "disaster")
    return next(one["at"] for one in events if one["what"] == "serving" and one["at"] > disaster) - disaster
"""
        },
        {"07-1-rto": "07.1.again", "07-1-stages": "07.1.stages"},
    ),
    "counts from the alarm": Wrong(
        {
            "07-1-rto-answer": """
def rto(events):
    disaster = next(one["at"] for one in events if one["what"] == "disaster")
    alarm = next(one["at"] for one in events if one["what"] == "alarm" and one["at"] >= disaster)
    return events[-1]["at"] - alarm
"""
        },
        {"07-1-rto": "07.1.rto", "07-1-stages": "07.1.stages"},
    ),
    "takes the false alarm": Wrong(
        {
            "07-1-stages-answer": """
def stages(events):
    at = {}
    for one in events:
        at.setdefault(one["what"], one["at"])
    return {"noticed": at["alarm"] - at["disaster"], "decided": at["decision"] - at["alarm"],
            "restored": at["restored"] - at["decision"],
            "serving": at["disaster"] + rto(events) - at["restored"]}
"""
        },
        {"07-1-stages": "07.1.stages"},
    ),
    "takes the RPO for the interval": Wrong(
        {
            "07-2-interval-answer": """
def longest_interval(rpo, takes, failed):
    if rpo <= 0 or failed < 0 or takes >= rpo:
        raise ValueError("rpo")
    return rpo / (failed + 1)
"""
        },
        {"07-2-interval": "07.2.interval"},
    ),
    "refuses nothing": Wrong(
        {
            "07-2-interval-answer": """
def longest_interval(rpo, takes, failed):
    return (rpo - takes) / (failed + 1)
"""
        },
        {"07-2-refused": "07.2.refused"},
    ),
    "backs up twice as often as needed": Wrong(
        {
            "07-2-interval-answer": """
def longest_interval(rpo, takes, failed):
    if rpo <= 0 or failed < 0 or takes >= rpo:
        raise ValueError("rpo")
    return (rpo - takes) / (failed + 1) / 2
"""
        },
        {"07-2-interval": "07.2.often"},
    ),
    "restores what is not ready": Wrong(
        {"07-2-newest-answer": LOST.format(which='one["ok"] and one["begun"] <= moment', age=AGE)},
        {"07-2-newest": "07.2.ready"},
    ),
    "restores what has failed": Wrong(
        {"07-2-newest-answer": LOST.format(which='one["ready"] <= moment', age=AGE)},
        {"07-2-newest": "07.2.newest"},
    ),
    "counts a backup's age from when it was ready": Wrong(
        {
            "07-2-newest-answer": LOST.format(
                which='one["ok"] and one["ready"] <= moment',
                age='moment - max(one["ready"] for one in usable)',
            )
        },
        {"07-2-newest": "07.2.newest"},
    ),
    "ignores the RPO": Wrong(
        {
            "07-3-choose-answer": CHOOSE.format(
                default="", fits='pair[0] <= service["rto"]', pick="min(good)[1]"
            )
        },
        {"07-3-limits": "07.3.limits", "07-3-cheapest": "07.3.cheapest"},
    ),
    "takes a missing disaster for a harmless one": Wrong(
        {"07-3-choose-answer": CHOOSE.format(default=", (0, 0)", fits=FITS, pick="min(good)[1]")},
        {"07-3-survives": "07.3.survives", "07-3-cheapest": "07.3.cheapest"},
    ),
    "buys the dearest": Wrong(
        {"07-3-choose-answer": CHOOSE.format(default="", fits=FITS, pick="max(good)[1]")},
        {"07-3-cheapest": "07.3.cheapest"},
    ),
    "forgives one bad drill": Wrong(
        {
            "07-3-table-answer": TABLE.format(
                broken="mine and all", proven='mine and all(one["rpo"] is not None for one in mine)'
            )
        },
        {"07-3-table": "07.3.table"},
    ),
    "takes rows that were not counted for rows that were not lost": Wrong(
        {"07-3-table-answer": TABLE.format(broken="any", proven="mine")},
        {"07-3-table": "07.3.unproven"},
    ),
}


class TestAnswers(Answers):
    NAME = "07-rto-rpo"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("07-1-counts", "07-1-window")

    @staticmethod
    def neighbour():
        bo = variant("bo")
        return {
            "07-1-window-answer": f"def loss_window(incident):\n    return {bo.incident.window}",
            "07-1-counts-answer": "def counts(incident):\n"
            f"    return {bo.incident.lost}, {bo.incident.landed}",
        }
