"""Answers to exercise 12 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.rag_service.variant import variant
from support.answers import Answers, Wrong

INGEST = """
def ingest(passages, heard, most):
    rows = {{key(passage): passage | {{"key": key(passage)}} for passage in passages}}
    last = heard[-1] if heard else {{"call": {{"call": "nothing"}}}}
    if last["call"]["call"] != "present" or last["answer"] == "timeout":
        return {{"call": "present", "keys": list(rows)}}
    missing = [row for name, row in rows.items() if name not in last["answer"]]
    if not missing:
        return {{"call": "done"}}
    return {{"call": "{write}", "rows": missing[:most]}}
"""
TRUSTING = """
def ingest(passages, heard, most):
    rows = {key(passage): passage | {"key": key(passage)} for passage in passages}
    there = set()
    for one in heard:
        if one["answer"] == "acknowledged":
            there |= {row["key"] for row in one["call"]["rows"]}
    missing = [row for name, row in rows.items() if name not in there]
    return {"call": "upsert", "rows": missing[:most]} if missing else {"call": "done"}
"""
ANSWER = """
def answer(state):
    requests = state["requests"]
    answered = [one for one in requests if one["status"] == "answered"]
    for one in answered:
        if not one["standby"]:
            return f"answer {{one['name']}}"
    if answered:
        return f"{standby} {{answered[0]['name']}}"
    asked = [one["name"] for one in requests]
    able = [one for one in state["addresses"] if one["name"] not in asked]
    able = [one for one in able if {able}]
    waiting = requests and requests[-1]["status"] == "waiting"
    slow = waiting and requests[-1]["age"] >= 200
    if able and {paid} and (slow or not waiting):
        return f"ask {{able[0]['name']}}"
    if any(one["status"] == "waiting" for one in requests) and state["left"] > 100:
        return "wait"
    return "degraded memory" if {remembered} else "give up"
"""
PAID = 'not requests or state["further"] + 1 <= state["extra"] * state["question"]'
PLAN = """
def plan(state):
    new, after = state["b"], state["since_switch"]
    if after is not None:
        if after["bad"] > state["most_bad"]:
            return "back" if state["alias"] == "b" else "abort"
        return "done" if {watched} else "wait"
    if new is None:
        return "make"
    if new["vectors"] != state["vectors"]:
        return "abort"
    if {lacks}:
        return "fill" if new["fills"] < state["most_fills"] else "abort"
    if new["loading"] is None:
        return "load"
    if not new["loaded"]:
        return "abort" if new["loading"] > {patience} else "wait"
    if new["found"] is None:
        return "ask"
    return "switch" if {found} else "abort"
"""


def key(made):
    return {"12-1-key-answer": f"def key(passage):\n    return {made}"}


def ingest(write="upsert"):
    return {"12-1-ingest-answer": INGEST.format(write=write)}


def answer(
    standby="degraded",
    able='one["failures"] < 3 or one["rested"] >= 10',
    paid=f"({PAID})",
    remembered='state["remembered"]',
):
    written = ANSWER.format(standby=standby, able=able, paid=paid, remembered=remembered)
    return {"12-2-answer-answer": written}


def plan(
    watched='after["questions"] >= state["watch"]',
    lacks='new["rows"] != state["passages"]',
    patience='state["patience"]',
    found='new["found"] >= state["least"]',
):
    return {"12-3-plan-answer": PLAN.format(watched=watched, lacks=lacks, patience=patience, found=found)}


ANSWERED = {"12-2-unanswered": "12.2.unanswered", "12-2-load": "12.2.unanswered"}
QUIET = dict.fromkeys(("12-2-honest", "12-2-unanswered", "12-2-load", "12-2-degraded"), "12.2.quiet")

WRONG = {
    "a key without its borders": Wrong(
        key('(passage["source"] + passage["heading"] + passage["text"])[-64:]'), {"12-1-key": "12.1.key"}
    ),
    "inserts": Wrong(
        ingest("insert"),
        {"12-1-once": "12.1.twice", "12-1-again": "12.1.twice", "12-1-count": "12.1.twice"},
    ),
    "believes what was acknowledged": Wrong(
        {"12-1-ingest-answer": TRUSTING}, {"12-1-again": "12.1.again", "12-1-count": "12.1.count"}
    ),
    "done at once": Wrong(
        {"12-1-ingest-answer": 'def ingest(*_):\n    return {"call": "done"}'},
        {"12-1-once": "12.1.missing", "12-1-again": "12.1.missing", "12-1-count": "12.1.count"},
    ),
    "passes the standby off": Wrong(answer(standby="answer"), {"12-2-honest": "12.2.passed-off"}),
    "never gives anybody a rest": Wrong(
        answer(able="True"), ANSWERED | {"12-2-degraded": "12.2.unanswered"}
    ),
    "never asks again": Wrong(
        answer(able='one["failures"] < 3'), ANSWERED | {"12-2-degraded": "12.2.unanswered"}
    ),
    "retries without a budget": Wrong(answer(paid="True"), {"12-2-load": "12.2.load"}),
    "forgets": Wrong(answer(remembered="False"), ANSWERED | {"12-2-degraded": "12.2.unanswered"}),
    "always gives up": Wrong({"12-2-answer-answer": 'def answer(state):\n    return "give up"'}, QUIET),
    "always from memory": Wrong(
        {
            "12-2-answer-answer": "def answer(state):\n"
            '    return "degraded memory" if state["remembered"] else "give up"'
        },
        QUIET,
    ),
    "does not verify": Wrong(plan(found="True"), {"12-3-abort": "12.3.ready"}),
    "does not watch": Wrong(plan(watched="True"), {"12-3-switch": "12.3.watched", "12-3-back": "12.3.back"}),
    "waits for ever": Wrong(plan(patience="10**9"), {"12-3-abort": "12.3.end"}),
    "fills once": Wrong(plan(lacks='new["rows"] == 0'), {
        "12-3-switch": "12.3.ready", "12-3-abort": "12.3.ready", "12-3-back": "12.3.ready",
    }),
    "always aborts": Wrong(
        {"12-3-plan-answer": 'def plan(state):\n    return "abort"'},
        {"12-3-switch": "12.3.early", "12-3-abort": "12.3.early", "12-3-back": "12.3.early"},
    ),
}  # fmt: skip


class TestAnswers(Answers):
    NAME = "12-rag-service"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ()

    @staticmethod
    def neighbour():
        """What is right for one learner is right for all: every task asks for what a state asks for."""
        return ingest() | answer() | plan()
