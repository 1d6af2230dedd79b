import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.errors import MeasurementError
from halab.measure.journal.journal_file import RowCount
from halab.measure.journal.outage import outages, rpo, rto
from halab.models.samples import Outcome, Sample

patterns = st.lists(st.sampled_from(".....xxx?"), min_size=1, max_size=80)
quiets = st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.0])


def spelled(pattern):
    """Probes a tenth of a second apart; see conftest.spell_out, which hypothesis cannot take as a fixture."""
    outcomes = {".": Outcome.OK, "x": Outcome.FAIL, "?": Outcome.UNKNOWN}
    times = [round(number * 0.1, 6) for number in range(len(pattern))]
    return [
        Sample("search", number, time, time, time, outcomes[mark])
        for number, (time, mark) in enumerate(zip(times, pattern, strict=True))
    ]


def bad(samples):
    return [sample for sample in samples if sample.outcome is not Outcome.OK]


def test_an_outage_runs_from_the_first_bad_to_the_first_lasting_good_send(samples):
    (found,) = outages(samples("..xx?x......"), quiet=0.3)
    assert (found.start, found.last_bad, found.end) == (0.2, 0.5, 0.6)
    assert (found.failed, found.unknown, found.ok) == (3, 1, 0)
    assert found.duration == pytest.approx(0.4)


def test_nothing_bad_is_no_outage(samples):
    assert outages(samples("......")) == []
    assert outages([]) == []


def test_separate_blips_stay_separate(samples):
    found = outages(samples("..x" + "." * 25 + "xx" + "." * 25))
    assert [(o.start, o.end) for o in found] == [(0.2, 0.3), (2.8, 3.0)]


def test_blips_closer_than_the_quiet_time_are_one_outage(samples):
    (found,) = outages(samples("..x...x" + "." * 15), quiet=1.0)
    assert (found.start, found.end, found.failed, found.ok) == (0.2, 0.7, 2, 3)


def test_good_service_of_exactly_the_quiet_time_separates(samples):
    found = outages(samples("..x" + "." * 10 + "x" + "." * 15), quiet=1.0)
    assert [(o.start, o.end) for o in found] == [(0.2, 0.3), (1.3, 1.4)]


def test_an_outage_without_a_proven_end_has_none(samples):
    (cut,) = outages(samples("..xxx"))
    assert cut.end is None
    assert math.isinf(cut.duration)
    (too_short,) = outages(samples("..xxx....."), quiet=1.0)
    assert too_short.end is None
    assert too_short.ok == 0


def test_operations_have_outages_of_their_own(samples):
    found = outages(samples("..x......") + samples("......x..", "insert"), quiet=0.2)
    assert [(o.operation, o.start) for o in found] == [("insert", 0.6), ("search", 0.2)]


def test_rto_runs_from_the_fault_to_the_moment_of_an_answer(samples):
    late_by = 0.005  # what the fixture's answers take
    assert rto(samples("." * 12 + "xx" + "." * 30), 1.0) == pytest.approx(0.4 + late_by)


def test_an_outage_before_the_fault_is_no_part_of_it(samples):
    assert rto(samples("x" + "." * 30 + "xxxx" + "." * 30), fault_at=3.0) == pytest.approx(0.505)


def test_of_several_outages_the_last_recovery_counts(samples):
    assert rto(samples("xx" + "." * 10 + "x" + "." * 30), 0.0) == pytest.approx(1.305)
    assert rto(samples("xx" + "." * 25 + "x" + "." * 30), 0.0) == pytest.approx(2.805)


def test_what_recovers_and_then_stays_down_has_not_recovered(samples):
    assert rto(samples("x" * 10 + "." * 25 + "x" * 30), 0.0) == math.inf
    assert rto(samples("x" * 10 + "." * 25 + "x" + "." * 10), 0.0) == math.inf, "not watched for long enough"


