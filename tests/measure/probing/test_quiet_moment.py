"""A cell whose run the machine spoiled offers to run again, and then waits until the machine is quiet."""

from itertools import accumulate

import pytest

from halab.errors import MeasurementError
from halab.measure.journal.journal_file import Pressure
from halab.measure.probing import quiet_moment
from halab.measure.probing.quiet_moment import note_spoiled, wait_if_spoiled


class Kernel:
    """IPython's shell in a notebook, as far as it is asked; what it shows, in order."""

    kernel = events = None

    def __init__(self):
        self.events, self.shown, self.execution_count, self.ended = self, [], 0, []

    def get_parent(self):
        return {"metadata": {"cellId": "run-crash"}}

    def register(self, _event, call):
        self.ended.append(call)

    def unregister(self, _event, call):
        self.ended.remove(call)

    def execute(self, cell):
        self.execution_count += 1
        try:
            cell()
        finally:
            for call in list(self.ended):
                call(None)

    def display(self, data, **_):
        self.shown.append(data["text/html"])
        return self

    update = display


@pytest.fixture
def notebook(monkeypatch):
    """A notebook of one cell, on a machine of no seconds; `pressures` are those of the next ones."""
    kernel = Kernel()
    monkeypatch.setattr(quiet_moment, "get_ipython", lambda: kernel)
    monkeypatch.setattr(quiet_moment, "display", kernel.display)
    monkeypatch.setattr(quiet_moment, "_spoiled", {})
    monkeypatch.setattr(quiet_moment.time, "sleep", lambda _: None)

    def pressures(*shares):
        totals = accumulate((0.0, *shares))
        monkeypatch.setattr(quiet_moment, "stalled_seconds", lambda: next(totals))

    monkeypatch.setattr(quiet_moment, "stalled_seconds", lambda: 0.0)
    kernel.pressures = pressures
    return kernel


@pytest.fixture
def runs(samples, journal):
    """By how busy the machine was beside it: a run, as a cell makes it."""

    def made(share):
        run = journal(samples("." * 60), pressure=[Pressure(1.0, share)])

        def cell():
            wait_if_spoiled()
            note_spoiled(run)

        return cell

    return made


def test_a_spoiled_run_is_offered_again_and_waits_until_three_seconds_on_end_are_quiet(notebook, runs):
    def five_runs():
        for _ in range(5):
            runs(0.99)()

    notebook.execute(five_runs)  # and none of them waits for those before it
    (offer,) = notebook.shown
    assert 'data-commandlinker-command="notebook:run-cell">Run again when the machine is quiet<' in offer

    notebook.shown.clear()
    notebook.pressures(0.93, 0.2, 0.2, 0.7, 0.1, 0.1, 0.1)
    notebook.execute(runs(0.3))
    begun, stop, *seconds, waited, gone = notebook.shown
    assert "Waiting for a quiet moment." in begun
    assert 'data-commandlinker-command="notebook:interrupt-kernel">Stop waiting<' in stop
    assert [second.rpartition("so far ")[2].split(".")[0] for second in seconds] == list("0120123")
    assert "some task waited for a core 93% of the time" in seconds[0]
    assert waited.startswith("<p>Waited ")
    assert gone == ""

    notebook.shown.clear()
    notebook.execute(runs(0.3))  # its last run was a measurement
    assert notebook.shown == []


def test_who_stops_the_wait_measures_nothing_and_the_next_time_does_not_wait(notebook, runs, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    notebook.execute(runs(0.99))
    monkeypatch.setattr(quiet_moment.time, "sleep", interrupted)
    with pytest.raises(MeasurementError, match="nothing was measured"):
        notebook.execute(runs(0.3))
    notebook.execute(runs(0.3))


def test_without_cells_nothing_is_offered_and_nothing_waits(runs, monkeypatch):
    monkeypatch.setattr(quiet_moment, "get_ipython", lambda: None)
    runs(0.99)()
    runs(0.99)()
    assert quiet_moment._spoiled == {}
