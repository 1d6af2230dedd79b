"""Answers to exercise 1 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.essence.variant import topology_from_dict, variant
from halab.models.topology import best_repair
from support.answers import Answers, Wrong

WORKS = """
def works(topology, operation, down):
    roles = topology["roles"]
    parts = {{part for role in roles.values() for part in role["members"]}}
    known = parts | set(topology["operations"])
    for wrong in [one for one in [operation, *down] if one not in known]:
        {refuse}
    for name in {needs}:
        members, needed = roles[name]["members"], roles[name]["needed"]
        if needed == "majority":
            needed = {majority}
        if {few}:
            return False
    return True
"""
USUAL = {
    "refuse": "raise ValueError(wrong)",
    "needs": 'topology["operations"][operation]',
    "majority": "len(members) // 2 + 1",
    "few": "sum(member not in down for member in members) < needed",
}
CUTS = """
from itertools import combinations
def minimal_cuts(topology, operation):
    cuts = []
    for name in topology["operations"][operation]{roles}:
        members, needed = topology["roles"][name]["members"], topology["roles"][name]["needed"]
        if needed == "majority":
            needed = len(members) // 2 + 1
        cuts += [set(lost) for lost in combinations(members, {size})]
    cuts = [cut for number, cut in enumerate(cuts) if cut not in cuts[:number]]
    return {result}
"""
MINIMAL = "[cut for cut in cuts if not any(other < cut for other in cuts)]"
REPAIR = """
def cheapest_repair(topology, prices, operation):
    spares = {{}}
    for name in {roles}:
        role = topology["roles"][name]
        count = {count}
        if count and name not in prices:
            {unpriced}
        if count:
            spares[name] = count
    return spares
"""
NEEDED = 'topology["operations"][operation]'
ENOUGH = 'spares_needed(len(role["members"]), role["needed"])'

# Answers of task 4 bring the parts they build on: other tasks' wrong answers are graded in the same notebook.
ONE_OPERATION = """
def spares_for(role):
    if role["needed"] == "majority":
        return max(0, 3 - len(role["members"]))
    return max(0, role["needed"] + 1 - len(role["members"]))
def for_one(topology, prices, operation):
    roles = {name: topology["roles"][name] for name in topology["operations"][operation]}
    return {name: spares_for(role) for name, role in roles.items() if spares_for(role)}
"""


def works(**parts):
    return {"01-1-works-answer": WORKS.format(**USUAL | parts)}


def repair(roles=NEEDED, count=ENOUGH, unpriced="return None"):
    return {"01-3-repair-answer": REPAIR.format(roles=roles, count=count, unpriced=unpriced)}


WRONG = {
    "takes every role for needed": Wrong(
        # With a single_points of its own, which would otherwise inherit the mistake.
        works(needs="roles")
        | {
            "01-1-single-answer": """
