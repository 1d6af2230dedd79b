"""The failover timeline: an animation to play with, and lanes of requests on one time axis.

    FailoverTimeline()                                   # the card's settings
    FailoverTimeline(MILVUS, lanes=[lane("Crash of the root coordinator", samples, at=5.0, simulated=False)])

The browser draws and animates by itself (`timeline.js` beside this file). The kernel only recomputes the
simulated lane when the settings have come to rest. Where no front end runs, a picture and a table stand in.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from halab.measure.journal.marks import MARKS, mark_of
from halab.measure.journal.outage import rto
from halab.measure.journal.plots import as_svg
from halab.models.failover import (
    CARD,
    MILVUS,
    Failover,
    Heartbeats,
    Lease,
    Timeline,
    request_counts,
)
from halab.models.faults import FaultKind
from halab.models.milvus_versions import ARCHITECTURES
from halab.models.retry_policy import RetryPolicy
from halab.models.samples import Sample
from halab.sim.failover_requests import simulate
from halab.tables import text_table
from halab.translation import gettext, gettext_noop, pgettext
from halab.widgets.base import CourseWidget, front_end

__all__ = ["FailoverTimeline", "Lane", "lane"]


_CARDS = gettext_noop("The card's settings")
_OURS = gettext_noop("This course's cluster")
_BADGES = (
    gettext_noop("card"),
    gettext_noop("formula"),
    gettext_noop("simulated"),
    gettext_noop("measured"),
)

_BEFORE = 2.0  # seconds of the simulated lane before the fault
_SEGMENTS = (
    ("unnoticed", "detected"),
    ("choosing", "elected"),
    ("taking over", "serving"),
    ("reconnecting", "back"),
)
_COLOURS = ("#e79a9a", "#f6c089", "#93bfe9", "#a5cfa8")


@dataclass(frozen=True)
class Lane:
    """Requests on the time axis: plain data, times in seconds after the fault.

    A sample is (intended send, latency, outcome, operation); outcome is "ok", "fail", "unknown", or
    "empty" for an answer without a hit, which counts as a failure.
    `simulated` decides which of the two words the lane wears. `phases` are marks of a timeline, if known.
    `back` is the operation that a lane of several is compared by, searches if it has them, and its RTO;
    None if that was not noticed or did not end.
    """

    label: str
    samples: Sequence[tuple[float, float, str, str]] = ()
    simulated: bool = False
    phases: Mapping[str, float] = field(default_factory=dict)
    back: tuple[str, float] | None = None


def lane(
    label: str,
    samples: Sequence[Sample],
    *,
    at: float,
    simulated: bool,
    phases: Mapping[str, float] | Timeline | None = None,
) -> Lane:
    """A lane of a journal's or a simulation's samples; `at` is when the fault fell, on the samples' clock."""
    if isinstance(phases, Timeline):
        phases = {phase.key: phase.at for phase in phases}
    plain = [
        (round(s.intended - at, 4), round(s.latency, 4), mark_of(s), s.operation)
        for s in sorted(samples, key=lambda sample: (sample.operation, sample.intended))
    ]
    return Lane(label, plain, simulated, phases or {}, _back(samples, at))


def _back(samples: Sequence[Sample], at: float) -> tuple[str, float] | None:
    names = list(dict.fromkeys(sample.operation for sample in samples))
    if not names:
        return None
    name = "search" if "search" in names else names[0]
    seconds = rto([sample for sample in samples if sample.operation == name], at)
    return None if seconds is None or math.isinf(seconds) else (name, round(seconds, 3))


