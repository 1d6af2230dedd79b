import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.capacity import Usl, erlang_c, fit_usl, mm1, mmc, nodes_needed


def test_one_server_waits_as_the_textbook_says():
    queue = mm1(8, 10)
    assert queue.utilisation == pytest.approx(0.8)
    assert queue.response == pytest.approx(0.5)  # 1 / (10 - 8)
    assert queue.wait == pytest.approx(0.4)


def test_erlang_s_c_is_the_sum_of_its_definition():
    for servers, offered in ((2, 1.5), (3, 2.0), (10, 9.0)):
        last = offered**servers / math.factorial(servers) * servers / (servers - offered)
        right = last / (sum(offered**k / math.factorial(k) for k in range(servers)) + last)
        assert erlang_c(offered, 1.0, servers) == pytest.approx(right)
    assert 0 < erlang_c(950, 1.0, 1000) < 1


def test_one_queue_before_three_waits_less_than_three_queues():
    assert mmc(24, 10, 3).response < mm1(8, 10).response


@pytest.mark.parametrize("wrong", [(10, 10, 1), (0, 1, 1), (1, 1, 0), (-1, 1, 1), (31, 10, 3)])
def test_a_queue_without_end_has_no_mean(wrong):
    with pytest.raises(ValueError, match="arrivals"):
        mmc(*wrong)


def test_the_law_is_linear_without_losses_and_has_a_best_number_with_them():
    assert Usl(100).rate(5) == 500
    assert Usl(100).most == math.inf
    law = Usl(100, 0.1, 0.1)
    assert law.most == pytest.approx(3)
    assert law.rate(3) > law.rate(2)
    assert law.rate(3) > law.rate(4)


@given(st.floats(10, 1000), st.floats(0, 0.9), st.floats(0, 0.5))
def test_a_fit_finds_the_law_its_points_were_made_from(one, contention, coherence):
    law = Usl(one, contention, coherence)
    fit = fit_usl({n: [law.rate(n)] * 2 for n in (1, 2, 3, 5)}, draws=2)
    for n in (1, 2, 3, 4, 5, 8):
        assert fit.law.rate(n) == pytest.approx(law.rate(n), rel=1e-6)


def test_the_interval_holds_the_figure_and_grows_with_the_scatter():
    def width(scatter):
        fit = fit_usl({n: [Usl(100, 0.1).rate(n) * (1 + scatter * k) for k in (-1, 0, 1)] for n in (1, 2, 3)})
        found = fit.rate(5)
        assert found.low <= found.median <= found.high
        assert fit.contention.low <= fit.contention.high
        assert fit.coherence.low <= fit.coherence.high
        return found.high - found.low

    assert width(0.1) > width(0.01) > 0


@pytest.mark.parametrize(
    "wrong", [{}, {1: [1.0], 2: [2.0]}, {1: [1.0], 2: [2.0], 3: []}, {1: [1.0], 2: [0.0], 3: [1.0]}]
)
def test_too_few_points_are_refused(wrong):
    with pytest.raises(ValueError, match="rate"):
        fit_usl(wrong)


def test_n_plus_one_holds_with_a_node_gone_and_not_with_one_fewer():
    assert nodes_needed(1000, 200, headroom=0, spare=0) == 5
    assert nodes_needed(1000, 200, headroom=0, spare=1) == 6
    assert nodes_needed(840, 400, headroom=0.3) == 4  # 3 exactly, whatever floats say, and one more
    assert nodes_needed(1, 1000) == 2


@given(st.floats(1, 1e5), st.floats(1, 1e4), st.floats(0, 0.9), st.integers(0, 3))
def test_as_many_as_needed_and_no_more(peak, one, headroom, spare):
    nodes = nodes_needed(peak, one, headroom=headroom, spare=spare)
    assert (nodes - spare) * one * (1 - headroom) >= peak * (1 - 1e-6)
    assert (nodes - spare - 1) * one * (1 - headroom) < peak


@pytest.mark.parametrize("wrong", [{"peak": 0}, {"per_node": 0}, {"headroom": 1}, {"spare": -1}])
def test_a_plan_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="above 0"):
        nodes_needed(**({"peak": 1, "per_node": 1} | wrong))
