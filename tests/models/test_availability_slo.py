import math
import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.availability import DAY, HOUR, Calendar, downtime
from halab.models.availability_slo import (
    ALERTS,
    budget_spent,
    burn_rate,
    failovers_allowed,
    mean_interval,
)

MONTH = Calendar().month


def test_the_workbook_s_alerts_spend_what_it_says_they_do() -> None:
    assert [budget_spent(a.burn, a.window, 30 * DAY) for a in ALERTS] == pytest.approx([0.02, 0.05, 0.10])


def test_a_burn_rate_of_one_spends_the_budget_and_no_more() -> None:
    assert burn_rate(0.001, 0.999) == pytest.approx(1)
    assert budget_spent(1, MONTH, MONTH) == 1


@given(st.floats(0, 1), st.floats(0, 0.99999), st.floats(1, 1e6))
def test_what_is_spent_is_bad_time_over_allowed_time(errors: float, slo: float, window: float) -> None:
    period = 1e6
    spent = budget_spent(burn_rate(errors, slo), window, period)
    assert spent * downtime(slo, period) == pytest.approx(errors * window, rel=1e-6, abs=1e-6)


def test_a_month_of_four_nines_pays_for_twenty_one_failovers_of_twelve_seconds() -> None:
    assert downtime(0.9999, MONTH) == pytest.approx(259.2)
    assert failovers_allowed(0.9999, 12, MONTH) == 21
    assert failovers_allowed(0.9999, 259.2, MONTH) == 1, "dust costs no failover"
    assert failovers_allowed(0.9999, 259.3, MONTH) == 0
    assert failovers_allowed(0.9999, 0, MONTH) == math.inf


@given(st.floats(0, 1), st.floats(0.1, 1e5))
def test_the_failovers_allowed_fit_the_budget_and_one_more_does_not(slo: float, failover: float) -> None:
    allowed, budget = failovers_allowed(slo, failover, MONTH), downtime(slo, MONTH)
    assert allowed * failover <= budget * (1 + 1e-6)
    assert (allowed + 1) * failover > budget * (1 - 1e-6)


def test_an_interval_is_student_s() -> None:
    found = mean_interval([9.0, 10.0, 11.0, 10.0, 10.0])
    assert found.mean == 10
    assert found.high - found.mean == pytest.approx(2.776445 * math.sqrt(0.5 / 5), rel=1e-5)
    assert str(found) == "10.0 (9.1 to 10.9, 95% interval, n = 5)"


@pytest.mark.parametrize("repeats", [3, 5, 10])
def test_it_holds_the_true_mean_as_often_as_it_says(repeats: int) -> None:
    rng = random.Random(2)
    held = [
        one.low <= 10 <= one.high
        for one in (mean_interval([rng.gauss(10, 2) for _ in range(repeats)]) for _ in range(2000))
    ]
    assert mean(held) == pytest.approx(0.95, abs=0.02)


def test_more_repeats_narrow_it_and_times_are_not_negative() -> None:
    few, many = mean_interval([1.0, 9.0]), mean_interval([1.0, 9.0] * 10)
    assert few.low == 0
    assert few.high > many.high > many.mean
    assert mean_interval([-1.0, 9.0]).low < 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: burn_rate(0.1, 1.0), "slo must be below 1"),
        (lambda: burn_rate(1.1, 0.9), "errors must lie"),
        (lambda: burn_rate(0.1, 99.9), "slo must lie"),
        (lambda: budget_spent(-1, HOUR, DAY), "burn must be"),
        (lambda: budget_spent(1, 2 * DAY, DAY), "window must lie"),
        (lambda: budget_spent(1, 0, DAY), "window must lie"),
        (lambda: failovers_allowed(0.9, -1, DAY), "failover must be"),
        (lambda: failovers_allowed(0.9, 1, 0), "period must be"),
        (lambda: mean_interval([1.0]), "at least two repeats, and there is 1"),
        (lambda: mean_interval([1.0, math.inf]), "finite number"),
        (lambda: mean_interval([1.0, 2.0], confidence=1), "confidence must lie"),
    ],
)
def test_what_makes_no_sense_is_refused(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        call()
