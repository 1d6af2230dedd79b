import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.retry_policy import RetryPolicy, in_all
from halab.models.samples import Outcome


def test_waits_double_up_to_the_cap() -> None:
    policy = RetryPolicy(attempts=9, base=0.5, cap=5, deadline=60, jitter="none")
    rng = random.Random(1)
    assert [policy.delay(attempt, rng) for attempt in range(1, 6)] == [0.5, 1, 2, 4, 5]


def test_full_jitter_draws_evenly_between_zero_and_the_backoff() -> None:
    policy = RetryPolicy(base=1, cap=8)
    rng = random.Random(2)
    waits = [policy.delay(3, rng) for _ in range(4000)]
    assert 0 <= min(waits) < 0.1
    assert 3.9 < max(waits) <= 4
    assert np.mean(waits) == pytest.approx(2, rel=0.05)


def test_either_random_source_will_do() -> None:
    assert RetryPolicy(base=1).delay(1, np.random.default_rng(1)) <= 1


@given(st.integers(1, 10**6))
def test_the_cap_holds_for_any_attempt(attempt: int) -> None:
    assert RetryPolicy(cap=5).backoff(attempt) <= 5


@pytest.mark.parametrize(
    ("outcome", "operation", "safe"),
    [
        (Outcome.OK, "search", False),
        (Outcome.FAIL, "search", True),
        (Outcome.UNKNOWN, "search", True),
        (Outcome.UNKNOWN, "strong search", True),
        (Outcome.FAIL, "insert", True),
        (Outcome.UNKNOWN, "insert", False),
        (Outcome.UNKNOWN, "upsert", True),
        (Outcome.UNKNOWN, "metadata call", True),
        (Outcome.UNKNOWN, "delete and insert", False),
    ],
)
def test_only_what_is_safe_is_retried(outcome: Outcome, operation: str, safe: bool) -> None:
    policy = RetryPolicy()
    assert policy.retryable(outcome, operation) is safe
    assert (policy(1, 0.0, outcome, operation, random.Random(1)) is not None) is safe


def test_it_gives_up_after_its_attempts_and_at_its_deadline() -> None:
    policy = RetryPolicy(attempts=3, base=1, cap=1, deadline=10, jitter="none")
    rng = random.Random(1)
    assert policy(2, 0, Outcome.FAIL, "search", rng) == 1
    assert policy(3, 0, Outcome.FAIL, "search", rng) is None
    assert policy(2, 9, Outcome.FAIL, "search", rng) == 1
    assert policy(2, 9.1, Outcome.FAIL, "search", rng) is None


def test_span_and_amplification_stop_at_the_deadline() -> None:
    assert RetryPolicy(6, 1, 100, deadline=100, jitter="none").span() == 1 + 2 + 4 + 8 + 16
    assert RetryPolicy(6, 1, 100, deadline=100, jitter="none").amplification() == 6
    assert RetryPolicy(6, 1, 100, deadline=10, jitter="none").span() == 1 + 2 + 4
    assert RetryPolicy(6, 1, 100, deadline=10, jitter="none").amplification() == 4
    assert RetryPolicy(attempts=1).amplification() == 1


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"attempts": 0}, "attempts"),
        ({"base": -1}, "base"),
        ({"cap": float("nan")}, "cap"),
        ({"deadline": float("inf")}, "deadline"),
        ({"jitter": "some"}, "jitter"),
    ],
)
def test_an_impossible_policy_is_refused_by_name(settings: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        RetryPolicy(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Outcome.OK], Outcome.OK),
        ([Outcome.UNKNOWN, Outcome.OK], Outcome.OK),
        ([Outcome.UNKNOWN, Outcome.FAIL], Outcome.UNKNOWN),
        ([Outcome.FAIL, Outcome.FAIL], Outcome.FAIL),
    ],
)
def test_what_may_have_happened_once_may_have_happened(outcomes, expected):
    assert in_all(outcomes) is expected