def test_rto_tells_unnoticed_from_not_recovered(samples):
    assert rto(samples("." * 40), 1.0) is None
    assert rto(samples("." * 10 + "x" * 30), 1.0) == math.inf
    assert rto(samples("xx" + "." * 40), 1.0) is None


def test_a_request_under_way_when_the_fault_strikes_counts(samples):
    assert rto(samples("...?" + "." * 40), fault_at=1.2) == pytest.approx(0.005)
    assert rto(samples("...x" + "." * 40), fault_at=1.2) is None, "answered before"


def test_rto_of_several_operations_is_refused(samples):
    with pytest.raises(MeasurementError, match="insert, search"):
        rto(samples("..x") + samples("..x", "insert"), 0.0)


def test_rpo_counts_missing_rows_and_says_when_nobody_counted(journal, samples):
    assert rpo(journal(samples("..."))) is None
    assert rpo(journal(samples("..."), count=RowCount(3, 0, 0, 3))) == 0
    assert rpo(journal(samples("..."), count=RowCount(3, 0, 0, 1, missing=(1, 2)))) == 2


@given(patterns, quiets)
def test_every_bad_probe_is_in_exactly_one_outage(pattern, quiet):
    samples = spelled(pattern)
    found = outages(samples, quiet)
    for sample in bad(samples):
        assert sum(o.start <= sample.intended <= o.last_bad for o in found) == 1
    assert sum(o.failed for o in found) == sum(s.outcome is Outcome.FAIL for s in samples)
    assert sum(o.unknown for o in found) == sum(s.outcome is Outcome.UNKNOWN for s in samples)


@given(patterns, quiets)
def test_outages_are_ordered_and_only_the_last_may_be_open(pattern, quiet):
    found = outages(spelled(pattern), quiet)
    assert all(o.start <= o.last_bad and (o.end is None or o.end > o.last_bad) for o in found)
    assert all(a.end is not None and a.end < b.start for a, b in pairwise(found))


@given(patterns, quiets)
def test_the_end_is_what_the_definition_says(pattern, quiet):
    samples = spelled(pattern)
    for outage in outages(samples, quiet):
        ends = [
            good.intended
            for good in samples
            if good.outcome is Outcome.OK
            and good.intended > outage.start
            and samples[-1].intended - good.intended >= quiet - 1e-9
            and not any(0 < b.intended - good.intended < quiet - 1e-9 for b in bad(samples))
        ]
        assert outage.end == (min(ends) if ends else None)


@given(patterns, quiets, quiets)
def test_a_longer_quiet_time_never_finds_more_outages(pattern, one, other):
    samples = spelled(pattern)
    assert len(outages(samples, max(one, other))) <= len(outages(samples, min(one, other)))


@given(patterns)
def test_the_order_of_the_samples_does_not_matter(pattern):
    samples = spelled(pattern)
    assert outages(samples[::-1]) == outages(samples)


def lasting(samples, fault_at, quiet):
    """RTO by the definition's own words: try every answer, and ask whether it lasts."""
    noticed = [sample for sample in samples if sample.done >= fault_at]
    if not bad(noticed):
        return None
    answers = [
        answer.done - fault_at
        for answer in noticed
        if not any(later.intended >= answer.intended for later in bad(noticed))
    ]
    last = [sample.intended for sample in noticed if sample.intended > bad(noticed)[-1].intended]
    watched = last[-1] - last[0] if last else -1.0
    return min(answers) if watched >= quiet - 1e-9 else math.inf


@given(patterns, quiets, st.integers(0, 60), st.lists(st.integers(0, 9), min_size=80, max_size=80))
def test_rto_is_what_the_definition_says(pattern, quiet, fault, late):
    made = [
        replace(sample, done=round(sample.intended + tenths / 10, 6))
        for sample, tenths in zip(spelled(pattern), late, strict=False)
    ]
    assert rto(made, fault / 10, quiet) == lasting(made, fault / 10, quiet)
