import time
from datetime import UTC, datetime

import pytest

from halab.cluster.protocol import Event
from halab.course.predictions import predict
from halab.lessons import card_findings
from halab.lessons.rto_rpo import (
    QUESTIONS,
    achieved,
    acknowledged,
    compare_losses,
    results,
    show_disaster,
    still_there,
)
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import FaultRecord, Header, Journal, RowCount
from halab.models.samples import Outcome, Sample


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def made(target="log", missing=0, *, simulated=False, started=None, back=40):
    """Ten rows a second for ten seconds: flushed in second 0, disaster at 3, service from row `back` on."""
    names = ("search", "insert")
    header = Header(
        "lab", "simulated" if simulated else "embedded", "ha", 10.0, {"milvus": "2.3.5"}, 0, {},
        started or datetime.now(UTC).isoformat(), 10.0, 1.0, names, dict.fromkeys(names, 1.0), simulated,
    )  # fmt: skip
    samples = [
        Sample(
            name, number, number / 10, number / 10, number / 10 + 0.01,
            Outcome.FAIL if 30 <= number < back else Outcome.OK, key=number if name == "insert" else None,
        )
        for name in names
        for number in range(100)
    ]  # fmt: skip
    journal = Journal.write(
        header,
        samples=samples,
        faults=[FaultRecord("crash", target, target, 3.0, 3.5)],
        events=[Event(0.5, "rows", "flush began", "user"), Event(0.99, "rows", "flush returned", "user")],
    )
    if simulated:
        return journal
    gone = tuple(range(29, 29 - missing, -1))
    return journal.extended(count=RowCount(90, 0, 10, 90 - missing, gone))


def test_prediction_card_and_measurement_stand_side_by_side():
    predict(7, "crash log", percent=25)
    time.sleep(0.01)
    table = compare_losses(made(missing=20), made("every Milvus process"))
    assert table.rows == (
        ("crash log", "25 %", "RPO 0", "100 % (20 of 20)", "1.0 s", "1.0 s"),
        ("crash every Milvus process", "-", "RPO 0", "0 % (0 of 20)", "1.0 s", "1.0 s"),
    )
    assert "SIMULATED" not in repr(table)
    assert "100 % (20 of 20)" in table._repr_html_()


def test_a_disaster_is_told_in_rows_and_seconds_and_its_rows_stand_folded():
    predict(7, "crash log", percent=25, last_failure=8)
    time.sleep(0.01)
    assert show_disaster(made(missing=20)).sentence == (
        "You said 25 of 100. Of the 20 acknowledged rows that were not flushed, 20 are missing. "
        "Searches were back after 1.0 s, and you said 8 s."
    )
    kept = show_disaster(made("any data node", back=30))
    assert kept.sentence == (
        "Of the 20 acknowledged rows that were not flushed, none is missing. Every search was answered."
    )
    assert "after the flush, before the disaster" in repr(kept)
    assert show_disaster(made(simulated=True)).sentence.startswith("Simulated. No row was counted")


def test_a_prediction_made_afterwards_does_not_count():
    journal = made(started="2026-01-01T00:00:00+00:00")
    predict(7, "crash log", percent=100)
    assert compare_losses(journal).rows[0][1] == "-"


def test_a_simulation_says_so_and_claims_no_rows():
    journal = made(simulated=True, back=100)
    table = compare_losses(journal)
    assert table.rows[0][3:] == ("not counted", "not recovered", "not recovered")
    assert table.remarks[0].startswith("SIMULATED")
    said = results(journal)
    assert set(said) == {"replicas-rto"}
    assert said["replicas-rto"].verdict == "incomparable"
    assert said["replicas-rto"].words.in_("en") == (
        "Log killed: insert not recovered, search not recovered (simulated)."
    )
    assert "（模拟）" in said["replicas-rto"].words.in_("zh")
    assert said["replicas-rto"].measured == ()


def test_the_verdict_on_the_card_follows_the_runs():
    predict(7, "crash log", percent=25, last_failure=8)
    time.sleep(0.01)
    said = results(made("any data node", back=30), made(missing=20))
    lost, back = said["replicas-rpo"], said["replicas-rto"]
    assert (lost.verdict, lost.by.in_("en"), lost.by.in_("zh")) == ("broken", "Log killed", "杀掉日志")
    assert "Log killed: 100 % (20 of 20) of the unflushed rows missing (measured)." in lost.words.in_("en")
    assert "杀掉一个数据节点：没落盘的行丢了 0%（20 行中的 0 行）" in lost.words.in_("zh")
    assert back.verdict == "held"
    assert back.words.in_("en") == (
        "Data node killed: insert not noticed, search not noticed; "
        "Log killed: insert 1.0 s, search 1.0 s (measured)."
    )
    assert (len(back.measured), back.predicted) == (2, (8.0,))
    assert results(made("any data node"))["replicas-rpo"].verdict == "held"
    never = results(made(back=100))["replicas-rto"]
    assert (never.verdict, never.by.in_("en"), never.measured) == ("broken", "Log killed", ())


def test_a_run_that_proves_nothing_gives_no_verdict(monkeypatch):
    monkeypatch.setattr(card_findings, "objections", lambda journal: ("The machine was busy.",))
    said = results(made(missing=20))
    assert {claim: found.verdict for claim, found in said.items()} == dict.fromkeys(
        ("replicas-rto", "replicas-rpo"), "unproven"
    )


def test_the_form_asks_about_the_runs_by_their_names():
    runs = ("any data node", "any query node", "every Milvus process", "log")
    assert [question.experiment for question in QUESTIONS] == [experiment_of(made(run)) for run in runs]


def test_the_learner_s_own_function_is_asked_for_each_disaster():
    def rpo(acknowledged, there, disaster):
        return len(acknowledged) - len(there), disaster

    lost, uncounted = made(missing=20), made(simulated=True)
    assert len(still_there(lost)) == len(acknowledged(lost)) - 20
    assert still_there(uncounted) is None
    table = achieved(rpo, lost, uncounted)
    assert table.rows == (("crash log", "20", "3.0"), ("crash log", "not counted", "not counted"))
    assert table.remarks[0].startswith("SIMULATED")
