"""What a notebook shows of a measurement while it runs, without a browser."""

import time
from types import SimpleNamespace

import pytest

from halab.cluster.protocol import Event
from halab.measure.probing.prober import Run, probe
from halab.measure.probing.progress_line import DONE, answered_lately
from halab.models.samples import NOTHING_FOUND, Outcome, Sample
from halab.translation import speaking
from halab.widgets import live_lane
from halab.widgets.live_lane import LiveRun


class Answers:
    """An operation that answers at once, each probe as its number says."""

    def __init__(self, name, *fates):
        self.name, self.fates = name, fates

    def timeout(self, deadline):
        return deadline

    def start(self):
        """Nothing to connect to."""

    stop = start

    def send(self, number, deadline, done):
        fate = self.fates[number % len(self.fates)]
        if fate is not Outcome.UNKNOWN:
            done(fate, NOTHING_FOUND if fate is Outcome.FAIL else "")


class Cluster:
    name, engine, profile, ttl, versions, simulation = "lab", "embedded", "ha", 10.0, {}, None

    def __init__(self):
        self.faults = []

    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    def inject(self, kind, target):
        at = self.now()
        return SimpleNamespace(kind=kind, target=target, component="rootcoord-1", at=at, undone_at=None)

    def events(self, since=0.0):
        return [Event(self.now(), "rootcoord-2", "active", "milvus", "took over from rootcoord-1")]


class Screen:
    """In place of IPython's: what was displayed, and what took its place."""

    def __init__(self):
        self.shown, self.updates = [], []

    def display(self, widget, display_id):
        self.shown.append(widget)
        return self

    def update(self, bundle, raw):
        self.updates.append(bundle)


@pytest.fixture
def screen(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(live_lane, "display", screen.display)
    return screen


def shown_until(run: Run, show, done, seconds=10.0):
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        show("before the fault")
        time.sleep(0.02)
    assert done()


def test_lanes_fill_while_it_runs_and_fold_to_a_sentence(screen):
    operations = [Answers("search", Outcome.OK, Outcome.FAIL), Answers("insert", Outcome.UNKNOWN)]
    run = probe(Cluster(), operations, rate=50.0, deadline=0.3)
    show = LiveRun(run)
    show("waiting until every search finds something")
    (lane,) = screen.shown
    assert lane.sentence == "0.0 s: waiting until every search finds something"
    with run:
        shown_until(run, show, lambda: "?" in lane.outcomes.get("insert", ""))
        assert lane.outcomes["search"].startswith("oeoeoe")
        run.inject("crash", "active rootcoord")
        shown_until(run, show, lambda: len(lane.moments) == 2)
        assert [moment["what"] for moment in lane.moments] == ["struck", "active"]
        assert not screen.updates
    show(DONE)
    last = screen.updates[-1]
    assert last["text/plain"].startswith(f"Measured: {len(run.journal.samples())} requests, ")
    assert "answered, but nothing found" in last["text/html"]


def test_a_run_that_fails_folds_too_and_leaves_no_thread(screen):
    run = probe(Cluster(), [Answers("search", Outcome.OK)], rate=50.0)
    show = LiveRun(run)

    def measure():
        with run:
            show("before the fault")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure()
    show._watch.join(5)
    assert not show._watch.is_alive()
    assert screen.updates


def test_only_requests_with_an_outcome_count_lately():
    def sample(number, outcome, operation="search"):
        return Sample(operation, number, number, number, number, outcome)

    good = [sample(number, Outcome.OK) for number in range(30)]
    bad = [sample(number, Outcome.FAIL, "insert") for number in range(30)]
    assert answered_lately([]) == ""
    assert answered_lately(good) == "the last 20 searches were answered"
    assert answered_lately(bad + good) == "answered lately: insert 0 of 20"
    with speaking("zh"):
        assert "插入 20 个中 0 个" in answered_lately(bad + good)
