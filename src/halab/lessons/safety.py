"""What lesson 8 calls: mistakes, each beside what the learner said and what card 8 says of it.

The learner's own figures are kept as predict(8, "delete rows", found=0, seconds=10): how many of a hundred
searches after the command still find something, and how long the restore takes.
"""

from __future__ import annotations

from halab.course.cards import card
from halab.lessons.common import (
    Retriever,
    cluster,
    keep,
    predict,
    prediction_before,
    show_card,
    summary,
)
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import KEEPS_NO_ROWS, provenance, simulated_remark
from halab.protect.backup.mistake import DataLossReport, data_loss_report, mistake
from halab.tables import Row, Table
from halab.widgets.protection_table import ProtectionTable

__all__ = [
    "ProtectionTable",
    "Retriever",
    "cluster",
    "compare_mistakes",
    "data_loss_report",
    "keep",
    "mistake",
    "predict",
    "results",
    "show_card",
    "summary",
]

_TITLE = "After the command"
_HEADINGS = ("mistake", "", "still found", "restore", "rows lost", "window")


def compare_mistakes(*journals: Journal) -> Table:
    """Prediction, card and measurement of each mistake.

    A prediction counts if it was made before the measurement began. Raises MeasurementError for a
    journal that is none of a mistake.
    """
    claims = card(8, "en").claims
    rows: list[Row] = [
        ("any", "the card", "-", claims["backup-rto"].text(), "-", f"up to {claims['daily-loss'].text()}")
    ]
    for journal in journals:
        found, how = data_loss_report(journal), provenance(journal)
        rows.append((experiment_of(journal), "you said", *_predicted(journal), "-", "-"))
        rows.append((experiment_of(journal), how, _found(found), _took(found), *_lost(found)))
    remarks = ["Still found: searches after the command that found what had been there."]
    remarks += simulated_remark(*journals, detail=KEEPS_NO_ROWS)
    return Table(_TITLE, _HEADINGS, tuple(rows), tuple(remarks))


def results(*journals: Journal) -> dict[str, str]:
    """What mistakes say to claims of card 8, in words by claim id; nothing where nothing was measured."""
    real = [
        (experiment_of(journal), data_loss_report(journal)) for journal in journals if not journal.simulated
    ]
    said = {
        "replicas": [f"{name}: {_found(one)} searches still found something" for name, one in real],
        "backup-rto": [f"{name}: restored in {_took(one)}" for name, one in real],
        "daily-loss": [f"{name}: {_lost(one)[1]} of data lost" for name, one in real],
    }
    return {claim: f"{'; '.join(words)} (measured)" for claim, words in said.items() if words}


def _predicted(journal: Journal) -> tuple[str, str]:
    numbers = prediction_before(journal, 8, experiment_of(journal))
    return (
        f"{numbers['found']:g} of 100" if "found" in numbers else "-",
        f"{numbers['seconds']:g} s" if "seconds" in numbers else "-",
    )


def _found(one: DataLossReport) -> str:
    return "not measured" if one.last_found is None else f"{one.still_found} of {one.searches}"


def _took(one: DataLossReport) -> str:
    return "not measured" if one.restore_seconds is None else f"{one.restore_seconds:.1f} s"


def _lost(one: DataLossReport) -> tuple[str, str]:
    if one.window is None:
        return "not counted", "not counted"
    return str(sum(rows.missing for rows in one.rows)), f"{one.window:.1f} s"
