import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.availability import (
    DAY,
    HOUR,
    MINUTE,
    MONTHS,
    YEARS,
    Calendar,
    common_cause,
    copies_needed,
    downtime,
    k_of_n,
    nines,
    parallel,
    series,
)

shares = st.floats(0, 1)
groups = st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))
YEAR = Calendar().year


def test_the_card_counts_in_years_of_365_days() -> None:
    assert downtime(0.99, YEAR) == pytest.approx(3.65 * DAY)
    assert downtime(parallel([0.99] * 2), YEAR) == pytest.approx(52.56 * MINUTE)
    assert downtime(parallel([0.99] * 3), YEAR) == pytest.approx(31.536)
    assert downtime(0.999, YEAR) == pytest.approx(8.76 * HOUR)


def test_the_convention_decides_and_says_so() -> None:
    julian = Calendar("365.25", "a twelfth of the year")
    assert downtime(0.999, julian.year) == pytest.approx(8.766 * HOUR)
    assert julian.month == pytest.approx(30.4375 * DAY)
    assert str(julian) == "a year of 365.25 days, a month of 30.4375 days"
    assert Calendar("365.2425").year == 365.2425 * DAY
    lengths = {Calendar(year, month).month for year, month in product(YEARS, MONTHS)}
    assert len(lengths) == 4, "thirty days, or a twelfth of three years"


@given(st.integers(1, 14))
def test_nines_are_counted(count: int) -> None:
    assert nines(1 - 10**-count) == pytest.approx(count, rel=1e-3)


def test_nines_at_the_ends() -> None:
    assert (nines(0), nines(1)) == (0, math.inf)
    assert nines(1 - 1e-12) == pytest.approx(12, rel=1e-4)


@given(st.lists(shares, min_size=1, max_size=6))
def test_a_chain_is_below_its_weakest_link_and_copies_above_their_best(parts: list[float]) -> None:
    assert series(parts) <= min(parts)
    assert parallel(parts) >= max(parts) - 1e-15


@given(st.lists(shares, min_size=1, max_size=6))
def test_copies_fail_as_a_chain_works(parts: list[float]) -> None:
    assert 1 - parallel(parts) == pytest.approx(series([1 - each for each in parts]), abs=1e-15)


@given(st.integers(1, 9), shares)
def test_one_of_n_is_parallel_and_n_of_n_a_chain(n: int, availability: float) -> None:
    assert k_of_n(1, n, availability) == pytest.approx(parallel([availability] * n), abs=1e-14)
    assert k_of_n(n, n, availability) == pytest.approx(series([availability] * n), abs=1e-14)


@given(groups, shares)
def test_k_of_n_is_the_sum_over_every_way_to_have_k_up(group: tuple[int, int], availability: float) -> None:
    k, n = group
    ways = (
        math.prod(availability if up else 1 - availability for up in state)
        for state in product((True, False), repeat=n)
        if sum(state) >= k
    )
    assert k_of_n(k, n, availability) == pytest.approx(math.fsum(ways), abs=1e-12)


@given(st.integers(2, 9).flatmap(lambda n: st.tuples(st.integers(2, n), st.just(n))), shares)
def test_needing_one_less_or_having_one_more_never_harms(group: tuple[int, int], availability: float) -> None:
    k, n = group
    here = k_of_n(k, n, availability)
    assert k_of_n(k - 1, n, availability) >= here - 1e-15
    assert k_of_n(k, n + 1, availability) >= here - 1e-15


@given(groups, shares)
def test_without_a_common_cause_copies_are_independent(group: tuple[int, int], availability: float) -> None:
    assert common_cause(*group, availability, 0) == pytest.approx(k_of_n(*group, availability), abs=1e-14)


@given(groups, shares)
def test_with_nothing_but_common_causes_copies_are_one(group: tuple[int, int], availability: float) -> None:
    assert common_cause(*group, availability, 1) == pytest.approx(availability, abs=1e-15)


@given(shares, shares)
def test_one_copy_keeps_its_availability_whatever_it_shares(availability: float, beta: float) -> None:
    assert common_cause(1, 1, availability, beta) == pytest.approx(availability, abs=1e-12)


@given(st.integers(1, 9), st.floats(0.9, 1), shares)
def test_copies_never_get_beyond_what_they_share(n: int, availability: float, beta: float) -> None:
    assert common_cause(1, n, availability, beta) <= 1 - beta * (1 - availability) + 1e-15


@given(st.integers(2, 5), st.floats(0.99, 0.99999), shares)
def test_the_textbook_s_short_form_is_the_same_where_failures_are_rare(
    n: int, availability: float, beta: float
) -> None:
    down = 1 - availability
    short = beta * down + ((1 - beta) * down) ** n
    assert 1 - common_cause(1, n, availability, beta) == pytest.approx(short, abs=3 * down**2)


@given(st.floats(0.01, 0.999), st.floats(0, 1 - 1e-12))
def test_the_copies_needed_reach_the_target_and_one_less_does_not(availability: float, target: float) -> None:
    copies = copies_needed(availability, target)
    assert copies is not None
    dust = 1e-6 * (1 - target) + 2e-16
    assert (1 - availability) ** copies <= 1 - target + dust
    assert copies == 1 or (1 - availability) ** (copies - 1) > 1 - target - dust


def test_dust_costs_no_copy() -> None:
    assert [copies_needed(0.99, target) for target in (0.99, 0.9999, 0.999999, 1 - 1e-12)] == [1, 2, 3, 6]
    assert copies_needed(0.9, 0.999) == 3


def test_no_number_of_copies_is_enough() -> None:
    assert copies_needed(0.99, 0.9999, beta=0.05) is None
    assert copies_needed(0.0, 0.5) is None
    assert copies_needed(0.99, 1.0) is None
    assert copies_needed(0.99, 0.999, beta=0.05) == 2


def test_perfect_copies_and_modest_targets_need_one() -> None:
    assert copies_needed(1.0, 1.0) == 1
    assert copies_needed(0.0, 0.0) == 1


@pytest.mark.parametrize("wrong", [-0.1, 1.1, 99.9, math.nan, math.inf])
def test_what_is_no_share_is_refused_by_name(wrong: float) -> None:
    for call in (
        lambda: downtime(wrong, 1.0),
        lambda: nines(wrong),
        lambda: series([0.9, wrong]),
        lambda: parallel([wrong]),
        lambda: k_of_n(1, 2, wrong),
        lambda: copies_needed(wrong, 0.9),
    ):
        with pytest.raises(ValueError, match=r"availability must lie between 0 and 1.*99\.9 % is 0\.999"):
            call()
    with pytest.raises(ValueError, match="target must"):
        copies_needed(0.9, wrong)
    with pytest.raises(ValueError, match="beta must"):
        common_cause(1, 2, 0.9, wrong)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: series([]), "there is none"),
        (lambda: parallel([]), "there is none"),
        (lambda: k_of_n(3, 2, 0.9), "at most n"),
        (lambda: k_of_n(0, 2, 0.9), "k must be a whole number"),
        (lambda: k_of_n(1, 2.0, 0.9), "n must be a whole number"),
        (lambda: k_of_n(True, 2, 0.9), "k must be a whole number"),
        (lambda: downtime(0.9, 0), "period must be a positive number"),
        (lambda: downtime(0.9, math.inf), "period must be a positive number"),
        (lambda: Calendar("360"), "year_days must be one of 365, 365.25, 365.2425"),
        (lambda: Calendar(month_days="31 days"), "month_days must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        call()
