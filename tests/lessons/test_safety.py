from datetime import UTC, datetime

import pytest

from halab.cluster.protocol import Event
from halab.course.predictions import predict
from halab.errors import MeasurementError
from halab.lessons import card_findings
from halab.lessons.safety import compare_mistakes, results, show_mistake
from halab.measure.journal.journal_file import FaultRecord, Header, Journal, RowCount
from halab.measure.probing.retriever import KNOWN_ROW_SEARCH
from halab.models.samples import Outcome, Sample
from halab.protect.backup.mistake import data_loss_report


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))


def made(*, simulated=False, mistake=True):
    """Ten a second for ten seconds: backup at 1, mistake at 4, restore from 6 to 8; 3 answers remember."""
    names = ("search", KNOWN_ROW_SEARCH, "insert")
    header = Header(
        "lab", "simulated" if simulated else "embedded", "ha", 10.0, {"milvus": "2.3.5"}, 0, {},
        datetime.now(UTC).isoformat(), 10.0, 1.0, names, dict.fromkeys(names, 1.0), simulated,
    )  # fmt: skip
    samples = [
        Sample(
            name, number, number / 10, number / 10, number / 10 + 0.01,
            Outcome.FAIL if name == KNOWN_ROW_SEARCH and 44 <= number < 80 else Outcome.OK,
            key=number if name == "insert" else None,
        )
        for name in names
        for number in range(100)
    ]  # fmt: skip
    kinds = ("backup began", "backup returned", "mistake began", "mistake acknowledged", "restore began",
             "restore returned")  # fmt: skip
    journal = Journal.write(
        header,
        samples=samples,
        faults=[FaultRecord("delete", "rows", "cards", 4.0, 8.0)] if mistake else [],
        events=[
            Event(at, "cards", kind, "user")
            for at, kind in zip((1.0, 1.5, 4.0, 4.05, 6.0, 8.0), kinds, strict=True)
            if mistake
        ],
    )
    if simulated:
        return journal
    return journal.extended(count=RowCount(100, 0, 0, 35, missing=tuple(range(15, 80))))


def test_a_row_belongs_to_the_time_in_which_it_was_acknowledged():
    found = data_loss_report(made())
    assert [(rows.acknowledged, rows.missing) for rows in found.rows] == [
        (10, 0), (5, 0), (25, 25), (40, 40), (20, 0),
    ]  # fmt: skip
    assert found.window == pytest.approx(4.0 - 1.51)
    assert (found.still_found, found.searches) == (3, 19)
    assert found.last_found == pytest.approx(0.25)
    assert found.restore_seconds == pytest.approx(2.0)


def test_prediction_card_and_measurement_stand_together():
    predict(8, "delete rows", found=33, seconds=5)
    text = repr(compare_mistakes(made()))
    assert all(one in text for one in ("33 of 100", "3 of 19", "2.0 s", "1–4 h", "65"))
    shown = show_mistake(made())
    assert shown.sentence == (
        "You said 33 of 100; after the command 3 of 19 searches still found something. "
        "The restore took 2.0 s, and you said 5 s."
    )
    assert "acknowledged rows: 65 of 100 missing." in shown.alt
    assert "after the backup, before the mistake" in repr(shown)
    said = results(made())
    assert said["daily-loss"].words.in_("en").startswith("delete rows: 2.5 s of data lost")
    assert said["daily-loss"].verdict == "incomparable"
    assert said["replicas"].by.in_("en") == "one wrong command"
    assert said["replicas"].words.in_("zh").startswith("误删段落：")
    assert said["backup-rto"].predicted == (pytest.approx(5 / 3600),)


def test_nothing_simulated_is_shown_as_measured():
    text = repr(compare_mistakes(made(simulated=True)))
    assert "SIMULATED" in text
    assert "not counted" in text
    assert results(made(simulated=True)) == {}
    assert "none was backed up" in show_mistake(made(simulated=True)).sentence


def test_a_mistake_that_proves_nothing_gives_no_verdict(monkeypatch):
    monkeypatch.setattr(card_findings, "objections", lambda journal: ("The machine was busy.",))
    assert {found.verdict for found in results(made()).values()} == {"unproven"}


def test_another_journal_is_refused():
    with pytest.raises(MeasurementError, match="not the journal of a mistake"):
        data_loss_report(made(mistake=False))
