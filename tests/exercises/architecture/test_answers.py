"""Answers to exercise 3 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.architecture.variant import variant
from support.answers import Answers, Wrong

STANDING = """
import json

def standing(sessions):
    found = {{}}
    for key, value in sessions.items():
        session = json.loads(value)
        if not isinstance(session, dict) or not session["ServerName"].endswith("{ending}"):
            continue
        role = found.setdefault(session["ServerName"], {{"active": None, "standby": set()}})
        role["standby"].add(session["ServerID"])
        if {leads}:
            role["active"] = session["ServerID"]
    return {{name: {{"active": role["active"], "standby": {waits}}} for name, role in found.items()}}
"""
WAITS = 'sorted(role["standby"] - {role["active"]})'
LEADS = 'key == session["ServerName"]'
MAJORITY = """
def needed(members):
    if members < 1:
        raise ValueError("members")
    return {needed}

def losses(members):
    return {losses}

def fewest(losses):
    if losses < 0:
        raise ValueError("losses")
    return {fewest}
"""
RIGHT = {"needed": "members // 2 + 1", "losses": "(members - 1) // 2", "fewest": "2 * losses + 1"}
VALIDATE = """
def validate(topology):
    found = []

    def several(part):
        return topology[part]["replicas"] > {several}

    def switch(rule, part, key):
        if {off}:
            found.append((part, rule))

    if topology["etcd"]["replicas"] < 3 or topology["etcd"]["replicas"] % 2 == 0:
        found.append(("etcd", "etcd-size"))
    for part in ("rootCoord", "queryCoord", "dataCoord"):
        if several(part):
            switch("standby", part, "activeStandby")
    if topology["queryNode"]["replicas"] < topology["search"]["replicaNumber"] + {spare}:
        found.append(("queryNode", "query-nodes"))
    if topology["proxy"]["replicas"] < 2:
        found.append(("proxy", "proxies"))
    switch("one-address", "proxy", "loadBalancer")
    for part in ("log", "storage"):
        if topology[part]["replicas"] < 2:
            found.append(({redundant}, "redundant"))
    for part in topology:
        if part != "search" and several(part):
            switch("anti-affinity", part, "antiAffinity")
    return found{some}
"""
OFF = "not topology[part].get(key, False)"
SOUND = {"off": OFF, "several": 1, "spare": 1, "redundant": "part", "some": ""}

WRONG = {
    "takes the first session for the active one": Wrong(
        {"03-1-answer": STANDING.format(ending="coord", leads='role["active"] is None', waits=WAITS)},
        {"03-1-active": "03.1.active", "03-1-standby": "03.1.itself"},
    ),
    "counts workers among those that stand by": Wrong(
        {"03-1-answer": STANDING.format(ending="", leads=LEADS, waits=WAITS)},
        {"03-1-active": "03.1.roles", "03-1-standby": "03.1.roles"},
    ),
    "lists the active one as its own standby": Wrong(
        {"03-1-answer": STANDING.format(ending="coord", leads=LEADS, waits='sorted(role["standby"])')},
        {"03-1-standby": "03.1.itself"},
    ),
    "sorts ids as text": Wrong(
        {
            "03-1-answer": STANDING.format(
                ending="coord", leads=LEADS, waits='sorted(role["standby"] - {role["active"]}, key=str)'
            )
        },
        {"03-1-standby": "03.1.standby"},
    ),
    "takes half for a majority": Wrong(
        {"03-2-answer": MAJORITY.format(**RIGHT | {"needed": "(members + 1) // 2"})},
        {"03-2-losses": "03.2.majority"},
    ),
    "loses half": Wrong(
        {"03-2-answer": MAJORITY.format(**RIGHT | {"losses": "members // 2"})},
        {"03-2-losses": "03.2.tolerates"},
    ),
    "buys an even member": Wrong(
        {"03-2-answer": MAJORITY.format(**RIGHT | {"fewest": "2 * losses + 2"})},
        {"03-2-fewest": "03.2.even"},
    ),
    "goes on with half of etcd": Wrong(
        {
            "03-2-zones-answer": """
def fatal(zones):
    return sorted(name for name, here in zones.items() if 2 * here > sum(zones.values()))
"""
        },
        {"03-2-zones": "03.2.zones"},
    ),
    "names the log for the storage": Wrong(
        {"03-3-answer": VALIDATE.format(**SOUND | {"redundant": "'log'"})}, {"03-3-parts": "03.3.parts"}
    ),
    "has no query node to spare": Wrong(
        {"03-3-answer": VALIDATE.format(**SOUND | {"spare": 0})},
        {"03-3-rules": "03.3.query-nodes", "03-3-parts": "03.3.query-nodes"},
    ),
    "takes a missing switch for on": Wrong(
        {"03-3-answer": VALIDATE.format(**SOUND | {"off": "topology[part].get(key) is False"})},
        {"03-3-rules": "03.3.standby", "03-3-parts": "03.3.standby"},
    ),
    "reports only the first violation": Wrong(
        {"03-3-answer": VALIDATE.format(**SOUND | {"some": "[:1]"})},
        {"03-3-rules": "03.3.standby", "03-3-parts": "03.3.standby"},
    ),
    "asks a single one for its spares' switches": Wrong(
        {"03-3-answer": VALIDATE.format(**SOUND | {"several": 0})},
        {"03-3-sound": "03.3.sound", "03-3-rules": "03.3.anti-affinity", "03-3-parts": "03.3.anti-affinity"},
    ),
}


class TestAnswers(Answers):
    NAME = "03-architecture"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("03-1-active", "03-1-standby")

    @staticmethod
    def neighbour():
        bo = variant("bo")
        return {
            "03-1-answer": "def standing(sessions):\n    return "
            + repr(
                {
                    role: {"active": bo.sessions.active[role], "standby": bo.sessions.standby[role]}
                    for role in bo.sessions.active
                }
            )
        }
