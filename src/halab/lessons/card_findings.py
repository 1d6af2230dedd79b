"""What a lesson's runs say to the claims of its card: a verdict where they prove one, in both languages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import reduce

from halab.lessons.common import outage_seconds, prediction_before
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance
from halab.measure.journal.validity import objections
from halab.models.bootstrap import Interval
from halab.translation import NO_TEXT, LazyText, gettext_lazy, pgettext_lazy
from halab.widgets.card_view import Finding, RunVerdict

__all__ = ["finding", "listed", "named", "ratio_verdict", "recovered", "said_before", "sound", "unproven"]


def sound(*journals: Journal) -> list[Journal]:
    """The runs that nothing speaks against: the others prove nothing, and say nothing to a card."""
    return [journal for journal in journals if not objections(journal)]


def unproven(*claims: str) -> dict[str, Finding]:
    """The findings of a run that proves nothing on the claims it was to test, by claim id."""
    words = gettext_lazy(
        "what speaks against this run stands above its picture. Run the lab's cell again when little else "
        "runs on this machine."
    )
    return dict.fromkeys(claims, Finding("unproven", words))


def finding(
    journals: Sequence[Journal],
    verdict: RunVerdict,
    words: LazyText,
    by: LazyText = NO_TEXT,
    measured: Iterable[float] = (),
    predicted: Iterable[float] = (),
) -> Finding:
    """A finding of these runs, in words that say how it came about; figures without an end are not drawn.

    A simulation is compared with no card: its words stand there, without a figure on the axis.
    """
    simulated = provenance(*journals) == "simulated"
    if simulated:
        return Finding("incomparable", gettext_lazy("{finding} (simulated).", finding=words))
    told = gettext_lazy("{finding} (measured).", finding=words)
    drawn = tuple(figure for figure in measured if math.isfinite(figure))
    return Finding(verdict, told, by, drawn, tuple(predicted))


def said_before(journals: Iterable[Journal], number: int, name: str) -> list[float]:
    """What was predicted under `name` of each run of a card before it began, where it was."""
    made = (prediction_before(journal, number) for journal in journals)
    return [figures[name] for figures in made if name in figures]


def ratio_verdict(ratio: Interval, card: float) -> RunVerdict:
    """Whether a card's ratio is held: "" as long as neither it nor "no difference" (1) is ruled out."""
    if not ratio.low <= card <= ratio.high:
        return "broken"
    return "held" if ratio.low > 1 or ratio.high < 1 else ""


def listed(parts: Iterable[LazyText]) -> LazyText:
    """One thing after the other, apart by semicolons."""
    return reduce(lambda first, second: gettext_lazy("{first}; {second}", first=first, second=second), parts)


def named(parts: Iterable[LazyText]) -> LazyText:
    """One name after the other, as what breaks a claim; "" of none."""
    parts = list(parts)
    if not parts:
        return NO_TEXT
    return reduce(
        lambda first, second: gettext_lazy("{first} and {second}", first=first, second=second), parts
    )


def recovered(journal: Journal, operation: str) -> LazyText:
    """How long an operation was out of service: "1.5 s", "not noticed" or "not recovered"."""
    seconds = outage_seconds(journal, operation)
    if seconds is None:
        return pgettext_lazy("an operation", "not noticed")
    if math.isinf(seconds):
        return pgettext_lazy("an operation", "not recovered")
    return pgettext_lazy("an operation", "{seconds:.1f} s", seconds=seconds)
