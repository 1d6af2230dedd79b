"""A run in one sentence and one picture."""

from dataclasses import replace

import pytest

from halab.errors import JournalError
from halab.measure.journal.journal_file import FaultRecord, RowCount
from halab.measure.journal.run_view import RunView, Said
from halab.models.samples import NOTHING_FOUND
from halab.tables import Table

CRASH = FaultRecord("crash", "any query node", "querynode-1", 1.0, 3.0)


@pytest.fixture
def crashed(journal, samples):
    """Ten requests a second; the fault strikes after the tenth. An "e" is an answer that found nothing."""

    def make(pattern, **parts):
        written = [
            replace(sample, error=NOTHING_FOUND) if sign == "e" else sample
            for sign, sample in zip(pattern, samples(pattern.replace("e", "x")), strict=True)
        ]
        others = samples("." * len(pattern), "metadata call")
        return journal([*written, *others], faults=[CRASH], **parts)

    return make


TWICE = "." * 10 + "xx" + "." * 25 + "eee" + "." * 30


def test_the_sentence_sets_what_was_said_beside_what_was_measured(crashed):
    run = crashed(".........." + "x" * 12 + "." * 30)
    assert RunView(run, "search", Said(0.0, 2.0)).sentence == (
        "You said 2 s; searches were back 1.2 s after the fault: 0.8 s off. "
        "12 of 52 searches got no good answer."
    )
    assert RunView(run, "search").sentence.startswith("Searches were back 1.2 s after the fault. ")
    assert RunView(run, "search", Said(None, None)).sentence.startswith("You said that nothing would fail; ")


def test_nobody_noticed_is_said_of_what_was_not_noticed(crashed):
    assert RunView(crashed("." * 40), "search").sentence == "Nobody noticed: 40 of 40 searches were answered."
    assert RunView(crashed("." * 40), "metadata call").sentence.endswith("40 metadata calls were answered.")


def test_outages_are_counted_and_empty_answers_are_told_apart(crashed):
    said = RunView(crashed(TWICE), "search").sentence
    assert "searches were back 0.2 s after" in said.lower(), "until the repair"
    assert said.endswith(
        "5 of 70 searches got no good answer, 3 of them an answer without a hit, in 2 outages. "
        "With the repair came an outage: search 0.3 s."
    )
    assert "search: back after 0.2 s; with the repair again 0.3 s" in repr(RunView(crashed(TWICE), "search"))


def test_another_operation_s_outage_after_the_repair_is_told_too(crashed, samples, journal):
    metadata = samples("." * 10 + "x" * 5 + "." * 22 + "xx" + "." * 31, "metadata call")
    run = journal([*samples("." * 10 + "xx" + "." * 58), *metadata], faults=[CRASH])
    said = RunView(run, "search").sentence
    assert said.endswith(
        "2 of 70 searches got no good answer. With the repair came an outage: metadata call 0.2 s."
    )
    still_broken = replace(CRASH, undone_at=None)
    alone = journal([*samples("." * 10 + "xx" + "." * 58), *metadata], faults=[still_broken])
    assert "repair" not in RunView(alone, "search").sentence


def test_of_what_only_the_repair_hit_no_recovery_from_the_fault_is_told(crashed):
    run = RunView(crashed("." * 37 + "xx" + "." * 31), "search")
    assert "search: only with the repair: 0.2 s" in repr(run)
    assert "back after" not in run._repr_html_().split("<details>")[0]


def test_who_was_answered_late_did_notice(samples, journal):
    late = [replace(sample, done=sample.done + 4 * (sample.number == 12)) for sample in samples("." * 70)]
    assert "search: none failed, up to 4.0 s late" in repr(RunView(journal(late, faults=[CRASH]), "search"))


def test_what_fails_again_and_stays_down_was_not_back(crashed):
    run = RunView(crashed("." * 10 + "x" * 5 + "." * 25 + "x" * 20), "search")
    assert run.sentence.startswith("Searches were not back when the recording ended.")
    assert "search: not back" in repr(run)


def test_the_picture_draws_each_outage_and_not_the_span_between_them(crashed):
    shown = RunView(crashed(TWICE), "search", Said(0.0, 5.0), Said(0.0, 12.0))._repr_html_()
    picture = shown.split("<details>")[0]
    # Two spells and two brackets over them; each ends before the next begins.
    assert picture.count("border-bottom: none") == 2 + 1, "two outages and the legend"
    for words in ("your prediction", "the card", "answered, nothing found", "failed", "fault in place"):
        assert words in picture
    assert "<table" in shown.split("<details>")[1]


def test_it_says_first_what_makes_it_worth_nothing(crashed):
    run = RunView(crashed("xx" + "." * 8 + "xx" + "." * 30), "search")
    assert run.sentence.startswith("This proves nothing.")
    assert RunView(crashed(TWICE, simulated=True), "search").sentence.startswith("Simulated. ")


def test_its_words_are_there_for_who_cannot_see_it(crashed):
    run = RunView(crashed(TWICE), "search", card=Said(None, None))
    assert "the card: nothing fails. search: back after 0.2 s; with the repair again 0.3 s." in run.alt
    assert "metadata call: nobody noticed." in run.alt
    assert f'aria-label="{run.alt}"' in run._repr_html_()
    assert "RTO" in repr(run)


def test_an_operation_that_was_not_measured_is_refused(crashed):
    with pytest.raises(JournalError, match="no operation 'insert'"):
        _ = RunView(crashed(TWICE), "insert").sentence


def test_rows_that_were_counted_have_a_lane_and_those_that_are_gone_are_drawn_there(journal, samples):
    inserted = [replace(sample, key=key) for key, sample in enumerate(samples("." * 40, "insert"))]
    run = journal(inserted, faults=[CRASH])
    assert "acknowledged rows" not in RunView(run, "insert").alt
    kept = RunView(run.extended(count=RowCount(40, 0, 0, 40)), "insert")
    assert "acknowledged rows: none of 40 missing." in kept.alt
    lost = RunView(run.extended(count=RowCount(40, 0, 0, 37, missing=(5, 6, 9))), "insert")
    assert "acknowledged rows: 3 of 40 missing." in lost.alt
    gone = "repeating-linear-gradient(90deg"
    assert gone not in kept._repr_html_()
    assert lost._repr_html_().count(gone) == 2 + 1, "two spells and the legend"


def test_a_lesson_may_say_the_result_itself_and_fold_tables_of_its_own_below(crashed):
    own = {"Every row": Table("Rows", ("when",), (("early",),))}
    run = RunView(crashed(TWICE), "search", told="Nothing was lost.", folded=own)
    assert run.sentence == "Nothing was lost."
    assert "<summary>Every row</summary>" in run._repr_html_()
    assert repr(run).index("early") < repr(run).index("RTO")
