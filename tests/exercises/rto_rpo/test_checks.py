import random

import pytest

from halab.exercises.rto_rpo import checks
from halab.exercises.rto_rpo.variant import (
    STAGES,
    make_backups,
    make_incident,
    make_incident_without_loss,
    make_market,
    make_promise,
)
from halab.models.recovery import longest_interval
from support.answers import hint_of

SEEDS = range(8)


def counts(data):
    found = set(data["found"])
    lost = [one for one in data["inserts"] if one["outcome"] == "ok" and one["key"] not in found]
    landed = [one for one in data["inserts"] if one["outcome"] == "unknown" and one["key"] in found]
    return len(lost), len(landed)


def window(data):
    found = set(data["found"])
    times = [one["done"] for one in data["inserts"] if one["outcome"] == "ok" and one["key"] not in found]
    return data["disaster_at"] - min(times) if times else 0.0


def rto(events):
    disaster = next(one["at"] for one in events if one["what"] == "disaster")
    return events[-1]["at"] - disaster


def lost(catalogue, moment):
    begun = [one["begun"] for one in catalogue if one["ok"] and one["ready"] <= moment]
    return moment - max(begun) if begun else None


def fitting(strategies, service):
    return sorted(
        (
            one
            for one in strategies
            if all(
                one["recoveries"].get(name, (float("inf"), 0))[0] <= service["rto"]
                and one["recoveries"].get(name, (0, float("inf")))[1] <= service["rpo"]
                for name in service["disasters"]
            )
        ),
        key=lambda one: one["cost"],
    )


def choose(strategies, service):
    good = fitting(strategies, service)
    return good[0]["name"] if good else None


@pytest.mark.parametrize("seed", SEEDS)
def test_right_answers_pass_every_check(seed):
    rng = random.Random(seed)
    for one in (make_incident(rng), make_incident_without_loss(rng)):
        checks.check_counts(counts, one)
        checks.check_window(window, one)
        checks.check_rto(rto, one)
        checks.check_stages(lambda events, one=one: one.stages, one)
    checks.check_interval(longest_interval, [make_promise(rng) for _ in range(20)])
    checks.check_refused(longest_interval)
    checks.check_newest(lost, make_backups(rng))
    offered = make_market(rng)
    for check in (checks.check_limits, checks.check_survives, checks.check_cheapest):
        check(choose, offered)
    checks.check_table(lambda services, drills: checks.verdicts(offered), offered)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_incident_holds_every_case_that_can_be_mistaken(seed):
    one = make_incident(random.Random(seed))
    at, rows, found = one.data["disaster_at"], one.data["inserts"], set(one.data["found"])
    gone = [row["key"] for row in rows if row["key"] not in found]
    assert 0 < one.lost < len(gone), "some that are gone were never promised"
    assert one.landed > 0
    early = [row for row in rows if row["outcome"] == "unknown" and row["key"] in gone]
    assert min(row["done"] for row in early) < at - one.window, "an older row is gone that was not promised"
    events = [event["what"] for event in one.data["events"]]
    assert (events.count("serving"), events.count("alarm"), events.count("down")) == (3, 3, 1)
    assert sum(one.stages[name] for name in STAGES) == pytest.approx(rto(one.data["events"]))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_incident_that_lost_nothing_lost_no_acknowledged_row(seed):
    one = make_incident_without_loss(random.Random(seed))
    assert (one.lost, one.window) == (0, 0.0)
    assert counts(one.data) == (0, one.landed)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_market_has_services_that_can_be_had_and_one_that_cannot_and_every_verdict(seed):
    offered = make_market(random.Random(seed))
    *possible, last = [fitting(offered.strategies, service) for service in offered.services]
    assert all(possible)
    assert last == []
    assert len({one["cost"] for one in offered.strategies}) == len(offered.strategies)
    assert sorted(checks.verdicts(offered).values()) == ["met"] * 2 + ["missed"] * 2 + ["unproven"] * 2


INCIDENT = make_incident(random.Random(1))
SAVED = make_incident_without_loss(random.Random(1))
BACKUPS = make_backups(random.Random(1))
PROMISES = [make_promise(random.Random(seed)) for seed in range(10)]
MARKET = make_market(random.Random(3))


def unknown_as_lost(data):
    found = set(data["found"])
    return sum(one["outcome"] != "fail" and one["key"] not in found for one in data["inserts"]), 0


def counts_all_that_landed(data):
    return counts(data)[0], len(data["found"])


def first_serving(events):
    disaster = next(one["at"] for one in events if one["what"] == "disaster")
    return next(one["at"] for one in events if one["what"] == "serving" and one["at"] > disaster) - disaster


def from_the_alarm(events):
    return rto(events) - INCIDENT.stages["noticed"]


def from_when_it_was_ready(catalogue, moment):
    ready = [one["ready"] for one in catalogue if one["ok"] and one["ready"] <= moment]
    return moment - max(ready) if ready else None