class FailoverTimeline(CourseWidget):
    """The animated timeline. `settings`, `kind` and `retry` are where its sliders start.

    `retry` is the client's; `rate` is requests a second in the picture (the card's "5 to 10 failed requests"
    in 12 s is less than one a second), `deadline` seconds a client waits for an answer. `lanes` are laid
    under the card's timeline, the formula's and the simulated one. `seed` feeds the simulated lane. Buttons
    set what the documentation says of today's Milvus, each with its source; that was not measured here.
    """

    _esm, _css = front_end("timeline")

    controls = traitlets.Dict().tag(sync=True)
    card = traitlets.Dict().tag(sync=True)
    presets = traitlets.Dict().tag(sync=True)
    documented = traitlets.List().tag(sync=True)
    simulated = traitlets.Dict().tag(sync=True)
    lanes = traitlets.List().tag(sync=True)

    def __init__(
        self,
        settings: Failover = CARD,
        lanes: Sequence[Lane] = (),
        *,
        kind: FaultKind = "crash",
        retry: RetryPolicy | None = None,
        rate: float = 2.0,
        deadline: float = 1.0,
        seed: int = 0,
    ) -> None:
        retry = retry or RetryPolicy(attempts=1, base=0.5)
        self._seed = seed

        def plain(failover: Failover) -> dict[str, Any]:
            return to_controls(failover, kind, retry, rate, deadline)

        controls, today = plain(settings), ARCHITECTURES["2.6"]
        super().__init__(
            controls=controls,
            card={phase.key: phase.at for phase in CARD.timeline()},
            presets={_CARDS: plain(CARD), _OURS: plain(MILVUS)}
            | {f"Milvus {patches}": plain(failover) for patches, failover in today.failovers.items()},
            documented=[asdict(each) for each in today.sessions],
            simulated=simulated_lane(controls, seed),
            lanes=[asdict(each) for each in lanes],
        )
        self.observe(self._simulate_again, names="controls")

    @property
    def settings(self) -> Failover:
        """What the sliders say now."""
        return from_controls(self.controls)

    @property
    def timeline(self) -> Timeline:
        """The marks that follow from what the sliders say now."""
        return closed_form(self.controls)

    def _simulate_again(self, _change: Any) -> None:
        self.simulated = simulated_lane(self.controls, self._seed)

    def text(self) -> str:
        """The lanes as text: marks in seconds after the fault, and what became of the requests."""
        return _table(self._all_lanes())

    def figure(self) -> Figure:
        """The lanes as a static picture."""
        return picture(self._all_lanes())

    def _all_lanes(self) -> list[dict[str, Any]]:
        marks = {phase.key: phase.at for phase in self.timeline}
        card, formula, simulated, measured = map(gettext, _BADGES)
        return [
            {"label": gettext("What the card says"), "badge": card, "phases": self.card, "samples": []},
            {"label": gettext("Your settings"), "badge": formula, "phases": marks, "samples": []},
            {
                **self.simulated["lane"],
                "label": gettext("Simulated, coordinator lost"),
                "badge": simulated,
            },
            *({**each, "badge": simulated if each["simulated"] else measured} for each in self.lanes),
        ]

    def still_picture(self) -> str:
        picture = base64.b64encode(as_svg(self.figure()).encode()).decode()
        # Without words of its own: the text below says it all.
        return f'<img alt="" src="data:image/svg+xml;base64,{picture}">'


# Fields of a Failover that are a control as they are; its detector and the client's policy are taken apart.
_AS_THEY_ARE = ("election", "takeover", "reconnect", "connection", "restart", "revokes")


def to_controls(
    failover: Failover, kind: FaultKind, retry: RetryPolicy, rate: float, deadline: float, phase: float = 0.0
) -> dict[str, Any]:
    """Settings as the plain numbers that the sliders hold."""
    heartbeats = failover.detector if isinstance(failover.detector, Heartbeats) else Heartbeats()
    lease = failover.detector if isinstance(failover.detector, Lease) else Lease()
    return {
        "detector": "lease" if isinstance(failover.detector, Lease) else "heartbeats",
        **asdict(heartbeats),
        **asdict(lease),
        **{name: getattr(failover, name) for name in _AS_THEY_ARE},
        "kind": kind,
        "phase": phase,
        "attempts": retry.attempts,
        "base": retry.base,
        "cap": retry.cap,
        "retry_deadline": retry.deadline,
        "rate": rate,
        "deadline": deadline,
    }


def from_controls(controls: Mapping[str, Any]) -> Failover:
    """Settings from the plain numbers that the sliders hold."""
    detector = (
        Lease(controls["ttl"])
        if controls["detector"] == "lease"
        else Heartbeats(controls["interval"], int(controls["misses"]), controls["timeout"])
    )
    return Failover(detector, **{name: controls[name] for name in _AS_THEY_ARE})


def closed_form(controls: Mapping[str, Any]) -> Timeline:
    """The marks, from the sliders' plain numbers. `closedForm` in timeline.js is its mirror."""
    return from_controls(controls).timeline(cast(FaultKind, controls["kind"]), controls["phase"])


