import time
from dataclasses import replace

import pytest

import halab
from halab.course.predictions import predict
from halab.lessons import drill as lesson
from halab.lessons.drill import compare_drill, questions, results, show_drill
from halab.measure.journal.journal_file import FaultRecord, Header, Journal
from halab.measure.probing.addresses import TWO_ADDRESSES, Application
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome, Sample
from halab.protect.drill.drill_report import DrillReport
from halab.protect.drill.rehearsal import Rehearsal, rehearse
from halab.protect.drill.runbook import Facts, Record, State


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def journal():
    """Ten questions a second by two clients; lost at 2 s, and one of them is without answers until 5 s."""
    names = ("search", TWO_ADDRESSES)
    header = Header(
        "lab", "embedded", "small", 10.0, {}, 0, {}, "2026-11-25T12:00:00+00:00", 10.0, 1.0, names,
        dict.fromkeys(names, 1.0), False,
    )  # fmt: skip
    samples = [
        Sample(
            name, number, at, at, at + 0.01, Outcome.FAIL if name == "search" and 2 <= at < 5 else Outcome.OK
        )
        for name in names
        for number, at in ((number, number / 10) for number in range(100))
    ]
    return Journal.write(
        header, samples=samples, faults=[FaultRecord("lose", "primary", "proxy-1", 2.0, 8.0)]
    )


def measured(tmp_path):
    facts = Facts(rto=20.1, rpo=3.9, rpo_rows=78, read_only=5.6, lost_at_home=0)
    records = [Record("loss", "Lose the primary", "halab", 30, "done", 0.0, 1.0)]
    state = State("Drill", "2026-11-25T12:00:00+00:00", 0.0, records, facts)
    return Rehearsal(DrillReport.of(state, journal()), journal(), tmp_path)


def test_card_and_measurement_stand_together_and_users_give_their_mark(tmp_path):
    drill = measured(tmp_path)
    text = repr(compare_drill(drill))
    assert all(one in text for one in ("45 min", "20.1 s", "78", "0 of 80"))
    assert "30" in repr(questions(drill))
    assert show_drill(drill).sentence == (
        "Verified on the standby 20.1 s after the loss. At the failover 78 rows were lost, "
        "and with two addresses 0 of 80 questions got no answer."
    )
    assert "Lose the primary" in repr(show_drill(drill))
    said = results(drill)
    assert said["rto"].words.in_("en").startswith("20.1 s")
    assert [said[claim].verdict for claim in ("steps", "rto", "target")] == ["held", "incomparable", "held"]
    assert said["rto"].measured == (pytest.approx(20.1 / 60),)


def test_nothing_simulated_is_shown_as_measured(tmp_path):
    app = Application(
        *(Retriever(halab.cluster(name, engine="simulated", profile="small"), replicas=1) for name in "ab")
    )
    predict(10, "lose primary", seconds=11, rows=22, unanswered=33)
    time.sleep(0.01)  # a journal's start is in whole milliseconds: the prediction must be older than that
    drill = rehearse(app, tmp_path / "drill")
    text = repr(compare_drill(drill))
    assert all(one in text for one in ("SIMULATED", "not measured", "11 s", "22", "33"))
    assert "SIMULATED" in repr(questions(drill))
    assert show_drill(drill).sentence.startswith("Simulated. The steps were gone through")
    assert results(drill) == {}


def test_what_was_not_measured_is_within_no_target(tmp_path):
    drill = measured(tmp_path)
    assert lesson.step_results(drill) == {"Lose the primary": "done"}
    assert lesson.measured(drill) == {"RTO": 20.1, "RPO": 3.9}
    assert lesson.targets(drill) == {"RTO": 60, "RPO": 60}
    nothing = replace(drill, report=replace(drill.report, rto=None))
    assert not lesson.measured(nothing)["RTO"] <= 60


def test_the_calendar_is_put_beside_the_drill_s_other_files(tmp_path):
    (tmp_path / "report.md").touch()
    assert str(lesson.save_calendar(measured(tmp_path))) == f"In {tmp_path}: drills.ics, report.md."


def test_a_drill_on_a_busy_machine_keeps_its_steps_and_says_how_to_get_the_seconds(tmp_path):
    whole = measured(tmp_path)
    fault = replace(whole.journal.faults[0], ordered_at=-1.0)  # it came three seconds late
    late = Journal.write(whole.journal.header, samples=whole.journal.samples(), faults=[fault])
    drill = replace(whole, journal=late, report=replace(whole.report, journal=late))
    said = results(drill)
    assert [said[claim].verdict for claim in ("steps", "rto", "target")] == ["held", "unproven", "unproven"]
    for text in (repr(compare_drill(drill)), *lesson.remarks(drill)):
        words = " ".join(text.split())
        assert "The fault came 3.0 s after it was ordered." in words
        assert "run the cell with lesson.rehearse(app) again" in words
    assert repr(compare_drill(drill)).startswith("PROVES NOTHING")
    assert "The seconds prove nothing." in drill.report.markdown()
    assert lesson.remarks(whole) == ()