def not_yet_ready(catalogue, moment):
    begun = [one["begun"] for one in catalogue if one["ok"] and one["begun"] <= moment]
    return moment - max(begun) if begun else None


def last_to_be_ready(catalogue, moment):
    usable = [one for one in catalogue if one["ok"] and one["ready"] <= moment]
    return moment - max(usable, key=lambda one: one["ready"])["begun"] if usable else None


def unsound_too(catalogue, moment):
    return lost([one | {"ok": True} for one in catalogue], moment)


def never_none(catalogue, moment):
    return lost(catalogue, moment) or 0.0


def cheapest_of_all(strategies, service):
    return min(strategies, key=lambda one: one["cost"])["name"]


def strictly(strategies, service):
    tighter = service | {"rto": service["rto"] - 0.01, "rpo": service["rpo"] - 0.01}
    return choose(strategies, tighter)


def ignores_what_is_missing(strategies, service):
    for one in sorted(strategies, key=lambda one: one["cost"]):
        known = [one["recoveries"][name] for name in service["disasters"] if name in one["recoveries"]]
        if all(rto <= service["rto"] and rpo <= service["rpo"] for rto, rpo in known):
            return one["name"]
    return None


def dearest(strategies, service):
    good = fitting(strategies, service)
    return good[-1]["name"] if good else None


def last_drill(services, drills):
    newest = {one["service"]: one for one in drills if one["rpo"] is not None}
    right = checks.verdicts(MARKET)
    kept = {"rto": 0, "rpo": 0}
    return {
        one["name"]: "met"
        if right[one["name"]] == "missed" and newest.get(one["name"], kept) is not None
        else right[one["name"]]
        for one in services
    }


def zero_for_none(services, drills):
    return {
        name: "met" if verdict == "unproven" else verdict for name, verdict in checks.verdicts(MARKET).items()
    }


def only_the_drilled(services, drills):
    return {name: verdict for name, verdict in checks.verdicts(MARKET).items() if verdict != "unproven"}


def all_missed(services, drills):
    return {one["name"]: "missed" for one in services}


@pytest.mark.parametrize(
    ("check", "given", "hint"),
    [
        (checks.check_counts, (unknown_as_lost, INCIDENT), "07.1.counts"),
        (checks.check_counts, (lambda data: 3, INCIDENT), "07.1.counts"),
        (checks.check_counts, (counts_all_that_landed, INCIDENT), "07.1.landed"),
        (checks.check_window, (lambda data: 0.0, INCIDENT), "07.1.window"),
        (checks.check_window, (lambda data: None, SAVED), "07.1.window"),
        (checks.check_rto, (first_serving, INCIDENT), "07.1.again"),
        (checks.check_rto, (from_the_alarm, INCIDENT), "07.1.rto"),
        (checks.check_rto, (lambda events: None, INCIDENT), "07.1.rto"),
        (checks.check_stages, (lambda events: {}, INCIDENT), "07.1.stages"),
        (checks.check_stages, (lambda events: dict.fromkeys(STAGES, 1.0), INCIDENT), "07.1.stages"),
        (checks.check_interval, (lambda rpo, takes, failed: rpo, PROMISES), "07.2.interval"),
        (checks.check_interval, (lambda rpo, takes, failed: rpo - takes, PROMISES), "07.2.interval"),
        (checks.check_interval, (lambda rpo, takes, failed: 60.0, PROMISES), "07.2.often"),
        (checks.check_refused, (lambda rpo, takes, failed: (rpo - takes) / (failed + 1),), "07.2.refused"),
        (checks.check_newest, (from_when_it_was_ready, BACKUPS), "07.2.newest"),
        (checks.check_newest, (last_to_be_ready, BACKUPS), "07.2.newest"),
        (checks.check_newest, (unsound_too, BACKUPS), "07.2.newest"),
        (checks.check_newest, (not_yet_ready, BACKUPS), "07.2.ready"),
        (checks.check_newest, (never_none, BACKUPS), "07.2.none"),
        (checks.check_limits, (cheapest_of_all, MARKET), "07.3.limits"),
        (checks.check_limits, (strictly, MARKET), "07.3.limits"),
        (checks.check_limits, (lambda strategies, service: "a wish", MARKET), "07.3.limits"),
        (checks.check_survives, (ignores_what_is_missing, MARKET), "07.3.survives"),
        (checks.check_cheapest, (dearest, MARKET), "07.3.cheapest"),
        (checks.check_table, (last_drill, MARKET), "07.3.table"),
        (checks.check_table, (all_missed, MARKET), "07.3.unproven"),
        (checks.check_table, (zero_for_none, MARKET), "07.3.unproven"),
        (checks.check_table, (only_the_drilled, MARKET), "07.3.unproven"),
    ],
)
def test_a_wrong_answer_is_told_the_behaviour_it_lacks(check, given, hint):
    assert hint_of(check, *given) == hint
