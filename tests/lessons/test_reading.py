import time
from datetime import UTC, datetime

import pytest

from halab.course.predictions import predict
from halab.errors import MeasurementError
from halab.lessons.reading import SCALING_QUESTIONS, compare_reads, results, show_law, show_scaling
from halab.measure.experiments.throughput import Limit
from halab.measure.journal.journal_file import Header, Journal, Phase
from halab.models.samples import Outcome, Sample

pytestmark = pytest.mark.slow
SHARING_CORES, WITH_LIMIT = (question.experiment for question in SCALING_QUESTIONS)


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def made(rates, *, limit=None, simulated=False, started=None, others=0.0):
    """Two turns of a second for each number of replicas, with so many answers."""
    phases, samples = [], []
    usage = {"querynode-1": {"cores": 1.9 - others}, "the whole machine": {"cores": 1.9}}
    for turn, (replicas, count) in enumerate([*rates.items()] * 2):
        settings = {"replicas": replicas, "repeat": turn, "batch": 1, "clients": 48}
        settings |= {"share": limit.share, "period": limit.period} if limit else {}
        phases.append(Phase("search", turn, turn + 1, settings, {}, usage))
        samples += [
            Sample("search", len(samples) + n, turn + n / count, turn + n / count, turn + (n + 0.5) / count,
                   Outcome.OK)
            for n in range(count)
        ]  # fmt: skip
    header = Header(
        "lab", "simulated" if simulated else "embedded", "ha", 10.0, {"milvus": "2.3.5"}, 0,
        {"cores": 2},
        started or datetime.now(UTC).isoformat(), 1.0, 10.0, ("search",), {"search": 10.0}, simulated,
    )  # fmt: skip
    return Journal.write(
        header, samples=samples, phases=phases, notes=[limit.label("embedded")] if limit else []
    )


SLOWER, FASTER = {1: 600, 2: 550, 3: 450}, {1: 100, 2: 140, 3: 160}


def test_predictions_card_and_both_measurements_stand_side_by_side():
    predict(5, SHARING_CORES, times=2)
    predict(5, WITH_LIMIT, times=2.8)
    time.sleep(0.01)
    table = compare_reads(made(SLOWER), made(FASTER, limit=Limit()))
    one, three, five = table.rows
    assert one == ("one replica, a second", "-", "100", "600", "100")
    assert three == (
        "three against one", "x 2, x 2.8 with the limit", "x 2.8", "x 0.75 (0.75–0.75)",
        "x 1.60 (1.60–1.60)",
    )  # fmt: skip
    assert five[2] == "x 5"
    text = " ".join(repr(table).split())
    assert "cores, three replicas answered fewer searches than one: x 0.75 (" in text
    assert "With the limit, three replicas answered more searches than one: x 1.60" in text
    assert "SPEED LIMIT" in text
    assert "x 1.60" in table._repr_html_()


def test_a_run_is_a_sentence_a_picture_and_the_law_a_curve():
    predict(5, WITH_LIMIT, times=2)
    time.sleep(0.01)
    journal = made(FASTER, limit=Limit())
    view = show_scaling(journal)
    assert view.sentence.startswith("With the limit, three replicas answered more")
    assert "the card: x 2.80." in view.alt
    assert "you said: x 2.00." in view.alt
    assert view._repr_html_().count("<circle") == 4, "two turns each of two and three replicas"
    law = show_law(journal)
    assert law._repr_html_().count("<circle") == 6
    assert "With 1: 2 turns. With 2: 2 turns." in law.alt
    assert "5: " in law.alt


def test_a_prediction_made_afterwards_does_not_count():
    old = "2026-01-01T00:00:00+00:00"
    both = made(SLOWER, started=old), made(FASTER, limit=Limit(), started=old)
    predict(5, SHARING_CORES, times=2)
    assert compare_reads(*both).rows[1][1] == "-, - with the limit"


def test_every_result_says_how_it_came_about():
    said = results(made(SLOWER), made(FASTER, limit=Limit()))
    assert set(said) == {"one-copy", "three-copies"}
    for finding in said.values():
        assert "sharing cores: " in finding.words.in_("en")
        assert "限速：" in finding.words.in_("zh")
        assert finding.words.in_("en").endswith("(measured).")
    three = said["three-copies"]
    assert three.verdict == "incomparable", "the card's nodes have cores of their own"
    assert "cores of their own" in three.words.in_("en")
    simulated = results(made(SLOWER, simulated=True), made(FASTER, limit=Limit(), simulated=True))
    assert simulated["three-copies"].verdict == "incomparable"
    assert simulated["one-copy"].words.in_("en").endswith("(simulated).")


def test_a_run_whose_machine_worked_for_others_says_so_first_and_judges_no_claim():
    shared, limited = made(SLOWER, others=1.2), made(FASTER, limit=Limit())
    view = show_scaling(shared)
    assert repr(view).startswith("This proves nothing. Other programs had 1.20 of the")
    assert view.sentence.startswith("For the record: ")
    assert "font-weight: 600" not in view._repr_html_().split("<div")[0], (
        "what speaks against it is bold alone"
    )
    assert compare_reads(shared, limited).title.startswith("PROVES NOTHING")
    assert {finding.verdict for finding in results(shared, limited).values()} == {"unproven"}
    assert not show_scaling(made(SLOWER, others=0.1)).doubts


def test_the_wrong_journals_are_refused():
    slow = made(FASTER, limit=Limit())
    for first, second in ((slow, slow), (made(SLOWER), made(SLOWER)), (slow, made(SLOWER))):
        with pytest.raises(MeasurementError, match="without a speed limit"):
            compare_reads(first, second)
    with pytest.raises(MeasurementError, match="3 was not measured"):
        compare_reads(made({1: 100, 2: 100, 4: 100}), made({1: 100, 2: 100, 4: 100}, limit=Limit()))
