"""Repeats of a fault, what they say of a failover's length, and what promises pay for at that price."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.predictions import predict
from halab.errors import MeasurementError
from halab.lessons import availability_maths
from halab.lessons.availability_maths import (
    failover_seconds,
    failover_time,
    outages_of,
    price_list,
    repeat,
    results,
    runs_picture,
)
from halab.lessons.common import kept
from halab.measure.journal import title_marks, validity
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rto
from halab.measure.probing.retriever import Retriever
from halab.models.availability import Calendar
from halab.models.availability_slo import failovers_allowed

pytestmark = pytest.mark.slow

FAULT = "crash active rootcoord"


@pytest.fixture(autouse=True)
def _own_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def runs(times: int = 3, fault: str = FAULT, seconds: float = 20.0) -> list[Journal]:
    cluster = SimulatedCluster()
    return repeat(cluster, fault, retriever=Retriever(cluster), times=times, seconds=seconds)


@cache
def measured(times: int = 3, fault: str = FAULT, seconds: float = 20.0) -> list[Journal]:
    """The same for tests that only look at journals, once for all of them."""
    return runs(times, fault, seconds)


def test_every_repeat_is_kept_and_measures_anew() -> None:
    found = runs(3)
    assert {journal.samples() for journal in kept(2)} == {journal.samples() for journal in found}
    lengths = outages_of(found)
    assert lengths == [rto(one.samples("search"), one.faults[0].at) for one in found]
    assert len(set(lengths)) > 1


def test_a_run_that_breaks_off_costs_none_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    measure, made = availability_maths.experiment, []

    def twice(*args: object, **options: object) -> Journal:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(measure(*args, **options))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(availability_maths, "experiment", twice)
    with pytest.raises(KeyboardInterrupt):
        runs(3)
    assert len(kept(2)) == 2


def test_the_failover_time_is_the_mean_outage_with_its_interval() -> None:
    found = measured(3)
    interval = failover_time(found)
    assert interval.mean == pytest.approx(sum(outages_of(found)) / 3)
    assert interval.low < interval.mean < interval.high
    assert interval.n == 3


def test_the_price_list_is_the_model_s_and_says_what_is_simulated() -> None:
    found = measured(3)
    interval, month = failover_time(found), Calendar().month
    said = repr(price_list(found))
    few, many = (failovers_allowed(0.9999, time, month) for time in (interval.high, interval.low))
    assert f"{few:.0f}–{many:.0f}" in said or f" {few:.0f} " in said
    assert "SIMULATED" in said
    assert "simulated, 3 runs" in said
    assert "a year of 365 days, a month of 30 days" in " ".join(said.split())
    assert "the card" in said
    assert "your prediction" not in said
    assert "99.99 %" in price_list(found)._repr_html_()


def test_a_prediction_made_before_stands_in_it_and_one_made_afterwards_does_not() -> None:
    predict(2, FAULT, first_failure=1, last_failure=13, failed_requests=200)
    before = price_list(runs(2))
    row = next(row for row in before.rows if row[0] == "your prediction")
    assert row[1:] == ("13.0", "199", "19", "1")
    predict(2, FAULT, first_failure=0, last_failure=1, failed_requests=20)
    assert price_list(kept(2)[:2]).rows == before.rows


def test_a_prediction_without_times_has_no_price() -> None:
    predict(2, FAULT, failed_requests=0)
    assert "your prediction" not in repr(price_list(runs(2)))


def test_an_outage_that_nobody_noticed_is_free() -> None:
    found = measured(2, "crash any query node")
    quiet = price_list(found, "insert")
    assert outages_of(found, "insert") == [0.0, 0.0]
    assert quiet.rows[-1][2:] == ("any number",) * 3


def test_the_card_s_claims_are_told_in_failovers() -> None:
    found = measured(2)
    said = results(found)
    assert set(said) == {"two-copies-year", "three-copies-year", "target-year"}
    assert all("(search, mean of 2 runs)" in finding.words.in_("en") for finding in said.values())
    assert all("（模拟）" in finding.words.in_("zh") for finding in said.values())
    real = [
        Journal.write(
            replace(one.header, engine="embedded", simulated=False), samples=one.samples(), faults=one.faults
        )
        for one in measured(2)
    ]
    year = results(real)["target-year"]
    assert year.verdict == "incomparable"
    assert year.measured == pytest.approx([length / 3600 for length in outages_of(real)])


def test_one_repeat_is_refused_before_anything_is_broken() -> None:
    with pytest.raises(MeasurementError, match="at least two repeats, not 1"):
        runs(1)
    assert kept(2) == []


def test_one_journal_gives_no_interval() -> None:
    with pytest.raises(MeasurementError, match="at least two repeats"):
        failover_time(measured(2)[:1])


def cut(journal: Journal) -> Journal:
    """The same run, recorded for three seconds after the fault only: its outage has no end."""
    samples = [sample for sample in journal.samples() if sample.intended < journal.faults[0].at + 3]
    return Journal.write(journal.header, samples=samples, faults=journal.faults)


def test_where_no_run_ends_a_sentence_says_so_and_the_lesson_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    endless = [cut(one) for one in measured(2)]
    with pytest.raises(MeasurementError, match=r"did not come back while run 1[\s\S]*seconds=30"):
        failover_time(endless)
    said = repr(price_list(endless))
    assert "In runs 1, 2 search was not back" in said
    assert "seconds=30" in said
    assert failover_seconds(endless, otherwise=9.0) == 9.0
    assert "begins with 9 s" in capsys.readouterr().out
    assert {found.verdict for found in results(endless).values()} == {"unproven"}


def test_a_run_without_an_end_among_others_is_left_out_and_told() -> None:
    whole = measured(3)
    mixed = [whole[0], cut(whole[1]), whole[2]]
    assert failover_time(mixed).n == 2
    assert failover_seconds(mixed) == failover_time(mixed).mean
    assert "In run 2 search was not back" in " ".join(repr(price_list(mixed)).split())
    picture = runs_picture(mixed)
    assert picture.bars[1].shown == "not back, not counted"
    assert "the true one is longer" in picture.sentence
    assert len(results(mixed)) == 3


def test_runs_of_different_faults_are_no_repeats() -> None:
    with pytest.raises(MeasurementError, match="these are of 2"):
        failover_time([*measured(2), *measured(2, "hang active rootcoord", seconds=40)])


def test_the_runs_are_a_bar_each_under_one_sentence_that_gives_range_and_mean() -> None:
    found = measured(3)
    picture, interval = runs_picture(found), failover_time(found)
    assert [bar.name for bar in picture.bars] == ["run 1", "run 2", "run 3", "the card"]
    assert [bar.seconds for bar in picture.bars[:3]] == outages_of(found)
    assert picture.sentence.startswith("SIMULATED: 3 failovers took ")
    assert f"{interval.mean:.1f} s on average" in picture.sentence
    assert picture.mean == interval
    assert "<details>" in picture._repr_html_()
    assert f"run 1: {outages_of(found)[0]:.1f} s" in repr(picture)


def test_two_runs_are_too_few_for_a_band_and_say_so() -> None:
    found = measured(2)
    picture, table = runs_picture(found), price_list(found)
    assert picture.mean is None
    assert "two are too few to say how sure that is" in picture.sentence
    assert "–" not in "".join(table.rows[-1])
    assert "any number" not in table.rows[-1]
    assert "Two are too few" in " ".join(repr(table).split())


def test_the_picture_shows_a_prediction_that_was_made_before() -> None:
    predict(2, FAULT, first_failure=1, last_failure=13, failed_requests=200)
    assert [bar.shown for bar in runs_picture(runs(2)).bars if bar.kind == "prediction"] == ["13.0 s"]


def test_a_run_that_proves_nothing_is_hatched_and_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured(3)
    against = {found[1].digest: ("The machine was busy.",)}
    for room in (availability_maths, validity, title_marks):
        monkeypatch.setattr(room, "objections", lambda journal: against.get(journal.digest, ()))
    picture = runs_picture(found)
    assert [bar.kind for bar in picture.bars] == ["run", "left out", "run", "card"]
    assert "not counted" in picture.bars[1].shown
    assert picture.sentence.endswith("1 more proves nothing and is not counted. The machine was busy.")
    assert "This proves nothing" not in repr(picture)
    assert failover_time(found).n == 2
    against |= {found[0].digest: ("The machine was busy.",)}
    assert failover_time(found).n == 3, "with one sound run there is no interval, so all are shown"
    assert "The machine was busy" in runs_picture(found).sentence


def test_a_run_without_an_end_is_shown_as_such() -> None:
    picture = runs_picture([cut(one) for one in measured(2)])
    assert [bar.shown for bar in picture.bars[:2]] == ["not back", "not back"]
    assert "there is no mean yet" in picture.sentence
    assert "not back" in picture._repr_html_()
