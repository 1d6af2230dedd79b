"""A mistake as an experiment: a backup, rows written, a wrong command, and the way back from the backup.

    journal = mistake(cluster, "delete rows", retriever=retriever)
    data_loss_report(journal)   # which searches still found the rows, the time of the restore, what was lost

Three operations run throughout: a search, a search that counts only if it finds a known row, and inserts into
the same collection. So the journal tells service and data apart.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from halab.cluster.protocol import Cluster, Event
from halab.errors import BackupError, MeasurementError
from halab.measure.experiments.disaster import Losses, Rows
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.journal.journal_file import FaultRecord, Journal
from halab.measure.journal.summaries import title
from halab.measure.probing.prober import probe
from halab.measure.probing.retriever import KNOWN_ROW_SEARCH, Retriever
from halab.models.samples import Outcome, Sample
from halab.protect.backup.connection import connected, refusals
from halab.protect.backup.restorer import restore
from halab.protect.backup.writer import backup
from halab.translation import gettext, gettext_noop

__all__ = ["DataLossReport", "Mistake", "Rows", "data_loss_report", "mistake"]

Mistake = Literal["delete rows", "drop collection"]

_BACKUP = ("backup began", "backup returned")
_MISTAKE = ("mistake began", "mistake acknowledged")
_RESTORE = ("restore began", "restore returned")


def mistake(
    cluster: Cluster,
    what: Mistake = "delete rows",
    *,
    retriever: Retriever,
    folder: str | Path | None = None,
    before: float = 2.0,
    since_backup: float = 3.0,
    unnoticed: float = 3.0,
    after: float = 4.0,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
) -> Journal:
    """Back up the passages, go on writing, destroy them by one wrong command, restore them, count all rows.

    Times are seconds: `before` the backup, `since_backup` between it and the mistake, `unnoticed` between the
    mistake and the restore, `after` the restore. The backup goes to a new folder, `folder` or a temporary
    one. A backup or a restore that fails is a result: a note in the journal says so. A simulated cluster
    keeps no rows: nothing is destroyed there, and a note says that. Raises MeasurementError for a mistake
    there is none of, and where an operation cannot connect.
    """
    if what not in get_args(Mistake):
        raise MeasurementError(
            gettext('there is no mistake "{what}"').format(what=what),
            hint=gettext("choose from {names}").format(names=", ".join(get_args(Mistake))),
        )
    cluster.wait_healthy()
    operations = [
        *retriever.operations("search"),
        retriever.known_row_search(),
        retriever.insert_into_passages(),
    ]
    events: list[Event] = []
    with (
        probe(cluster, operations, rate=rate, deadline=deadline, seed=seed) as run,
        tempfile.TemporaryDirectory(prefix="halab-backup-") as temporary,
    ):
        steps = ExperimentSteps(run)
        place = Path(folder) if folder else Path(temporary) / "backup"
        experiment = _Experiment(retriever, steps, events)
        steps.wait(before, gettext("writing rows"))
        experiment.back_up(place)
        steps.wait(since_backup, gettext("writing rows that are in no backup"))
        experiment.run_command(what)
        steps.wait(unnoticed, gettext("{what}: nobody has noticed yet").format(what=what))
        experiment.restore(place)
        steps.wait(after, gettext("after the restore"))
    journal = run.journal.extended(faults=[_fault(what, retriever.name, events)], events=events)
    if retriever.simulated:
        journal = journal.extended(
            notes=[
                gettext(
                    "SIMULATED: this cluster keeps no rows, so none was backed up, destroyed or restored."
                )
            ]
        )
        return steps.count_rows(journal, None)
    return steps.count_rows(journal, lambda: _counted(journal, retriever))


@dataclass
class _Experiment:
    """The steps of one experiment; `events` gets the moment of each."""

    retriever: Retriever
    steps: ExperimentSteps
    events: list[Event]

    def back_up(self, folder: Path) -> None:
        self._step(
            gettext("backing up"),
            _BACKUP,
            lambda: backup(self.retriever.cluster, folder, [self.retriever.name]),
        )

    def run_command(self, what: Mistake) -> None:
        self._step(what, _MISTAKE, lambda: self._destroy(what))

    def restore(self, folder: Path) -> None:
        self._step("restoring", _RESTORE, lambda: restore(self.retriever.cluster, folder, replace=True))

    def _destroy(self, what: Mistake) -> None:
        name = self.retriever.name
        with (
            connected(self.retriever.cluster) as client,
            refusals(gettext("the command ({what}) was refused").format(what=what)),
        ):
            if what == "delete rows":
                client.delete(name, ids=list(range(len(self.retriever.passages))))
            else:
                client.drop_collection(name)

    def _step(self, phase: str, kinds: tuple[str, str], act: Callable[[], object]) -> None:
        """Do a step, and record when it began and when it returned; a note says if it failed."""
        self._mark(kinds[0])
        if not self.retriever.simulated:
            self.steps.on_progress(phase)
            try:
                act()
            except BackupError as error:
                self.steps.run.note(
                    gettext("{capitalize} failed: {message}").format(
                        capitalize=phase.capitalize(), message=error.message
                    )
                )
                return
        self._mark(kinds[1])

    def _mark(self, kind: str) -> None:
        self.events.append(Event(round(self.steps.run.elapsed, 6), self.retriever.name, kind, "user"))


def _fault(what: Mistake, name: str, events: list[Event]) -> FaultRecord:
    """The mistake, undone when the restore returned."""
    at = {event.kind: event.time for event in events}
    kind, _, target = what.partition(" ")
    return FaultRecord(kind, target, name, at[_MISTAKE[0]], at.get(_RESTORE[1]))


def _counted(journal: Journal, retriever: Retriever) -> Journal:
    passages = retriever.count()
    there = passages.acknowledged - len(passages.missing)
    rows = retriever.count(journal.samples("insert"), retriever.name)
    return journal.extended(
        count=rows,
        notes=[
            gettext("{there} of {acknowledged} passages are there.").format(
                there=there, acknowledged=passages.acknowledged
            )
        ],
    )


@dataclass(frozen=True, repr=False)
class DataLossReport(Losses):
    """What a mistake did to searches and rows. Times are seconds; None where it was not measured.

    `searches` were sent after the mistake was acknowledged and before the restore began; `still_found` of
    them found a known row. `last_found` is how long after the acknowledgement the last of those was sent (0
    if there was none), `restore_seconds` how long the restore took.
    """

    still_found: int
    searches: int
    last_found: float | None
    restore_seconds: float | None


_TIMES = (
    gettext_noop("before the backup"),
    gettext_noop("while it was made"),
    gettext_noop("after the backup, before the mistake"),
    gettext_noop("after the mistake, before the restore was done"),
    gettext_noop("after the restore"),
)


def data_loss_report(journal: Journal) -> DataLossReport:
    """What a mistake did to searches and rows: a pure function of the journal.

    Raises MeasurementError if the journal was not made by `mistake`.
    """
    at = {event.kind: event.time for event in journal.events}
    if not set(_MISTAKE) <= set(at) or KNOWN_ROW_SEARCH not in journal.header.operations:
        raise MeasurementError(
            gettext("this is not the journal of a mistake"),
            hint=gettext('make one with mistake(cluster, "delete rows", retriever=retriever)'),
        )
    bounds = [at.get(kind, math.inf) for kind in (*_BACKUP, _MISTAKE[0], _RESTORE[1])]
    missing = set(journal.count.missing) if journal.count else set()
    inserted = [sample for sample in journal.samples("insert") if sample.outcome is Outcome.OK]
    lost = [sample.done for sample in inserted if sample.key in missing and sample.done < bounds[2]]
    acknowledged, restoring = at[_MISTAKE[1]], at.get(_RESTORE[0], math.inf)
    searches = [s for s in journal.samples(KNOWN_ROW_SEARCH) if acknowledged <= s.sent < restoring]
    ages = [s.sent - acknowledged for s in searches if s.outcome is Outcome.OK]
    real = not journal.simulated
    last_found = max(ages, default=0.0) if real else None
    restore_seconds = at[_RESTORE[1]] - at[_RESTORE[0]] if real and _RESTORE[1] in at else None
    remarks = list(journal.notes)
    if last_found is not None:
        last = (
            gettext(", the last {time:.0f} ms after it was acknowledged").format(time=1000 * last_found)
            if ages
            else ""
        )
        remarks.append(
            gettext("Of {count} searches after the command, {hits} still found any{last}.").format(
                count=len(searches), hits=len(ages) or gettext("none"), last=last
            )
        )
    if restore_seconds is not None:
        remarks.append(
            gettext("The restore took {restore_seconds:.1f} s.").format(restore_seconds=restore_seconds)
        )
    return DataLossReport(
        title(journal),
        tuple(_by_time(inserted, missing, bounds)),
        (bounds[2] - min(lost) if lost else 0.0) if journal.count else None,
        tuple(remarks),
        still_found=len(ages),
        searches=len(searches),
        last_found=last_found,
        restore_seconds=restore_seconds,
    )


def _by_time(inserted: list[Sample], missing: set[int], bounds: list[float]) -> Iterator[Rows]:
    """A row belongs to the time in which it was acknowledged."""
    edges = [-math.inf, *bounds, math.inf]
    for when, low, high in zip(_TIMES, edges, edges[1:], strict=False):
        keys = [sample.key for sample in inserted if low <= sample.done < high]
        yield Rows(when, len(keys), len(missing.intersection(key for key in keys if key is not None)))
