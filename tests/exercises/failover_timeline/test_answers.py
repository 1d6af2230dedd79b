"""Answers to exercise 6 as learners give them: what each earns through nbgrader, and which hint it gets."""

from halab.exercises.failover_timeline.variant import variant
from halab.models.failover import Lease, detection, false_alarms_per_year
from support.answers import Answers, Wrong
from support.ttl_choices import ttl_choices

OUTAGES = "06-1-outages"
RTO = "06-1-rto-answer"
COUNTS = "06-1-counts-answer"
RETRY = "06-2-retry"
TTL = "06-3-ttl"
MISSES = "06-3-misses-answer"


def _retry(body: str) -> str:
    return f"def retry(attempt, elapsed, outcome, operation, rng):\n{body}"


def _ttl(choice: str) -> str:
    return f"""
ttls = [ttl for ttl in range(2, 61)
        if false_alarms_per_year(Lease(ttl), promise.stalls, promise.processes) <= promise.false_alarms]
ttl = {choice}
worst_outage = detection(Lease(ttl)).most + promise.after
false_alarms = false_alarms_per_year(Lease(ttl), promise.stalls, promise.processes)
"""


SAFE = "    if operation == 'insert' and outcome == 'unknown':\n        return None\n"
WITHIN = "    return wait if elapsed + wait <= deadline else None\n"

WRONG = {
    "merges separate blips into one outage": Wrong(
        {
            OUTAGES: """
def outages(journal, operation):
    samples = [one for one in journal["samples"] if one["operation"] == operation]
    bad = [one["intended"] for one in samples if one["outcome"] != "ok"]
    after = [one["intended"] for one in samples if one["intended"] > bad[-1]]
    return [(bad[0], after[0])]
"""
        },
        {"06-1-blips": "06.1.blips"},
    ),
    "ends an outage at every flicker": Wrong(
        {
            OUTAGES: """
def outages(journal, operation):
    found = []
    start = None
    for one in (one for one in journal["samples"] if one["operation"] == operation):
        if one["outcome"] != "ok" and start is None:
            start = one["intended"]
        if one["outcome"] == "ok" and start is not None:
            found.append((start, one["intended"]))
            start = None
    return found
"""
        },
        {"06-1-blips": "06.1.flaps"},
    ),
    "takes the last bad request for the end": Wrong(
        {
            OUTAGES: """
def outages(journal, operation):
    found = []
    for one in journal["samples"]:
        if one["operation"] == operation and one["outcome"] != "ok":
            sent = one["intended"]
            if found and sent - found[-1][1] <= journal["quiet"]:
                found[-1] = (found[-1][0], sent)
            else:
                found.append((sent, sent))
    return found
"""
        },
        {"06-1-windows": "06.1.end", "06-1-blips": "06.1.blips", "06-1-rto": "06.1.rto"},
    ),
    "counts unknown as failed": Wrong(
        {
            COUNTS: """
def counts(journal, operation):
    outcomes = [one["outcome"] for one in journal["samples"] if one["operation"] == operation]
    return len(outcomes) - outcomes.count("ok"), outcomes.count("unknown")
"""
        },
        {"06-1-counts": "06.1.counts"},
    ),
    "counts RTO to a request instead of an answer": Wrong(
        {
            RTO: """
def rto(journal, operation):
    return outages(journal, operation)[-1][1] - journal["fault_at"]
"""
        },
        {"06-1-rto": "06.1.rto"},
    ),
    "counts RTO from the first bad request": Wrong(
        {
            RTO: """
def rto(journal, operation):
    start, end = outages(journal, operation)[-1]
    samples = [one for one in journal["samples"] if one["operation"] == operation]
    return min(one["done"] for one in samples if one["intended"] >= end) - start
"""
        },
        {"06-1-rto": "06.1.rto"},
    ),
    "waits without jitter": Wrong(
        {RETRY: _retry(SAFE + "    wait = min(4.0, 0.2 * 2 ** (attempt - 1))\n" + WITHIN)},
        {"06-2-jitter": "06.2.jitter"},
    ),
    "jitters around half of the wait only": Wrong(
        {
            RETRY: _retry(
                SAFE
                + "    most = min(4.0, 0.2 * 2 ** (attempt - 1))\n    wait = rng.uniform(most / 2, most)\n"
                + WITHIN
            )
        },
        {"06-2-jitter": "06.2.jitter"},
    ),
    "retries at once and for ever": Wrong(
        {RETRY: _retry(SAFE + "    return 0.05\n")},
        {
            "06-2-backoff": "06.2.backoff",
            "06-2-jitter": "06.2.jitter",
            "06-2-deadline": "06.2.deadline",
            "06-2-users": "06.2.users",
            "06-2-load": "06.2.load",
        },
    ),
    "sends unsafe inserts again": Wrong(
        {RETRY: _retry("    wait = rng.uniform(0, min(4.0, 0.2 * 2 ** (attempt - 1)))\n" + WITHIN)},
        {"06-2-safe": "06.2.safe"},
    ),
    "lets waits grow without a cap": Wrong(
        {RETRY: _retry(SAFE + "    wait = rng.uniform(0, 0.2 * 2 ** (attempt - 1))\n" + WITHIN)},
        {"06-2-backoff": "06.2.cap"},
    ),
    "knows no deadline": Wrong(
        {RETRY: _retry(SAFE + "    return rng.uniform(0, min(4.0, 0.2 * 2 ** (attempt - 1)))\n")},
        {"06-2-deadline": "06.2.deadline"},
    ),
    "chooses a TTL too long": Wrong({TTL: _ttl("ttls[0] + 2")}, {"06-3-ttl-rto": "06.3.ttl-rto"}),
    "chooses a TTL too short": Wrong({TTL: _ttl("ttls[0] - 1")}, {"06-3-ttl-calm": "06.3.ttl-calm"}),
    "counts false alarms of one process only": Wrong(
        {TTL: _ttl("ttls[0]") + "false_alarms = false_alarms / promise.processes\n"},
        {"06-3-numbers": "06.3.numbers"},
    ),
    "chooses a threshold too low": Wrong({MISSES: "misses = 1"}, {"06-3-misses": "06.3.misses"}),
    # Not wrong: what a learner prints or is warned of costs nothing.
    "chatters on both channels": Wrong(
        {
            COUNTS: """
import sys, warnings
def counts(journal, operation):
    print("counting", operation)
    print("counting", operation, file=sys.stderr)
    warnings.warn("counting " + operation)
    outcomes = [one["outcome"] for one in journal["samples"] if one["operation"] == operation]
    return outcomes.count("fail"), outcomes.count("unknown")
counts(journal, "search")
"""
        }
    ),
}


class TestAnswers(Answers):
    NAME = "06-failover-timeline"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("06-3-numbers", "06-3-ttl-rto")
    GIVEN = ("06.3",)

    @staticmethod
    def neighbour():
        bo = variant("bo").lease
        ttl = ttl_choices(bo.rto, bo.false_alarms, bo.stalls, bo.after, bo.processes)[0]
        worst = detection(Lease(ttl)).most + bo.after
        alarms = false_alarms_per_year(Lease(ttl), bo.stalls, bo.processes)
        return {TTL: f"ttl, worst_outage, false_alarms = {ttl}, {worst}, {alarms}"}
