"""What every lesson calls: a cluster, a prediction, an experiment, its journal beside prediction and card.

A lesson's module brings these names under its own, so that its notebook imports that one module.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from halab.cluster import open_cluster as cluster
from halab.cluster.protocol import Cluster
from halab.course import predictions
from halab.course.cards import card
from halab.course.catalogue import CATALOGUE
from halab.course.identity import learner_id
from halab.course.paths import journals, work_dir
from halab.course.seat import follow_cells, tell_class
from halab.measure.experiments import fault_experiment
from halab.measure.experiments.fault_experiment import journal_name
from halab.measure.journal.experiment_name import experiment_of, operation_in_words, run_in_words, run_name
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.plots import plot
from halab.measure.journal.run_view import RunView, Said
from halab.measure.journal.summaries import summary
from halab.measure.journal.validity import objections
from halab.measure.probing.progress_line import show_runs_with
from halab.measure.probing.retriever import Retriever
from halab.models.samples import OPERATIONS
from halab.tables import Row, Sentence, Table
from halab.translation import gettext, gettext_noop, name_list, pgettext
from halab.widgets.card_view import show_card
from halab.widgets.live_lane import LiveRun
from halab.widgets.prediction_form import PredictionForm, Question, remind

__all__ = [
    "PredictionForm",
    "Question",
    "Retriever",
    "Sentence",
    "ask_for_prediction",
    "cluster",
    "experiment",
    "keep",
    "kept",
    "plot",
    "prediction_before",
    "recovery",
    "show_card",
    "show_run",
    "summary",
    "table",
]

show_runs_with(LiveRun)  # what a lesson measures is seen while it runs
follow_cells()


# Headings of one word that a notebook gives its tables: longer ones are translated with their notebook.
_NOTEBOOK_HEADINGS = (gettext_noop("members"), gettext_noop("majority"), gettext_noop("nodes"))


def table(title: str, headings: Row, rows: Iterable[Sequence[object]], *remarks: str) -> Table:
    """A small table of words and numbers; units belong into the headings, fractions are shown to 4 digits."""
    return Table(title, headings, tuple(tuple(map(_in_words, row)) for row in rows), remarks)


def _in_words(value: object) -> str:
    if isinstance(value, str):
        return operation_in_words(value) if value in (*OPERATIONS, "flush", "load") else value
    if isinstance(value, bool):
        return pgettext("in a table", "yes") if value else pgettext("in a table", "no")
    if isinstance(value, Iterable):
        return name_list(map(_in_words, value)) or gettext("none")
    if isinstance(value, float) and abs(value) < 1000:
        return f"{value:.4g}"
    return f"{value:,.0f}"


def ask_for_prediction(experiment: str) -> None:
    """Print a line if a form of the notebook asks about this run and it was not predicted."""
    if line := remind(experiment):
        print(line)


def experiment(
    cluster: Cluster, fault: str | Sequence[str] | None = "crash active rootcoord", **settings: Any
) -> Journal:
    """Probe a cluster while a fault strikes, stays and is undone; first ask for the prediction of it.

    `settings` are those of `halab.measure.experiments.fault_experiment.experiment`, and so are the errors.
    """
    faults = [fault] if isinstance(fault, str) else fault or []
    operations = [operation.name for operation in settings.get("operations") or ()]
    ask_for_prediction(run_name(faults, cluster.ttl, operations))
    return fault_experiment.experiment(cluster, fault, **settings)


def keep(journal: Journal, number: int) -> Sentence:
    """Save a journal among those of a card, `work/journals/NN-...`; the board counts it from then on.

    From here on its header says whose it is, unless it said so before. Keeping the same journal again changes
    nothing. The sentence names the file, and says why if the run proves nothing.
    """
    folder = work_dir() / "journals"
    folder.mkdir(parents=True, exist_ok=True)
    journal = journal if journal.header.learner else journal.extended(learner=learner_id())
    began = datetime.fromisoformat(journal.header.started).astimezone()
    name = Path(journal_name(experiment_of(journal), began)).stem
    # The digest keeps two runs of one second apart.
    path = folder / f"{number:02d}-{name}-{journal.digest[:8]}.jsonl"
    if not path.exists():
        journal.save(path)
        tell_class("measured", number)
    if number <= CATALOGUE[-1].number:
        kept = gettext("Kept for card {number}: {experiment_of}, in journals/{name}")
    else:
        kept = gettext("Kept for lesson {number}: {experiment_of}, in journals/{name}")
    sentence = kept.format(number=number, experiment_of=run_in_words(experiment_of(journal)), name=path.name)
    if reasons := objections(journal):
        sentence = gettext("{kept}. It proves nothing, so it does not count. {reasons}").format(
            kept=sentence, reasons=" ".join(reasons)
        )
    return Sentence(sentence)


def kept(number: int) -> list[Journal]:
    """Every journal kept for a card, oldest first."""
    return [Journal.load(path) for path in journals(number)]


def prediction_before(journal: Journal, number: int) -> dict[str, float]:
    """The figures last predicted for this run of a card before it began; empty without a prediction.

    What was written down after the fact does not count.
    """
    made = predictions.prediction(number, experiment_of(journal), before=journal.began)
    return made.numbers if made else {}


def show_run(
    journal: Journal, number: int = 6, operation: str = "search", *, predicted: str | None = None
) -> RunView:
    """One sentence, one picture and, folded, the table of a run; `number` is the card it belongs to.

    The picture lays the outages of each operation beside what the learner said of `operation` before the run
    and what the card says of it, where they do. `predicted` names the run that the learner spoke of, if it is
    another than this recording of it. Raises JournalError for an operation that was not measured.
    """
    made = predictions.prediction(number, predicted) if predicted else None
    figures = made.numbers if made else prediction_before(journal, number)
    prediction = None
    if "failed_requests" in figures:  # who predicts that nothing fails names no times
        prediction = Said(figures.get("first_failure"), figures.get("last_failure"))
        if figures["failed_requests"] == 0:
            prediction = Said(None, None)
    return RunView(journal, operation, prediction, _card_says(number))


def _card_says(number: int) -> Said | None:
    """What a card says of a single outage; None if it says nothing of one."""
    if number == 1:
        return Said(None, None)  # a cluster goes on answering
    if number != 6:
        return None
    says = card(number, "en").claims
    return Said(says["node-down"].low, says["clients-back"].high)


def outage_seconds(journal: Journal, operation: str) -> float | None:
    """How long an operation was out of service: None if it was not, infinite if it did not come back."""
    return next(row.rto for row in summary(journal).rows if row.operation == operation)


def recovery(journal: Journal, operation: str) -> str:
    """How long an operation was out of service, in words: "1.5 s", "not noticed" or "not recovered"."""
    seconds = outage_seconds(journal, operation)
    if seconds is None:
        return gettext("not noticed")
    return (
        gettext("not recovered") if math.isinf(seconds) else gettext("{time} s").format(time=f"{seconds:.1f}")
    )
