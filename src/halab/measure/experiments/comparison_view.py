"""What turns of a load showed: one sentence, one picture and the tables folded.

`RatioView` lays every turn as a dot beside the interval of a ratio, and what was said before as lines.
`CurveView` draws a rate by number of replicas with the law fitted to it. Both are HTML that follows
JupyterLab's theme.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from halab.measure.journal.run_view import head_html
from halab.models.bootstrap import Interval, turns_until_outside
from halab.tables import Tabular
from halab.translation import gettext, name_list

__all__ = ["CurveView", "Line", "RatioView", "Ratios", "beside_card", "decision"]

_ENOUGH = 500  # turns: more than that are not asked of anybody
_DOT = "var(--jp-brand-color1, #1976d2)"
_WIDTH, _LEFT, _RIGHT = 540.0, 110.0, 20.0  # of a picture, in its own units


@dataclass(frozen=True, slots=True)
class Ratios:
    """A measured ratio with its interval, and that of each turn."""

    name: str
    interval: Interval
    turns: Sequence[float]


@dataclass(frozen=True, slots=True)
class Line:
    """A value to compare with, such as the card's."""

    name: str
    value: float
    style: str = "stroke-dasharray: 5 4"


def decision(ratio: Interval, card: float, turns: int) -> str:
    """What an interval of a ratio decides between no difference (1) and the card's figure, and no more.

    One of "more", "less", "no difference was shown", or how many more turns would decide.
    """
    if ratio.low > 1:
        return "more"
    if ratio.high < 1:
        return "less"
    if not ratio.low <= card <= ratio.high:
        return gettext("no difference was shown, and the card's is ruled out")
    both = gettext("undecided: no difference and the card's both lie inside the interval")
    needed = min(turns_until_outside(ratio, value, turns) for value in (1.0, card))
    if needed > _ENOUGH:
        return gettext("{both}, and more turns would not help").format(both=both)
    more = max(1, math.ceil(needed) - turns)
    some = gettext("1 more turn") if more == 1 else gettext("{more} more turns").format(more=more)
    return gettext("{both}. About {some} each would decide (repeats={repeats})").format(
        both=both, some=some, repeats=turns + more
    )


def beside_card(ratio: Interval, card: float, shown: str) -> str:
    """Where the card's figure, `shown` for people, lies beside the interval of a measured ratio."""
    if ratio.low <= card <= ratio.high:
        return gettext("The card's {shown} lies inside the interval.").format(shown=shown)
    return gettext("The card's {shown} lies outside the interval.").format(shown=shown)


@dataclass(frozen=True, repr=False)
class RatioView:
    """Ratios on one axis; `figures` are folded below, `shown` writes a ratio for people. `doubts` are what
    speaks against it, as the record that it then is."""

    sentence: str
    ratios: Sequence[Ratios]
    lines: Sequence[Line]
    figures: Sequence[Tabular]
    shown: Callable[[float], str] = "x {:.2f}".format
    simulated: bool = False
    doubts: Sequence[str] = ()

    @property
    def alt(self) -> str:
        """The picture in words."""
        measured = [
            gettext("{name}: {shown}, interval {low} to {high}, {count} turns.").format(
                name=each.name,
                shown=self.shown(each.interval.median),
                low=self.shown(each.interval.low),
                high=self.shown(each.interval.high),
                count=len(each.turns),
            )
            for each in self.ratios
        ]
        return " ".join([*measured, *(f"{line.name}: {self.shown(line.value)}." for line in self.lines)])

    def __repr__(self) -> str:
        return "\n\n".join((*self.doubts, self.sentence, self.alt, *map(repr, self.figures)))

    def _repr_html_(self) -> str:
        return _page(
            self.sentence, self.doubts, self._drawn(), self.alt, self.figures, simulated=self.simulated
        )

    def _drawn(self) -> str:
        values = [1.0, *(line.value for line in self.lines)]
        values += [value for each in self.ratios for value in (*each.interval, *each.turns)]
        x = _scale(min(values), max(values), _LEFT, _WIDTH - _RIGHT)
        bottom = 26 + 46 * len(self.ratios)
        parts = [
            f'<line x1="{x(line.value):.1f}" x2="{x(line.value):.1f}" y1="4" y2="{bottom}" '
            f'stroke="currentColor" style="{line.style}"/>'
            for line in self.lines
        ]
        parts += [self._row(each, 30 + 46 * number, x) for number, each in enumerate(self.ratios)]
        parts += self._names(x, bottom)
        return _svg(bottom + 16 * len(self.lines) + 6, parts)

    def _row(self, each: Ratios, y: float, x: Callable[[float], float]) -> str:
        low, median, high = map(x, each.interval)
        dots = "".join(
            f'<circle cx="{x(turn):.1f}" cy="{y - 11:.1f}" r="3" fill="{_DOT}" fill-opacity="0.55"/>'
            for turn in each.turns
        )
        return (
            f'<text x="0" y="{y + 4}">{html.escape(each.name)}</text>{dots}'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{_DOT}" stroke-width="4"/>'
            f'<path d="M{median:.1f} {y - 7}l6 7l-6 7l-6 -7z" fill="{_DOT}"/>'
        )

    def _names(self, x: Callable[[float], float], bottom: float) -> list[str]:
        """The lines' names below the picture, each on a row of its own, so that none covers another."""
        return [
            f'<text x="{x(line.value):.1f}" y="{bottom + 14 + 16 * number}" '
            f'text-anchor="{"end" if x(line.value) > _WIDTH / 2 else "start"}">'
            f"{html.escape(line.name)} {html.escape(self.shown(line.value))}</text>"
            for number, line in enumerate(self.lines)
        ]


