"""Answers to exercise 2 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.availability_maths.variant import variant
from support.answers import Answers, Wrong

COPIES = """
import math
def copies_needed(availability, target):
    {ends}
    return max(1, math.ceil(math.log(1 - target) / math.log(1 - availability){dust}))
"""
ENDS = """if availability == 1 or target == 0:
        return 1
    if availability == 0 or target == 1:
        return None"""
K_OF_N = """
import math
def k_of_n(k, n, availability):
    if not 1 <= k <= n:
        raise ValueError("k")
    if not 0 <= availability <= 1:
        raise ValueError("availability")
    down = 1 - availability
    return {sum}
"""
COMMON = """
def common_cause(availability, copies, beta):
    for name, value in (("availability", availability), ("beta", beta)):
        if not 0 <= value <= 1:
            raise ValueError(name)
    q = 1 - availability
    return {result}
"""
BURN = """
def burn_rate(journal, operation, slo):
    if not 0 <= slo < 1:
        raise ValueError("slo")
    outcomes = [one["outcome"] for one in journal["samples"]{which}]
    if operation not in ("search", "strong search", "insert", "metadata call"):
        raise ValueError("operation")
    return {bad} / len(outcomes) / (1 - slo)
"""
UNANSWERED = '(len(outcomes) - outcomes.count("ok"))'
OF_IT = ' if one["operation"] == operation'

WRONG = {
    "takes percentages": Wrong(
        {
            "02-1-downtime-answer": """
def downtime(availability, period):
    if not 0 <= availability <= 100:
        raise ValueError("availability")
    if not 0 < period < float("inf"):
        raise ValueError("period")
    return (100 - availability) / 100 * period
"""
        },
        {"02-1-downtime": "02.1.downtime", "02-1-refused": "02.1.refused"},
    ),
    "answers in minutes": Wrong(
        {
            "02-1-downtime-answer": """
def downtime(availability, period):
    if not 0 <= availability <= 1:
        raise ValueError("availability")
    if not 0 < period < float("inf"):
        raise ValueError("period")
    return (1 - availability) * period / 60
"""
        },
        {"02-1-downtime": "02.1.downtime"},
    ),
    "lets nan through": Wrong(
        {
            "02-1-downtime-answer": """
def downtime(availability, period):
    if availability < 0 or availability > 1:
        raise ValueError("availability is no share")
    if period <= 0 or period == float("inf"):
        raise ValueError("period is no time")
    return (1 - availability) * period
"""
        },
        {"02-1-refused": "02.1.refused"},
    ),
    "asserts instead of refusing": Wrong(
        {
            "02-1-downtime-answer": """
def downtime(availability, period):
    assert 0 <= availability <= 1 and 0 < period < float("inf"), "availability or period"
    return (1 - availability) * period
"""
        },
        {"02-1-refused": "02.1.refused"},
    ),
    "says nothing of what is wrong": Wrong(
        {
            "02-1-downtime-answer": """
def downtime(availability, period):
    if not (0 <= availability <= 1 and 0 < period < float("inf")):
        raise ValueError("bad input")
    return (1 - availability) * period
"""
        },
        {"02-1-refused": "02.1.refused"},
    ),
    "returns a percentage": Wrong(
        {"02-1-inverse-answer": "def availability(down, period):\n    return 100 * (1 - down / period)"},
        {"02-1-inverse": "02.1.inverse"},
    ),
    "multiplies what copies have": Wrong(
        {
            "02-2-parallel-answer": """
import math
def parallel(availabilities):
    if not availabilities or not all(0 <= one <= 1 for one in availabilities):
        raise ValueError("availabilities")
    return math.prod(availabilities)
"""
        },
        {"02-2-parallel": "02.2.parallel"},
    ),
    "takes an empty list for nothing to lose": Wrong(
        {
            "02-2-parallel-answer": """
import math
def parallel(availabilities):
    if not all(0 <= one <= 1 for one in availabilities):
        raise ValueError("availabilities")
    return 1 - math.prod(1 - one for one in availabilities)
