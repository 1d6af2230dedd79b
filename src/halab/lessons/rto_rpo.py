"""What lesson 7 calls: disasters, each beside what the learner said and what card 7 says of it.

The learner's own figures are kept as predict(7, "rows lost, crash log", percent=0): of the rows that were
acknowledged and not flushed, how many of a hundred will be missing.
"""

from __future__ import annotations

from collections.abc import Callable

from halab.course.cards import card
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    cluster,
    keep,
    predict,
    prediction_before,
    recovery,
    show_card,
    show_run,
    table,
)
from halab.measure.experiments.disaster import UNFLUSHED, Loss, disaster, loss
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import KEEPS_NO_ROWS, provenance, simulated_remark
from halab.models.recovery import Periodic, retention, retention_gap
from halab.models.samples import Outcome
from halab.tables import Row, Table
from halab.widgets.recovery_planner import RecoveryPlanner

__all__ = [
    "Periodic",
    "PredictionForm",
    "RecoveryPlanner",
    "Retriever",
    "achieved",
    "acknowledged",
    "cluster",
    "compare_losses",
    "disaster",
    "keep",
    "loss",
    "predict",
    "results",
    "retention",
    "retention_gap",
    "show_card",
    "show_run",
    "still_there",
    "table",
]

_TITLE = "Acknowledged rows that were not flushed: how many are missing?"
_HEADINGS = ("disaster", "you said", "the card says", "missing", "RTO, insert", "RTO, search")


def compare_losses(*journals: Journal) -> Table:
    """Prediction, card and measurement of each disaster.

    A prediction counts if it was made before the measurement began. Raises MeasurementError for a journal
    that is none of a disaster.
    """
    says = card(7, "en").claims["replicas-rpo"]
    remarks = [*simulated_remark(*journals, detail=KEEPS_NO_ROWS)]
    remarks.append("RTO: from the disaster to the first lasting answer.")
    return Table(
        _TITLE,
        _HEADINGS,
        tuple(
            (
                experiment_of(journal),
                _predicted(journal),
                f"RPO {says.high:g}",
                _share(loss(journal)),
                *(recovery(journal, operation) for operation in ("insert", "search")),
            )
            for journal in journals
        ),
        tuple(remarks),
    )


def results(*journals: Journal) -> dict[str, str]:
    """What disasters say to claims of card 7, in words by claim id; each says whether it was simulated."""
    said = {"replicas-rto": "; ".join(_recovered(journal) for journal in journals)}
    counted = [journal for journal in journals if journal.count]
    if counted:
        said["replicas-rpo"] = "; ".join(
            f"{experiment_of(journal)}: {_share(loss(journal))} of the unflushed rows missing (measured)"
            for journal in counted
        )
    return said


def _recovered(journal: Journal) -> str:
    how = provenance(journal)
    return f"{experiment_of(journal)}: insert {recovery(journal, 'insert')} ({how})"


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 7, f"rows lost, {experiment_of(journal)}")
    return f"{figures['percent']:g} %" if "percent" in figures else "-"


def _share(found: Loss) -> str:
    """The missing share of the unflushed rows; of all before the disaster where no flush was made."""
    group = next((rows for rows in found.rows if rows.when == UNFLUSHED), found.rows[0])
    if found.window is None or not group.acknowledged:
        return "not counted"
    return f"{100 * group.missing / group.acknowledged:.0f} % ({group.missing} of {group.acknowledged})"


def acknowledged(journal: Journal) -> dict[int, float]:
    """When each acknowledged row was acknowledged (seconds on the journal's clock), by its key."""
    return {
        sample.key: sample.done
        for sample in journal.samples("insert")
        if sample.outcome is Outcome.OK and sample.key is not None
    }


def still_there(journal: Journal) -> set[int] | None:
    """The keys of the acknowledged rows that were there afterwards; None if they were not counted."""
    return None if journal.count is None else set(acknowledged(journal)) - set(journal.count.missing)


def achieved(rpo: Callable[..., tuple[int, float]], *journals: Journal) -> Table:
    """Rows and seconds lost in each disaster, worked out by the learner's own function."""
    rows: list[Row] = []
    for journal in journals:
        there, at = still_there(journal), journal.faults[0].at
        rows.append(
            (experiment_of(journal), "not counted", "not counted")
            if there is None
            else (experiment_of(journal), *map(_figure, rpo(acknowledged(journal), there, at)))
        )
    headings = ("disaster", "rows lost", "data lost (s)")
    remarks = simulated_remark(*journals, detail=KEEPS_NO_ROWS)
    return Table("RPO, as it was achieved", headings, tuple(rows), remarks)


def _figure(value: float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
