import math
from dataclasses import replace

import pytest

from halab.cluster.protocol import Event
from halab.errors import MeasurementError
from halab.measure.journal.journal_file import FaultRecord, RowCount
from halab.measure.journal.summaries import repeat_summary, summary
from halab.models.samples import NOTHING_FOUND
from halab.translation import speaking

CRASH = FaultRecord("crash", "active rootcoord", "rootcoord-1", 1.0, 3.0)


@pytest.fixture
def crashed(journal, samples):
    def make(bad, **parts):
        pattern = "." * 10 + "x" * bad + "." * (60 - bad)
        return journal(samples(pattern), faults=[CRASH], **parts)

    return make


def test_a_summary_tells_what_was_noticed_of_each_operation(journal, samples):
    written = samples("." * 10 + "xx?" + "." * 30) + samples("." * 43, "insert")
    search, insert = summary(journal(written, faults=[CRASH])).rows
    assert (search.sent, search.ok, search.failed, search.unknown) == (43, 40, 2, 1)
    assert (search.first_bad, search.last_bad) == pytest.approx((0.0, 0.2))
    assert search.rto == pytest.approx(0.305)
    assert search.latency_median == pytest.approx(0.005)
    assert (insert.first_bad, insert.rto, insert.outages) == (None, None, ())


def test_the_table_fits_a_terminal_of_80_columns(journal, samples):
    worst = samples("." * 10 + "x...........x..........xx" + "." * 40, "search with retries")
    worst += samples("." * 10 + "x" * 65, "metadata call")
    text = str(summary(journal(worst, faults=[CRASH])))
    assert max(map(len, text.splitlines())) <= 80
    assert "0.20–1.40" not in text
    for figure in ("0.00–2.40", "4", "not", "recovered", "5.0/5.0"):
        assert figure in text


def test_latency_counts_only_good_answers_outside_outages(journal, samples):
    slow_inside = samples("." * 10 + "x.x" + "." * 30)
    (row,) = summary(journal(slow_inside)).rows
    assert row.latency_p99 == pytest.approx(0.005)
    (dead,) = summary(journal(samples("xxx"))).rows
    assert dead.latency_median is None
    assert dead.rto == math.inf
    assert "not recovered" in summary(journal(samples("xxx")))._repr_html_()


def test_answers_that_found_nothing_have_a_column_of_their_own(journal, samples):
    written = samples("." * 10 + "xxx" + "." * 30)
    empty = [replace(sample, error=NOTHING_FOUND) for sample in written[10:12]]
    (row,) = summary(journal(written[:10] + empty + written[12:])).rows
    assert (row.failed, row.unknown, row.empty, row.bad) == (1, 0, 2, 3)
    assert row.rto == pytest.approx(1.305), "no answer for its user"


def test_lost_rows_and_restarts_by_the_supervisor_are_never_hidden(crashed):
    text = str(
        summary(
            crashed(
                5,
                count=RowCount(50, 3, 2, 50, missing=(7,), unknown_present=1, late=4),
                events=[Event(4.0, "datacoord-2", "restarted", "supervisor")],
                notes=["a remark"],
            )
        )
    )
    assert "50 acknowledged, 1 of them missing afterwards (RPO)" in text
    words = " ".join(text.split())
    assert "Of 5 without an acknowledgement 1 are there all the same. 4 acknowledged ones were not" in words
    assert "not by Milvus: datacoord-2" in text
    assert "a remark" in text


def test_rows_are_spoken_of_only_where_some_were_written(journal, samples):
    written = [replace(sample, key=sample.number) for sample in samples("....", "insert")]
    assert "nothing is said about lost data" in str(summary(journal(written)))
    assert "Rows" not in str(summary(journal(samples("...."))))
    assert "acknowledgement" not in str(summary(journal(written, count=RowCount(4, 0, 0, 4))))


def test_a_simulated_table_says_so_in_text_and_html(crashed):
    for table in (summary(crashed(5, simulated=True)), repeat_summary([crashed(5, simulated=True)])):
        assert "SIMULATED" in str(table)
        assert "SIMULATED" in table._repr_html_()
    assert "SIMULATED" not in str(summary(crashed(5)))


def test_its_remarks_name_moments_and_times_in_the_reader_s_language(crashed):
    with speaking("zh"):
        (remark,) = [remark for remark in summary(crashed(5)).remarks if remark.startswith("RTO")]
    assert "从故障到" in remark
    assert "1 秒内" in remark


def test_html_is_escaped(journal, samples):
    assert "<b>" not in summary(journal(samples("...", "<b>"), notes=["<b>"]))._repr_html_()


def test_repeats_give_a_median_and_a_range(crashed):
    table = repeat_summary([crashed(bad) for bad in (4, 8, 20)])
    assert table.rows["search"]["failed"].median == 8
    assert (table.rows["search"]["failed"].low, table.rows["search"]["failed"].high) == (4, 20)
    assert table.rows["search"]["rto"].median == pytest.approx(0.805)
    assert "0.80 (0.41–2.00)" in table._repr_html_()


def test_one_run_is_said_to_have_no_range(crashed):
    assert "0.41 (once, no range)" in repeat_summary([crashed(4)])._repr_html_()


def test_a_figure_that_not_every_repeat_has_says_how_many_do(crashed):
    text = repeat_summary([crashed(4), crashed(0), crashed(6)])._repr_html_()
    assert "in 2 of 3" in text


def test_a_repeat_that_did_not_recover_is_not_dropped(crashed):
    assert repeat_summary([crashed(4), crashed(60)]).rows["search"]["rto"].high == math.inf


def test_different_experiments_are_not_repeats(crashed):
    with pytest.raises(MeasurementError, match="not repeats"):
        repeat_summary([crashed(4), crashed(4, ttl=5.0)])
    with pytest.raises(MeasurementError, match="not repeats"):
        repeat_summary([crashed(4), crashed(4, simulated=True)])
    with pytest.raises(MeasurementError, match="no journals"):
        repeat_summary([])
