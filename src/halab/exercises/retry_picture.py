"""What a retry policy did to users and to the service, as a sentence and a bar for each second.

    show_trial(retry, scenario)

The picture follows JupyterLab's theme. It is a simulation, and says so.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halab.sim.retry_storm import RetryReport, Scenario, judge
from halab.tables import text_table
from halab.translation import gettext, gettext_noop

if TYPE_CHECKING:
    from halab.models.retry_policy import Retry

__all__ = ["Trial", "show_trial"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640.0, 150.0, 46.0, 22.0
_HEADINGS = (gettext_noop("what it did"), "")


def show_trial(policy: Retry, scenario: Scenario) -> Trial:
    """Send the scenario's clients with this policy through its outage. Raises what `judge` raises."""
    return Trial(judge(policy, scenario), scenario)


@dataclass(frozen=True, repr=False)
class Trial:
    """A report on a policy as one sentence, one picture and a table."""

    report: RetryReport
    scenario: Scenario

    @property
    def sentence(self) -> str:
        """What users, the service and the rows got of it, in words."""
        report, sent = self.report, self.scenario.rate * self.scenario.outage
        words = gettext(
            "Simulated: of about {sent:.0f} requests sent during the outage {failed_during} "
            "failed for good; the service got {amplification:.1f} attempts for each; "
            "{duplicates} rows are there twice."
        ).format(
            sent=sent,
            failed_during=report.failed_during,
            amplification=report.amplification,
            duplicates=report.duplicates,
        )
        if report.failed_after:
            words += gettext(
                " A storm: {failed_after} requests failed after the outage, the last of them "
                "{settled:.0f} s after it."
            ).format(failed_after=report.failed_after, settled=report.settled)
        return words

    @property
    def alt(self) -> str:
        """The picture in words."""
        report = self.report
        return gettext(
            "Attempts in each second, as a multiple of the normal rate. Most: {peak:.1f}; after "
            "the outage: {peak_after:.1f}."
        ).format(peak=report.peak, peak_after=report.peak_after)

    def _rows(self) -> list[tuple[str, str]]:
        report = self.report
        return [
            (gettext("failed: requests without an answer in the end"), str(report.failed)),
            (
                gettext("amplification: attempts for each request during the outage"),
                f"{report.amplification:.1f}",
            ),
            (gettext("duplicates: rows that are there twice"), str(report.duplicates)),
            (gettext("unsafe: inserts sent again that may have happened"), str(report.unsafe)),
            (gettext("peak: most attempts in a second, of the normal rate"), f"{report.peak:.1f}"),
            (
                gettext("slowest: until the slowest good answer"),
                gettext("{time} s").format(time=f"{report.slowest:.1f}"),
            ),
        ]

    def __repr__(self) -> str:
        table = text_table(gettext("The trial"), _HEADINGS, self._rows())
        return f"{self.sentence}\n{self.alt}\n\n{table}"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in self._rows())
        key = gettext("A bar is a second; the grey band is the outage, the dashed line the normal rate.")
        figures = gettext("All figures of this trial")
        return (
            f'<p style="font-size: 1.15em; font-weight: 600">{html.escape(self.sentence)}</p>'
            f"{self._picture()}<p>{html.escape(key)}</p>"
            f"<details><summary>{html.escape(figures)}</summary><table>{rows}</table></details>"
        )

    def _picture(self) -> str:
        begin, back, end = self.scenario.outage_at, self.scenario.back_at, self.scenario.end
        most = max(self.report.peak, 2.0)
        width = (_WIDTH - _LEFT) / end

        def x(second: float) -> float:
            return _LEFT + second * width

        def y(load: float) -> float:
            return _HEIGHT - load / most * (_HEIGHT - 12)

        band = f'<rect x="{x(begin):.1f}" y="0" width="{(back - begin) * width:.1f}" height="{_HEIGHT}" '
        parts = [f'{band}fill="currentColor" opacity="0.14"/>']
        for second, load in self.report.load_by_second:
            if second < end:
                parts.append(
                    f'<rect x="{x(second) + 0.5:.1f}" y="{y(load):.1f}" width="{width - 1:.1f}" '
                    f'height="{_HEIGHT - y(load):.1f}" fill="var(--jp-brand-color1, #1976d2)"/>'
                )
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y(1):.1f}" y2="{y(1):.1f}" stroke="currentColor" '
            'stroke-dasharray="5 4"/>'
        )
        for load in (1.0, most):
            parts.append(f'<text x="{_LEFT - 4}" y="{y(load) + 4:.1f}" text-anchor="end">{load:.1f}x</text>')
        for second in range(0, int(end) + 1, 5):
            named = gettext("{time} s").format(time=second)
            anchor = "end" if second == int(end) else "middle"
            parts.append(
                f'<text x="{x(second):.1f}" y="{_HEIGHT + 15}" text-anchor="{anchor}">{named}</text>'
            )
        box = f"0 0 {_WIDTH} {_HEIGHT + _BOTTOM}"
        return (
            f'<svg role="img" aria-label="{html.escape(self.alt)}" viewBox="{box}" '
            'style="width: 100%; max-width: 900px; font-size: 12px; fill: currentColor">'
            f"{''.join(parts)}</svg>"
        )
