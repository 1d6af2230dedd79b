"""What lesson 4 calls: writes with one, two and three replicas, beside the prediction and card 4.

The learner's own figure answers QUESTIONS: how much longer, in percent, a write takes with three replicas
than with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from halab.course.cards import card
from halab.errors import MeasurementError
from halab.lessons.card_findings import finding, ratio_verdict, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    cluster,
    keep,
    prediction_before,
    show_card,
    table,
)
from halab.measure.experiments.comparison_view import Line, Ratios, RatioView, beside_card, decision
from halab.measure.experiments.write_cost import Cost, costs, spread, turn_ratios, writing
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import mark_title, run_remarks, simulated_remark
from halab.measure.journal.validity import for_the_record, validity_remark
from halab.models.bootstrap import Interval
from halab.models.replication import Copy, Write, parallel, quorum, serial, straggling, through_log
from halab.tables import Table
from halab.translation import LazyText, gettext, gettext_lazy, gettext_noop, language
from halab.widgets.card_view import Finding
from halab.widgets.write_race import WriteRace

__all__ = [
    "QUESTIONS",
    "Copy",
    "PredictionForm",
    "WriteRace",
    "cluster",
    "compare_writes",
    "costs",
    "keep",
    "latencies",
    "parallel",
    "quorum",
    "results",
    "serial",
    "show_card",
    "show_costs",
    "simulated_remark",
    "straggling",
    "table",
    "through_log",
    "verdict",
    "writes_table",
    "writing",
]

QUESTIONS = (
    Question(
        "insert and strong search with 1, 2, 3 replicas",
        "percent",
        gettext_lazy("How much longer does a write take with three replicas than with one?"),
        LazyText("%"),
        low=-99,
        high=1000,
    ),
)
"""What a form asks about the lab of lesson 4."""

_TITLE = gettext_noop("1,000 rows: what do three replicas cost the writer?")
_HEADINGS = ("", gettext_noop("you said"), gettext_noop("the card says"), gettext_noop("here"))


def compare_writes(journal: Journal) -> Table:
    """Prediction, card and measurement. A prediction counts if it was made before the measurement began.

    Raises MeasurementError unless one and three replicas were measured.
    """
    says = card(4, "en").claims
    single, triple, ratio = _both(journal)
    rows = (
        (gettext("one replica"), "-", says["one-copy"].text(language()), _seconds(single)),
        (gettext("three replicas"), "-", says["three-copies"].text(language()), _seconds(triple)),
        (
            gettext("three against one"),
            _predicted(journal),
            f"{says['extra-time'].high:+g} %",
            percent(ratio),
        ),
    )
    remarks = (*run_remarks(journal), for_the_record(verdict(ratio, single.turns), journal))
    return Table(mark_title(_TITLE, journal), _HEADINGS, rows, remarks)


def verdict(ratio: Interval, turns: int) -> str:
    """The sentence that an interval of the ratio three to one allows, and no more."""
    extra = _card_ratio()
    decided = decision(ratio, extra, turns)
    if decided == "more":
        first = gettext(
            "With three replicas a write took longer here, {percent}: more than chance explains."
        ).format(percent=percent(ratio))
    elif decided == "less":
        first = gettext(
            "With three replicas a write took less time here, {percent}: something else than "
            "replicas differed."
        ).format(percent=percent(ratio))
    else:
        return gettext("Three replicas against one: {percent}; {decided}.").format(
            percent=percent(ratio), decided=decided
        )
    return f"{first} {beside_card(ratio, extra, f'+{100 * (extra - 1):.0f} %')}"


def show_costs(journal: Journal) -> RatioView:
    """What replicas cost the writer: a sentence, every turn beside the interval, and the tables folded.

    Raises MeasurementError unless one and three replicas were measured.
    """
    single, _, ratio = _both(journal)
    ratios = [
        Ratios(
            gettext("{replicas} replicas").format(replicas=row.replicas),
            row.ratio,
            turn_ratios(journal, row.replicas),
        )
        for row in costs(journal).rows
        if row.ratio
    ]
    lines = [Line(gettext("as with one"), 1.0, "stroke-width: 1.5"), Line(gettext("the card"), _card_ratio())]
    figures = prediction_before(journal, 4)
    if "percent" in figures:
        lines.append(Line(gettext("you said"), 1 + figures["percent"] / 100, "stroke-dasharray: 1 4"))
    sentence, doubts = for_the_record(verdict(ratio, single.turns), journal), validity_remark(journal)
    return RatioView(
        sentence,
        ratios,
        lines,
        [costs(journal)],
        lambda r: f"{100 * (r - 1):+.0f} %",
        journal.simulated,
        doubts,
    )


def _card_ratio() -> float:
    return 1 + card(4, "en").claims["extra-time"].high / 100


def results(journal: Journal) -> dict[str, Finding]:
    """What the writes say to claims of card 4, by id: seconds of another machine compare with nothing, the
    extra time does."""
    if not sound(journal):
        return unproven("one-copy", "three-copies", "extra-time")
    single, triple, ratio = _both(journal)
    return {
        "one-copy": _of_seconds(journal, single),
        "three-copies": _of_seconds(journal, triple),
        "extra-time": finding(
            [journal],
            ratio_verdict(ratio, _card_ratio()),
            gettext_lazy("{percent}, 95 % interval", percent=partial(percent, ratio)),
            gettext_lazy("a smaller difference")
            if ratio.high < _card_ratio()
            else gettext_lazy("a larger difference"),
            measured=[100 * (value - 1) for value in ratio],
            predicted=said_before([journal], 4, "percent"),
        ),
    }


def _of_seconds(journal: Journal, cost: Cost) -> Finding:
    shown = spread(cost.acknowledged, 1, 3)
    words = gettext_lazy("{seconds} s, one request, on this machine", seconds=shown)
    return finding([journal], "incomparable", words, measured=[cost.acknowledged.median])


def percent(ratio: Interval) -> str:
    """A ratio's interval as a difference, such as "+2 % (-5 to +9)"."""
    low, median, high = (f"{100 * (value - 1):+.0f}" for value in ratio)
    return gettext("{median} % ({low} to {high})").format(median=median, low=low, high=high)


def _both(journal: Journal) -> tuple[Cost, Cost, Interval]:
    rows = {row.replicas: row for row in costs(journal).rows}
    if min(rows) != 1 or 3 not in rows or rows[3].ratio is None:
        raise MeasurementError(
            gettext("the card compares one and three replicas, and {found} were measured").format(
                found=sorted(rows)
            ),
            hint=gettext("measure with writing(cluster, replicas=(1, 2, 3))"),
        )
    return rows[1], rows[3], rows[3].ratio


def _seconds(cost: Cost) -> str:
    return gettext("{time} s").format(time=spread(cost.acknowledged, 1, 3))


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 4)
    return f"{figures['percent']:+g} %" if "percent" in figures else "-"


def writes_table(writes: Mapping[str, Write]) -> Table:
    """Mean times of writes by name, milliseconds: until acknowledged, and until every copy has it."""
    rows = [(name, write.acknowledged, write.everywhere) for name, write in writes.items()]
    return table(
        gettext("One write, on average"),
        ("", gettext_noop("acknowledged (ms)"), gettext_noop("in every copy (ms)")),
        rows,
    )


def latencies(journal: Journal, replicas: int) -> list[float]:
    """Milliseconds of each write into the collection with so many replicas."""
    turns = [turn for turn in journal.phases if turn.settings.get("replicas") == replicas]
    return [
        1000 * write.latency
        for write in journal.samples("insert")
        if any(turn.start <= write.intended < turn.end for turn in turns)
    ]
