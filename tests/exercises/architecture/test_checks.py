"""Exercise 3's checks: right answers pass on any numbers, wrong ones are told what they lack."""

import json
import random

import pytest
import yaml

from halab.exercises.architecture import checks
from halab.exercises.architecture.variant import (
    RULES,
    make_sessions,
    make_sound_topology,
    make_topology,
    make_zones,
)
from support.answers import hint_of

SEEDS = range(12)


def standing(sessions):
    """{"rootcoord": {"active": 5, "standby": [7]}, ...}"""
    found = {}
    for key, value in sessions.items():
        session = json.loads(value)
        if not isinstance(session, dict) or not session["ServerName"].endswith("coord"):
            continue
        role = found.setdefault(session["ServerName"], {"active": None, "standby": set()})
        role["standby"].add(session["ServerID"])
        if key == session["ServerName"]:
            role["active"] = session["ServerID"]
    return {
        name: {"active": role["active"], "standby": sorted(role["standby"] - {role["active"]})}
        for name, role in found.items()
    }


def needed(members):
    """Members that must agree."""
    if members < 1:
        raise ValueError("at least one member")
    return members // 2 + 1


def losses(members):
    """Members that may be lost."""
    return members - needed(members)


def fewest(losses):
    """Members that stand so many losses."""
    if losses < 0:
        raise ValueError("no fewer than 0 losses")
    return 2 * losses + 1