def single_points(topology, operation):
    roles = [topology["roles"][name] for name in topology["operations"][operation]]
    least = [len(one["members"]) // 2 + 1 if one["needed"] == "majority" else one["needed"] for one in roles]
    return {m for one, k in zip(roles, least) if len(one["members"]) == k for m in one["members"]}
"""
        },
        {"01-1-works": "01.1.works", "01-1-majority": "01.1.majority"},
    ),
    "is content with one member": Wrong(
        works(few="all(member in down for member in members)"),
        {"01-1-works": "01.1.works", "01-1-majority": "01.1.majority", "01-1-single": "01.1.single"},
    ),
    "takes half for a majority": Wrong(
        works(majority="(len(members) + 1) // 2"),
        {"01-1-majority": "01.1.majority", "01-1-single": "01.1.single"},
    ),
    "takes a majority of those that are left": Wrong(
        works(majority="sum(member not in down for member in members) // 2 + 1"),
        {"01-1-majority": "01.1.majority", "01-1-single": "01.1.single"},
    ),
    "judges parts that are not there": Wrong(works(refuse="pass"), {"01-1-refused": "01.1.refused"}),
    "refuses without saying what": Wrong(
        works(refuse='raise ValueError("bad input")'), {"01-1-refused": "01.1.refused"}
    ),
    "looks for roles with one member only": Wrong(
        {
            "01-1-single-answer": """
def single_points(topology, operation):
    roles = [topology["roles"][name]["members"] for name in topology["operations"][operation]]
    return [members[0] for members in roles if len(members) == 1]
"""
        },
        {"01-1-single": "01.1.single"},
    ),
    "loses one member too few": Wrong(
        {"01-2-cuts-answer": CUTS.format(roles="", size="max(1, len(members) - needed)", result=MINIMAL)},
        {"01-2-cuts": "01.2.cuts"},
    ),
    "loses every member": Wrong(
        {"01-2-cuts-answer": CUTS.format(roles="", size="len(members)", result=MINIMAL)},
        {"01-2-cuts": "01.2.minimal"},
    ),
    "forgets that machines serve two roles": Wrong(
        {"01-2-cuts-answer": CUTS.format(roles="", size="len(members) - needed + 1", result="cuts")},
        {"01-2-cuts": "01.2.minimal"},
    ),
    "stops at the first role": Wrong(
        {"01-2-cuts-answer": CUTS.format(roles="[:1]", size="len(members) - needed + 1", result=MINIMAL)},
        {"01-2-cuts": "01.2.missing"},
    ),
    "gives a majority one spare": Wrong(
        {
            "01-3-spares-answer": """
def spares_needed(members, needed):
    needed = members // 2 + 1 if needed == "majority" else needed
    return max(0, needed + 1 - members)
"""
        },
        {"01-3-spares": "01.3.odd", "01-3-repair": "01.3.repair"},
    ),
    "has just as many as it takes": Wrong(
        {
            "01-3-spares-answer": """
def spares_needed(members, needed):
    if needed == "majority":
        return max(0, 3 - members)
    return max(0, needed - members)
"""
        },
        {"01-3-spares": "01.3.spares", "01-3-repair": "01.3.repair"},
    ),
    "keeps the majority of before": Wrong(
        {
            "01-3-spares-answer": """
def spares_needed(members, needed):
    if needed == "majority":
        return 1 if members < 3 else 0
    return max(0, needed + 1 - members)
"""
        },
        {"01-3-spares": "01.3.odd", "01-3-repair": "01.3.repair"},
    ),
    "doubles every role there is": Wrong(repair(roles='topology["roles"]'), {"01-3-repair": "01.3.cheapest"}),
    "buys one spare for each role": Wrong(repair(count="1"), {"01-3-repair": "01.3.cheapest"}),
    "buys one too many": Wrong(repair(count=f"{ENOUGH} + ({ENOUGH} > 0)"), {"01-3-repair": "01.3.cheapest"}),
    "leaves out what has no price": Wrong(repair(unpriced="continue"), {"01-3-repair": "01.3.none"}),
    "spends without limit": Wrong(
        {
            "01-4-best-answer": ONE_OPERATION
            + """
def best_repair(topology, prices, budget):
    repairs = [for_one(topology, prices, operation) for operation in topology["operations"]]
    return {role: count for repair in repairs for role, count in repair.items()}
"""
        },
        {"01-4-best": "01.4.budget"},
    ),
    "buys nothing": Wrong(
        {"01-4-best-answer": "def best_repair(topology, prices, budget):\n    return {}"},
        {"01-4-best": "01.4.most"},
    ),
    "repairs the first operations that fit": Wrong(
        {
            "01-4-best-answer": ONE_OPERATION
            + """
def best_repair(topology, prices, budget):
    bought = {}
    for operation in topology["operations"]:
        trial = bought | for_one(topology, prices, operation)
        if sum(count * prices[role] for role, count in trial.items()) <= budget:
            bought = trial
    return bought
"""
        },
        {"01-4-best": "01.4.most"},
    ),
    "takes the first group that fits": Wrong(
        {
            "01-4-best-answer": ONE_OPERATION
            + """
from itertools import combinations
def best_repair(topology, prices, budget):
    operations = list(topology["operations"])
    for size in range(len(operations), 0, -1):
        for chosen in combinations(operations, size):
            spares = {}
            for operation in chosen:
                spares |= for_one(topology, prices, operation)
            if sum(count * prices[role] for role, count in spares.items()) <= budget:
                return spares
    return {}
"""
        },
        {"01-4-best": "01.4.cheapest"},
    ),
}


class TestAnswers(Answers):
    NAME = "01-essence"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("01-4-best",)

    @staticmethod
    def neighbour():
        bo = variant("bo").case
        spares = best_repair(topology_from_dict(bo.topology), bo.prices, bo.budget).spares
        return {"01-4-best-answer": f"def best_repair(topology, prices, budget):\n    return {spares!r}"}
