"""The repeats of lesson 2 in one picture: a bar a run, and how sure their mean is."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from halab.models.availability_slo import MeanInterval
from halab.tables import Tabular
from halab.translation import gettext

__all__ = ["Bar", "RunsPicture", "spread"]

_BLUE, _LINE = "var(--jp-brand-color1, #1976d2)", "var(--jp-border-color1, #bdbdbd)"
_FILLED = {
    "run": f"background: {_BLUE}; border: 1px solid {_BLUE}",
    # Hatched, as what does not count: colour is not its only sign.
    "left out": (
        f"background: repeating-linear-gradient(45deg, {_LINE} 0 3px, transparent 3px 7px); "
        f"border: 1px dashed {_LINE}"
    ),
    "prediction": f"background: none; border: 2px solid {_BLUE}",
    "card": "background: none; border: 2px dotted var(--jp-content-font-color2, #777)",
}


@dataclass(frozen=True)
class Bar:
    """One length of time, seconds (infinite: no end was seen). `kind`: run, left out, prediction or card."""

    name: str
    seconds: float
    kind: str = "run"

    @property
    def shown(self) -> str:
        if self.seconds == 0:
            return gettext("{time} s").format(time=0) if self.kind == "card" else gettext("nobody noticed")
        length = (
            gettext("not back")
            if math.isinf(self.seconds)
            else gettext("{time} s").format(time=f"{self.seconds:.1f}")
        )
        return gettext("{length}, not counted").format(length=length) if self.kind == "left out" else length


@dataclass(frozen=True)
class RunsPicture:
    """Bars under one sentence, the interval of the mean laid behind the runs; the table of all figures is
    folded below. In a notebook it follows JupyterLab's theme; as text it is the sentence and the lengths."""

    sentence: str
    bars: tuple[Bar, ...]
    mean: MeanInterval | None
    table: Tabular

    def __repr__(self) -> str:
        lines = (f"  {bar.name}: {bar.shown}" for bar in self.bars)
        return "\n".join((self.sentence, *lines, "", repr(self.table)))

    def _repr_html_(self) -> str:
        longest = max((bar.seconds for bar in self.bars if math.isfinite(bar.seconds)), default=0.0)
        scale = max(longest, self.mean.high if self.mean else 0.0, 1.0) * 1.02
        rows = "".join(self._row(bar, scale) for bar in self.bars)
        all_figures = gettext("All figures of these runs")
        return (
            f'<p style="font-size: 1.1em; font-weight: 600; margin: 0.3em 0">{html.escape(self.sentence)}</p>'
            '<div style="display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content; '
            f'gap: 3px 10px; align-items: center; max-width: 760px">{rows}</div>'
            f"<details><summary>{all_figures}</summary>"
            f"{self.table._repr_html_()}</details>"
        )

    def _row(self, bar: Bar, scale: float) -> str:
        width = 100 * min(bar.seconds, scale) / scale
        track = (
            f'<div style="position: relative; height: 18px">{self._band(bar, scale)}'
            f'<div style="position: absolute; top: 3px; height: 12px; width: {width:.1f}%; '
            f'box-sizing: border-box; {_FILLED[bar.kind]}"></div></div>'
        )
        return f"<div>{html.escape(bar.name)}</div>{track}<div>{html.escape(bar.shown)}</div>"

    def _band(self, bar: Bar, scale: float) -> str:
        """Where the true mean lies with 95 % confidence, behind the bars of the runs."""
        if self.mean is None or bar.kind != "run":
            return ""
        low, high = (100 * min(edge, scale) / scale for edge in (self.mean.low, self.mean.high))
        return (
            f'<div style="position: absolute; top: -2px; height: 22px; left: {low:.1f}%; '
            f"width: {high - low:.1f}%; border: solid {_LINE}; border-width: 0 2px; "
            'box-sizing: border-box; background: var(--jp-layout-color2, #eee)"></div>'
        )


def spread(lengths: Sequence[float]) -> str:
    """The shortest and the longest in words, such as "9.8 to 11.2 s"."""
    low, high = min(lengths), max(lengths)
    return (
        gettext("{time} s").format(time=f"{low:.1f}")
        if f"{low:.1f}" == f"{high:.1f}"
        else gettext("{low:.1f} to {high:.1f} s").format(low=low, high=high)
    )
