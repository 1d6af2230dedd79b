from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.cluster.profiles import PROFILES
from halab.models.availability import DAY, HOUR, MINUTE
from halab.models.availability_repair import milvus
from halab.widgets.availability_calculator import (
    ChainCalculator,
    CopiesCalculator,
    PromiseCalculator,
    chain_of,
    percent,
    simulate,
    spell,
)


def test_copies_start_with_one_and_three_are_the_card_s_figure() -> None:
    calculator = CopiesCalculator()
    assert calculator.figures["all"] == pytest.approx(0.99)
    calculator.settings = {**calculator.settings, "copies": 3}
    found = calculator.figures
    assert found["one"] == pytest.approx(0.99)
    assert found["independent"] == found["all"] == pytest.approx(0.999999)
    assert [percent(found[key]) for key in ("one", "all")] == ["99 %", "99.9999 %"]


def test_the_chain_is_the_course_s_cluster() -> None:
    calculator = ChainCalculator(mtbf=30 * DAY, mttr=HOUR, beta=0.1, failover=12)
    assert calculator.chain == milvus(PROFILES["ha"], 30 * DAY, HOUR, 0.1, 12)
    assert calculator.figures["chain"] == calculator.chain.availability
    assert chain_of({**calculator.settings, "blocks": calculator.presets["small"]}) == milvus(
        PROFILES["small"], 30 * DAY, HOUR, 0.1, 12
    )


def test_a_promise_pays_for_failovers() -> None:
    calculator = PromiseCalculator(failover=12, slo=0.9999)
    assert calculator.figures["failovers"] == 21
    calculator.settings = {**calculator.settings, "month": "a twelfth of the year", "failover": 0.0}
    assert calculator.figures["failovers"] is None
    assert calculator.figures["budget"] == pytest.approx(365 / 12 * DAY * 0.0001)


def test_a_promise_that_nothing_breaks_is_never_spent() -> None:
    figures = PromiseCalculator(errors=0.0).figures
    assert (figures["burn"], figures["gone_in"]) == (0, None)


@pytest.mark.parametrize(
    "case", [{"mttr": DAY}, {"mttr": 2 * DAY, "beta": 0.2}, {"mttr": 60.0, "failover": 60.0}]
)
def test_the_simulation_agrees_with_the_closed_form(case: dict[str, Any]) -> None:
    calculator = ChainCalculator(mtbf=10 * DAY, **case)
    run, available = calculator.simulated, calculator.figures["chain"]
    assert run["availability"] == pytest.approx(available, abs=4.5 * run["error"])
    assert run["error"] < 0.1 * (1 - available), "a test that could not fail"
    assert sum(run["yearly"]) == pytest.approx((1 - run["availability"]) * run["years"] * 365 * DAY)


def test_the_simulation_follows_the_sliders_and_the_seed() -> None:
    calculator = ChainCalculator(mtbf=99 * HOUR)
    first = calculator.simulated
    calculator.settings = {**calculator.settings}
    assert calculator.simulated is first, "what changes nothing starts no simulation"
    calculator.settings = {**calculator.settings, "mttr": 2 * HOUR}
    assert calculator.simulated["settings"]["mttr"] == 2 * HOUR
    assert calculator.simulated["availability"] < first["availability"]
    second = calculator.simulated
    calculator.seed = 2
    assert calculator.simulated["yearly"] != second["yearly"]
    assert simulate(calculator.settings, 1) == second, "the same seed gives the same years"


def test_a_long_simulation_tells_how_far_it_is() -> None:
    shares: list[float] = []
    settings = {**ChainCalculator().settings, "mtbf": 4 * HOUR, "mttr": 60.0}
    years = simulate(settings, 1, shares.append)["years"]
    assert years == 20
    assert shares == sorted(set(shares))
    assert len(shares) >= 2
    assert all(0 < share < 1 for share in shares)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (CopiesCalculator, {"mtbf": 0}), (CopiesCalculator, {"mttr": -1}), (CopiesCalculator, {"copies": 0}),
        (ChainCalculator, {"beta": 2}), (ChainCalculator, {"failover": -1}),
        (PromiseCalculator, {"slo": 1.0}), (PromiseCalculator, {"failover": -1}),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_at_once(kind: Any, wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        kind(**wrong)


@pytest.mark.parametrize(
    ("calculator", "said"),
    [
        (
            CopiesCalculator(copies=3, beta=0.05, failover=12),
            ("99.9999 %", "with common causes", "takes 12 s"),
        ),
        (ChainCalculator(), ("the chain", "log, 1 of 1")),
        (PromiseCalculator(failover=12), ("52.6 min", "a year of 365 days", "216 failovers")),
    ],
)
def test_a_text_stands_in_where_no_front_end_runs(calculator: Any, said: tuple[str, ...]) -> None:
    text = repr(calculator)
    assert all(words in text for words in said)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (1e-5, "under 1 ms"), (0.0315, "31.5 ms"), (31.536, "31.5 s"), (99.9, "99.9 s"),
        (52.56 * MINUTE, "52.6 min"), (HOUR, "1 h"), (8.76 * HOUR, "8.76 h"), (3.65 * DAY, "3.65 days"),
        (36500 * DAY, "36,500 days"),
    ],
)  # fmt: skip
def test_a_time_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert spell(seconds) == words


@pytest.mark.parametrize(
    ("availability", "words"),
    [
        (0, "0 %"), (0.5, "50 %"), (0.99, "99 %"), (0.9995, "99.95 %"), (1 - 1e-6, "99.9999 %"),
        (1 - 4e-7, "99.99996 %"), (1 - 1e-9, "99.9999999 %"), (1 - 1e-16, "more than 99.9999999 %"),
        (1, "more than 99.9999999 %"),
    ],
)  # fmt: skip
def test_a_share_is_told_in_the_nines_it_has(availability: float, words: str) -> None:
    assert percent(availability) == words


@given(st.floats(0.5, 1), st.integers(1, 8))
def test_no_number_of_copies_is_ever_all_of_the_time(one: float, copies: int) -> None:
    shown = percent(1 - (1 - one) ** copies)
    assert shown.startswith("more than ") or float(shown.removesuffix(" %")) < 100
