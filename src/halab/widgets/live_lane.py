"""A measurement while it runs, in a notebook: a lane for each operation, which fills request by request.

A thread of its own looks at the run a few times a second and tells the browser; the prober is never asked to
wait. When the run has ended the lanes fold to one sentence, which needs no kernel and no widget: a notebook
that is opened again, or was executed without a browser, shows it too.
"""

from __future__ import annotations

import html
import threading
from collections import Counter
from contextlib import suppress
from typing import Any

import traitlets
from IPython.display import DisplayHandle, display

from halab.errors import HalabError
from halab.measure.journal.marks import mark_of
from halab.measure.probing.prober import Run
from halab.measure.probing.progress_line import DONE, answered_lately
from halab.models.samples import Sample
from halab.translation import gettext, gettext_noop
from halab.widgets.base import CourseWidget, front_end

__all__ = ["LiveLane", "LiveRun"]

_PERIOD = 0.22  # seconds between two messages to the browser
_EVENTS = 4  # messages between two questions to the cluster about its events
_LETTERS = {"ok": "o", "empty": "e", "fail": "x", "unknown": "?"}
_COUNTED = {
    "o": gettext_noop("{count} answered"),
    "e": gettext_noop("{count} answered, but nothing found"),
    "x": gettext_noop("{count} failed"),
    "?": gettext_noop("{count} without an answer in time"),
}


class LiveLane(CourseWidget):
    """Lanes that fill. `outcomes` has a letter for each request by number: o, e, x, ? or "." on its way.

    `moments` are what happened, each with `at` (seconds after the run began), `what` and `name`.
    """

    _esm, _css = front_end("live_lane")

    operations = traitlets.List().tag(sync=True)
    rate = traitlets.Float(1.0).tag(sync=True)
    outcomes = traitlets.Dict().tag(sync=True)
    moments = traitlets.List().tag(sync=True)
    now = traitlets.Float(0.0).tag(sync=True)
    phase = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)

    def text(self) -> str:
        return str(self.sentence)


class LiveRun:
    """Shows one run with a `LiveLane`; see `halab.measure.probing.progress_line.RunView`."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.lane = LiveLane(operations=list(run.operations), rate=run.rate)
        self._samples: list[Sample] = []
        self._rows: dict[str, bytearray] = {name: bytearray() for name in run.operations}
        self._phase = ""
        self._handle: DisplayHandle | None = None
        self._watch: threading.Thread | None = None

    def __call__(self, phase: str) -> None:
        self._phase = phase
        if self._handle is None:
            self.lane.sentence = self._sentence()
            self._handle = display(self.lane, display_id=True)
        if self._watch is None and self._run.under_way:
            self._watch = threading.Thread(target=self._follow, name="halab-live", daemon=True)
            self._watch.start()
        if self._run.ended.is_set() and self._watch is not None:
            self._watch.join()
            self._fold()

    def _follow(self) -> None:
        looks = 0
        while not self._run.ended.wait(_PERIOD):
            self._look(events=looks % _EVENTS == 0)
            looks += 1
        self._look(events=False)
        # The lane is not closed: a notebook that was saved while it ran, and is opened again, shows its end.
        self._fold()  # here, and not only when the next phase begins: a run that failed has none

    def _look(self, *, events: bool) -> None:
        """Tell the browser what is new, in one message."""
        for sample in self._run.so_far(len(self._samples)):
            self._samples.append(sample)
            row = self._rows[sample.operation]
            row.extend(b"." * (sample.number + 1 - len(row)))
            row[sample.number] = ord(_letter(sample))
        with self.lane.hold_sync():
            self.lane.outcomes = {name: row.decode() for name, row in self._rows.items()}
            self.lane.now = round(self._run.elapsed, 2)
            self.lane.phase = self._phase
            self.lane.sentence = self._sentence()
            if events and self._run.orders:
                self.lane.moments = _moments(self._run)

    def _sentence(self) -> str:
        """Such as "14.4 s: crash querynode-3; the last 20 searches were answered"."""
        told = gettext("{time:.1f} s: {phase}").format(time=self._run.elapsed, phase=self._phase)
        if lately := answered_lately(self._samples):
            return gettext("{phase}; {lately}").format(phase=told, lately=lately)
        return told

    def _fold(self) -> None:
        """The lanes' place is taken by a sentence: what is to be seen of the run now stands below it."""
        assert self._handle is not None
        text = self.lane.sentence = self._ended()
        self._handle.update({"text/plain": text, "text/html": f"<p>{html.escape(text)}</p>"}, raw=True)

    def _ended(self) -> str:
        counts, asked = Counter(map(_letter, self._samples)), len(self._samples)
        each = [
            gettext(words).format(count=counts[letter])
            for letter, words in _COUNTED.items()
            if counts[letter]
        ]
        told = (
            gettext("Measured: {asked} requests, {counted}.").format(
                asked=asked, counted=gettext(", ").join(each)
            )
            if asked
            else gettext("No request had an outcome.")
        )
        return told if self._phase == DONE else told + gettext(" Now: {phase}.").format(phase=self._phase)


def _letter(sample: Sample) -> str:
    return _LETTERS[mark_of(sample)]


def _moments(run: Run) -> list[dict[str, Any]]:
    """What happened so far, in order: faults ordered, struck and undone, who took over, who was restarted."""
    faults = run.faults
    moments = [(at, "ordered", words) for words, at in run.orders[len(faults) :]]
    moments += [(fault.at, "struck", f"{fault.kind} {fault.component}") for fault in faults]
    moments += [(fault.undone_at, "undone", fault.component) for fault in faults if fault.undone_at]
    with suppress(HalabError):  # a cluster that does not answer has nothing to tell now
        for event in run.cluster.events(run.started):
            if event.by == "milvus" and event.kind in ("active", "leader"):
                moments.append((event.time, "active", event.component))
            elif event.by == "supervisor" and event.kind == "restarted":
                moments.append((event.time, "restarted", event.component))
    return [
        {"at": round(at - run.started, 2), "what": what, "name": name} for at, what, name in sorted(moments)
    ]
