"""Pictures of journals. Every function here draws from a journal alone, so anyone can draw the picture again.

Outcomes differ by shape as well as colour (Okabe and Ito's palette, which colour-blind readers can tell
apart), and `describe` says in words what the picture shows.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from halab.errors import MeasurementError
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.journal_parts import connections
from halab.measure.journal.outage import Outage, outages
from halab.measure.journal.summaries import OperationSummary, fault_time, rows_remark, summary, title
from halab.measure.journal.title_marks import provenance
from halab.models.samples import Outcome

__all__ = ["Claim", "Picture", "compare", "describe", "describe_comparison", "measured", "plot"]

_MARKS: dict[Outcome, dict[str, Any]] = {
    Outcome.OK: {"marker": ".", "color": "#0072B2", "s": 14, "label": "ok"},
    Outcome.FAIL: {"marker": "x", "color": "#D55E00", "s": 22, "linewidths": 1.1, "label": "failed"},
    Outcome.UNKNOWN: {
        "marker": "^", "facecolors": "none", "edgecolors": "#5B2A86", "s": 24, "linewidths": 1.0,
        "label": "unknown (deadline passed)",
    },
}  # fmt: skip
_BAND: dict[str, Any] = {"color": "#999999", "alpha": 0.22, "linewidth": 0}
_RESTART: dict[str, Any] = {"color": "#00664B", "linestyle": (0, (4, 3)), "linewidth": 1.2}
_INK = "#222222"
_WIDTH = 8.0  # inches: narrow enough that the letters are still read beside a file browser
_PIXELS = 104  # an inch in a notebook; saved twice as fine, for screens that show it
_FLOOR = 1e-3  # seconds: latencies below a millisecond are drawn as one


class Picture(Figure):
    """A figure that a notebook shows by itself, with its words as alternative text."""

    alt = ""

    def _repr_html_(self) -> str:
        """An image in HTML: a plain PNG output has no place for alternative text."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=2 * _PIXELS)
        data = base64.b64encode(buffer.getvalue()).decode()
        width = self.get_figwidth() * _PIXELS
        return (
            f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{data}" '
            f'style="width: {width:.0f}px; max-width: 100%">'
        )

    def __repr__(self) -> str:
        return self.alt


