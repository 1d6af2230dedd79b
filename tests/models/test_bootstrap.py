import random

import pytest

from halab.models.bootstrap import median_interval, ratio_interval


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says():
    rng = random.Random(5)
    held = 0
    for seed in range(60):
        one = [rng.lognormvariate(0, 0.2) for _ in range(25)]
        other = [1.2 * rng.lognormvariate(0, 0.2) for _ in range(25)]
        low, _, high = ratio_interval(other, one, seed=seed)
        held += low <= 1.2 <= high
    assert held >= 50


def test_more_values_say_more_and_one_says_nothing_of_its_spread():
    rng = random.Random(1)
    few, many = ([rng.gauss(10, 1) for _ in range(n)] for n in (8, 200))
    widths = [high - low for low, _, high in (median_interval(few), median_interval(many))]
    assert widths[1] < widths[0]
    assert median_interval([3.0]) == (3.0, 3.0, 3.0)


def test_it_is_the_same_each_time_and_wider_for_a_higher_level():
    values = [1.0, 2.0, 4.0, 8.0, 9.0]
    assert median_interval(values) == median_interval(values)
    assert median_interval(values, level=0.5).high <= median_interval(values).high
    assert ratio_interval(values, values).median == 1


@pytest.mark.parametrize("wrong", [[], [1.0, float("nan")], [float("inf")]])
def test_what_has_no_median_is_refused(wrong):
    with pytest.raises(ValueError, match="at least one number"):
        median_interval(wrong)


def test_a_ratio_with_zero_and_a_level_beyond_one_are_refused():
    with pytest.raises(ValueError, match="above 0"):
        ratio_interval([1.0], [0.0])
    with pytest.raises(ValueError, match="level"):
        median_interval([1.0], level=1)
