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
from halab.translation import Language, gettext, language
from halab.widgets.base import CourseWidget, front_end

__all__ = ["LiveLane", "LiveRun"]

_PERIOD = 0.22  # seconds between two messages to the browser
_EVENTS = 4  # messages between two questions to the cluster about its events
_LETTERS = {"ok": "o", "empty": "e", "fail": "x", "unknown": "?"}
_COUNTED: dict[Language, dict[str, str]] = {
    "en": {
        "o": "answered",
        "e": "answered, but nothing found",
        "x": "failed",
        "?": "without an answer in time",
    },
    "zh": {"o": "个有应答", "e": "个有应答但什么也没查到", "x": "个失败", "?": "个超时未应答"},
}
_PHASES_ZH = {
    "waiting until every search finds something": "等待每次搜索都能查到结果",
    "before the fault": "故障之前",
    "no fault": "没有故障",
    "undoing the fault, waiting for health": "解除故障，等待恢复健康",
    "after the fault": "故障之后",
    "counting rows": "清点行数",
    "waiting for the first probes": "等待最初几次探测",
    "writing rows": "写入行",
    "flushing": "落盘",
    "writing rows that are not flushed": "写入尚未落盘的行",
    "starting again, waiting for health": "重新启动，等待恢复健康",
    "after the disaster": "灾难之后",
    "after the restore": "恢复备份之后",
    DONE: "完成",
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
        self._lang = language()
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
        self.lane.close()
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
        lately = answered_lately(self._samples, self._lang)
        if self._lang == "zh":
            phase = _PHASES_ZH.get(self._phase, self._phase)
            return f"{self._run.elapsed:.1f} 秒：{phase}" + (f"；{lately}" if lately else "")
        return f"{self._run.elapsed:.1f} s: {self._phase}" + (f"; {lately}" if lately else "")

    def _fold(self) -> None:
        """The lanes' place is taken by a sentence: what is to be seen of the run now stands below it."""
        assert self._handle is not None
        text = self._ended()
        self._handle.update({"text/plain": text, "text/html": f"<p>{html.escape(text)}</p>"}, raw=True)

    def _ended(self) -> str:
        counts = Counter(map(_letter, self._samples))
        zh, asked = self._lang == "zh", len(self._samples)
        each = [
            f"{counts[letter]} {words}" for letter, words in _COUNTED[self._lang].items() if counts[letter]
        ]
        counted = ("，" if zh else ", ").join(each)
        if zh:
            goes_on = f"接着：{_PHASES_ZH.get(self._phase, self._phase)}。"
            told = f"测量结束：共 {asked} 个请求，其中 {counted}。" if asked else "测量结束：没有请求有结果。"
        else:
            goes_on = gettext(" Now: {phase}.").format(phase=self._phase)
            told = (
                gettext("Measured: {asked} requests, {counted}.").format(asked=asked, counted=counted)
                if asked
                else gettext("No request had an outcome.")
            )
        return told if self._phase == DONE else told + goes_on


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
