import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halab.models.replication import (
    Copy,
    draws,
    kth_fastest,
    parallel,
    quorum,
    serial,
    straggling,
    through_log,
)

times = st.floats(0, 1000)
copies = st.builds(Copy, times, times)
counts = st.integers(1, 9)
SIMULATED = 40_000


def quorums(most=9):
    return st.integers(1, most).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(copies, quorums(), st.integers(0, 2**30))
def test_the_closed_forms_are_what_a_simulation_finds(copy, quorum_of, seed):
    n, k = quorum_of
    drawn = draws(copy, (SIMULATED, n), seed)
    ordered = np.sort(drawn, axis=1)
    near = 6 * n * copy.jitter / math.sqrt(SIMULATED) + 1e-6
    assert serial(copy, n).acknowledged == pytest.approx(drawn.sum(axis=1).mean(), abs=near)
    assert parallel(copy, n).acknowledged == pytest.approx(ordered[:, -1].mean(), abs=near)
    assert kth_fastest(copy, n, k) == pytest.approx(ordered[:, k - 1].mean(), abs=near)
    assert quorum(copy, n, k).everywhere == pytest.approx(ordered[:, -1].mean(), abs=near)
    read = drawn[:, 0] + np.random.default_rng(seed).permutation(ordered[:, -1])
    assert through_log(copy, n).everywhere == pytest.approx(read.mean(), abs=near)


@settings(max_examples=60, derandomize=True, database=None)
@given(copies, quorums())
def test_a_quorum_is_never_slower_than_all_and_all_never_slower_than_one_by_one(copy, quorum_of):
    n, k = quorum_of
    dust = 1e-9 * (1 + copy.base + copy.jitter)
    some, every, queue = quorum(copy, n, k), parallel(copy, n), serial(copy, n)
    assert copy.base <= some.acknowledged <= every.acknowledged + dust
    assert every.acknowledged <= queue.acknowledged + dust
    assert some.acknowledged <= some.everywhere + dust
    assert through_log(copy, n).acknowledged == through_log(copy, 1).acknowledged


def test_what_jitter_does_to_copies_made_at_once():
    steady, shaky = Copy(10, 0), Copy(0, 10)
    assert parallel(steady, 3).acknowledged == 10
    assert parallel(shaky, 3).acknowledged == pytest.approx(10 * (1 + 1 / 2 + 1 / 3))
    assert quorum(shaky, 3, 2).acknowledged == pytest.approx(10 * (1 / 3 + 1 / 2))
    assert serial(shaky, 3).acknowledged == 30


@settings(max_examples=30, derandomize=True, deadline=None, database=None)
@given(st.floats(0, 1), quorums(), st.integers(0, 2**30))
def test_how_often_a_write_waits_for_a_straggler(share, quorum_of, seed):
    n, k = quorum_of
    slow = (np.random.default_rng(seed).random((SIMULATED, n)) < share).sum(axis=1)
    assert straggling(share, n, k) == pytest.approx((n - slow < k).mean(), abs=0.02)


def test_a_quorum_forgives_one_straggler_and_waiting_for_all_forgives_none():
    assert straggling(0.01, 3, 3) == pytest.approx(1 - 0.99**3)
    assert straggling(0.01, 3, 2) == pytest.approx(3 * 0.01**2 * 0.99 + 0.01**3)
    assert straggling(0, 3, 3) == 0
    assert straggling(1, 3, 1) == 1


@pytest.mark.parametrize("wrong", [(0, 0), (3, 4), (3, 0), (-1, 1)])
def test_a_quorum_of_more_copies_than_there_are_is_refused(wrong):
    with pytest.raises(ValueError, match="needed"):
        quorum(Copy(1, 1), *wrong)
    with pytest.raises(ValueError, match="needed"):
        straggling(0.1, *wrong)


@pytest.mark.parametrize("wrong", [(-1, 0), (0, -1), (math.nan, 0), (0, math.inf)])
def test_times_are_numbers_from_zero(wrong):
    with pytest.raises(ValueError, match="zero or a positive"):
        Copy(*wrong)
    with pytest.raises(ValueError, match="share"):
        straggling(1.5, 3, 2)
