import time
from datetime import UTC, datetime

import pytest

from halab.cluster.protocol import Event
from halab.course.predictions import predict
from halab.lessons.rto_rpo import achieved, acknowledged, compare_losses, results, still_there
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
    predict(7, "rows lost, crash log", percent=25)
    time.sleep(0.01)
    table = compare_losses(made(missing=20), made("every Milvus process"))
    assert table.rows == (
        ("crash log", "25 %", "RPO 0", "100 % (20 of 20)", "1.0 s", "1.0 s"),
        ("crash every Milvus process", "-", "RPO 0", "0 % (0 of 20)", "1.0 s", "1.0 s"),
    )
    assert "SIMULATED" not in repr(table)
    assert "100 % (20 of 20)" in table._repr_html_()


def test_a_prediction_made_afterwards_does_not_count():
    journal = made(started="2026-01-01T00:00:00+00:00")
    predict(7, "rows lost, crash log", percent=100)
    assert compare_losses(journal).rows[0][1] == "-"


def test_a_simulation_says_so_and_claims_no_rows():
    journal = made(simulated=True, back=100)
    table = compare_losses(journal)
    assert table.rows[0][3:] == ("not counted", "not recovered", "not recovered")
    assert table.remarks[0].startswith("SIMULATED")
    assert results(journal) == {"replicas-rto": "crash log: insert not recovered (simulated)"}


def test_what_was_measured_stands_beside_the_card_s_claims():
    said = results(made("any data node", back=30), made(missing=20))
    assert said["replicas-rpo"] == (
        "crash any data node: 0 % (0 of 20) of the unflushed rows missing (measured); "
        "crash log: 100 % (20 of 20) of the unflushed rows missing (measured)"
    )
    assert said["replicas-rto"] == (
        "crash any data node: insert not noticed (measured); crash log: insert 1.0 s (measured)"
    )


def test_the_learner_s_own_function_is_asked_for_each_disaster():
    def rpo(acknowledged, there, disaster):
        return len(acknowledged) - len(there), disaster

    lost, uncounted = made(missing=20), made(simulated=True)
    assert len(still_there(lost)) == len(acknowledged(lost)) - 20
    assert still_there(uncounted) is None
    table = achieved(rpo, lost, uncounted)
    assert table.rows == (("crash log", "20", "3.0"), ("crash log", "not counted", "not counted"))
    assert table.remarks[0].startswith("SIMULATED")
