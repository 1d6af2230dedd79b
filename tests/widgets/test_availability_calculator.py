from typing import Any

import pytest

from halab.cluster.profiles import PROFILES
from halab.models.availability import DAY, HOUR, MINUTE
from halab.models.availability_repair import milvus
from halab.widgets.availability_calculator import (
    Calculator,
    chain_of,
    closed_form,
    percent,
    simulate,
    spell,
)


def test_it_starts_with_the_card_s_own_figures() -> None:
    calculator = Calculator()
    found = calculator.figures
    assert found["one"] == pytest.approx(0.99)
    assert found["independent"] == found["group"] == pytest.approx(0.999999)
    assert [percent(found[key]) for key in ("one", "group")] == ["99 %", "99.9999 %"]


def test_its_deployment_is_the_course_s_cluster() -> None:
    calculator = Calculator(mtbf=30 * DAY, mttr=HOUR, beta=0.1, failover=12)
    assert calculator.chain == milvus(PROFILES["ha"], 30 * DAY, HOUR, 0.1, 12)
    assert calculator.figures["chain"] == calculator.chain.availability
    assert chain_of({**calculator.settings, "blocks": calculator.presets["small"]}) == milvus(
        PROFILES["small"], 30 * DAY, HOUR, 0.1, 12
    )


def test_what_follows_moves_with_the_settings() -> None:
    calculator = Calculator(failover=12, slo=0.9999)
    assert calculator.figures["failovers"] == 21
    calculator.settings = {**calculator.settings, "month": "a twelfth of the year", "failover": 0.0}
    assert calculator.figures["failovers"] is None
    assert calculator.figures["budget"] == pytest.approx(365 / 12 * DAY * 0.0001)


def test_a_promise_that_nothing_breaks_is_never_spent() -> None:
    settings = {**Calculator().settings, "errors": 0.0}
    assert (closed_form(settings)["burn"], closed_form(settings)["gone_in"]) == (0, None)


@pytest.mark.parametrize(
    "case",
    [
        {"copies": 1, "mttr": DAY},
        {"copies": 2, "mttr": 3 * DAY},
        {"copies": 3, "mttr": 2 * DAY, "beta": 0.2},
        {"copies": 2, "mttr": 60.0, "failover": 60.0},
    ],
)
def test_the_simulation_agrees_with_the_closed_form(case: dict[str, Any]) -> None:
    calculator = Calculator(mtbf=10 * DAY, **case)
    for part, available in (("group", calculator.figures["group"]), ("chain", calculator.figures["chain"])):
        run = calculator.simulated[part]
        assert run["availability"] == pytest.approx(available, abs=4.5 * run["error"])
        assert run["error"] < 0.1 * (1 - available), "a test that could not fail"
        assert sum(run["yearly"]) == pytest.approx((1 - run["availability"]) * run["years"] * 365 * DAY)


def test_the_simulation_follows_the_sliders_and_the_seed() -> None:
    calculator = Calculator()
    first = calculator.simulated
    calculator.settings = {**calculator.settings, "slo": 0.99, "period": "month"}
    assert calculator.simulated is first, "what a simulation does not depend on starts none"
    calculator.settings = {**calculator.settings, "mttr": 2 * HOUR}
    assert calculator.simulated["settings"]["mttr"] == 2 * HOUR
    assert calculator.simulated["chain"]["availability"] < first["chain"]["availability"]
    second = calculator.simulated
    calculator.seed = 2
    assert calculator.simulated["chain"]["yearly"] != second["chain"]["yearly"]
    assert simulate(calculator.settings, 1) == second, "the same seed gives the same years"


def test_a_long_simulation_tells_how_far_it_is() -> None:
    shares: list[float] = []
    settings = {**Calculator().settings, "mtbf": 4 * HOUR, "mttr": 60.0}
    years = simulate(settings, 1, shares.append)["chain"]["years"]
    assert years == 20
    assert shares == sorted(set(shares))
    assert len(shares) >= 2
    assert all(0 < share < 1 for share in shares)


@pytest.mark.parametrize(
    "wrong", [{"mtbf": 0}, {"mttr": -1}, {"beta": 2}, {"copies": 0}, {"slo": 1.0}, {"failover": -1}]
)
def test_settings_that_make_no_sense_are_refused_at_once(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Calculator(**wrong)  # type: ignore[arg-type]


def test_a_text_stands_in_where_no_front_end_runs() -> None:
    text = repr(Calculator(failover=12, beta=0.05))
    for said in (
        "99.9999 %",
        "52.6 min",
        "a year of 365 days",
        "the chain",
        "216 failovers",
    ):
        assert said in text
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
    [(0, "0 %"), (0.5, "50 %"), (0.99, "99 %"), (0.9995, "99.95 %"), (1 - 1e-6, "99.9999 %"), (1, "100 %")],
)
def test_a_share_is_never_rounded_up_to_all_of_it(availability: float, words: str) -> None:
    assert percent(availability) == words
    assert percent(1 - 4e-7) == "99.99996 %"
    assert percent(1 - 1e-12) != "100 %"
