"""A mistake as an experiment: a backup, rows written, a wrong command, and the way back from the backup.

    journal = mistake(cluster, "delete rows", retriever=retriever)
    forgotten(journal)               # how soon every copy forgot, how long the way back took, what was lost

Three operations run throughout: a search, a search that counts only if it finds what was there (it
*remembers*), and inserts into the same collection. So the journal tells service and data apart.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from halab.cluster.protocol import Cluster, Event
from halab.errors import BackupError, MeasurementError
from halab.measure.experiments.disaster import Losses, Rows, counted
from halab.measure.journal.journal_file import FaultRecord, Journal
from halab.measure.journal.summaries import title
from halab.measure.probing.prober import Run, probe
from halab.measure.probing.progress_line import DONE, ProgressLine
from halab.measure.probing.retriever import REMEMBERING, Retriever
from halab.models.samples import Outcome, Sample
from halab.protect.backup.connection import connected, refusals
from halab.protect.backup.restorer import restore
from halab.protect.backup.writer import backup

__all__ = ["Forgotten", "Mistake", "Rows", "forgotten", "mistake"]

Mistake = Literal["delete rows", "drop collection"]

_STEP = 0.5  # seconds between two looks
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
    since: float = 3.0,
    gone: float = 3.0,
    after: float = 4.0,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
) -> Journal:
    """Back up the passages, go on writing, destroy them by one wrong command, restore them, count all rows.

    `before`, `since`, `gone` and `after` are seconds before the backup, between it and the mistake, between
    the mistake and the restore (nobody notices at once), and after the restore. The backup goes to a new
    folder, `folder` or a temporary one. A backup or a restore that fails is a result, and a note says
    so. A simulated cluster keeps no rows: there nothing is destroyed, and a note says that. Raises
    MeasurementError.
    """
    if what not in get_args(Mistake):
        raise MeasurementError(
            f'there is no mistake "{what}"', hint=f"choose from {', '.join(get_args(Mistake))}"
        )
    cluster.wait_healthy()
    operations = [
        *retriever.operations("search"),
        retriever.remembering(),
        retriever.writing(),
    ]
    events: list[Event] = []
    with (
        probe(cluster, operations, rate=rate, deadline=deadline, seed=seed) as run,
        tempfile.TemporaryDirectory(prefix="halab-backup-") as temporary,
    ):
        say = ProgressLine(lambda: run.elapsed)
        place = Path(folder) if folder else Path(temporary) / "backup"
        course = _Course(cluster, retriever, run, say, events)
        course.wait(before, "writing rows")
        course.back_up(place)
        course.wait(since, "writing rows that are in no backup")
        course.strike(what)
        course.wait(gone, f"{what}: nobody has noticed yet")
        course.bring_back(place)
        course.wait(after, "after the restore")
    journal = run.journal.extended(faults=[_fault(what, retriever.name, events)], events=events)
    if retriever.simulated:
        say(DONE)
        return journal.extended(
            notes=["SIMULATED: this cluster keeps no rows, so none was backed up, destroyed or restored."]
        )
    return counted(journal, say, lambda: _counted(journal, retriever))


@dataclass
class _Course:
    """The steps of one experiment; `events` gets the moment of each."""

    cluster: Cluster
    retriever: Retriever
    run: Run
    say: ProgressLine
    events: list[Event]

    def wait(self, seconds: float, phase: str) -> None:
        end = self.cluster.now() + seconds
        while (left := end - self.cluster.now()) > 0:
            self.say(phase)
            self.cluster.sleep(min(_STEP, left))

    def back_up(self, folder: Path) -> None:
        self._step("backing up", _BACKUP, lambda: backup(self.cluster, folder, [self.retriever.name]))

    def strike(self, what: Mistake) -> None:
        self._step(what, _MISTAKE, lambda: self._destroy(what))

    def bring_back(self, folder: Path) -> None:
        self._step("restoring", _RESTORE, lambda: restore(self.cluster, folder, replace=True))

    def _destroy(self, what: Mistake) -> None:
        name = self.retriever.name
        with connected(self.cluster) as client, refusals(f"the command ({what}) was refused"):
            if what == "delete rows":
                client.delete(name, ids=list(range(len(self.retriever.passages))))
            else:
                client.drop_collection(name)

    def _step(self, phase: str, kinds: tuple[str, str], act: Callable[[], object]) -> None:
        """A step and its two moments; that it failed is a note."""
        self._mark(kinds[0])
        if not self.retriever.simulated:
            self.say(phase)
            try:
                act()
            except BackupError as error:
                self.run.note(f"{phase.capitalize()} failed: {error.message}")
                return
        self._mark(kinds[1])

    def _mark(self, kind: str) -> None:
        self.events.append(Event(round(self.run.elapsed, 6), self.retriever.name, kind, "user"))


def _fault(what: Mistake, name: str, events: list[Event]) -> FaultRecord:
    """The mistake, undone when the restore returned."""
    at = {event.kind: event.time for event in events}
    kind, _, target = what.partition(" ")
    return FaultRecord(kind, target, name, at[_MISTAKE[0]], at.get(_RESTORE[1]))


def _counted(journal: Journal, retriever: Retriever) -> Journal:
    passages = retriever.count()
    there = passages.acknowledged - len(passages.missing)
    rows = retriever.count(journal.samples("insert"), retriever.name)
    return journal.extended(count=rows, notes=[f"{there} of {passages.acknowledged} passages are there."])


@dataclass(frozen=True, repr=False)
class Forgotten(Losses):
    """What a mistake did. Times are seconds; None where it was not measured.

    `remembered` counts the answers, asked after the mistake was acknowledged, that still found something;
    `asked` all that were asked between then and the restore. `forgot` is how long after the acknowledgement
    the last of them was asked (0 if there was none), `restored` how long the restore took.
    """

    remembered: int
    asked: int
    forgot: float | None
    restored: float | None

    def _remarks(self) -> Sequence[str]:
        said = list(self.remarks)
        if self.forgot is not None:
            said.append(
                f"Of {self.asked} searches after the command, {self.remembered} still found something, the "
                f"last {1000 * self.forgot:.0f} ms after it was acknowledged."
            )
        if self.restored is not None:
            said.append(f"The restore took {self.restored:.1f} s.")
        return said


_TIMES = (
    "before the backup",
    "while it was made",
    "after the backup, before the mistake",
    "after the mistake, before the restore was done",
    "after the restore",
)


def forgotten(journal: Journal) -> Forgotten:
    """What a mistake did to answers and rows: a pure function of the journal.

    Raises MeasurementError for a journal that is none of a mistake.
    """
    at = {event.kind: event.time for event in journal.events}
    if not set(_MISTAKE) <= set(at) or REMEMBERING not in journal.header.operations:
        raise MeasurementError(
            "this is the journal of no mistake",
            hint='make one with mistake(cluster, "delete rows", retriever=retriever)',
        )
    bounds = [at.get(kind, math.inf) for kind in (*_BACKUP, _MISTAKE[0], _RESTORE[1])]
    missing = set(journal.count.missing) if journal.count else set()
    inserted = [one for one in journal.samples("insert") if one.outcome is Outcome.OK]
    gone = [one.done for one in inserted if one.key in missing and one.done < bounds[2]]
    asked = [
        one
        for one in journal.samples(REMEMBERING)
        if at[_MISTAKE[1]] <= one.sent < at.get(_RESTORE[0], math.inf)
    ]
    memories = [one.sent - at[_MISTAKE[1]] for one in asked if one.outcome is Outcome.OK]
    real = not journal.simulated
    return Forgotten(
        title(journal),
        tuple(_group(inserted, missing, bounds)),
        (bounds[2] - min(gone) if gone else 0.0) if journal.count else None,
        journal.notes,
        len(memories),
        len(asked),
        max(memories, default=0.0) if real else None,
        at[_RESTORE[1]] - at[_RESTORE[0]] if real and _RESTORE[1] in at else None,
    )


def _group(inserted: list[Sample], missing: set[int], bounds: list[float]) -> Iterator[Rows]:
    """A row belongs to the time in which it was acknowledged."""
    edges = [-math.inf, *bounds, math.inf]
    for when, low, high in zip(_TIMES, edges, edges[1:], strict=False):
        group = [one.key for one in inserted if low <= one.done < high]
        yield Rows(when, len(group), len(missing.intersection(key for key in group if key is not None)))
