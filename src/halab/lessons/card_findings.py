"""What a lesson's runs say to the claims of its card: a verdict where they prove one, in both languages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from halab.course.catalogue import Bilingual
from halab.lessons.common import prediction_before, recovery
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance
from halab.measure.journal.validity import objections
from halab.models.bootstrap import Interval
from halab.widgets.card_view import Finding, RunVerdict

__all__ = ["finding", "listed", "named", "ratio_verdict", "recovered", "said_before", "sound", "unproven"]

_NOBODY = Bilingual("", "")


def sound(*journals: Journal) -> list[Journal]:
    """The runs that nothing speaks against: the others prove nothing, and say nothing to a card."""
    return [journal for journal in journals if not objections(journal)]


def unproven(*claims: str) -> dict[str, Finding]:
    """The findings of a run that proves nothing on the claims it was to test, by claim id."""
    words = Bilingual(
        "what speaks against this run stands above its picture. Run the lab's cell again when little else "
        "runs on this machine.",
        "为什么说明不了，写在那次运行的图上方。等机器空一些，把实验那一格再跑一遍。",
    )
    return dict.fromkeys(claims, Finding("unproven", words))


def finding(
    journals: Sequence[Journal],
    verdict: RunVerdict,
    words: Bilingual,
    by: Bilingual = _NOBODY,
    measured: Iterable[float] = (),
    predicted: Iterable[float] = (),
) -> Finding:
    """A finding of these runs, in words that say how it came about; figures without an end are not drawn.

    A simulation is compared with no card: its words stand there, without a figure on the axis.
    """
    simulated = provenance(*journals) == "simulated"
    told = Bilingual(
        f"{words.en} ({'simulated' if simulated else 'measured'}).",
        f"{words.zh}（{'模拟' if simulated else '实测'}）。",
    )
    if simulated:
        return Finding("incomparable", told)
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


def listed(parts: Iterable[Bilingual]) -> Bilingual:
    """One thing after the other, apart by semicolons."""
    parts = list(parts)
    return Bilingual("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def named(parts: Iterable[Bilingual]) -> Bilingual:
    """One name after the other, as what breaks a claim."""
    parts = list(parts)
    return Bilingual(" and ".join(part.en for part in parts), "、".join(part.zh for part in parts))


def recovered(journal: Journal, operation: str) -> Bilingual:
    """How long an operation was out of service: "1.5 s", "not noticed" or "not recovered"."""
    said = recovery(journal, operation)
    chinese = {"not noticed": "没受影响", "not recovered": "没有恢复"}
    return Bilingual(said, chinese.get(said, f"停了 {said.removesuffix(' s')} 秒"))
