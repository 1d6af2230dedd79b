"""Pictures of journals. Every function here draws from a journal alone, so anyone can draw the picture again.

Outcomes differ by shape as well as colour (`marks` has both), and `describe` says in words what the picture
shows. In a notebook a picture is SVG whose colours follow JupyterLab's theme.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from halab.measure.journal.experiment_name import operation_in_words
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.journal_parts import connections
from halab.measure.journal.marks import MARKS, mark_of
from halab.measure.journal.outage import Outage, outages
from halab.measure.journal.summaries import OperationSummary, fault_time, rows_remark, summary, title
from halab.translation import gettext, name_list

__all__ = ["Picture", "as_svg", "describe", "ink", "plot"]

_INK, _GRID = "#222222", "#dddddd"
_THEMED = {
    _INK: "currentColor",
    _GRID: "var(--jp-border-color2, #dddddd)",
    **{mark.colour: mark.css for mark in MARKS.values()},
}
"""What becomes of a picture's colours in a notebook, which may be dark."""

_SIZES = {"ok": 22, "fail": 24, "unknown": 22, "empty": 16}  # square points
_BAND: dict[str, Any] = {"color": "#999999", "alpha": 0.22, "linewidth": 0}
_RESTART: dict[str, Any] = {"color": "#5f9ea0", "linestyle": (0, (4, 3)), "linewidth": 1.4}
_WIDTH = 7.0  # inches: narrow enough that the letters are still read beside a file browser
_PIXELS = 118  # an inch in a notebook, where there is room
_OF_AN_AXIS = "$\\mathdefault"  # how matplotlib writes powers of ten beside an axis
_FLOOR = 1e-3  # seconds: latencies below a millisecond are drawn as one
# The last but one is what matplotlib calls Noto's collection: it knows only the first font of a file.
_CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
)
_CHINESE_FILES = ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "wqy-zenhei.ttc")


@cache
def ink() -> dict[Any, Any]:
    """Settings for matplotlib to draw a `Picture` with: colours that a notebook's theme takes the place of.

    Behind matplotlib's own font stand those of this machine that have Chinese letters.
    """
    if not _there():  # matplotlib's own list of this machine's fonts may be older than some of them
        for path in font_manager.findSystemFonts():
            if Path(path).name in _CHINESE_FILES:
                font_manager.fontManager.addfont(path)
    inked = ("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color")
    families = ["DejaVu Sans", *_there()]
    return {**dict.fromkeys(inked, _INK), "font.family": families}


def _there() -> list[str]:
    """The families with Chinese letters that matplotlib knows of."""
    known = set(font_manager.get_font_names())
    return [name for name in _CHINESE if name in known]


def as_svg(figure: Figure, *, transparent: bool = False) -> str:
    """A figure as an SVG file. Whoever shows it draws the letters: matplotlib's font has no Chinese."""
    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # only the width of such a letter is guessed
        figure.savefig(buffer, format="svg", transparent=transparent)
    return buffer.getvalue()


class Picture(Figure):
    """A figure that a notebook shows by itself, with its words as alternative text."""

    alt = ""

    def _repr_html_(self) -> str:
        """SVG inside the page: its colours follow the theme there, its letters stay sharp."""
        _, _, inside = as_svg(self, transparent=True).partition("<svg ")
        inside = re.sub(r'(?<= )(width|height)="[\d.]+pt" ?', "", inside, count=2)
        for colour, themed in _THEMED.items():
            inside = inside.replace(colour, themed)
        width = self.get_figwidth() * _PIXELS
        return (
            f'<svg role="img" aria-label="{html.escape(self.alt)}" '
            f'style="width: 100%; max-width: {width:.0f}px; height: auto" {inside}'
        )

    def __repr__(self) -> str:
        return self.alt


def plot(journal: Journal, operations: Sequence[str] | None = None) -> Picture:
    """Latency of every probe over time, a row for each operation: faults shaded, outages measured out.

    Time counts from the fault if there was one. Latency is on a logarithmic scale, in milliseconds.
    """
    with rc_context(ink()):
        figure = _drawn(journal, list(operations or journal.header.operations))
        for text in figure.findobj(Text):
            if "$" in text.get_text() and not text.get_text().startswith(_OF_AN_AXIS):
                text.set_parse_math(False)  # a journal's own words are no formula
        return figure


