import random

import pytest

from halab.exercises.availability_maths import checks
from halab.exercises.availability_maths.variant import ALMOST, make_recording, make_service
from halab.exercises.expectations import CheckFailed
from halab.measure.journal.outage import outages
from halab.models import availability as model
from halab.models import availability_slo as slo_model
from halab.models.samples import OPERATIONS, Outcome, Sample
from support.answers import hint_of

SEEDS = range(8)
MONTH = 30 * 86400.0


def error_rate(journal, operation):
    outcomes = [one["outcome"] for one in journal["samples"] if one["operation"] == operation]
    if not outcomes:
        raise ValueError("operation")
    return 1 - outcomes.count("ok") / len(outcomes)


def burn_rate(journal, operation, slo):
    return slo_model.burn_rate(error_rate(journal, operation), slo)


def budget_spent(journal, operation, slo, period):
    return slo_model.budget_spent(burn_rate(journal, operation, slo), journal["seconds"], period)


def allowed(slo, failover, period):
    return int(slo_model.failovers_allowed(slo, failover, period))


def common_cause(availability, copies, beta):
    return model.common_cause(1, copies, availability, beta)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_holds_what_its_truth_says(seed):
    one = make_recording(random.Random(seed))
    assert set(one.truth) == set(OPERATIONS)
    for operation in OPERATIONS:
        assert error_rate(one.journal, operation) == pytest.approx(one.truth[operation])
        probes = [s for s in one.journal["samples"] if s["operation"] == operation]
        samples = [
            Sample(operation, i, s["intended"], s["intended"], s["intended"], Outcome(s["outcome"]))
            for i, s in enumerate(probes)
        ]
        bad = sum(one.failed + one.unknown for one in outages(samples))
        assert bad / len(probes) == pytest.approx(one.truth[operation])
        assert {s["outcome"] for s in probes} == {"ok", "fail", "unknown"}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_course_s_own_models_pass_every_check(seed):
    one = make_service(random.Random(seed))
    checks.check_downtime(model.downtime, checks.extremes(seed), one.period)
    checks.check_inverse(lambda down, period: 1 - down / period, [0.0, one.failover, one.period], one.period)
    checks.check_parallel(model.parallel, [one.pool, checks.extremes(seed)])
    checks.check_series(model.series, [one.chain, checks.extremes(seed)])
    checks.check_k_of_n(model.k_of_n, [(one.needed, one.copies, each) for each in checks.extremes(seed)])
    checks.check_copies(
        model.copies_needed, [(one.copy_availability, one.target), (one.copy_availability, 1.0), (0.0, 0.1)]
    )
    checks.check_common(
        common_cause, [(one.copy_availability, one.copies, one.beta), (0.0, 2, 1.0), (ALMOST, 3, 0.5)]
    )
    recorded = make_recording(random.Random(seed))
    checks.check_burn(burn_rate, recorded, one.slo)
    checks.check_budget(budget_spent, recorded, one.slo, MONTH)
    checks.check_allowed(allowed, [(one.slo, one.failover, MONTH), (1.0, 1.0, MONTH), (0.0, 1.0, MONTH)])


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("downtime", model.downtime),
        ("k_of_n", model.k_of_n),
        ("common_cause", common_cause),
        ("burn_rate", burn_rate),
    ],
)
def test_the_course_s_own_models_refuse_what_the_exercise_has_refused(name, function):
    checks.check_refused(function, name, "02.1.refused")


@pytest.mark.parametrize("name", ["downtime", "parallel", "k_of_n", "common_cause", "burn_rate"])
def test_whoever_refuses_nothing_or_with_another_error_is_told_the_call(name):
    def stumbles(*given):
        return 1 / 0

    assert hint_of(checks.check_refused, lambda *given: 0.5, name, "02.1.refused") == "02.1.refused"
    with pytest.raises(CheckFailed, match="not a ZeroDivisionError"):
        checks.check_refused(stumbles, name, "02.1.refused")


def test_an_error_of_the_learner_s_own_making_is_not_taken_for_a_refusal():
    def unwritten(*given):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        checks.check_refused(unwritten, "downtime", "02.1.refused")


@pytest.mark.parametrize("seed", range(40))
def test_every_service_asks_something(seed):
    one = make_service(random.Random(seed))
    assert 1 < one.needed < one.copies
    assert (model.copies_needed(one.copy_availability, one.target) or 0) > 1
    assert one.failures * one.failover < (1 - one.copy_availability) * one.period * 10
    assert checks.extremes(seed)[:4] == [0.0, 0.5, ALMOST, 1.0]


@pytest.mark.parametrize(
    ("check", "given", "hint"),
    [
        (checks.check_downtime, (lambda a, p: a * p, [0.9], 100.0), "02.1.downtime"),
        (checks.check_downtime, (lambda a, p: "10", [0.9], 100.0), "02.1.downtime"),
        (checks.check_inverse, (lambda d, p: d / p, [10.0], 100.0), "02.1.inverse"),
        (checks.check_parallel, (min, [[0.9, 0.8]]), "02.2.parallel"),
        (checks.check_series, (min, [[0.9, 0.8]]), "02.2.series"),
        (checks.check_k_of_n, (lambda k, n, a: a**k, [(2, 3, 0.9)]), "02.2.k-of-n"),
        (checks.check_copies, (lambda a, t: 2.5, [(0.99, 0.9999)]), "02.2.copies"),
        (checks.check_copies, (lambda a, t: 1, [(0.99, 0.9999)]), "02.2.copies"),
        (checks.check_copies, (lambda a, t: 3, [(0.99, 0.9999)]), "02.2.copies-dust"),
        (checks.check_copies, (lambda a, t: None, [(0.99, 0.9999)]), "02.2.copies-none"),
        (checks.check_copies, (lambda a, t: 9, [(0.99, 1.0)]), "02.2.copies-none"),
        (checks.check_common, (lambda a, n, b: a, [(0.9, 2, 0.1)]), "02.3.common"),
        (checks.check_failovers, (lambda a, n, f, p: a, [(0.9, 1, 1.0, 9.0)]), "02.3.failovers"),
        (checks.check_allowed, (lambda s, f, p: 21.6, [(0.9999, 12.0, MONTH)]), "02.4.allowed"),
        (checks.check_allowed, (lambda s, f, p: 20, [(0.9999, 12.0, MONTH)]), "02.4.allowed"),
        (checks.check_allowed, (lambda s, f, p: 22, [(0.9999, 12.0, MONTH)]), "02.4.allowed"),
    ],
)
def test_a_wrong_answer_is_told_the_behaviour_it_lacks(check, given, hint):
    assert hint_of(check, *given) == hint


def test_a_downtime_that_rounding_spoils_is_not_held_against_anybody():
    checks.check_downtime(lambda a, p: p - a * p, checks.extremes(3), 31_536_000.0)


@pytest.mark.parametrize("share", ["fail", "unknown"])
def test_counting_only_one_kind_of_bad_request_is_noticed(share):
    def counts(journal, operation, slo):
        outcomes = [one["outcome"] for one in journal["samples"] if one["operation"] == operation]
        return outcomes.count(share) / len(outcomes) / (1 - slo)

    assert hint_of(checks.check_burn, counts, make_recording(random.Random(1)), 0.99) == "02.4.burn"
