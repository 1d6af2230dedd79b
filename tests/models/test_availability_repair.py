import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.availability import DAY, HOUR, common_cause, k_of_n
from halab.models.availability_repair import Block, Chain, failover_availability, group, milvus, steady

times = st.floats(1.0, 1e7)
groups = st.integers(1, 7).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))
ONE_OF_EACH = {
    "proxy": 1, "rootcoord": 1, "querycoord": 1, "datacoord": 1, "etcd": 1, "log": 1, "objectstore": 1,
    "querynode": 1, "datanode": 1,
}  # fmt: skip


@given(groups, times, times)
def test_with_a_crew_for_each_part_repair_is_k_of_n(sizes: tuple[int, int], mtbf: float, mttr: float) -> None:
    assert group(*sizes, mtbf, mttr).availability == pytest.approx(
        k_of_n(*sizes, steady(mtbf, mttr)), abs=1e-12
    )


@given(groups, st.integers(1, 7), st.floats(0.5, 200), st.floats(0.5, 50))
def test_the_closed_form_solves_the_balance_of_its_own_flows(
    sizes: tuple[int, int], crews: int, mtbf: float, mttr: float
) -> None:
    k, n = sizes
    rates = np.zeros((n + 1, n + 1))
    for i in range(n):
        rates[i, i + 1] = (n - i) / mtbf
        rates[i + 1, i] = min(i + 1, crews) / mttr
    np.fill_diagonal(rates, -rates.sum(axis=1))
    balance = np.vstack([rates.T, np.ones(n + 1)])
    still = np.linalg.lstsq(balance, np.append(np.zeros(n + 1), 1.0), rcond=None)[0]
    assert group(k, n, mtbf, mttr, crews).availability == pytest.approx(still[: n - k + 1].sum(), abs=1e-7)


@given(groups, times, times)
def test_fewer_crews_are_never_better(sizes: tuple[int, int], mtbf: float, mttr: float) -> None:
    found = [group(*sizes, mtbf, mttr, crews).availability for crews in (1, 2, 7)]
    assert found == sorted(found)


@given(groups, st.floats(10.0, 1e6), st.floats(1.0, 1e5))
def test_an_outage_and_the_time_between_two_give_the_availability(
    sizes: tuple[int, int], mtbf: float, mttr: float
) -> None:
    found = group(*sizes, mtbf, mttr)
    assert found.between / (found.between + found.outage) == pytest.approx(found.availability, abs=1e-9)


def test_one_part_is_up_for_its_mtbf_and_down_for_its_mttr() -> None:
    found = group(1, 1, 99 * HOUR, HOUR)
    assert (found.availability, found.between, found.outage) == pytest.approx((0.99, 99 * HOUR, HOUR))


def test_two_parts_share_an_outage_half_as_long_as_a_repair() -> None:
    assert group(1, 2, 100 * HOUR, HOUR).outage == pytest.approx(HOUR / 2)


def test_what_never_fails_is_never_out() -> None:
    assert group(1, 2, math.inf, HOUR).availability == 1
    assert group(2, 2, math.inf, HOUR).between == math.inf
    assert steady(math.inf, HOUR) == 1
    assert group(1, 2, HOUR, 0).availability == 1


def test_a_failover_costs_itself_each_time_the_one_that_serves_is_lost() -> None:
    lost = 1 - failover_availability(30 * DAY, 12)
    assert lost == pytest.approx(12 / (30 * DAY), rel=1e-4)
    assert 1 - failover_availability(30 * DAY, 12, needed=2) == pytest.approx(2 * lost, rel=1e-4)
    assert failover_availability(30 * DAY, 0) == 1


@given(st.floats(1.0, 1e9), st.floats(0, 1e5), st.integers(1, 9))
def test_what_failovers_leave_is_a_share(mtbf: float, failover: float, needed: int) -> None:
    assert 0 <= failover_availability(mtbf, failover, needed) <= 1


def test_a_block_is_copies_and_what_switching_leaves_of_them() -> None:
    block = Block("proxy", 2, mtbf=99 * HOUR, mttr=HOUR, beta=0.1, failover=12)
    assert block.copy_availability == pytest.approx(0.99)
    assert block.availability == pytest.approx(
        common_cause(1, 2, 0.99, 0.1) * failover_availability(99 * HOUR, 12)
    )
    assert Block("log", 1, mtbf=99 * HOUR, mttr=HOUR, failover=12).availability == pytest.approx(0.99)


def test_more_copies_buy_nothing_beyond_the_price_of_switching() -> None:
    found = [Block("b", n, mtbf=99 * HOUR, mttr=HOUR, failover=60).availability for n in range(1, 8)]
    assert found[1] > found[0]
    assert max(found) <= failover_availability(99 * HOUR, 60)


def test_a_chain_is_below_its_weakest_block() -> None:
    chain = milvus(ONE_OF_EACH | {"proxy": 2, "etcd": 3, "querynode": 3}, mtbf=99 * HOUR, mttr=HOUR)
    assert chain.availability < chain.weakest.availability == pytest.approx(0.99)
    assert {block.name: block.needed for block in chain.blocks}["etcd"] == 2


def test_one_of_each_is_a_plain_product() -> None:
    chain = milvus(ONE_OF_EACH, mtbf=99 * HOUR, mttr=HOUR)
    assert chain.availability == pytest.approx(0.99**9)


def test_one_block_of_a_chain_is_changed_and_the_others_stay() -> None:
    chain = milvus(ONE_OF_EACH)
    better = chain.changed("log", copies=3, needed=2)
    assert [old.name for old, new in zip(chain.blocks, better.blocks, strict=True) if old != new] == ["log"]
    assert better.availability > chain.availability


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: steady(0, 1), "mtbf must be a positive"),
        (lambda: steady(math.nan, 1), "mtbf must be a positive"),
        (lambda: steady(1, -1), "mttr must be zero or a positive"),
        (lambda: steady(1, math.inf), "mttr must be zero or a positive"),
        (lambda: group(0, 2, 1, 1), "k must be a whole number from 1 to n"),
        (lambda: group(1, 2, 1, 1, crews=0), "crews must be at least 1"),
        (lambda: failover_availability(0, 1), "mtbf must be"),
        (lambda: failover_availability(1, -1), "failover must be"),
        (lambda: failover_availability(1, 1, 0), "needed must be"),
        (lambda: Block("proxy", 2, 3), "proxy: needed must lie between 1 and 2"),
        (lambda: Block("proxy", 2, beta=2), "beta must lie"),
        (lambda: Block("proxy", 2, failover=-1), "failover must be"),
        (lambda: Chain(()), "at least one block"),
        (lambda: milvus({"proxy": 1}), "rootcoord, .* is missing"),
        (lambda: milvus(ONE_OF_EACH).changed("cache", copies=2), "no block 'cache'; there are proxy"),
    ],
)
def test_what_makes_no_sense_is_refused(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        call()
