"""What lesson 2 calls: a fault repeated, its mean outage with an interval, and how many a promise pays for.

runs = repeat(cluster, "crash active rootcoord", retriever=retriever, times=5)
failover_time(runs)                 # 10.6 (9.8 to 11.4, 95% interval, n = 5), say
price_list(runs)                    # how many such failovers a month 99.9 %, 99.99 %, 99.999 % allow
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from halab.cluster.profiles import PROFILES
from halab.cluster.protocol import Cluster
from halab.errors import MeasurementError
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    cluster,
    experiment,
    keep,
    plot,
    prediction_before,
    show_card,
    table,
)
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rto
from halab.measure.journal.summaries import repeat_summary
from halab.measure.journal.title_marks import provenance, simulated_remark
from halab.models.availability import Calendar, downtime, parallel
from halab.models.availability_repair import Chain
from halab.models.availability_repair import milvus as milvus_chain
from halab.models.availability_slo import ALERTS, MeanInterval, failovers_allowed, mean_interval
from halab.sim.monte_carlo import simulate_years
from halab.tables import Row, Table
from halab.widgets.availability_calculator import Calculator

__all__ = [
    "ALERTS",
    "PROFILES",
    "SLOS",
    "Calculator",
    "Calendar",
    "PredictionForm",
    "Retriever",
    "chain_table",
    "cluster",
    "compare_chains",
    "downtime",
    "experiment",
    "failover_time",
    "keep",
    "milvus_chain",
    "outages_of",
    "parallel",
    "plot",
    "price_list",
    "repeat",
    "repeat_summary",
    "results",
    "show_card",
    "simulate_years",
    "table",
]

SLOS = (0.999, 0.9999, 0.99999)
"""The promises that are priced."""

CARD = 2


def repeat(
    cluster: Cluster, fault: str, *, retriever: Retriever, times: int, seconds: float = 15.0
) -> list[Journal]:
    """Run one experiment so many times, and keep each journal as soon as it is there.

    So an interruption costs the run under way and none before it. Raises MeasurementError for fewer than two
    repeats, which give no interval, and what `experiment` raises.
    """
    if times < 2:
        raise MeasurementError(
            f"an interval needs at least two repeats, not {times}", hint="five take two or three minutes"
        )
    journals = []
    for number in range(1, times + 1):
        print(f"Run {number} of {times}")
        journals.append(experiment(cluster, fault, retriever=retriever, seconds=seconds, seed=number))
        keep(journals[-1], CARD)
    return journals


def outages_of(journals: Sequence[Journal], operation: str = "search") -> list[float]:
    """How long each run's outage lasted for its users, seconds; 0 where nobody noticed.

    Raises MeasurementError if the journals are not of one experiment, or if service did not come back in one.
    """
    kinds = {(experiment_of(journal), journal.header.engine) for journal in journals}
    if len(kinds) != 1:
        raise MeasurementError(
            f"repeats are runs of one experiment, and these are of {len(kinds)}",
            hint="take the journals of one fault, measured on one engine",
        )
    lengths = [_length(journal, operation) for journal in journals]
    if unending := [number for number, length in enumerate(lengths, 1) if math.isinf(length)]:
        raise MeasurementError(
            f"{operation} did not come back while run {unending[0]} was recorded: its outage has no length",
            hint="repeat with more seconds, such as repeat(..., seconds=30)",
        )
    return lengths


def _length(journal: Journal, operation: str) -> float:
    at = min((fault.at for fault in journal.faults), default=0.0)
    length = rto(journal.samples(operation), at)
    return 0.0 if length is None else length


def failover_time(journals: Sequence[Journal], operation: str = "search") -> MeanInterval:
    """The mean outage of these repeats, seconds, with its 95 % interval. Raises MeasurementError."""
    lengths = outages_of(journals, operation)
    try:
        return mean_interval(lengths)
    except ValueError as error:
        raise MeasurementError(str(error), hint="run the experiment again; every run is kept") from None


_HEADINGS = ("", "one failover\n(seconds)", *(f"{slo * 100:.5g} %" for slo in SLOS))


def price_list(
    journals: Sequence[Journal], operation: str = "search", calendar: Calendar | None = None
) -> Table:
    """What promises pay for at your prediction, on the card and as it was measured: failovers a month.

    The prediction is the last one made for this fault before the first run. Raises MeasurementError.
    """
    calendar = calendar or Calendar()
    found = failover_time(journals, operation)
    first = journals[0]
    rows: list[Row] = []
    if said := _predicted(first):
        rows.append(_row("your prediction", f"{said:.1f}", calendar, said, said))
    rows.append(("the card", "0: not counted", *("any number" for _ in SLOS)))
    word = provenance(first)
    span = f"{found.mean:.1f} ({found.low:.1f}–{found.high:.1f})"
    rows.append(_row(f"{word}, {found.n} runs", span, calendar, found.low, found.high))
    remarks = [
        *simulated_remark(first),
        f"Failovers a month that the error budget pays for, in {calendar}.",
        "In brackets: the 95 % interval of the mean (Student's t), and what it leaves of the number.",
    ]
    return Table(f"{operation}: {experiment_of(first)}", _HEADINGS, tuple(rows), tuple(remarks))


def results(journals: Sequence[Journal], operation: str = "search") -> dict[str, str]:
    """What these repeats say to the claims of card 2, in words by claim id."""
    found = failover_time(journals, operation)
    word = provenance(journals[0])
    how = f"failovers of {found.mean:.1f} s ({word}, {operation}, n = {found.n})"
    yearly = {"two-copies-year": 0.9999, "three-copies-year": 0.999999, "target-year": 0.999}
    return {
        claim: f"it pays for {_count(slo, found.mean, Calendar().year)} {how}"
        for claim, slo in yearly.items()
    }


def _row(name: str, shown: str, calendar: Calendar, low: float, high: float) -> Row:
    return (name, shown, *(_span(slo, low, high, calendar.month) for slo in SLOS))


def _span(slo: float, low: float, high: float, month: float) -> str:
    few, many = _count(slo, high, month), _count(slo, low, month)
    return few if few == many else f"{few}–{many}"


def _count(slo: float, failover: float, period: float) -> str:
    allowed = failovers_allowed(slo, failover, period)
    return "any number" if math.isinf(allowed) else f"{allowed:,.0f}"


def _predicted(journal: Journal) -> float | None:
    """How long the learner said the outage would be, seconds; None without a prediction of two times."""
    figures = prediction_before(journal, CARD, experiment_of(journal))
    if not {"first_failure", "last_failure"} <= figures.keys():
        return None
    return figures["last_failure"] - figures["first_failure"]


def chain_table(chain: Chain) -> Table:
    """The blocks of a chain: copies, how many of them are needed, availability, downtime in hours a year."""
    rows = [
        (block.name, f"{block.needed} of {block.copies}", *_availability(block.availability))
        for block in chain.blocks
    ]
    headings = ("block", "needed", "availability (%)", "downtime\n(h a year)")
    return Table(
        "Each is needed", headings, (*rows, ("all together", "", *_availability(chain.availability)))
    )


def compare_chains(chains: Mapping[str, Chain]) -> Table:
    """Chains by name: their availability, downtime in hours a year, and the block that is down most."""
    rows = [(name, *_availability(chain.availability), chain.weakest.name) for name, chain in chains.items()]
    headings = ("", "availability (%)", "downtime\n(h a year)", "down most")
    return Table("What is worth changing?", headings, tuple(rows))


def _availability(availability: float) -> tuple[str, str]:
    return f"{100 * availability:.4f}", f"{downtime(availability, Calendar().year) / 3600:.2f}"