def _drawn(journal: Journal, names: Sequence[str]) -> Picture:
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
    figure.supylabel(gettext("latency, ms (logarithmic)"), fontsize=10.5)
    _headline(figure, title(journal))
    figure.legend(handles=_legend(journal), loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    if journal.simulated:
        _stamp(figure)
    figure.alt = describe(journal)
    return figure


def _draw_operation(axes: Axes, journal: Journal, name: str) -> None:
    zero = fault_time(journal)
    samples = journal.samples(name)
    for kind in MARKS:
        chosen = [sample for sample in samples if mark_of(sample) == kind]
        latencies = [max(sample.latency, _FLOOR) * 1000 for sample in chosen]
        axes.scatter([s.intended - zero for s in chosen], latencies, s=_SIZES[kind], zorder=3, **_style(kind))
    _shade_faults(axes, journal)
    for event in journal.events:
        if event.by == "supervisor":
            axes.axvline(event.time - zero, **_RESTART)
    for outage in outages(samples):
        _measure_out(axes, outage, zero, _end(journal))
    kinds = Counter(map(mark_of, samples))
    empty = gettext(", {empty} found nothing").format(empty=kinds["empty"]) if kinds["empty"] else ""
    words = gettext("{name}: {count} sent, {fail} failed, {unknown} unknown{empty}").format(
        name=operation_in_words(name),
        count=len(samples),
        fail=kinds["fail"],
        unknown=kinds["unknown"],
        empty=empty,
    )
    axes.set_title(words, loc="left", fontsize=11)


def _style(kind: str) -> dict[str, Any]:
    """How a kind of request is drawn. What may have happened, and what was found empty, are hollow."""
    mark = MARKS[kind]
    if kind in ("unknown", "empty"):
        return {"marker": mark.shape, "facecolors": "none", "edgecolors": mark.colour, "linewidths": 1.1}
    return {"marker": mark.shape, "color": mark.colour, "linewidths": 1.1 if kind == "fail" else 0}


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
    text = (
        gettext("not recovered")
        if outage.end is None
        else gettext("{time} s").format(time=f"{outage.duration:.2f}")
    )
    beside: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    axes.annotate(text, (stop, 0.9), xycoords=height, fontsize=10, **beside)


def _frame(rows: Sequence[Axes], journal: Journal) -> None:
    zero = fault_time(journal)
    for axes in rows:
        axes.grid(axis="y", color=_GRID, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=10)
    rows[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    rows[0].set_xlim(-zero - 0.3, _end(journal) - zero + 0.3)
    rows[-1].set_xlabel(
        gettext("seconds after the {moment}").format(
            moment=gettext("fault") if journal.faults else gettext("start")
        ),
        fontsize=10.5,
    )


def _measure_latency(axes: Axes, journal: Journal) -> None:
    axes.set_yscale("log")
    # Room above the slowest probe for the dimension lines.
    axes.set_ylim(_FLOOR * 1000, max(journal.header.timeouts.values(), default=1.0) * 1000 * 12)
    axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    axes.minorticks_off()


_LINES: tuple[dict[str, Any], ...] = (
    {"color": _INK, "linestyle": "-"},
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
            what = gettext("{proxy} taken out") if event.kind == "down" else gettext("{proxy} back in")
            text = what.format(proxy=event.component) + " "
            axes.text(event.time - zero, 1.28 * most, text, fontsize=9.5, ha="right", va="center", color=_INK)
    axes.set_ylim(-0.1 * most, 1.5 * most)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.set_title(gettext("connections that are kept, by proxy"), loc="left", fontsize=11)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, frameon=False, fontsize=9.5)


def _legend(journal: Journal) -> list[Any]:
    kinds = {mark_of(sample) for sample in journal.samples()}
    handles: list[Any] = [
        Line2D(
            [], [], linestyle="none", marker=mark.shape, label=gettext(mark.words), color=mark.colour,
            fillstyle="none" if kind in ("unknown", "empty") else "full",
        )
        for kind, mark in MARKS.items()
        if kind in kinds
    ]  # fmt: skip
    handles.append(Line2D([], [], color=_INK, marker="|", linewidth=1.6, label=gettext("outage")))
    if journal.faults:
        handles.append(Patch(hatch="//", label=gettext("fault in place"), **_BAND))
    if any(event.by == "supervisor" for event in journal.events):
        handles.append(Line2D([], [], label=gettext("restart by the supervisor"), **_RESTART))
    return handles


def _headline(figure: Figure, words: str) -> None:
    """What was done on one line, where on the next."""
    figure.suptitle(
        words.replace(gettext("; "), "\n", 1), x=0.01, ha="left", fontsize=11, fontweight="bold", color=_INK
    )


def _stamp(figure: Figure) -> None:
    figure.text(
        0.5, 0.5, gettext("SIMULATED"), ha="center", va="center", fontsize=56, color="#777777", alpha=0.25,
        rotation=18, fontweight="bold", zorder=10,
    )  # fmt: skip


def _end(journal: Journal) -> float:
    return max((sample.intended for sample in journal.samples()), default=0.0) + journal.resolution


def describe(journal: Journal) -> str:
    """What the picture of a journal shows, in words: its alt text, and what to read without a picture."""
    table = summary(journal)
    zero = gettext("the fault") if journal.faults else gettext("the start")
    sentences = [gettext("Latency of each probe over time. {title}.").format(title=table.title)]
    sentences += [_said(row, zero) for row in table.rows]
    if counts := connections(journal):
        ends = ", ".join(
            gettext("{name} {first} and {last}").format(name=name, first=steps[0][1], last=steps[-1][1])
            for name, steps in counts.items()
        )
        sentences.append(gettext("Connections at first and in the end: {ends}.").format(ends=ends))
    if remark := rows_remark(journal):
        sentences.append(remark)
    return " ".join(sentences)


def _said(row: OperationSummary, zero: str) -> str:
    if row.first_bad is None or row.last_bad is None:
        return gettext("{capital}: all {sent} answered; nothing was noticed.").format(
            capital=_capital(operation_in_words(row.operation)), sent=row.sent
        )
    spells = name_list(
        gettext("one not over when the recording ended")
        if o.end is None
        else gettext("{time} s").format(time=f"{o.duration:.2f}")
        for o in row.outages
    )
    return gettext(
        "{capital}: {failed} failed, {unknown} unknown and {empty} empty of {sent}, from "
        "{first_bad:.2f} to {last_bad:.2f} s after {zero}; outages: {spells}."
    ).format(
        capital=_capital(operation_in_words(row.operation)),
        failed=row.failed,
        unknown=row.unknown,
        empty=row.empty,
        sent=row.sent,
        first_bad=row.first_bad,
        last_bad=row.last_bad,
        zero=zero,
        spells=spells,
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
