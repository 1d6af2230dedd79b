import itertools
from datetime import date

import pytest

from halab.models.drill_plan import EVERY, MINUTES, MISHAPS, STEPS, drill_dates, plan


def test_a_drill_without_trouble_takes_the_card_s_45_minutes_and_loses_since_the_backup():
    found = plan(MINUTES, backup_age=30)
    assert [bar.step for bar in found.bars] == list(STEPS)
    assert (found.verdict, found.rto, found.rpo) == ("passed", 45, 30)
    assert found.bars[-1].end == sum(MINUTES.values())


@pytest.mark.parametrize("fault", ["backup corrupt", "standby unhealthy"])
def test_a_bad_finding_before_the_loss_harms_nobody(fault):
    found = plan(MINUTES, fault)
    assert (found.verdict, found.rto, found.rpo) == ("stopped", None, None)
    assert "loss" not in [bar.step for bar in found.bars]


@pytest.mark.parametrize(("fault", "rto"), [("failover too slow", 40), ("service half broken", 55)])
def test_what_fails_after_the_loss_is_rolled_back_and_loses_nothing(fault, rto):
    found = plan(MINUTES, fault)
    assert (found.verdict, found.rto, found.rpo) == ("rolled back", rto, 0)
    assert found.bars[-1].status == "rolled back"


def test_a_primary_that_comes_back_is_fenced_and_that_takes_time():
    found = plan(MINUTES, "split brain")
    assert (found.verdict, found.rto) == ("passed", 50)
    assert [bar.step for bar in found.bars].index("fence") == STEPS.index("service")


@pytest.mark.parametrize("fault", MISHAPS)
def test_bars_follow_each_other_without_a_gap(fault):
    bars = plan(MINUTES, fault).bars
    assert bars[0].start == 0
    assert all(one.end == other.start for one, other in itertools.pairwise(bars))


@pytest.mark.parametrize(
    ("minutes", "fault", "age"),
    [
        (MINUTES, "fire", 1), (MINUTES | {"backup": -1}, "none", 1), (MINUTES | {"tea": 1}, "none", 1),
        (MINUTES, "none", float("nan")),
    ],
)  # fmt: skip
def test_nonsense_is_refused(minutes, fault, age):
    with pytest.raises(ValueError, match="must"):
        plan(minutes, fault, age)


def test_the_more_important_the_more_often_and_a_short_month_has_its_last_day():
    days = {name: drill_dates(name, date(2026, 11, 30), years=2) for name in EVERY}
    assert [len(found) for found in days.values()] == [8, 4, 2]
    assert days["critical"][:3] == [date(2026, 11, 30), date(2027, 2, 28), date(2027, 5, 30)]
    with pytest.raises(ValueError, match="years"):
        drill_dates("critical", date(2026, 1, 1), 0)
    with pytest.raises(ValueError, match="importance"):
        drill_dates("urgent", date(2026, 1, 1))
