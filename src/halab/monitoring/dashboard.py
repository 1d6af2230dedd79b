"""The panels of the shipped Grafana dashboard as one picture, from Prometheus' own data: no Grafana needed.

Titles and expressions are read from the dashboard's file, so that the two cannot differ.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from halab.folders import course_root
from halab.measure.journal.plots import Picture, ink
from halab.monitoring.monitor import Monitor
from halab.translation import gettext, gettext_noop, name_list

__all__ = ["Panel", "dashboard", "panels"]

# What the dashboard's file says in words: it is Grafana's, which has one language.
_WORDS = (
    gettext_noop("Requests by outcome"),
    gettext_noop("Who answers, by role"),
    gettext_noop("Latency of search and query, 99th percentile"),
    gettext_noop("The log: how far behind its readers are; from 2.6, its writers (s)"),
    gettext_noop("etcd: members that know a leader"),
    gettext_noop("Alerts that burn"),
    gettext_noop("know a leader"),
    gettext_noop("leader changes in 5 min, seen"),
)
_STYLES = ("-", "--", ":", "-.")  # a line is told from another without its colour
_WIDTH, _HEIGHT = 7.0, 1.5  # inches; the height of one panel


@dataclass(frozen=True)
class Panel:
    """A panel of the dashboard: its title, and its PromQL expressions, each with Grafana's legend for it."""

    title: str
    expressions: tuple[tuple[str, str], ...]


def panels() -> list[Panel]:
    """The panels of `compose/monitoring/dashboards/milvus.json`, in their order and the learner's words."""
    file = course_root() / "compose" / "monitoring" / "dashboards" / "milvus.json"
    return [
        Panel(
            gettext(each["title"]),
            tuple((target["expr"], gettext(target["legendFormat"])) for target in each["targets"]),
        )
        for each in json.loads(file.read_text())["panels"]
    ]


def dashboard(watch: Monitor, seconds: float, spans: Sequence[tuple[str, float, float]] = ()) -> Picture:
    """Draw the last `seconds` of every panel. `spans` are shaded: each a name, and when it began and ended,
    seconds since 1970. Raises MeasurementError if Prometheus does not answer.
    """
    end = time.time()
    shown = panels()
    with rc_context(ink()):
        figure = Picture(figsize=(_WIDTH, _HEIGHT * len(shown) + 0.6), layout="constrained")
        rows = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0].tolist()
        words = [
            _draw(axes, watch, panel, end - seconds, end) for axes, panel in zip(rows, shown, strict=True)
        ]
        for axes in rows:
            for _, began, ended in spans:
                axes.axvspan(began - end, ended - end, color="#999999", alpha=0.22, linewidth=0)
        rows[-1].set_xlabel(
            gettext("seconds before {strftime}").format(
                strftime=time.strftime("%H:%M:%S", time.localtime(end))
            )
        )
        rows[-1].set_xlim(-seconds, 0)
    shaded = name_list(
        gettext("{name} from {begin:.0f} to {end:.0f} s").format(
            name=name, begin=began - end, end=ended - end
        )
        for name, began, ended in spans
    )
    figure.alt = " ".join(
        [*words, gettext("Shaded: {shaded}.").format(shaded=shaded) if spans else ""]
    ).strip()
    return figure


def _draw(axes: Axes, watch: Monitor, panel: Panel, start: float, end: float) -> str:
    """Draw a panel; what it shows, in words."""
    lines = {name: points for name, points in _lines(watch, panel, start, end) if points}
    for style, (name, points) in zip(cycle(_STYLES), lines.items()):
        axes.plot(*zip(*points, strict=True), linestyle=style, linewidth=1.4, label=name)
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    if not lines:
        axes.text(
            0.5, 0.5, gettext("nothing in this time"), transform=axes.transAxes, ha="center", va="center"
        )
        return gettext("{title}: nothing.").format(title=panel.title)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    ranges = name_list(_range(name, points) for name, points in lines.items())
    return gettext("{name}: {said}.").format(name=panel.title, said=ranges)


def _lines(
    watch: Monitor, panel: Panel, start: float, end: float
) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """The series of a panel: names, and points of seconds before the end and what was there to see."""
    for expression, legend in panel.expressions:
        for series in watch.history(expression, start, end):
            points = [(float(at) - end, float(value)) for at, value in series["values"]]
            yield _named(legend, series["metric"]), [each for each in points if math.isfinite(each[1])]


def _range(name: str, points: Sequence[tuple[float, float]]) -> str:
    values = [value for _, value in points]
    return gettext("{name} {low:.3g} to {high:.3g}").format(name=name, low=min(values), high=max(values))


def _named(legend: str, labels: dict[str, Any]) -> str:
    """Grafana's legend with its labels filled in."""
    for name, value in labels.items():
        legend = legend.replace("{{" + name + "}}", str(value))
    return legend
