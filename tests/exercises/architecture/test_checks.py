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


def validate(file, text):
    """[(file, line, rule), ...]"""
    parts, heads = {}, {}
    for head, body in yaml.compose(text).value:
        heads[head.value] = head
        parts[head.value] = {key.value: value for key, value in body.value}
    found = []

    def report(rule, node):
        found.append((file, node.start_mark.line + 1, rule))

    def number(part):
        return int(parts[part]["replicas"].value)

    def switch(rule, part, key):
        node = parts[part].get(key)
        if node is None or node.value != "true":
            report(rule, node or heads[part])

    if number("etcd") < 3 or number("etcd") % 2 == 0:
        report("etcd-size", parts["etcd"]["replicas"])
    for part in ("rootCoord", "queryCoord", "dataCoord"):
        if number(part) > 1:
            switch("standby", part, "activeStandby")
    if number("queryNode") < int(parts["search"]["replicaNumber"].value) + 1:
        report("query-nodes", parts["queryNode"]["replicas"])
    if number("proxy") < 2:
        report("proxies", parts["proxy"]["replicas"])
    switch("one-address", "proxy", "loadBalancer")
    for part in ("log", "storage"):
        if number(part) < 2:
            report("redundant", parts[part]["replicas"])
    for part in parts:
        if part != "search" and number(part) > 1:
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
    checks.check_lines(validate, [make_topology(rng) for _ in range(20)])


@pytest.mark.parametrize("seed", SEEDS)
def test_sessions_hold_every_case_that_can_be_mistaken(seed):
    one = make_sessions(random.Random(seed))
    assert list(one.active.values()).count(None) == 1
    assert any("querynode" in key for key in one.data)
    assert "id" in one.data


def test_topologies_are_yaml_and_break_every_rule_now_and_then():
    rng = random.Random(1)
    made = [make_topology(rng) for _ in range(60)]
    assert {rule for one in made for _, _, rule in one.violations} == set(RULES)
    for one in [*made, *(make_sound_topology(rng) for _ in range(20))]:
        parts = yaml.safe_load(one.text)
        assert set(parts) >= {"etcd", "log", "storage", "proxy", "queryNode", "dataNode", "search"}
    at = [one.text.splitlines()[line - 1] for one in made for _, line, _ in one.violations]
    assert any(line.startswith("  activeStandby: false") for line in at)
    assert any(not line.startswith(" ") for line in at), "a switch that is not there"


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
    return lambda file, text: [one for one in validate(file, text) if one[2] != rule]


def extra(rule):
    return lambda file, text: [*validate(file, text), (file, 1, rule)]


def line_from_0(file, text):
    return [(file, line - 1, rule) for file, line, rule in validate(file, text)]


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
        (checks.check_sound, (lambda file, text: None, SOUND), "03.3.report"),
        (checks.check_rules, (lambda file, text: [(file, 1, "luck")], TOPOLOGIES), "03.3.report"),
        (checks.check_rules, (lambda file, text: ["line 1"], TOPOLOGIES), "03.3.report"),
        (checks.check_lines, (line_from_0, TOPOLOGIES), "03.3.lines"),
        (
            checks.check_lines,
            (lambda file, text: [("ha.yml", *one[1:]) for one in validate(file, text)], TOPOLOGIES),
            "03.3.file",
        ),
        *((checks.check_rules, (without(rule), TOPOLOGIES), f"03.3.{rule}") for rule in RULES),
        *((checks.check_rules, (extra(rule), TOPOLOGIES), f"03.3.{rule}") for rule in RULES),
    ],
)
def test_a_wrong_answer_is_told_the_behaviour_it_lacks(check, given, hint):
    assert hint_of(check, *given) == hint
