import io
from dataclasses import replace

import pytest

from halab.cluster.protocol import Event
from halab.measure.journal.journal_file import FaultRecord, RowCount
from halab.measure.journal.plots import describe, plot
from halab.models.samples import NOTHING_FOUND

CRASH = FaultRecord("crash", "active rootcoord", "rootcoord-1", 1.0, 3.0)


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


def test_a_journal_s_own_words_are_no_formula(journal, samples):
    name = r"$\frac{$"
    made = journal(samples("..x..", name), faults=[replace(CRASH, component=name)])
    empty = replace(made.header, timeouts={})
    figure = plot(type(made).write(empty, samples=made.samples(), faults=made.faults))
    assert name in words(figure)
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
    assert "SIMULATED" in describe(simulated)


def test_an_outage_that_did_not_end_is_drawn_as_such(crashed):
    assert "not recovered" in words(plot(crashed("." * 10 + "x" * 20)))


def test_a_quiet_journal_without_a_fault_can_be_drawn(journal, samples):
    quiet = journal(samples("." * 20))
    assert "seconds after the start" in words(plot(quiet))
    assert "all 20 answered; nothing was noticed" in describe(quiet)


def test_the_description_says_in_words_what_the_picture_shows(crashed):
    text = describe(crashed(count=RowCount(53, 0, 0, 53)))
    assert (
        "Search: 2 failed, 1 unknown and 0 empty of 53, from 0.00 to 0.20 s after the fault; outages: 0.30 s."
        in text
    )
    assert "Insert: all 53 answered" in text
    assert "0 of them missing" in text


def test_in_a_notebook_it_is_svg_that_follows_the_theme_with_words_for_who_cannot_see_it(crashed):
    shown = plot(crashed())._repr_html_()
    assert shown.startswith('<svg role="img" aria-label="Latency of each probe over time. crash active')
    assert "var(--jp-error-color1, #d32f2f)" in shown
    assert "fill: currentColor" in shown
    assert ">search: 53 sent, 2 failed, 1 unknown</text>" in shown, "letters, not outlines"
    assert "#222222" not in shown
    assert "#ffffff" not in shown, "no ground of its own"


def test_an_answer_that_found_nothing_has_a_mark_of_its_own(journal, samples):
    written = samples("..x.")
    figure = plot(journal([*written[:2], replace(written[2], error=NOTHING_FOUND), written[3]]))
    assert "search: 4 sent, 0 failed, 0 unknown, 1 found nothing" in words(figure)
    assert "answered, nothing found" in words(figure)
