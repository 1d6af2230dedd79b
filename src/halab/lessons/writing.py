"""What lesson 4 calls: writes with one, two and three replicas, beside the prediction and card 4.

The learner's own figure is kept as predict(4, THREE_REPLICAS, percent=20): how much longer, in percent, a
write takes with three replicas than with one.
"""

from __future__ import annotations

from collections.abc import Mapping

from halab.course.cards import card
from halab.errors import MeasurementError
from halab.lessons.common import cluster, keep, predict, prediction_before, show_card, table
from halab.measure.experiments.write_cost import Cost, costs, spread, writing
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance, simulated_remark
from halab.models.bootstrap import Interval
from halab.models.replication import Copy, Write, parallel, quorum, serial, straggling, through_log
from halab.tables import Table
from halab.widgets.write_race import WriteRace

__all__ = [
    "THREE_REPLICAS",
    "Copy",
    "WriteRace",
    "cluster",
    "compare_writes",
    "costs",
    "keep",
    "latencies",
    "parallel",
    "predict",
    "quorum",
    "results",
    "serial",
    "show_card",
    "simulated_remark",
    "straggling",
    "table",
    "through_log",
    "verdict",
    "writes_table",
    "writing",
]

THREE_REPLICAS = "writing with three replicas"
"""The experiment a prediction of lesson 4 is kept under."""


_TITLE = "1,000 rows: what do three replicas cost the writer?"
_HEADINGS = ("", "you said", "the card says", "here")


def compare_writes(journal: Journal) -> Table:
    """Prediction, card and measurement. A prediction counts if it was made before the measurement began.

    Raises MeasurementError unless one and three replicas were measured.
    """
    says = card(4, "en").claims
    one, three, ratio = _both(journal)
    rows = (
        ("one replica", "-", says["one-copy"].text(), _seconds(one)),
        ("three replicas", "-", says["three-copies"].text(), _seconds(three)),
        ("three against one", _predicted(journal), f"{says['extra-time'].high:+g} %", percent(ratio)),
    )
    return Table(_TITLE, _HEADINGS, rows, (*simulated_remark(journal), verdict(ratio)))


def verdict(ratio: Interval) -> str:
    """The sentence that an interval of the ratio three to one allows, and no more."""
    extra = 1 + card(4, "en").claims["extra-time"].high / 100
    if ratio.low > 1:
        first = "With three replicas a write took longer here, and more than chance explains."
    elif ratio.high < 1:
        first = "With three replicas a write took less time here: something else than replicas differed."
    else:
        first = "No difference was shown: 0 % lies inside the interval."
    where = "inside" if ratio.low <= extra <= ratio.high else "outside"
    return f"{first} The card's +{100 * (extra - 1):.0f} % lies {where} it."


def results(journal: Journal) -> dict[str, str]:
    """What the writes say to claims of card 4, in words by id; each says whether it was simulated."""
    one, three, ratio = _both(journal)
    how = provenance(journal)
    return {
        "one-copy": f"{_seconds(one)} ({how}, one request)",
        "three-copies": f"{_seconds(three)} ({how}, one request)",
        "extra-time": f"{percent(ratio)} ({how}, 95 % interval)",
    }


def percent(ratio: Interval) -> str:
    """A ratio's interval as a difference, such as "+2 % (-5 to +9)"."""
    low, median, high = (f"{100 * (value - 1):+.0f}" for value in ratio)
    return f"{median} % ({low} to {high})"


def _both(journal: Journal) -> tuple[Cost, Cost, Interval]:
    found = {row.replicas: row for row in costs(journal).rows}
    if min(found) != 1 or 3 not in found or found[3].ratio is None:
        raise MeasurementError(
            f"the card compares one and three replicas, and {sorted(found)} were measured",
            hint="measure with writing(cluster, replicas=(1, 2, 3))",
        )
    return found[1], found[3], found[3].ratio


def _seconds(cost: Cost) -> str:
    return f"{spread(cost.acknowledged, 1, 3)} s"


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 4, THREE_REPLICAS)
    return f"{figures['percent']:+g} %" if "percent" in figures else "-"


def writes_table(writes: Mapping[str, Write]) -> Table:
    """Mean times of writes by name, milliseconds: until acknowledged, and until every copy has it."""
    rows = [(name, write.acknowledged, write.everywhere) for name, write in writes.items()]
    return table("One write, on average", ("", "acknowledged (ms)", "in every copy (ms)"), rows)


def latencies(journal: Journal, replicas: int) -> list[float]:
    """Milliseconds of each write into the collection with so many replicas."""
    turns = [turn for turn in journal.phases if turn.settings.get("replicas") == replicas]
    return [
        1000 * write.latency
        for write in journal.samples("insert")
        if any(turn.start <= write.intended < turn.end for turn in turns)
    ]
