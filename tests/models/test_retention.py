import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.retention import PERIODS, Retention, keep

DAY = PERIODS["daily"]


def test_one_backup_a_day_leaves_sons_fathers_and_grandfathers():
    kept = keep([day * DAY for day in range(120)], Retention(daily=3, weekly=2, monthly=2))
    # The last three days; the last of week 16 (day 118) and of this one (119); of month 2 (day 89) and this.
    assert [moment / DAY for moment in kept] == [89, 117, 118, 119]


def test_of_several_a_day_the_newest_stays():
    assert keep([0, 100, 200, DAY + 5, DAY + 9], Retention(2, 0, 0)) == [200, DAY + 9]


def test_a_week_without_backups_does_not_make_older_ones_go():
    kept = keep([0, DAY, 30 * DAY], Retention(3, 0, 0))
    assert kept == [0, DAY, 30 * DAY]


@given(
    st.lists(st.floats(0, 1e9)),
    st.builds(Retention, st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)),
)
def test_keeping_is_bounded_stable_and_never_drops_the_newest(moments, retention):
    kept = keep(moments, retention)
    assert set(kept) <= set(moments)
    assert len(kept) <= retention.daily + retention.weekly + retention.monthly
    assert keep(kept, retention) == kept, "pruning twice is pruning once"
    assert not moments or kept[-1] == max(moments)


@pytest.mark.parametrize("counts", [(0, 0, 0), (-1, 1, 1)])
def test_a_retention_that_keeps_nothing_is_refused(counts):
    with pytest.raises(ValueError, match="keeps"):
        Retention(*counts)
