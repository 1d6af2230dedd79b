import random

import pytest

from halab.exercises.expectations import CheckFailed
from halab.exercises.failover_timeline import checks
from halab.exercises.failover_timeline.variant import (
    make_recording,
    make_recording_after_a_blip,
    make_recording_with_blips,
    make_scenario,
    variant,
)
from halab.measure.journal.outage import outages, rto
from halab.models.failover import Heartbeats, Lease, detection, false_alarms_per_year
from halab.models.retry_policy import RetryPolicy
from halab.models.samples import Outcome, Sample
from support.answers import hint_of
from support.ttl_choices import ttl_choices

SEEDS = range(8)


def samples(journal, operation):
    return [
        Sample(operation, number, one["intended"], one["intended"], one["done"], Outcome(one["outcome"]))
        for number, one in enumerate(journal["samples"])
        if one["operation"] == operation
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("record", [make_recording, make_recording_with_blips, make_recording_after_a_blip])
def test_the_course_s_own_measuring_code_finds_the_truth_of_a_recording(record, seed):
    recording = record(random.Random(seed))
    journal = recording.journal
    for operation, truth in recording.truth.items():
        probes = samples(journal, operation)
        found = outages(probes, journal["quiet"])
        assert [(one.start, one.end) for one in found] == truth.windows
        assert rto(probes, journal["fault_at"], journal["quiet"]) == pytest.approx(truth.rto)
        assert (sum(one.failed for one in found), sum(one.unknown for one in found)) == (
            truth.failed,
            truth.unknown,
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_every_learner_s_promises_can_be_kept_and_rarely_by_chance(seed):
    mine = variant(f"learner-{seed}")
    lease = mine.lease
    assert len(ttl_choices(lease.rto, lease.false_alarms, lease.stalls, lease.after, lease.processes)) == 2
    assert (
        len([misses for misses in range(1, 20) if keeps(checks.check_misses, misses, mine.heartbeats)]) == 1
    )


def keeps(check, *given):
    try:
        check(*given)
    except CheckFailed:
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_a_sound_policy_passes_every_check_in_every_trial(seed):
    scenario = make_scenario(random.Random(seed))
    deadline = scenario.outage + 7
    policy = RetryPolicy(attempts=50, base=0.2, cap=4.0, deadline=deadline)
    checks.check_backoff(policy)
    checks.check_jitter(policy)
    checks.check_deadline(policy, deadline)
    checks.check_safe(policy)
    checks.check_users(policy, scenario, seed)
    checks.check_load(policy, scenario, seed)


def policy(**changed):
    return RetryPolicy(**{"attempts": 50, "base": 0.2, "cap": 4.0, "deadline": 14.0} | changed)


def storm(attempt, elapsed, outcome, operation, rng):
    return 0.05


def never(attempt, elapsed, outcome, operation, rng):
    return None


def careless_in_the_end(attempt, elapsed, outcome, operation, rng):
    """Safe where a quick look would look, and not later."""
    return policy()(attempt, elapsed, Outcome.FAIL if attempt > 2 else outcome, operation, rng)


def jitter_late(attempt, elapsed, outcome, operation, rng):
    return policy(jitter="full" if attempt > 3 else "none")(attempt, elapsed, outcome, operation, rng)


def searches_on(attempt, elapsed, outcome, operation, rng):
    """Heeds the deadline after a failure, and not after a time-out."""
    return policy()(attempt, elapsed if outcome == "fail" else 0.0, outcome, operation, rng)


SCENARIO = make_scenario(random.Random(1))


@pytest.mark.parametrize(
    ("check", "given", "hint"),
    [
        (checks.check_backoff, (storm,), "06.2.backoff"),
        (checks.check_backoff, (never,), "06.2.backoff"),
        (checks.check_backoff, (policy(cap=60.0),), "06.2.cap"),
        (checks.check_jitter, (policy(jitter="none"),), "06.2.jitter"),
        (checks.check_jitter, (jitter_late,), "06.2.jitter"),
        (checks.check_deadline, (storm, 14.0), "06.2.deadline"),
        (checks.check_deadline, (searches_on, 14.0), "06.2.deadline"),
        (checks.check_deadline, (never, 14.0), "06.2.deadline"),
        (checks.check_safe, (storm,), "06.2.safe"),
        (checks.check_safe, (careless_in_the_end,), "06.2.safe"),
        (checks.check_safe, (never,), "06.2.again"),
        (checks.check_users, (never, SCENARIO), "06.2.users"),
        (checks.check_users, (policy(deadline=2.0), SCENARIO), "06.2.users"),
        (checks.check_load, (storm, SCENARIO), "06.2.load"),
        (checks.check_load, (policy(cap=0.1), SCENARIO), "06.2.load"),
        (checks.check_load, (never, SCENARIO), "06.2.users"),
    ],
)
def test_a_poor_policy_is_told_the_behaviour_it_lacks(check, given, hint):
    assert hint_of(check, *given) == hint


def test_a_ttl_too_long_breaks_the_rto_and_one_too_short_the_calm():
    promise = variant("ada").lease
    chosen = ttl_choices(promise.rto, promise.false_alarms, promise.stalls, promise.after, promise.processes)
    assert hint_of(checks.check_ttl_rto, chosen[-1] + 1, promise) == "06.3.ttl-rto"
    assert hint_of(checks.check_ttl_calm, chosen[0] - 1, promise) == "06.3.ttl-calm"
    checks.check_ttl_calm(chosen[-1] + 1, promise)
    checks.check_ttl_rto(chosen[0] - 1, promise)


def test_the_figures_must_be_those_of_the_chosen_ttl():
    promise = variant("ada").lease
    ttl = 12
    worst = detection(Lease(ttl)).most + promise.after
    alarms = false_alarms_per_year(Lease(ttl), promise.stalls, promise.processes)
    checks.check_numbers(ttl, worst, alarms, promise)
    assert hint_of(checks.check_numbers, ttl, worst + 1, alarms, promise) == "06.3.numbers"
    assert hint_of(checks.check_numbers, ttl, worst, alarms * 1.1, promise) == "06.3.numbers"


def test_a_threshold_is_judged_by_both_promises():
    case = variant("ada").heartbeats
    kept = next(misses for misses in range(1, 20) if keeps(checks.check_misses, misses, case))
    late, early = Heartbeats(case.interval, kept + 1, case.timeout), kept - 1
    assert detection(late).most + case.promise.after > case.promise.rto
    assert hint_of(checks.check_misses, early, case) == "06.3.misses"


@pytest.mark.parametrize("answer", [None, "12", 12.5, True, -3])
def test_what_is_no_whole_number_is_refused_with_the_behaviour(answer):
    assert hint_of(checks.check_ttl_rto, answer, variant("ada").lease) == "06.3.ttl-rto"


@pytest.mark.parametrize("found", [None, "none", [1, 2], [(1, 2, 3)], [(1, None)]])
def test_outages_in_another_form_are_refused_with_the_form(found):
    recording = make_recording(random.Random(0))
    assert hint_of(checks.check_windows, lambda journal, operation: found, recording) == "06.1.start"


def test_what_an_answer_raises_reaches_its_learner_as_it_is():
    """`next` without an outage to find is the usual slip; out of a generator it would be a RuntimeError."""

    def first(journal, operation):
        return next(iter(()))

    for check in (checks.check_windows, checks.check_blips, checks.check_rto, checks.check_counts):
        with pytest.raises(StopIteration):
            check(first, make_recording(random.Random(1)))