@dataclass(frozen=True, repr=False)
class CurveView:
    """Turns by number of replicas, with the law's curve and its interval; `figures` are folded below."""

    sentence: str
    turns: Mapping[int, Sequence[float]]
    law: Callable[[float], Interval]
    furthest: int
    figures: Sequence[Tabular]
    simulated: bool = False
    doubts: Sequence[str] = ()

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = [
            gettext("With {copies}: {count} turns.").format(copies=n, count=len(group))
            for n, group in sorted(self.turns.items())
        ]
        curve = [f"{n}: {self.law(n).median:.0f}" for n in range(1, self.furthest + 1)]
        return " ".join(
            (
                gettext("By replicas. {told}").format(told=" ".join(told)),
                gettext("The law, a second: {curve}.").format(curve=name_list(curve)),
            )
        )

    def __repr__(self) -> str:
        return "\n\n".join((*self.doubts, self.sentence, self.alt, *map(repr, self.figures)))

    def _repr_html_(self) -> str:
        return _page(
            self.sentence, self.doubts, self._drawn(), self.alt, self.figures, simulated=self.simulated
        )

    def _drawn(self) -> str:
        steps = [1 + n * (self.furthest - 1) / 40 for n in range(41)]
        laws = [self.law(step) for step in steps]
        top = max(*(law.high for law in laws), *(max(group) for group in self.turns.values()))
        x, y = _scale(0.8, self.furthest, 60, _WIDTH - _RIGHT), _scale(0, top, 220, 12)
        band = [(step, law.high) for step, law in zip(steps, laws, strict=True)]
        band += [(step, law.low) for step, law in reversed(list(zip(steps, laws, strict=True)))]
        at = [f"{x(step):.1f},{y(value):.1f}" for step, value in band]
        curve = [f"{x(step):.1f},{y(law.median):.1f}" for step, law in zip(steps, laws, strict=True)]
        parts = [
            f'<polygon points="{" ".join(at)}" fill="{_DOT}" fill-opacity="0.15"/>',
            f'<polyline points="{" ".join(curve)}" fill="none" stroke="{_DOT}" stroke-width="2"/>',
            *(
                f'<circle cx="{x(n):.1f}" cy="{y(rate):.1f}" r="4" fill="none" stroke="currentColor"/>'
                for n, group in self.turns.items()
                for rate in group
            ),
            *_axes(x, y, top, self.furthest),
        ]
        return _svg(262, parts)


def _axes(x: Callable[[float], float], y: Callable[[float], float], top: float, furthest: int) -> list[str]:
    parts = [f'<path d="M{x(0.8):.1f} 12V220H{_WIDTH - _RIGHT}" fill="none" stroke="currentColor"/>']
    for replicas in range(1, furthest + 1):
        parts.append(f'<text x="{x(replicas):.1f}" y="236" text-anchor="middle">{replicas}</text>')
    step = 10 ** math.floor(math.log10(top))
    step = next(each for each in (step / 5, step / 2, step, 2 * step) if top / each <= 5)
    for number in range(int(top / step) + 1):
        value = number * step
        parts.append(f'<text x="52" y="{y(value) + 4:.1f}" text-anchor="end">{value:,.0f}</text>')
    words = gettext("searches a second by replicas; circles: turns; band: the law's interval")
    return [*parts, f'<text x="{x(0.8):.1f}" y="254">{words}</text>']


def _scale(low: float, high: float, left: float, right: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    return lambda value: left + (value - low) / span * (right - left)


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" aria-hidden="true" fill="currentColor" '
        f'style="width: 100%; max-width: 760px; min-width: 420px; font-size: 12.5px; display: block">'
        f"{''.join(parts)}</svg>"
    )


def _page(
    sentence: str,
    doubts: Sequence[str],
    drawn: str,
    alt: str,
    figures: Sequence[Tabular],
    *,
    simulated: bool,
) -> str:
    headline = gettext("SIMULATED. {sentence}").format(sentence=sentence) if simulated else sentence
    tables, all_figures = "".join(table._repr_html_() for table in figures), gettext("All figures")
    return (
        f"{head_html(headline, doubts)}"
        f'<div role="img" aria-label="{html.escape(alt)}" style="overflow-x: auto">{drawn}</div>'
        f"<details><summary>{all_figures}</summary>{tables}</details>"
    )