def plot(journal: Journal, operations: Sequence[str] | None = None) -> Picture:
    """Latency of every probe over time, a row for each operation: faults shaded, outages measured out.

    Time counts from the fault if there was one. Latency is on a logarithmic scale, in milliseconds.
    """
    names = list(operations or journal.header.operations)
    counts = connections(journal)
    height = len(names) + bool(counts)
    figure = Picture(figsize=(_WIDTH, 1.5 + 1.4 * height), layout="constrained")
    rows = figure.subplots(height, 1, sharex=True, squeeze=False)[:, 0].tolist()
    for axes, name in zip(rows, names, strict=False):
        _draw_operation(axes, journal, name)
    _frame(rows, journal)
    for axes in rows[: len(names)]:
        _measure_latency(axes, journal)
    if counts:
        _draw_connections(rows[-1], journal, counts)
    figure.supylabel("latency, ms (logarithmic)", fontsize=9.5)
    _headline(figure, title(journal))
    figure.legend(handles=_legend(journal), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    if journal.simulated:
        _stamp(figure)
    figure.alt = describe(journal)
    return figure


def _draw_operation(axes: Axes, journal: Journal, name: str) -> None:
    zero = fault_time(journal)
    samples = journal.samples(name)
    for outcome, style in _MARKS.items():
        chosen = [sample for sample in samples if sample.outcome is outcome]
        latencies = [max(sample.latency, _FLOOR) * 1000 for sample in chosen]
        axes.scatter([s.intended - zero for s in chosen], latencies, zorder=3, **style)
    _shade_faults(axes, journal)
    for event in journal.events:
        if event.by == "supervisor":
            axes.axvline(event.time - zero, **_RESTART)
    for outage in outages(samples):
        _measure_out(axes, outage, zero, _end(journal))
    failed = sum(s.outcome is Outcome.FAIL for s in samples)
    unknown = sum(s.outcome is Outcome.UNKNOWN for s in samples)
    axes.set_title(
        f"{name}: {len(samples)} sent, {failed} failed, {unknown} unknown",
        loc="left",
        fontsize=10,
        color=_INK,
    )


def _shade_faults(axes: Axes, journal: Journal) -> None:
    zero = fault_time(journal)
    for fault in journal.faults:
        end = fault.undone_at if fault.undone_at is not None else _end(journal)
        axes.axvspan(fault.at - zero, end - zero, hatch="//", **_BAND)


def _measure_out(axes: Axes, outage: Outage, zero: float, end: float) -> None:
    """A dimension line above the samples, with the length of the outage."""
    start, stop = outage.start - zero, (end if outage.end is None else outage.end) - zero
    height = axes.get_xaxis_transform()
    axes.plot(
        [start, stop], [0.9, 0.9], transform=height, color=_INK, linewidth=1.6, marker="|", markersize=7
    )
    text = "not recovered" if outage.end is None else f"{outage.duration:.2f} s"
    axes.text(stop, 0.9, f"  {text}", transform=height, ha="left", va="center", fontsize=8.5, color=_INK)


def _frame(rows: Sequence[Axes], journal: Journal) -> None:
    zero = fault_time(journal)
    for axes in rows:
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
    rows[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    rows[0].set_xlim(-zero - 0.3, _end(journal) - zero + 0.3)
    rows[-1].set_xlabel(f"seconds after the {'fault' if journal.faults else 'start'}", fontsize=9.5)


def _measure_latency(axes: Axes, journal: Journal) -> None:
    axes.set_yscale("log")
    # Room above the slowest probe for the dimension lines.
    axes.set_ylim(_FLOOR * 1000, max(journal.header.timeouts.values()) * 1000 * 12)
    axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    axes.minorticks_off()


_LINES: tuple[dict[str, Any], ...] = (
    {"color": "#222222", "linestyle": "-"},
    {"color": "#CC79A7", "linestyle": (0, (4, 2))},
    {"color": "#56B4E9", "linestyle": ":"},
)


def _draw_connections(
    axes: Axes, journal: Journal, counts: Mapping[str, Sequence[tuple[float, int]]]
) -> None:
    """How many connections a balancer counted, a line for each proxy, and when it took one out or back."""
    zero, end = fault_time(journal), _end(journal)
    most = max(number for steps in counts.values() for _, number in steps)
    _shade_faults(axes, journal)
    for (name, steps), style in zip(counts.items(), cycle(_LINES), strict=False):
        times = [at - zero for at, _ in steps] + [end - zero]
        numbers = [number for _, number in steps] + [steps[-1][1]]
        axes.step(times, numbers, where="post", linewidth=1.8, label=name, **style)
    for event in journal.events:
        if event.by == "balancer" and event.kind in ("down", "up"):
            axes.axvline(event.time - zero, color=_INK, linewidth=0.8, linestyle=":")
            text = f"{event.component} {'taken out' if event.kind == 'down' else 'back in'} "
            axes.text(event.time - zero, 1.28 * most, text, fontsize=8, ha="right", va="center", color=_INK)
    axes.set_ylim(-0.1 * most, 1.5 * most)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.set_title("connections that are kept, by proxy", loc="left", fontsize=10, color=_INK)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, frameon=False, fontsize=8.5)


def _legend(journal: Journal) -> list[Any]:
    handles: list[Any] = [
        Line2D(
            [], [], linestyle="none", marker=style["marker"], label=style["label"],
            color=style.get("color", style.get("edgecolors")),
            fillstyle="none" if outcome is Outcome.UNKNOWN else "full",
        )
        for outcome, style in _MARKS.items()
    ]  # fmt: skip
    handles.append(Line2D([], [], color=_INK, marker="|", linewidth=1.6, label="outage"))
    if journal.faults:
        handles.append(Patch(hatch="//", label="fault in place", **_BAND))
    if any(event.by == "supervisor" for event in journal.events):
        handles.append(Line2D([], [], label="restart by the supervisor", **_RESTART))
    return handles


def _headline(figure: Figure, words: str) -> None:
    """What was done on one line, where on the next."""
    figure.suptitle(
        words.replace("; ", "\n", 1), x=0.01, ha="left", fontsize=11, fontweight="bold", color=_INK
    )


def _stamp(figure: Figure) -> None:
    figure.text(
        0.5, 0.5, "SIMULATED", ha="center", va="center", fontsize=56, color="#777777", alpha=0.25,
        rotation=18, fontweight="bold", zorder=10,
    )  # fmt: skip


def _end(journal: Journal) -> float:
    return max((sample.intended for sample in journal.samples()), default=0.0) + journal.resolution


def describe(journal: Journal) -> str:
    """What the picture of a journal shows, in words: its alt text, and what to read without a picture."""
    table = summary(journal)
    zero = "the fault" if journal.faults else "the start"
    sentences = [f"Latency of each probe over time. {table.title}."]
    sentences += [_said(row, zero) for row in table.rows]
    if counts := connections(journal):
        ends = ", ".join(f"{name} {steps[0][1]} and {steps[-1][1]}" for name, steps in counts.items())
        sentences.append(f"Connections at first and in the end: {ends}.")
    if remark := rows_remark(journal):
        sentences.append(remark)
    return " ".join(sentences)


def _said(row: OperationSummary, zero: str) -> str:
    if row.first_bad is None or row.last_bad is None:
        return f"{_capital(row.operation)}: all {row.sent} answered; nothing was noticed."
    spells = ", ".join(
        "one not over when the recording ended" if o.end is None else f"{o.duration:.2f} s"
        for o in row.outages
    )
    return (
        f"{_capital(row.operation)}: {row.failed} failed, {row.unknown} unknown and {row.empty} empty "
        f"of {row.sent}, "
        f"from {row.first_bad:.2f} to {row.last_bad:.2f} s after {zero}; outages: {spells}."
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says or saw of a failover. Seconds count from the fault; None means nothing failed.

    `failed_requests` is a number, or the lowest and highest of a range; `unknown_requests` are those that
    timed out, which only a measurement tells apart.
    """

    first_failure: float | None
    last_failure: float | None
    failed_requests: float | tuple[float, float]
    unknown_requests: int = 0

    @classmethod
    def of(cls, fields: Claim | Mapping[str, Any]) -> Claim:
        """A claim from a mapping with `first_failure`, `last_failure` and `failed_requests`.

        Raises MeasurementError if one of them is missing.
        """
        if isinstance(fields, Claim):
            return fields
        try:
            requests = fields["failed_requests"]
            return cls(
                fields["first_failure"],
                fields["last_failure"],
                tuple(requests) if isinstance(requests, (list, tuple)) else requests,
            )
        except KeyError as error:
            raise MeasurementError(
                f"a claim needs first_failure, last_failure and failed_requests; {error} is missing",
                hint="times are seconds after the fault",
            ) from None


def measured(journal: Journal, operation: str) -> Claim:
    """The same figures as one operation of a journal shows them. Unknown requests are bad, so they widen the
    window, but they are not counted as failed."""
    row = next(row for row in summary(journal).rows if row.operation == operation)
    return Claim(row.first_bad, row.last_bad, row.failed + row.empty, row.unknown)


def compare(
    prediction: Claim | Mapping[str, Any] | None,
    card: Claim | Mapping[str, Any],
    journals: Journal | Sequence[Journal],
    operation: str = "search",
) -> Picture:
    """Prediction (if there was one), card and measurement as rows on one time axis, seconds after the fault.

    Several journals of the same experiment are drawn as one row each, never as a mean.
    """
    rows = _compared(prediction, card, journals, operation)
    figure = Picture(figsize=(_WIDTH, 1.5 + 0.55 * len(rows)), layout="constrained")
    axes = figure.subplots()
    furthest = max((claim.last_failure or 0.0 for _, claim, _ in rows), default=0.0)
    for height, (name, claim, style) in enumerate(rows):
        _draw_claim(axes, height, claim, style, furthest)
        axes.text(
            -0.02, height, name, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=10
        )
    axes.set_ylim(len(rows) - 0.5, -0.6)
    earliest = min((claim.first_failure or 0.0 for _, claim, _ in rows), default=0.0)
    axes.set_xlim(min(earliest * 1.1, 0.0), max(furthest, 1.0) * 1.4)
    axes.set_yticks([])
    axes.set_xlabel("seconds after the fault: from the first request without an answer to the last")
    axes.axvline(0, color=_INK, linewidth=1.2)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    first = _many(journals)[0]
    _headline(figure, f"{operation}: {title(first)}")
    if provenance(*_many(journals)) == "simulated":
        _stamp(figure)
    figure.alt = describe_comparison(prediction, card, journals, operation)
    return figure


def describe_comparison(
    prediction: Claim | Mapping[str, Any] | None,
    card: Claim | Mapping[str, Any],
    journals: Journal | Sequence[Journal],
    operation: str = "search",
) -> str:
    """The picture of `compare` in words."""
    return " ".join(
        f"{name}: {_window(claim)}." for name, claim, _ in _compared(prediction, card, journals, operation)
    )


def _many(journals: Journal | Sequence[Journal]) -> list[Journal]:
    many = [journals] if isinstance(journals, Journal) else list(journals)
    if not many:
        raise MeasurementError("there is no journal to compare with", hint="run the experiment first")
    return many


_STYLES: dict[str, dict[str, Any]] = {
    "prediction": {"color": "#E69F00", "hatch": "//"},
    "card": {"color": "#56B4E9", "hatch": ".."},
    "measured": {"color": "#0072B2", "hatch": ""},
}


def _compared(
    prediction: Claim | Mapping[str, Any] | None,
    card: Claim | Mapping[str, Any],
    journals: Journal | Sequence[Journal],
    operation: str,
) -> list[tuple[str, Claim, Mapping[str, Any]]]:
    rows: list[tuple[str, Claim, Mapping[str, Any]]] = [("the card", Claim.of(card), _STYLES["card"])]
    if prediction is not None:
        rows.insert(0, ("your prediction", Claim.of(prediction), _STYLES["prediction"]))
    many = _many(journals)
    for number, journal in enumerate(many, start=1):
        word = provenance(journal)
        name = word if len(many) == 1 else f"{word}, run {number}"
        rows.append((name, measured(journal, operation), _STYLES["measured"]))
    return rows


def _draw_claim(axes: Axes, height: int, claim: Claim, style: Mapping[str, Any], furthest: float) -> None:
    first, last = claim.first_failure, claim.last_failure
    if first is not None and last is not None:
        axes.barh(
            height, max(last - first, furthest * 0.004), left=first, height=0.5, edgecolor=_INK, lw=0.9,
            **style,
        )  # fmt: skip
    axes.text(
        (last or 0.0) + max(furthest, 1.0) * 0.015,
        height,
        _window(claim),
        va="center",
        fontsize=9,
        color=_INK,
    )


def _window(claim: Claim) -> str:
    if claim.first_failure is None or claim.last_failure is None:
        return "nothing fails"
    requests = claim.failed_requests
    many = f"{requests[0]:g} to {requests[1]:g}" if isinstance(requests, tuple) else f"{requests:g}"
    unknown = f", {claim.unknown_requests} unknown" if claim.unknown_requests else ""
    first, last = (round(edge, 1) + 0.0 for edge in (claim.first_failure, claim.last_failure))
    return f"{first:.1f} to {last:.1f} s, {many} failed{unknown}"
