import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halab.models.availability import DAY, HOUR
from halab.models.availability_repair import Block, Chain, milvus
from halab.models.availability_slo import mean_interval
from halab.sim.monte_carlo import YEAR, simulate_years

HA = {
    "proxy": 2, "rootcoord": 2, "querycoord": 2, "datacoord": 2, "etcd": 3, "log": 1, "objectstore": 1,
    "querynode": 3, "datanode": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    "block",
    [
        Block("one", 1, mtbf=10 * DAY, mttr=DAY),
        Block("a pair", 2, mtbf=2 * DAY, mttr=DAY),
        Block("a majority", 3, 2, mtbf=2 * DAY, mttr=DAY),
        Block("all of them", 3, 3, mtbf=5 * DAY, mttr=DAY),
        Block("two of five", 5, 2, mtbf=DAY, mttr=DAY),
        Block("a pair that shares", 2, mtbf=10 * DAY, mttr=DAY, beta=0.3),
        Block("nothing but shared", 3, mtbf=10 * DAY, mttr=DAY, beta=1.0),
        Block("a pair that switches", 2, mtbf=10 * DAY, mttr=60.0, failover=60.0),
        Block("a majority that switches", 3, 2, mtbf=10 * DAY, mttr=60.0, failover=120.0),
    ],
    ids=lambda block: block.name,
)
def test_many_years_have_the_availability_of_the_closed_form(block: Block) -> None:
    simulated = simulate_years(Chain((block,)), years=400, seed=1)
    lost = mean_interval(simulated.yearly, confidence=0.9999)
    assert lost.low <= (1 - block.availability) * YEAR <= lost.high
    assert lost.high < 1.5 * lost.low, "a test that could not fail"


def test_a_deployment_has_the_availability_of_the_closed_form() -> None:
    chain = milvus(HA, mtbf=10 * DAY, mttr=4 * HOUR, beta=0.1, failover=30)
    lost = mean_interval(simulate_years(chain, years=300, seed=2).yearly, confidence=0.9999)
    assert lost.low <= (1 - chain.availability) * YEAR <= lost.high
    assert lost.high < 1.2 * lost.low


def test_the_years_add_up_and_the_same_seed_gives_the_same_years() -> None:
    chain = milvus(HA)
    simulated = simulate_years(chain, years=50, seed=3)
    assert sum(simulated.yearly) == pytest.approx((1 - simulated.availability) * 50 * YEAR)
    assert simulated == simulate_years(chain, years=50, seed=3)
    assert simulated != simulate_years(chain, years=50, seed=4)


def test_one_part_has_as_many_outages_as_it_fails() -> None:
    simulated = simulate_years(Chain((Block("one", 1, mtbf=9 * DAY, mttr=DAY),)), years=400, seed=5)
    assert simulated.outages_per_year == pytest.approx(36.5, rel=0.05)


def test_what_cannot_fail_has_no_outage() -> None:
    simulated = simulate_years(
        Chain((Block("rock", 1, mtbf=float("inf")), Block("at once", 2, mttr=0.0))), years=5
    )
    assert (simulated.availability, simulated.outages_per_year, simulated.yearly) == (1.0, 0.0, (0.0,) * 5)


@settings(max_examples=30)
@given(st.integers(1, 4), st.floats(0, 1), st.floats(0, 1e5), st.integers(0, 10**6))
def test_no_year_is_longer_than_itself(copies: int, beta: float, failover: float, seed: int) -> None:
    block = Block("b", copies, mtbf=DAY, mttr=DAY, beta=beta, failover=failover)
    assert all(
        0 <= year <= YEAR * (1 + 1e-9) for year in simulate_years(Chain((block,)), years=3, seed=seed).yearly
    )


def test_at_least_one_year_is_simulated() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        simulate_years(milvus(HA), years=0)
