import io

import pytest

from halab.cluster.protocol import Event
from halab.errors import MeasurementError
from halab.measure.journal.journal_file import FaultRecord, RowCount
from halab.measure.journal.plots import Claim, compare, describe, describe_comparison, measured, plot

CRASH = FaultRecord("crash", "active rootcoord", "rootcoord-1", 1.0, 3.0)
GUESS = {"first_failure": 0.0, "last_failure": 8.0, "failed_requests": 40}
CARD = {"first_failure": 0.0, "last_failure": 12.0, "failed_requests": (5, 10)}


@pytest.fixture
def crashed(journal, samples):
    def make(pattern="." * 10 + "xx?" + "." * 40, **parts):
        return journal(samples(pattern) + samples("." * len(pattern), "insert"), faults=[CRASH], **parts)

    return make


def words(figure):
    """Every text in a figure."""
    return " | ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file)
    return file.getbuffer().nbytes


def test_outcomes_differ_by_shape_and_not_by_colour_alone(crashed):
    figure = plot(crashed())
    legend = {line.get_label(): line.get_marker() for line in figure.legends[0].legend_handles[:3]}
    assert len(set(legend.values())) == 3
    assert drawn(figure) > 10_000


def test_a_plot_names_what_broke_where_and_how_long(crashed):
    text = words(plot(crashed(events=[Event(2.0, "datacoord-1", "restarted", "supervisor")])))
    assert "crash active rootcoord (rootcoord-1)" in text
    assert "Milvus 2.3.5" in text
    assert "search: 53 sent, 2 failed, 1 unknown" in text
    assert "0.30 s" in text
    assert "restart by the supervisor" in text
    assert "SIMULATED" not in text


def test_the_fault_is_shaded_from_injection_to_undoing(crashed):
    band = plot(crashed()).axes[0].patches[0]
    assert (band.get_x(), band.get_width()) == pytest.approx((0.0, 2.0))


def test_every_picture_of_a_simulation_says_so(crashed):
    simulated = crashed(simulated=True)
    assert "SIMULATED" in words(plot(simulated))
    assert "SIMULATED" in words(compare(GUESS, CARD, simulated))
    assert "SIMULATED" in describe(simulated)
    assert "simulated:" in describe_comparison(GUESS, CARD, simulated)


def test_an_outage_that_did_not_end_is_drawn_as_such(crashed):
    assert "not recovered" in words(plot(crashed("." * 10 + "x" * 20)))


def test_a_quiet_journal_without_a_fault_can_be_drawn(journal, samples):
    quiet = journal(samples("." * 20))
    assert "seconds after the start" in words(plot(quiet))
    assert "all 20 answered; nothing was noticed" in describe(quiet)
    assert drawn(compare(GUESS, CARD, quiet)) > 5_000


def test_the_description_says_in_words_what_the_picture_shows(crashed):
    text = describe(crashed(count=RowCount(53, 0, 0, 53)))
    assert (
        "Search: 2 failed, 1 unknown and 0 empty of 53, from 0.00 to 0.20 s after the fault; outages: 0.30 s."
        in text
    )
    assert "Insert: all 53 answered" in text
    assert "0 of them missing" in text


def test_prediction_card_and_every_run_are_rows_of_one_picture(crashed):
    runs = [crashed(), crashed("." * 10 + "x" * 9 + "." * 40)]
    text = words(compare(GUESS, CARD, runs))
    for row in ("your prediction", "the card", "measured, run 1", "measured, run 2"):
        assert row in text
    assert "5 to 10 failed" in text
    assert "0.0 to 0.2 s, 2 failed, 1 unknown" in text
    assert "0.0 to 0.8 s, 9 failed" in describe_comparison(GUESS, CARD, runs)


def test_without_a_prediction_its_row_is_left_out(crashed):
    text = words(compare(None, CARD, crashed()))
    assert "your prediction" not in text
    assert "the card" in text


def test_measured_figures_come_from_the_journal(crashed):
    assert measured(crashed(), "search") == Claim(pytest.approx(0.0), pytest.approx(0.2), 2, 1)
    assert measured(crashed(), "insert") == Claim(None, None, 0)


def test_a_claim_that_lacks_a_figure_is_refused(crashed):
    with pytest.raises(MeasurementError, match="last_failure"):
        compare({"first_failure": 0.0, "failed_requests": 1}, CARD, crashed())
    with pytest.raises(MeasurementError, match="no journal"):
        compare(GUESS, CARD, [])
