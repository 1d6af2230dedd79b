"""The kernel's pressure stall information, read from files that a test writes."""

import threading
import time

from halab.measure.probing import machine_pressure
from halab.measure.probing.machine_pressure import PressureLog, stalled_seconds

TEXT = "some avg10=1.00 avg60=2.00 avg300=3.00 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"


def test_the_total_is_in_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_pressure, "_CPU", tmp_path / "cpu")
    (tmp_path / "cpu").write_text(TEXT.format(2_500_000))
    assert stalled_seconds() == 2.5


def test_a_kernel_that_does_not_tell_leaves_no_records(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_pressure, "_CPU", tmp_path / "nothing")
    monkeypatch.setattr(machine_pressure, "_PERIOD", 0.01)
    log = PressureLog(time.monotonic)
    log.start()
    time.sleep(0.1)
    log.stop()
    assert log.records == []


def test_records_are_shares_of_the_time_that_passed(monkeypatch):
    monkeypatch.setattr(machine_pressure, "_PERIOD", 0.001)
    clock, totals, third = iter(range(100)), iter([0.0, 0.25, 1.25, 9.0, None]), threading.Event()

    def total():
        value = next(totals, None)
        if value is None:
            third.set()
        return value

    monkeypatch.setattr(machine_pressure, "stalled_seconds", total)
    log = PressureLog(lambda: float(next(clock)))
    log.start()
    assert third.wait(10)
    log.stop()
    assert [(record.time, record.cpu) for record in log.records] == [(1.0, 0.25), (2.0, 1.0), (3.0, 1.0)]


def test_stopping_twice_or_unstarted_is_no_error():
    log = PressureLog(time.monotonic)
    log.stop()
    log.stop()
