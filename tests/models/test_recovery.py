import math
import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.recovery import (
    DISASTERS,
    Need,
    Periodic,
    Setting,
    Span,
    Strategy,
    cheapest,
    longest_interval,
    retention,
    retention_gap,
    strategies,
)

seconds = st.floats(0.0, 1e6)
some = st.floats(1.0, 1e6)
periodics = st.builds(Periodic, some, seconds)
spans = st.lists(seconds, min_size=3, max_size=3).map(lambda times: Span(*sorted(times)))
settings = st.builds(
    Setting, seconds, seconds, seconds, seconds, seconds, some, seconds, some, seconds,
    seconds, seconds, seconds, seconds, st.floats(0, 10),
)  # fmt: skip
needs = st.builds(Need, seconds, seconds, st.sets(st.sampled_from(sorted(DISASTERS))))


def test_a_nightly_backup_of_an_hour_loses_up_to_twenty_five_hours() -> None:
    assert Periodic(24, 1).loss() == (1, 13, 25)
    assert Periodic(24, 1).loss(failed=1) == (25, 37, 49)


@given(periodics, st.floats(0, 1))
def test_a_disaster_at_any_moment_loses_what_lies_between_the_edges(copies: Periodic, share: float) -> None:
    least, _, most = copies.loss()
    assert least <= copies.age(share * copies.interval) <= most


def _lost(copies: Periodic, at: float) -> float:
    """By listing every copy there is at that moment."""
    begun = [number * copies.interval for number in range(-40, 40)]
    return at - max(one for one in begun if one + copies.takes <= at)


@pytest.mark.parametrize("copies", [Periodic(24, 0), Periodic(24, 1), Periodic(10, 25), Periodic(1, 0.3)])
def test_the_loss_agrees_with_copies_listed_one_by_one(copies: Periodic) -> None:
    rng = random.Random(3)
    moments = [rng.uniform(0, copies.interval) for _ in range(20_000)]
    drawn = [_lost(copies, at) for at in moments]
    assert [copies.age(at) for at in moments] == pytest.approx(drawn)
    least, mean, most = copies.loss()
    edge = copies.interval / 100
    assert (min(drawn), max(drawn)) == (pytest.approx(least, abs=edge), pytest.approx(most, abs=edge))
    assert statistics.fmean(drawn) == pytest.approx(mean, rel=0.01, abs=edge)


@given(some, st.floats(0, 0.99), st.integers(0, 5))
def test_the_longest_interval_just_keeps_the_promise(rpo: float, share: float, failed: int) -> None:
    interval = longest_interval(rpo, share * rpo, failed)
    assert Periodic(interval, share * rpo).loss(failed).most == pytest.approx(rpo)
    assert Periodic(interval * 1.01, share * rpo).loss(failed).most > rpo


def test_a_reader_that_is_away_longer_than_the_log_reaches_back_misses_the_difference() -> None:
    kept = retention(size=5 * 2**20, written=1000)
    assert kept == pytest.approx(5242.88)
    assert retention_gap(kept, away=3600) == 0
    assert retention_gap(kept, away=7200, behind=600) == pytest.approx(7800 - kept)


@given(settings)
def test_replicas_change_what_a_dead_node_costs_and_nothing_else(setting: Setting) -> None:
    found = {one.name: one for one in strategies(setting)}
    alone, replicas = found["one cluster"].recoveries, found["replicas"].recoveries
    assert replicas["log"] == alone["log"]
    assert replicas["log"].rpo == setting.flush > 0
    assert replicas.keys() == alone.keys() == {"node", "log"}


@given(settings)
def test_only_a_backup_brings_back_what_was_deleted(setting: Setting) -> None:
    for one in strategies(setting):
        assert ("mistake" in one.recoveries) == ("backups" in one.name)


@given(settings, needs)
def test_the_cheapest_is_found_by_trying_all(setting: Setting, need: Need) -> None:
    offered = strategies(setting)
    good = [
        one
        for one in offered
        if all(
            disaster in one.recoveries
            and one.recoveries[disaster].rto <= need.rto
            and one.recoveries[disaster].rpo <= need.rpo
            for disaster in need.disasters
        )
    ]
    found = cheapest(offered, need)
    assert (found is None) == (not good)
    if found:
        assert found in good
        assert found.cost == min(one.cost for one in good)


@given(settings, needs, st.floats(1, 10))
def test_asking_for_less_is_never_dearer(setting: Setting, need: Need, factor: float) -> None:
    offered = strategies(setting)
    strict, lax = (cheapest(offered, each) for each in (need, replace(need, rto=need.rto * factor)))
    if strict:
        assert lax
        assert lax.cost <= strict.cost


def test_who_must_lose_nothing_with_a_site_pays_for_synchronous_sites() -> None:
    offered = strategies(Setting())
    assert chosen(offered, Need(3600, 0, ["node", "site"])) == "synchronous sites"
    assert chosen(offered, Need(60, 0, ["node"])) == "one cluster"
    assert chosen(offered, Need(15, 0, ["node"])) == "replicas"
    assert chosen(offered, Need(3600, 600, ["node", "site"])) == "warm standby"
    assert chosen(offered, Need(4 * 3600, 26 * 3600)) == "one cluster + backups"
    assert chosen(offered, Need(60, 60)) is None


def chosen(offered: list[Strategy], need: Need) -> str | None:
    found = cheapest(offered, need)
    return found.name if found else None


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: Periodic(0), "interval"),
        (lambda: Periodic(1, -1), "takes"),
        (lambda: Periodic(1).loss(-1), "failed"),
        (lambda: longest_interval(0), "rpo"),
        (lambda: longest_interval(3600, 3600), "no interval"),
        (lambda: longest_interval(3600, 0, -1), "failed"),
        (lambda: retention(1, 0), "written"),
        (lambda: retention_gap(math.nan, 1), "kept"),
        (lambda: Setting(flush=0), "flush"),
        (lambda: Setting(restore=-1), "restore"),
    ],
)
def test_an_impossible_figure_is_refused_by_name(build: object, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        build()  # type: ignore[operator]