def fatal(zones):
    """Names of the zones that etcd cannot lose."""
    total = sum(zones.values())
    return sorted(name for name, here in zones.items() if total - here < total // 2 + 1)


def validate(topology):
    """[(part, rule), ...]"""
    found = []

    def several(part):
        return topology[part]["replicas"] > 1

    def switch(rule, part, key):
        if not topology[part].get(key, False):
            found.append((part, rule))

    if topology["etcd"]["replicas"] < 3 or topology["etcd"]["replicas"] % 2 == 0:
        found.append(("etcd", "etcd-size"))
    for part in ("rootCoord", "queryCoord", "dataCoord"):
        if several(part):
            switch("standby", part, "activeStandby")
    if topology["queryNode"]["replicas"] < topology["search"]["replicaNumber"] + 1:
        found.append(("queryNode", "query-nodes"))
    if topology["proxy"]["replicas"] < 2:
        found.append(("proxy", "proxies"))
    switch("one-address", "proxy", "loadBalancer")
    for part in ("log", "storage"):
        if topology[part]["replicas"] < 2:
            found.append((part, "redundant"))
    for part in topology:
        if part != "search" and several(part):
            switch("anti-affinity", part, "antiAffinity")
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_right_answers_pass_every_check(seed):
    rng = random.Random(seed)
    checks.check_active(standing, [make_sessions(rng) for _ in range(5)])
    checks.check_standby(standing, [make_sessions(rng) for _ in range(5)])
    checks.check_majority(needed)
    checks.check_tolerates(losses)
    checks.check_smallest(fewest, range(30))
    checks.check_refused(needed, fewest)
    checks.check_zones(fatal, [make_zones(rng) for _ in range(50)])
    checks.check_sound(validate, [make_sound_topology(rng) for _ in range(10)])
    checks.check_rules(validate, [make_topology(rng) for _ in range(20)])
    checks.check_parts(validate, [make_topology(rng) for _ in range(20)])


@pytest.mark.parametrize("seed", SEEDS)
def test_sessions_hold_every_case_that_can_be_mistaken(seed):
    one = make_sessions(random.Random(seed))
    assert list(one.active.values()).count(None) == 1
    assert any("querynode" in key for key in one.data)
    assert "id" in one.data


def test_topologies_are_yaml_and_break_every_rule_now_and_then():
    rng = random.Random(1)
    made = [make_topology(rng) for _ in range(60)]
    assert {rule for one in made for _, rule in one.violations} == set(RULES)
    for one in [*made, *(make_sound_topology(rng) for _ in range(20))]:
        assert yaml.safe_load(one.text) == one.parts
        assert set(one.parts) >= {"etcd", "log", "storage", "proxy", "queryNode", "dataNode", "search"}
    switches = [one.parts[part].get("activeStandby") for one in made for part, rule in one.violations
                if rule == "standby"]  # fmt: skip
    assert {False, None} == set(switches), "off, and not there"


def test_fatal_zones_are_sometimes_half_of_all():
    rng = random.Random(2)
    made = [make_zones(rng) for _ in range(100)]
    assert any(2 * here == sum(one.members.values()) for one in made for here in one.members.values())
    assert any(not one.fatal for one in made)


RNG = random.Random(5)
SESSIONS = [make_sessions(RNG) for _ in range(8)]
ZONES = [make_zones(RNG) for _ in range(50)]
TOPOLOGIES = [make_topology(RNG) for _ in range(30)]
SOUND = [make_sound_topology(RNG) for _ in range(10)]


def changed(role):
    """The right answer with each role's dict changed."""
    return lambda data: {name: role(dict(one)) for name, one in standing(data).items()}


def all_roles(data):
    names = {key.partition("-")[0] for key in data if key != "id"}
    return {name: {"active": None, "standby": []} for name in names}


def without(rule):
    return lambda topology: [one for one in validate(topology) if one[1] != rule]


def extra(rule):
    return lambda topology: [*validate(topology), ("proxy", rule)]


def other_part(topology):
    return [("log" if part == "storage" else "proxy", rule) for part, rule in validate(topology)]


@pytest.mark.parametrize(
    ("check", "given", "hint"),
    [
        (checks.check_active, (all_roles, SESSIONS), "03.1.roles"),
        (checks.check_active, (lambda data: None, SESSIONS), "03.1.roles"),
        (checks.check_active, (lambda data: dict.fromkeys(standing(data), 5), SESSIONS), "03.1.active"),
        (
            checks.check_active,
            (changed(lambda one: one | {"active": one["active"] or one["standby"][0]}), SESSIONS),
            "03.1.nobody",
        ),
        (
            checks.check_active,
            (changed(lambda one: one | {"active": one["active"] and str(one["active"])}), SESSIONS),
            "03.1.active",
        ),
        (
            checks.check_standby,
            (
                changed(lambda one: one | {"standby": [*filter(None, [one["active"]]), *one["standby"]]}),
                SESSIONS,
            ),
            "03.1.itself",
        ),
        (
            checks.check_standby,
            (changed(lambda one: one | {"standby": sorted(map(str, one["standby"]))}), SESSIONS),
            "03.1.standby",
        ),
        (
            checks.check_standby,
            (changed(lambda one: one | {"standby": one["standby"][::-1]}), SESSIONS),
            "03.1.standby",
        ),
        (checks.check_majority, (lambda members: (members + 1) // 2,), "03.2.majority"),
        (checks.check_majority, (lambda members: members / 2 + 1,), "03.2.majority"),
        (checks.check_tolerates, (lambda members: members // 2,), "03.2.tolerates"),
        (checks.check_smallest, (lambda losses: 2 * losses + 2, range(9)), "03.2.even"),
        (checks.check_smallest, (lambda losses: losses + 1, range(9)), "03.2.smallest"),
        (checks.check_refused, (lambda members: members // 2 + 1, fewest), "03.2.refused"),
        (checks.check_refused, (needed, lambda losses: 2 * losses + 1), "03.2.refused"),
        (checks.check_zones, (lambda members: sorted(members), ZONES), "03.2.zones"),
        (checks.check_zones, (lambda members: fatal(members)[::-1], ZONES), "03.2.zones"),
        (checks.check_zones, (lambda members: ",".join(fatal(members)), ZONES), "03.2.zones"),
        (checks.check_sound, (extra("proxies"), SOUND), "03.3.sound"),
        (checks.check_sound, (lambda topology: None, SOUND), "03.3.report"),
        (checks.check_rules, (lambda topology: [("etcd", "luck")], TOPOLOGIES), "03.3.report"),
        (checks.check_rules, (lambda topology: ["etcd-size"], TOPOLOGIES), "03.3.report"),
        (checks.check_parts, (other_part, TOPOLOGIES), "03.3.parts"),
        *((checks.check_rules, (without(rule), TOPOLOGIES), f"03.3.{rule}") for rule in RULES),
        *((checks.check_rules, (extra(rule), TOPOLOGIES), f"03.3.{rule}") for rule in RULES),
    ],
)
def test_a_wrong_answer_is_told_the_behaviour_it_lacks(check, given, hint):
    assert hint_of(check, *given) == hint
