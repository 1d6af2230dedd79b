"""What lesson 5 calls: searches with more replicas, beside the prediction and card 5.

The learner's own figure is kept as predict(5, WITH_LIMIT, times=2.8): how many times as many searches a
second three replicas answer as one does.
"""

from __future__ import annotations

from halab.course.cards import card
from halab.errors import MeasurementError
from halab.lessons.common import Retriever, cluster, keep, plot, predict, prediction_before, show_card, table
from halab.lessons.reading_balanced import (
    FULLER_PROXY,
    PROXY_CRASH,
    balancer_here,
    compare_connection_spread,
    compare_crash,
)
from halab.measure.experiments.behind_balancer import connection_spread, probe_behind_balancer
from halab.measure.experiments.read_scaling import Scaling, Step, reading, scaling, times
from halab.measure.experiments.throughput import Limit, speeds
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance, simulated_remark
from halab.models.bootstrap import Interval
from halab.models.capacity import mm1, mmc, nodes_needed
from halab.tables import Table
from halab.widgets.balancer_race import BalancerRace

__all__ = [
    "FULLER_PROXY",
    "PROXY_CRASH",
    "SHARING_CORES",
    "WITH_LIMIT",
    "BalancerRace",
    "Limit",
    "Retriever",
    "balancer_here",
    "cluster",
    "compare_connection_spread",
    "compare_crash",
    "compare_reads",
    "connection_spread",
    "keep",
    "mm1",
    "mmc",
    "nodes_needed",
    "plot",
    "predict",
    "probe_behind_balancer",
    "reading",
    "results",
    "scaling",
    "show_card",
    "simulated_remark",
    "speeds",
    "table",
]

SHARING_CORES = "reading from three replicas that share a machine"
"""The experiment of the nodes that take what the machine has, as a prediction is kept under."""

WITH_LIMIT = "reading from three replicas with a speed limit"
"""The experiment of the nodes made slow, as a prediction is kept under."""


_TITLE = "What do more replicas give the reader?"
_HEADINGS = ("", "you said", "the card says", "sharing cores", "with the limit")


def compare_reads(shared: Journal, limited: Journal) -> Table:
    """Predictions, card and both measurements. A prediction counts if it was made before its measurement.

    Raises MeasurementError unless one and three replicas were measured in both, the second with a limit.
    """
    if any("share" in phase.settings for phase in shared.phases) or not any(
        "share" in phase.settings for phase in limited.phases
    ):
        raise MeasurementError(
            "the first journal must be one without a speed limit, the second one with it",
            hint="compare_reads(reading(cluster), reading(cluster, limit=Limit()))",
        )
    says = {name: claim.high for name, claim in card(5, "en").claims.items()}
    both = [scaling(one) for one in (shared, limited)]
    three = f"x {says['three-copies'] / says['one-copy']:.1f}"
    five = f"x {says['qps-after'] / says['qps-before']:.0f}"
    rows = (
        ("one replica, a second", "-", f"{says['one-copy']:g}", *(_rate(one) for one in both)),
        (
            "three against one",
            f"{_predicted(shared, SHARING_CORES)}, {_predicted(limited, WITH_LIMIT)} with the limit",
            three,
            *(f"x {times(_three(one))}" for one in both),
        ),
        ("five against one", "-", five, *(f"x {_five(one)}" for one in both)),
    )
    remarks = [
        "Five were not measured: that is what the fitted law says, and it may not hold so far.",
        _verdict(_three(both[0]), "Sharing the machine's cores"),
        _verdict(_three(both[1]), "With the limit"),
    ]
    notes = dict.fromkeys((*shared.notes, *limited.notes))
    return Table(_TITLE, _HEADINGS, rows, (*remarks, *notes))


def results(shared: Journal, limited: Journal) -> dict[str, str]:
    """What both say to claims of card 5, in words by id; each says how it came about."""
    how = provenance(shared, limited)
    both = [scaling(one) for one in (shared, limited)]
    found = [f"{_rate(one)} ({how}, {name})" for one, name in zip(both, _NAMES, strict=True)]
    ratios = [f"x {times(_three(one))} ({how}, {name})" for one, name in zip(both, _NAMES, strict=True)]
    return {"one-copy": "; ".join(found), "three-copies": "; ".join(ratios)}


_NAMES = ("sharing cores", "speed limit")


def _verdict(ratio: Interval, how: str) -> str:
    """The sentence that an interval of three against one allows, and no more."""
    claims = card(5, "en").claims
    said = claims["three-copies"].high / claims["one-copy"].high
    if ratio.high < 1:
        first = "three replicas answered fewer searches than one"
    elif ratio.low > 1:
        first = "three replicas answered more searches than one"
    else:
        first = "no difference was shown: 1 lies inside the interval"
    where = "inside" if ratio.low <= said <= ratio.high else "outside"
    return f"{how}, {first}. The card's {said:.1f} lies {where} the interval."


def _step(found: Scaling, replicas: int) -> Step:
    one = next((row for row in found.rows if row.replicas == replicas and row.rate), None)
    if one is None:
        raise MeasurementError(
            f"the card compares one and three replicas, and {replicas} was not measured",
            hint="measure with reading(cluster, replicas=(1, 2, 3))",
        )
    return one


def _three(found: Scaling) -> Interval:
    ratio = _step(found, 3).ratio
    assert ratio is not None  # only one replica has none
    return ratio


def _rate(found: Scaling) -> str:
    one = _step(found, 1).rate
    assert one is not None
    return f"{one.median:.0f}"


def _five(found: Scaling) -> str:
    return f"{found.fit.law.rate(5) / found.fit.law.per_node:.1f}"


def _predicted(journal: Journal, experiment: str) -> str:
    figures = prediction_before(journal, 5, experiment)
    return f"x {figures['times']:g}" if "times" in figures else "-"
