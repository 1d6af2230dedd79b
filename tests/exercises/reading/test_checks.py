"""The checks of exercise 5: every variant can be solved, and none is solved by chance."""

import random

import pytest

from halab.exercises.expectations import CheckFailed
from halab.exercises.reading import checks
from halab.exercises.reading.given import race
from halab.exercises.reading.variant import (
    FLAWS,
    make_latencies,
    make_plan,
    make_table,
    make_workload,
    variant,
)
from support.answers import hint_of


class Turns:
    def __init__(self):
        self.turn = -1

    def pick(self, loads):
        self.turn += 1
        return list(loads)[self.turn % len(loads)]


class Least:
    def pick(self, loads):
        fewest = min(loads.values())
        return random.choice([name for name, load in loads.items() if load == fewest])


class Chance:
    def pick(self, loads):
        return random.choice(list(loads))


def test_a_learner_meets_every_flaw_twice():
    assert sorted(map(checks.right_flaw, variant("ada").tables)) == sorted(FLAWS * 2)


def test_every_table_has_the_flaw_it_was_made_with_and_no_other():
    for seed in range(300):
        rng = random.Random(seed)
        flaw = rng.choice(FLAWS)
        assert checks.right_flaw(make_table(rng, flaw)) == flaw


def test_honest_strategies_pass_whatever_their_dice_say():
    random.seed(5)
    for seed in range(25):
        checks.check_round_robin(Turns, seed)
        checks.check_least(Least, seed)
        checks.check_random(Chance, seed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unequal", "slow", "grey", "leaving"])
def test_honest_strategies_race_as_they_should_and_swapped_ones_do_not(kind):
    random.seed(6)
    rng = random.Random(kind)
    for _ in range(8):
        one = make_workload(rng, kind)
        checks.check_race(Turns, Least, Chance, [one])
        if kind in ("slow", "grey"):
            with pytest.raises(CheckFailed):
                checks.check_race(Turns, Chance, Chance, [one])
            with pytest.raises(CheckFailed):
                checks.check_race(Least, Least, Chance, [one])


def test_a_strategy_that_clings_to_a_node_that_left_is_told_so():
    class Clings(Turns):
        def pick(self, loads):
            self.names = getattr(self, "names", list(loads))
            self.turn += 1
            return self.names[self.turn % len(self.names)]

    for check in (
        lambda: checks.check_round_robin(Clings, 1),
        lambda: checks.check_race(Clings, Least, Chance, [make_workload(random.Random(1), "leaving")]),
    ):
        assert hint_of(check) == "05.1.gone"
    with pytest.raises(ValueError, match="in service"):
        race(make_workload(random.Random(1), "leaving"), Clings())


def test_every_plan_needs_more_than_its_peak_alone_and_can_be_met():
    for seed in range(100):
        one = make_plan(random.Random(seed))
        right = checks.right_needed(one)
        assert right is not None
        assert 3 <= right < 30


def test_every_stall_hides_requests():
    for seed in range(20):
        latencies, interval = make_latencies(random.Random(seed))
        cases = [(latencies, interval)]
        assert hint_of(checks.check_honest, lambda measured, interval: measured, cases) == "05.3.missed"


@pytest.mark.parametrize("nonsense", [None, "a word", [None], [float("nan")], []])
def test_what_is_no_list_of_times_is_told(nonsense):
    with pytest.raises(CheckFailed):
        checks.check_honest(lambda latencies, interval: nonsense, [([0.5], 1.0)])
