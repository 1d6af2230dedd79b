"""What every experiment does inside a run: wait, inject and undo faults, wait for health, count rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from halab.cluster.protocol import Component, Fault, FaultKind
from halab.errors import ClusterError, MeasurementError
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.prober import Run
from halab.measure.probing.progress_line import DONE, view_of
from halab.measure.probing.retriever import SETTLE, Retriever
from halab.models.samples import Outcome
from halab.translation import gettext

__all__ = ["PATIENCE", "ExperimentSteps", "counted"]

PATIENCE = 30.0
"""Seconds for which a healthy cluster is watched until every request is answered again."""

_STEP = 0.5  # seconds between two updates of what is shown


def counted(journal: Journal, retriever: Retriever) -> Journal:
    """The journal with the rows that its insert probes wrote counted. Raises MeasurementError."""
    return journal.extended(count=retriever.count(journal.samples(), timeout=SETTLE))


class ExperimentSteps:
    """The steps of one experiment on the cluster's clock, each shown while it lasts.

    Made before the run is entered, it shows too what the run waits for.

    `recovered` is False once the cluster did not become healthy again after a fault; a note in the journal
    says so too, since that is a result and not an error.
    """

    def __init__(self, run: Run, *, progress: bool = True) -> None:
        self.run = run
        self.cluster = run.cluster
        self.recovered = True
        self._show: Callable[[str], None] = view_of(run) if progress else lambda phase: None

    def on_progress(self, phase: str) -> None:
        """Show the phase that begins now, or goes on."""
        self._show(phase)

    def wait(self, seconds: float, phase: str) -> None:
        """Let seconds pass, real or virtual."""
        end = self.cluster.now() + seconds
        while (left := end - self.cluster.now()) > 0:
            self.on_progress(phase)
            self.cluster.sleep(min(_STEP, left))

    def wait_until_answered(self, good: float, phase: str) -> None:
        """Let `good` seconds pass in which no request ends badly; give up after PATIENCE more, with a note.

        So the end of an outage is seen, that of answers without a hit too. A simulation, whose outcomes come
        at the end, and a cluster that did not become healthy are watched for `good` seconds and no longer.
        """
        begun = self.cluster.now()
        while (now := self.cluster.now()) < max(begun, self._last_bad()) + good:
            if now >= begun + good + PATIENCE:
                self.run.note(
                    gettext(
                        "Requests still got no answer {time:.0f} s after the cluster was healthy."
                    ).format(time=now - begun)
                )
                return
            self.on_progress(phase)
            self.cluster.sleep(min(_STEP, good))

    def _last_bad(self) -> float:
        """When the last request ended badly, on the cluster's clock; for ever ago if it is broken."""
        ends = [sample.done for sample in self.run.so_far() if sample.outcome is not Outcome.OK]
        return max(ends) if ends and self.recovered else -math.inf

    @contextmanager
    def faults(
        self, wanted: Sequence[tuple[FaultKind, str | Component]], undoing: str
    ) -> Iterator[list[Fault]]:
        """Inject faults one after the other; on leaving undo them, the last one first, and wait for health.

        `undoing` is the phase to show meanwhile. Faults that are there are undone too if a later one cannot
        be injected. Raises TargetError and FaultError.
        """
        injected: list[Fault] = []
        with ExitStack() as undo:
            for kind, target in wanted:
                injected.append(self.run.inject(kind, target))
                undo.callback(injected[-1].undo)
            yield injected
            self.on_progress(undoing)
            try:
                undo.close()
                self.cluster.wait_healthy()
            except ClusterError as error:
                self.recovered = False
                self.run.note(
                    gettext("The cluster did not become healthy again: {problem}").format(
                        problem=error.message.splitlines()[0]
                    )
                )

    def count_rows(self, journal: Journal, count: Callable[[], Journal] | None) -> Journal:
        """The journal that `count` makes of it; if rows cannot be counted, a note says why.

        With None nothing is counted. This is the last step.
        """
        if count is not None:
            self.on_progress(gettext("counting rows"))
            try:
                journal = count()
            except MeasurementError as error:
                journal = journal.extended(
                    notes=[gettext("Rows were not counted: {message}").format(message=error.message)]
                )
        self._show(DONE)
        return journal
