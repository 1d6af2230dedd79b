import random
from collections.abc import Sequence

import pytest

from halab.models.failover import request_counts
from halab.models.retry_policy import IDEMPOTENT, Retry, RetryPolicy
from halab.models.samples import Outcome
from halab.sim.retry_storm import MOST_ATTEMPTS, NETWORK, Question, Scenario, judge

CALM = Scenario(silent=0.0)
GOOD = RetryPolicy(attempts=12, base=0.2, cap=5.0, deadline=20.0)


def never(*_: object) -> None:
    return None


def at_once(*_: object) -> float:
    return 0.0


def a_tenth_later(
    attempt: int, elapsed: float, outcome: Outcome, operation: str, rng: object
) -> float | None:
    return 0.1 if elapsed < 15 else None


def test_without_retries_users_notice_the_whole_outage_and_nothing_else() -> None:
    report = judge(never, CALM)
    assert report.failed == pytest.approx(
        request_counts(CALM.rate, CALM.outage).failed, abs=CALM.clients / 10
    )
    assert report.failed_after == report.unsafe == report.duplicates == 0
    assert report.attempts == report.requests == pytest.approx(CALM.rate * CALM.end, abs=CALM.clients)
    assert report.amplification == report.amplification_after == 1
    assert report.peak == pytest.approx(1, abs=0.1)


def test_without_an_outage_a_request_takes_the_way_and_the_service() -> None:
    light = Scenario(rate=6, outage=0.0)
    assert judge(GOOD, light).slowest == pytest.approx(light.service + NETWORK)


def test_load_is_multiplied_as_the_closed_form_says() -> None:
    policy = RetryPolicy(attempts=4, base=0.1, cap=0.4, deadline=5, jitter="none")
    long = Scenario(silent=0.0, outage=20.0, end=60.0)
    # Requests of the last 0.7 s are still retrying when the outage ends: an edge of 0.7 in 20.
    assert judge(policy, long).amplification == pytest.approx(policy.amplification(), rel=0.06)


def test_retries_without_jitter_rescue_those_within_their_span_of_the_end() -> None:
    policy = RetryPolicy(attempts=5, base=0.2, cap=5, deadline=20, jitter="none")
    expected = request_counts(CALM.rate, CALM.outage, deadline=policy.span()).failed
    assert judge(policy, CALM).failed == pytest.approx(expected, rel=0.05)


def test_a_good_policy_spares_users_and_the_service() -> None:
    bare, good = judge(never), judge(GOOD)
    assert good.failed < bare.failed / 5
    assert good.failed_after == good.unsafe == 0
    assert good.settled == 0
    assert good.peak < 12


def test_a_retry_storm_keeps_the_service_down_after_the_fault_is_over() -> None:
    storm, good = judge(a_tenth_later), judge(GOOD)
    assert storm.peak > 3 * good.peak
    assert storm.failed_after > 100
    assert storm.settled > 5
    assert storm.amplification_after > 5 * good.amplification_after


def test_retrying_an_insert_that_may_have_happened_writes_it_twice() -> None:
    def careless(
        attempt: int, elapsed: float, outcome: Outcome, operation: str, rng: random.Random
    ) -> float | None:
        return GOOD.delay(attempt, rng) if attempt < GOOD.attempts else None

    report = judge(careless)
    assert report.unsafe > 20
    assert 0 < report.duplicates <= report.unsafe
    assert judge(GOOD).duplicates == 0
    assert "insert" not in IDEMPOTENT


def test_a_policy_that_never_gives_up_is_stopped() -> None:
    report = judge(at_once, Scenario(silent=0.0))
    assert report.amplification <= MOST_ATTEMPTS
    assert report.amplification > MOST_ATTEMPTS / 2


def test_the_same_seed_gives_the_same_report_and_another_seed_another() -> None:
    assert judge(GOOD, seed=1) == judge(GOOD, seed=1)
    assert judge(GOOD, seed=1) != judge(GOOD, seed=2)


def test_questions_go_together_only_if_no_answer_can_bear_on_another_of_them() -> None:
    batches: list[list[Question]] = []

    def ask(policy: Retry, questions: Sequence[Question]) -> list[float | None]:
        batches.append(list(questions))
        return [policy(*question) for question in questions]

    assert judge(GOOD, seed=1, ask=ask) == judge(GOOD, seed=1)
    assert len(batches) < sum(map(len, batches)) / 2
    for batch in batches:  # a request has one question open at a time, and its dice are its own
        assert len({id(rng) for *_, rng in batch}) == len(batch)


def test_a_policy_may_count_its_answers_as_a_budget_for_retries_does() -> None:
    asked = 0

    def budget(*_: object) -> float | None:
        nonlocal asked
        asked += 1
        return 0.5 if asked <= 100 else None

    report = judge(budget, CALM)
    assert report.attempts == report.requests + 100


@pytest.mark.parametrize(
    ("answer", "error"), [("1", TypeError), (True, TypeError), (-1.0, ValueError), (float("nan"), ValueError)]
)
def test_a_policy_that_returns_no_wait_is_told_so(answer: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="policy"):
        judge(lambda *_: answer)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("settings", "name"), [({"rate": 0}, "rate"), ({"silent": 2}, "silent"), ({"outage": 99}, "outage")]
)
def test_an_impossible_scenario_is_refused_by_name(settings: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Scenario(**settings)  # type: ignore[arg-type]
