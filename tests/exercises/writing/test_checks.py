"""The checks of exercise 4: every variant can be solved, and none is solved by chance."""

import random
from statistics import fmean, median

import pytest

from halab.exercises.expectations import CheckFailed
from halab.exercises.writing import checks
from halab.exercises.writing.variant import make_report, make_setups, make_store
from halab.models.bootstrap import ratio_interval
from support.answers import hint_of


def interval(one, three):
    rng = random.Random(9)
    drawn = sorted(
        median(rng.choices(three, k=len(three))) / median(rng.choices(one, k=len(one))) for _ in range(1000)
    )
    return drawn[25], drawn[974]


def test_every_store_has_writes_that_all_three_ways_tell_apart():
    for seed in range(30):
        one = make_store(random.Random(seed))
        lost = [sum(time is None for time in write) for write in one.writes]
        assert 0 in lost
        assert one.copies in lost
        assert any(0 < n <= one.copies - one.needed for n in lost), "a quorum that is reached all the same"
        assert any(one.copies - one.needed < n < one.copies for n in lost), "one that is not"


def test_an_honest_bootstrap_passes_whatever_its_seed_and_length():
    rng = random.Random(3)
    checks.check_interval(interval, [make_report(rng) for _ in range(40)])


def test_a_mean_is_told_from_a_median_in_every_report():
    rng = random.Random(4)
    for _ in range(40):
        one = make_report(rng)
        assert hint_of(checks.check_ratio, lambda a, b: fmean(b) / fmean(a), [one]) == "04.2.mean"


def test_an_interval_of_half_the_width_is_refused_in_every_report():
    rng = random.Random(5)
    for _ in range(20):
        one = make_report(rng)
        low, middle, high = ratio_interval(one.three, one.one)
        half = (middle - (middle - low) / 3, middle + (high - middle) / 3)
        with pytest.raises(CheckFailed):
            checks.check_interval(lambda a, b, half=half: half, [one])


def test_the_replicas_taken_for_the_log_s_copies_are_noticed():
    rng = random.Random(6)
    taken = hint_of(checks.check_waits, lambda setup: setup["replicas"], make_setups(rng))
    assert taken.startswith("04.3.")


@pytest.mark.parametrize("nonsense", [None, "a word", (1, None), [float("nan")] * 2, (2, 1)])
def test_what_is_no_interval_is_told(nonsense):
    with pytest.raises(CheckFailed):
        checks.check_interval(lambda one, three: nonsense, [make_report(random.Random(1))])
