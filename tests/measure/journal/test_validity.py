"""What makes a run no measurement, and what does not."""

import pytest

from halab.measure.journal.journal_file import FaultRecord, Phase, Pressure, Scheduling
from halab.measure.journal.summaries import summary
from halab.measure.journal.validity import BUSY, objections, validity_remark

CRASH = FaultRecord("crash", "active rootcoord", "rootcoord-1", 2.0, 4.0, ordered_at=1.9)


def test_a_calm_run_with_an_outage_after_its_fault_is_a_measurement(samples, journal):
    calm = journal(samples("." * 20 + "xxx??" + "." * 40), faults=[CRASH], pressure=[Pressure(1.0, 0.3)])
    assert objections(calm) == ()
    assert validity_remark(calm) == ()
    assert not summary(calm).title.startswith("PROVES NOTHING")


def test_requests_that_fail_before_the_fault_make_it_no_measurement(samples, journal):
    ill = journal(samples("." * 5 + "xx" + "." * 13 + "xxx" + "." * 40), faults=[CRASH])
    (reason,) = objections(ill)
    assert "Before the fault 2 of 20 requests got no answer" in reason
    table = summary(ill)
    assert table.title.startswith("PROVES NOTHING: crash active rootcoord")
    assert table.remarks[0].startswith("This proves nothing. Before the fault 2 of 20")
    assert table.remarks[0].endswith("nor whom it hits.")


def test_a_request_under_way_when_the_fault_strikes_is_the_fault_s(samples, journal):
    """It left 0.1 s before the fault, and its second ended after it."""
    assert objections(journal(samples("." * 19 + "?" + "x" * 5 + "." * 40), faults=[CRASH])) == ()


def test_a_fault_that_came_late_makes_it_no_measurement(samples, journal):
    late = FaultRecord("crash", "active rootcoord", "rootcoord-1", 6.5, 8.0, ordered_at=1.0)
    (reason,) = objections(journal(samples("." * 100), faults=[late]))
    assert reason == "The fault came 5.5 s after it was ordered."


@pytest.mark.parametrize(
    ("pressure", "p99", "says"),
    [
        ([BUSY + 0.001, BUSY + 0.001], 0.0, "waited for a core 86% of the time (a run counts up to 85%)"),
        ([BUSY - 0.3, 1.0], 0.0, ""),
        ([], 0.6, "one probe in a hundred left 0.60 s late or more"),
        ([], 0.1, ""),
        ([1.0], 0.6, "(a run counts up to 85%) and one probe in a hundred"),
    ],
)
def test_a_busy_machine_makes_it_no_measurement(samples, journal, pressure, p99, says):
    run = journal(
        samples("." * 60),
        faults=[CRASH],
        pressure=[Pressure(float(second), cpu) for second, cpu in enumerate(pressure)],
        scheduling=Scheduling(0.0, p99, p99, 0.0),
    )
    reasons = objections(run)
    assert bool(reasons) == bool(says)
    assert all(says in reason for reason in reasons)


def test_a_load_makes_the_machine_busy_on_purpose(samples, journal):
    loaded = journal(samples("." * 60), phases=[Phase("search", 0.0, 6.0)], pressure=[Pressure(1.0, 1.0)])
    assert objections(loaded) == ()


def test_of_several_runs_one_cause_is_told_once(samples, journal):
    def busy(share):
        pressure = [Pressure(1.0, share)]
        return journal(samples("." * 60), faults=[CRASH], pressure=pressure)

    (remark,) = validity_remark(busy(0.9), busy(0.1), busy(0.95))
    assert remark.count("The machine was busy") == 1
    assert "2 of 3 runs prove nothing; the first of them: The machine was busy" in remark


def test_a_simulation_has_no_machine(samples, journal):
    assert objections(journal(samples("xx" + "." * 60), faults=[CRASH], simulated=True)) == ()


def test_pressure_survives_saving_and_extending(samples, journal, tmp_path):
    run = journal(samples("." * 60), faults=[CRASH], pressure=[Pressure(1.0, 0.25)])
    path = run.extended(notes=["a note"]).save(tmp_path / "run.jsonl")
    loaded = type(run).load(path)
    assert loaded.pressure == (Pressure(1.0, 0.25),)
    assert loaded.faults == (CRASH,)
