"""The course's drill on two clusters: the seven steps of card 10, and the eighth, which is to go home.

    app = Application(Retriever(primary, replicas=1), Retriever(standby, replicas=1))
    drill = rehearse(app, "drills/monday")
    drill.report, drill.journal
    roll_back("drills/monday", primary)       # only if it was cut off

Three probes run throughout (see `probing/addresses.py`). The loss is a crash of the primary's only proxy:
to its users that site is gone, and its data is not. So the way home can be rehearsed too.

On simulated clusters the steps are gone through in virtual time: nothing is backed up, restored, switched or
verified there, and every line says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from halab.cluster.protocol import Cluster, Event
from halab.errors import DrillError, MeasurementError
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.journal.journal_file import FaultRecord, Journal
from halab.measure.probing.addresses import TWO_ADDRESSES, Application, degraded
from halab.measure.probing.prober import Run, probe
from halab.models.samples import Outcome
from halab.protect.drill.drill_report import DrillReport
from halab.protect.drill.drill_steps import DrillSteps
from halab.protect.drill.runbook import State, Targets, status_in_words
from halab.protect.drill.unfinished import (
    STATE,
    check_primary,
    load_unfinished,
    lock,
    mark_clusters,
    refuse_unfinished,
    remove_marks,
)
from halab.translation import gettext

__all__ = ["Rehearsal", "Unanswered", "rehearse", "roll_back", "unanswered"]


@dataclass(frozen=True)
class Rehearsal:
    """A drill that has ended: its report, and what users met meanwhile. `folder` holds all its files."""

    report: DrillReport
    journal: Journal
    folder: Path


def rehearse(
    app: Application,
    folder: str | Path,
    *,
    targets: Targets | None = None,
    before: float = 2.0,
    since_backup: float = 3.0,
    notice: float = 3.0,
    after: float = 3.0,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
) -> Rehearsal:
    """Back up, write on, lose the primary, and go through the drill, while users ask and write.

    Times are seconds: `before` the backup, `since_backup` between it and the drill, `after` the drill, and
    `notice` between the loss and somebody's decision to fail over. `folder` must be new: it gets the state,
    the backups, the journal and the report. A drill that fails is a result, and undone. Raises DrillError if
    `folder` exists or a drill on these clusters was cut off, NotReady if one of them is not healthy, and
    MeasurementError if nothing can be measured.
    """
    folder, clusters = Path(folder), _clusters(app)
    refuse_unfinished(folder, clusters)
    if folder.exists():
        raise DrillError(
            gettext("{folder} is already there, and a drill is never overwritten").format(folder=folder),
            hint=gettext("name another"),
        )
    for cluster in clusters:
        cluster.wait_healthy()
    folder.mkdir(parents=True)
    with lock(folder):
        with probe(clusters[0], app.operations(), rate=rate, deadline=deadline, seed=seed) as run:
            experiment = ExperimentSteps(run)
            steps = DrillSteps(app, folder, experiment, notice, deadline)
            experiment.wait(before, gettext("writing rows"))
            steps.back_up()
            experiment.wait(since_backup, gettext("writing rows that are in no backup"))
            mark_clusters(clusters, folder)
            state = steps.drill(targets or Targets()).run()
            experiment.wait(after, gettext("after the drill"))
        measured = _drill_journal(run, state, app)
        journal = experiment.count_rows(measured, None if app.simulated else lambda: steps.counted(measured))
        report = DrillReport.of(state, journal)
        journal.save(folder / "journal.jsonl")
        report.save(folder)  # last: a drill with a report is at its end
        remove_marks(clusters, folder)
    return Rehearsal(report, journal, folder)


def _clusters(app: Application) -> list[Cluster]:
    """The primary and the standby."""
    return [home.cluster for home in app.homes.values()]


def roll_back(folder: str | Path, primary: Cluster) -> DrillReport:
    """Roll back a drill that was cut off: the primary is healed, serves again, and a report is written.

    The standby keeps what was restored and written into it; where users had written, a note says so. Raises
    DrillError if there is no drill that was cut off, if it runs in another process, or if `primary` is not
    the cluster it began on; NotReady if the primary does not become healthy.
    """
    folder = Path(folder)
    state = load_unfinished(folder)
    with lock(folder):
        check_primary(primary, folder, state)
        if state.facts.component:
            primary.heal(state.facts.component)
        primary.wait_healthy()
        if state.status("service") == "done":
            state.records[-1].note += gettext(
                " Rows written on the standby since are there only: bring them home."
            )
        for record in state.records:
            if record.status in ("done", "running"):
                record.status = "undone"
        state.save(folder / STATE)
        report = DrillReport.of(state)
        report.save(folder)
        remove_marks([primary], folder)
    return report


def _drill_journal(run: Run, state: State, app: Application) -> Journal:
    """The journal of the run, with the drill's steps as events, and its loss as the one fault."""
    offset = state.zero - run.started
    events = [
        Event(
            round(record.began + offset, 6),
            record.name,
            gettext("step {status}").format(status=status_in_words(record.status)),
            "user",
            record.title,
        )
        for record in state.records
        if record.began is not None
    ]
    faults = [
        FaultRecord("lose", "primary", fault.component, fault.at, fault.undone_at)
        for fault in run.journal.faults
        if fault.component == state.facts.component
    ]
    notes = [gettext("SIMULATED: no address was switched, so service came back when the proxy did.")]
    return run.journal.extended(notes=notes if app.simulated else [], events=events, faults=faults)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What users of one kind of client met: questions sent, unanswered, and answered but degraded."""

    operation: str
    sent: int
    unanswered: int
    degraded: int


def unanswered(journal: Journal) -> tuple[Unanswered, ...]:
    """Each search of a drill from the loss on. Raises MeasurementError if the journal has no loss."""
    loss = next((fault.at for fault in journal.faults if fault.kind == "lose"), None)
    if loss is None:
        raise MeasurementError(
            gettext("this is not the journal of a drill"), hint=gettext("make one with rehearse(app, folder)")
        )
    users = []
    for name in ("search", TWO_ADDRESSES):
        if name in journal.header.operations:
            samples = tuple(sample for sample in journal.samples(name) if sample.intended >= loss)
            bad = sum(sample.outcome is not Outcome.OK for sample in samples)
            users.append(Unanswered(name, len(samples), bad, len(degraded(samples))))
    return tuple(users)
