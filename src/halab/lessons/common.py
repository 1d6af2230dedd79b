"""What every lesson does with a measurement: keep it, and lay it beside the prediction and the card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from halab.course.cards import card
from halab.course.paths import journals, work_dir
from halab.course.predictions import prediction
from halab.errors import CourseError
from halab.measure.experiments.fault_experiment import journal_name
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.plots import Claim, Picture, compare
from halab.measure.journal.summaries import summary

__all__ = [
    "card_claim",
    "in_one_picture",
    "keep",
    "kept",
    "recovery",
    "results",
    "unanswered",
]


def keep(journal: Journal, number: int) -> Path:
    """Save a journal among those of a card, `work/journals/NN-...`; the board counts it from then on.

    Keeping the same journal again changes nothing.
    """
    folder = work_dir() / "journals"
    folder.mkdir(parents=True, exist_ok=True)
    began = datetime.fromisoformat(journal.header.started).astimezone()
    name = Path(journal_name(experiment_of(journal), began)).stem
    # The digest keeps two runs of one second apart.
    path = folder / f"{number:02d}-{name}-{journal.digest[:8]}.jsonl"
    if not path.exists():
        journal.save(path)
    return path


def kept(number: int) -> list[Journal]:
    """Every journal kept for a card, oldest first."""
    return [Journal.load(path) for path in journals(number)]


def in_one_picture(
    journals: Journal | Sequence[Journal], number: int = 6, operation: str = "search"
) -> Picture:
    """The learner's prediction, the card and the measurement on one time axis, for one operation.

    The prediction is the last one made for this fault before the measurement began; there may be none.
    """
    first = journals if isinstance(journals, Journal) else journals[0]
    began = first.began
    made = prediction(number, experiment_of(first), before=began)
    said = _claim(made.numbers) if made else None
    return compare(said, card_claim(number), journals, operation)


def results(journal: Journal, operation: str = "search") -> dict[str, str]:
    """What a run says to claims of card 6, in words by claim id; each says whether it was simulated."""
    row = next(row for row in summary(journal).rows if row.operation == operation)
    how = f"{operation}, {'simulated' if journal.simulated else 'measured'}, TTL {journal.header.ttl:g} s"
    said = {"failed-requests": f"{row.failed + row.unknown} of {row.sent} ({how})"}
    if row.rto is not None and row.last_bad is not None:
        length = "not recovered" if math.isinf(row.rto) else f"{row.rto:.1f} s"
        said["outage-total"] = said["failover-takes"] = f"{length} ({how})"
        said["clients-back"] = f"last failure after {row.last_bad:.1f} s ({how})"
    return said


def unanswered(journal: Journal) -> str:
    """How many requests of each operation got no answer, in words that say whether it was simulated."""
    rows = summary(journal).rows
    counted = ", ".join(f"{row.operation} {row.failed + row.unknown} of {row.sent}" for row in rows)
    return f"{experiment_of(journal)}: {counted} ({'simulated' if journal.simulated else 'measured'})"


def recovery(journal: Journal, operation: str) -> str:
    """How long an operation was out of service, in words: "1.5 s", "not noticed" or "not recovered"."""
    seconds = next(row.rto for row in summary(journal).rows if row.operation == operation)
    if seconds is None:
        return "not noticed"
    return "not recovered" if math.isinf(seconds) else f"{seconds:.1f} s"


def card_claim(number: int) -> Claim:
    """What a card says of an outage: first failure, last failure (seconds) and failed requests.

    Card 1 says that a cluster goes on answering, so nothing fails.
    """
    if number == 1:
        return Claim(None, None, 0)
    if number != 6:
        raise CourseError(f"Card {number} says nothing of a single outage.", hint="Card 6 does.")
    says = card(number, "en").claims
    fails = says["failed-requests"]
    return Claim(says["node-down"].low, says["clients-back"].high, (fails.low, fails.high))


def _claim(numbers: dict[str, float]) -> dict[str, Any]:
    # Who predicts that nothing fails names no times.
    return {"first_failure": None, "last_failure": None, **numbers}