"""
        },
        {"02-2-parallel": "02.2.refused"},
    ),
    "takes the weakest link for the chain": Wrong(
        {"02-2-series-answer": "def series(availabilities):\n    return min(availabilities)"},
        {"02-2-series": "02.2.series"},
    ),
    "counts exactly k": Wrong(
        {"02-2-k-of-n-answer": K_OF_N.format(sum="math.comb(n, k) * availability**k * down ** (n - k)")},
        {"02-2-k-of-n": "02.2.k-of-n"},
    ),
    "forgets the ways to choose": Wrong(
        {
            "02-2-k-of-n-answer": K_OF_N.format(
                sum="sum(availability**i * down ** (n - i) for i in range(k, n + 1))"
            )
        },
        {"02-2-k-of-n": "02.2.k-of-n"},
    ),
    "buys a copy for the dust": Wrong(
        {"02-2-copies-answer": COPIES.format(ends=ENDS, dust="")}, {"02-2-copies": "02.2.copies-dust"}
    ),
    "rounds copies down": Wrong(
        {"02-2-copies-answer": COPIES.format(ends=ENDS, dust=" - 0.9")}, {"02-2-copies": "02.2.copies"}
    ),
    "stumbles at the ends of the scale": Wrong(
        {"02-2-copies-answer": COPIES.format(ends="pass", dust=" - 1e-6")}, {"02-2-copies": "02.2.copies"}
    ),
    "promises what no copies can keep": Wrong(
        {
            "02-2-copies-answer": """
def copies_needed(availability, target):
    for copies in range(1, 1000):
        if (1 - availability) ** copies <= (1 - target) * (1 + 1e-6) + 1e-15:
            return copies
    return None
"""
        },
        {"02-2-copies": "02.2.copies-none"},
    ),
    "takes copies for independent": Wrong(
        {"02-3-common-answer": COMMON.format(result="1 - q**copies")}, {"02-3-common": "02.3.common"}
    ),
    "takes all downtime for common": Wrong(
        {"02-3-common-answer": COMMON.format(result="availability")}, {"02-3-common": "02.3.common"}
    ),
    "uses the short form where failures are not rare": Wrong(
        {"02-3-common-answer": COMMON.format(result="1 - beta * q - ((1 - beta) * q) ** copies")},
        {"02-3-common": "02.3.common"},
    ),
    "lets failovers cost more than there is": Wrong(
        {
            "02-3-failovers-answer": """
def with_failovers(availability, failures, failover, period):
    return availability - failures * failover / period
"""
        },
        {"02-3-failovers": "02.3.failovers"},
    ),
    "counts one failover however many there were": Wrong(
        {
            "02-3-failovers-answer": """
def with_failovers(availability, failures, failover, period):
    return max(0.0, availability - failover / period)
"""
        },
        {"02-3-failovers": "02.3.failovers"},
    ),
    "counts unknown as answered": Wrong(
        {"02-4-burn-answer": BURN.format(which=OF_IT, bad='outcomes.count("fail")')},
        {"02-4-burn": "02.4.burn", "02-4-budget": "02.4.budget"},
    ),
    "counts every operation together": Wrong(
        {"02-4-burn-answer": BURN.format(which="", bad=UNANSWERED)},
        {"02-4-burn": "02.4.burn", "02-4-budget": "02.4.budget"},
    ),
    "burns the SLO instead of the budget": Wrong(
        {
            "02-4-burn-answer": BURN.format(
                which=OF_IT, bad='(len(outcomes) - outcomes.count("ok"))'
            ).replace("(1 - slo)", "slo if slo else 0")
        },
        {"02-4-burn": "02.4.burn", "02-4-budget": "02.4.budget"},
    ),
    "forgets how long the journal is": Wrong(
        {
            "02-4-budget-answer": """
def budget_spent(journal, operation, slo, period):
    return burn_rate(journal, operation, slo)
"""
        },
        {"02-4-budget": "02.4.budget"},
    ),
    "rounds the budget up": Wrong(
        {
            "02-4-allowed-answer": """
import math
def failovers_allowed(slo, failover, period):
    return math.ceil((1 - slo) * period / failover - 1e-9)
"""
        },
        {"02-4-allowed": "02.4.allowed"},
    ),
    "loses a failover to the dust": Wrong(
        {
            "02-4-allowed-answer": """
def failovers_allowed(slo, failover, period):
    return int((1 - slo) * period / failover)
"""
        },
        {"02-4-allowed": "02.4.allowed"},
    ),
}


class TestAnswers(Answers):
    NAME = "02-availability-maths"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("02-1-downtime", "02-1-refused", "02-3-failovers")

    @staticmethod
    def neighbour():
        bo = variant("bo").service
        return {
            "02-1-downtime-answer": "def downtime(availability, period):\n"
            f"    return {(1 - bo.slo) * bo.period}",
            "02-3-failovers-answer": "def with_failovers(availability, failures, failover, period):\n"
            f"    return {bo.copy_availability - bo.failures * bo.failover / bo.period}",
        }
