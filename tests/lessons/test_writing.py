import time
from datetime import UTC, datetime

import pytest

from halab.course.predictions import predict
from halab.errors import MeasurementError
from halab.lessons import card_findings
from halab.lessons.writing import (
    QUESTIONS,
    compare_writes,
    latencies,
    results,
    show_costs,
    verdict,
    writes_table,
)
from halab.measure.journal import title_marks, validity
from halab.measure.journal.journal_file import Header, Journal, Phase
from halab.models.bootstrap import Interval
from halab.models.replication import Write
from halab.models.samples import Outcome, Sample


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def made(three=0.03, *, simulated=False, started=None, counts=(1, 2, 3)):
    """Ten turns each; one replica takes 20 ms, three take `three` seconds."""
    phases = [
        Phase(
            "write", turn, turn + 1, {"replicas": n, "repeat": turn, "rows": 1000},
            {"acknowledged": 0.02 if n == 1 else three, "everywhere": 0.5},
        )
        for n in counts
        for turn in range(10)
    ]  # fmt: skip
    names = ("insert", "strong search")
    header = Header(
        "lab", "simulated" if simulated else "embedded", "ha", 10.0, {"milvus": "2.3.5"}, 0, {},
        started or datetime.now(UTC).isoformat(), 1.0, 10.0, names, dict.fromkeys(names, 10.0), simulated,
    )  # fmt: skip
    samples = [Sample("insert", 0, 0.0, 0.0, 0.02, Outcome.OK)]
    return Journal.write(header, samples=samples, phases=phases)


def test_prediction_card_and_measurement_stand_side_by_side():
    predict(4, QUESTIONS[0].experiment, percent=200)
    time.sleep(0.01)
    table = compare_writes(made())
    assert table.rows == (
        ("one replica", "-", "10 s", "0.020 (0.020–0.020) s"),
        ("three replicas", "-", "12 s", "0.030 (0.030–0.030) s"),
        ("three against one", "+200 %", "+20 %", "+50 % (+50 to +50)"),
    )
    assert "longer here" in repr(table)
    assert "SIMULATED" not in repr(table)
    assert "+50 %" in table._repr_html_()


def test_a_prediction_made_afterwards_does_not_count():
    journal = made(started="2026-01-01T00:00:00+00:00")
    predict(4, QUESTIONS[0].experiment, percent=20)
    assert compare_writes(journal).rows[2][1] == "-"


def test_a_simulation_says_so_everywhere():
    journal = made(simulated=True)
    assert "SIMULATED" in repr(compare_writes(journal))
    assert all("(simulated" in said.words.in_("en") for said in results(journal).values())
    assert set(results(journal)) == {"one-copy", "three-copies", "extra-time"}


def test_the_verdict_on_the_card_follows_the_run():
    predict(4, QUESTIONS[0].experiment, percent=200)
    time.sleep(0.01)
    said = results(made())
    assert all("（实测）" in finding.words.in_("zh") for finding in said.values())
    assert (said["one-copy"].verdict, said["one-copy"].measured) == ("incomparable", (0.02,))
    extra = said["extra-time"]
    assert (extra.verdict, extra.by.in_("en"), extra.predicted) == ("broken", "a larger difference", (200.0,))
    assert extra.measured == pytest.approx((50, 50, 50))
    assert results(made(0.024))["extra-time"].verdict == "held"


def test_a_run_whose_machine_worked_for_others_judges_no_claim_and_says_so(monkeypatch):
    for room in (card_findings, title_marks, validity):
        monkeypatch.setattr(room, "objections", lambda journal: ("Other programs had 1.20 of 2 cores.",))
    assert {said.verdict for said in results(made()).values()} == {"unproven"}
    assert compare_writes(made()).title.startswith("PROVES NOTHING")
    assert repr(show_costs(made())).startswith("This proves nothing. Other programs")


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (
            (1.05, 1.3),
            "longer here, +18 % (+5 to +30): more than chance explains. The card's +20 % lies inside",
        ),
        ((1.25, 1.6), "The card's +20 % lies outside the interval."),
        ((0.9, 1.1), "no difference was shown, and the card's is ruled out"),
        ((0.95, 1.25), "undecided"),
        ((0.7, 0.9), "less time here"),
    ],
)
def test_the_sentence_says_what_the_interval_allows_and_no_more(ends, said):
    assert said in verdict(Interval(ends[0], sum(ends) / 2, ends[1]), 10)


def test_undecided_it_says_how_many_more_turns_would_decide():
    said = verdict(Interval(0.87, 1.17, 1.44), 15)
    assert "About 39 more turns each would decide (repeats=54)" in said


def test_the_lab_is_one_sentence_one_picture_and_folded_tables():
    predict(4, QUESTIONS[0].experiment, percent=200)
    time.sleep(0.01)
    view = show_costs(made())
    page = view._repr_html_()
    assert page.index(view.sentence[:30]) < page.index("<svg") < page.index("<details>")
    assert page.count("<circle") == 20, "ten turns each of two and three replicas"
    assert "the card: +20 %." in view.alt
    assert "you said: +200 %." in view.alt
    assert "SIMULATED" in show_costs(made(simulated=True))._repr_html_()


@pytest.mark.parametrize("counts", [(1, 2), (2, 3)])
def test_without_one_and_three_replicas_there_is_nothing_to_compare(counts):
    with pytest.raises(MeasurementError, match="one and three"):
        compare_writes(made(counts=counts))


def test_latencies_are_those_of_the_writes_with_so_many_replicas():
    journal = made()
    assert latencies(journal, 1) == [pytest.approx(20)]
    assert latencies(journal, 4) == []


def test_writes_stand_by_name_with_both_of_their_times():
    table = writes_table({"quorum": Write(18.333, 28.333)})
    assert table.rows == (("quorum", "18.33", "28.33"),)