def retry_policy(controls: Mapping[str, Any]) -> RetryPolicy:
    """The client's policy, from the sliders' plain numbers; without jitter, so that one can follow it."""
    return RetryPolicy(
        int(controls["attempts"]), controls["base"], controls["cap"], controls["retry_deadline"], "none"
    )


def failed_and_late(controls: Mapping[str, Any], outage: float) -> tuple[float, float]:
    """Expected failed and late requests of an outage of so many seconds. `failedAndLate` is its mirror."""
    span = retry_policy(controls).span() + (controls["deadline"] if controls["kind"] == "hang" else 0.0)
    return request_counts(controls["rate"], outage, span)


def simulated_lane(controls: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """One simulated failover (SimPy) with these settings, and the settings it was made for."""
    failover = from_controls(controls)
    run = simulate(
        failover,
        kind=cast(FaultKind, controls["kind"]),
        at=_BEFORE,
        end=_BEFORE + failover.outage(cast(FaultKind, controls["kind"])).most + 5.0,
        rate=controls["rate"],
        deadline=controls["deadline"],
        seed=seed,
        retry=retry_policy(controls),
    )
    drawn = lane("", run.samples, at=_BEFORE, simulated=True, phases=run.timeline)
    return {"controls": dict(controls), "lane": asdict(drawn)}


def _table(lanes: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for each in lanes:
        marks = [each["phases"].get(key) for key in ("missed", "detected", "elected", "serving", "back")]
        cells = ["-" if mark is None else f"{mark:.1f}" for mark in marks]
        rows.append([f"{each['label']} ({each['badge']})", *cells, _counts(each["samples"])])
    columns = [
        pgettext("column", "missed"),
        gettext("noticed"),
        gettext("chosen"),
        gettext("serving"),
        pgettext("column", "back"),
        gettext("requests"),
    ]
    return text_table(gettext("Seconds after the fault"), ["", *columns], rows)


def _counts(samples: Sequence[Sequence[Any]]) -> str:
    if not samples:
        return "-"
    outcomes = [sample[2] for sample in samples]
    return gettext("{failed} failed, {unknown} unknown of {all}").format(
        failed=outcomes.count("fail"), unknown=outcomes.count("unknown"), all=len(outcomes)
    )


def picture(lanes: Sequence[Mapping[str, Any]]) -> Figure:
    """Lanes as a static picture: marks by shape and colour, bars with words in them."""
    rows = [(each, operation) for each in lanes for operation in [None, *_operations(each)]]
    figure = Figure(figsize=(9.0, 0.9 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for height, (each, operation) in enumerate(rows):
        if operation is None:
            _draw_band(axes, height, each)
        else:
            _draw_row(axes, height, [s for s in each["samples"] if s[3] == operation])
    labels = [f"{each['label']} ({each['badge']})" if name is None else f"{name}" for each, name in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axvline(0.0, color="#c62828", linewidth=1)
    longest = max([each["phases"].get("back", 0.0) for each in lanes], default=0.0)
    axes.set_xlim(-_BEFORE, longest + 3)
    axes.set_xlabel(gettext("seconds after the fault    (dot: answered, x: failed, diamond: unknown)"))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def _operations(each: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(sample[3] for sample in each["samples"]))


def _draw_band(axes: Axes, height: int, each: Mapping[str, Any]) -> None:
    start = 0.0
    for (name, key), colour in zip(_SEGMENTS, _COLOURS, strict=True):
        end = each["phases"].get(key)
        if end is None:
            return
        axes.barh(height, end - start, left=start, height=0.7, color=colour, edgecolor="white")
        if end - start > 1.4:
            axes.text((start + end) / 2, height, name, ha="center", va="center", fontsize=7.5, color="black")
        start = end


def _draw_row(axes: Axes, height: int, samples: Sequence[Sequence[Any]]) -> None:
    for kind in ("ok", "empty", "unknown", "fail"):  # the worst on top
        times = [sample[0] for sample in samples if sample[2] == kind]
        shape, colour = MARKS[kind].shape, MARKS[kind].colour
        axes.plot(times, [height] * len(times), shape, color=colour, markersize=4, markerfacecolor="none")
