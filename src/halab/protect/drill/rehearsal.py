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

import json
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pymilvus.client.types import LoadState

from halab.cluster.protocol import Cluster, Component, Event
from halab.errors import DrillError, MeasurementError
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.journal.journal_file import FaultRecord, Journal
from halab.measure.probing.addresses import TWO_ADDRESSES, Address, Application, degraded
from halab.measure.probing.embedding import DIMENSIONS, QUESTIONS
from halab.measure.probing.prober import Run, probe
from halab.models.samples import Outcome, Sample
from halab.protect.backup.connection import connected, load, refusals
from halab.protect.backup.manifest import verify
from halab.protect.backup.restorer import batches, restore
from halab.protect.backup.writer import backup
from halab.protect.drill.drill_report import DrillReport
from halab.protect.drill.runbook import Drill, Facts, State, Step, Targets, nothing
from halab.protect.drill.unfinished import (
    STATE,
    check_primary,
    load_unfinished,
    lock,
    mark_clusters,
    refuse_unfinished,
    remove_marks,
)

__all__ = ["Rehearsal", "Unanswered", "rehearse", "roll_back", "unanswered"]

_SIMULATED = "SIMULATED, not done: a simulated cluster keeps no rows and has no address"
_ANSWER_TIMEOUT = 20.0  # seconds for a proxy that has come back to answer its clients again
_POLL = 0.5  # seconds between two looks


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
        raise DrillError(f"{folder} is already there, and a drill is never overwritten", hint="name another")
    for cluster in clusters:
        cluster.wait_healthy()
    folder.mkdir(parents=True)
    with lock(folder):
        with probe(clusters[0], app.operations(), rate=rate, deadline=deadline, seed=seed) as run:
            experiment = ExperimentSteps(run)
            steps = DrillSteps(app, folder, experiment, notice, deadline)
            experiment.wait(before, "writing rows")
            steps.back_up()
            experiment.wait(since_backup, "writing rows that are in no backup")
            mark_clusters(clusters, folder)
            state = steps.drill(targets or Targets()).run()
            experiment.wait(after, "after the drill")
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
            state.records[-1].note += " Rows written on the standby since are there only: bring them home."
        for record in state.records:
            if record.status in ("done", "running"):
                record.status = "undone"
        state.save(folder / STATE)
        report = DrillReport.of(state)
        report.save(folder)
        remove_marks([primary], folder)
    return report


class DrillSteps:
    """The eight steps of one drill, and what they share while they run."""

    def __init__(
        self, app: Application, folder: Path, experiment: ExperimentSteps, notice: float, deadline: float
    ) -> None:
        self.app, self.folder, self.experiment = app, folder, experiment
        self.primary, self.standby = app.homes["primary"], app.homes["standby"]
        self._clock = self.primary.cluster
        self._backup = folder / "backup"
        self._notice, self._deadline = notice, deadline
        self._target: Component | None = None
        self._read_only_since = 0.0

    def drill(self, targets: Targets) -> Drill:
        """The drill, ready to run."""
        facts = Facts(
            primary=self.primary.cluster.name,
            standby=self.standby.cluster.name,
            simulated=self.app.simulated,
            targets=targets,
        )
        return Drill(
            self._steps(),
            self.folder / STATE,
            clock=self._clock.now,
            facts=facts,
            on_progress=self.experiment.on_progress,
        )

    def back_up(self) -> None:
        """Make the backup that the drill will find. It is not a step: a drill takes the backup there is."""
        if not self.app.simulated:
            self.experiment.on_progress("the nightly backup")
            backup(self._clock, self._backup, [self.app.name])

    def _steps(self) -> list[Step]:
        """Deadlines are seconds on the course's small clusters, with room for a busy machine."""
        steps = [
            Step("backup", "Verify the newest backup", 30, self._verify_backup),
            Step("standby", "Verify the standby", 30, self._verify_standby, precheck=self._check_healthy),
            Step(
                "loss", "Lose the primary", 30, self._crash_proxy,
                precheck=self._choose_proxy, verify=self._check_lost, undo=self._heal_primary,
            ),
            Step(
                "failover", "Fail over", 60, self._restore_on_standby,
                on_done=self._switch_to_standby, undo=self._switch_to_primary,
            ),
            Step(
                "service", "Verify the service", 60, self._verify_service,
                on_done=self._allow_writes, commits=True,
            ),
            Step("measure", "Compute RTO and RPO", 60, self._measure),
            Step("figures", "Write down the figures", 30, self._write_figures),
            Step(
                "failback", "Fail back", 90, self._bring_rows_home,
                precheck=self._check_primary_back, on_start=self._stop_writes, on_done=self._switch_home,
                verify=self._check_nothing_lost, undo=self._keep_standby,
            ),
        ]  # fmt: skip
        return [self._simulated_step(step) for step in steps] if self.app.simulated else steps

    def counted(self, journal: Journal) -> Journal:
        """The journal with a count of every insert's row on the primary. Raises MeasurementError."""
        return journal.extended(count=self.primary.count(self._inserts(), self.app.name))

    # -- 1 and 2: before any harm ---------------------------------------------------------------------------

    def _verify_backup(self, facts: Facts) -> str:
        manifest = verify(self._backup)
        age = (datetime.now(UTC) - datetime.fromisoformat(manifest.begun)).total_seconds()
        if age > facts.targets.rpo:
            raise DrillError(
                f"the newest backup is {age:.0f} s old, and at most {facts.targets.rpo:g} s may be lost",
                hint="back up, and begin again",
            )
        return f"{manifest.rows} rows, every file as its SHA-256 says, begun {age:.1f} s ago"

    def _check_healthy(self, _: Facts) -> None:
        for home in self.app.homes.values():
            home.cluster.wait_healthy(10.0)

    def _verify_standby(self, facts: Facts) -> str:
        ours, theirs = self.primary.cluster.versions["milvus"], self.standby.cluster.versions["milvus"]
        if ours != theirs:
            raise DrillError(
                f"the primary runs Milvus {ours}, the standby {theirs}", hint="upgrade the standby first"
            )
        facts.answers = {question: self._answer("primary", question) for question in QUESTIONS}
        parts = len(self.standby.cluster.components())
        return f"{parts} of {parts} components healthy, Milvus {theirs}; {len(QUESTIONS)} answers known"

    # -- 3: the loss ----------------------------------------------------------------------------------------

    def _choose_proxy(self, facts: Facts) -> None:
        self._check_healthy(facts)
        self._target = self.primary.cluster.resolve("any proxy")
        facts.component = self._target.name

    def _crash_proxy(self, facts: Facts) -> str:
        assert self._target is not None
        facts.lost_at = self.primary.cluster.inject("crash", self._target).at
        self.experiment.wait(self._notice, "nobody has noticed yet")
        return f"the only proxy, {facts.component}, was killed; noticed after {self._notice:g} s"

    def _check_lost(self, _: Facts) -> None:
        try:
            self.primary.ask(QUESTIONS[0], timeout=1.0)
        except MeasurementError:
            return
        raise DrillError("the primary still answers, so nothing was lost", hint="see what was killed")

    def _heal_primary(self, facts: Facts) -> None:
        if facts.component:
            self.primary.cluster.heal(facts.component)
        self.primary.cluster.wait_healthy()

    # -- 4 and 5: over, and proven --------------------------------------------------------------------------

    def _restore_on_standby(self, _: Facts) -> str:
        rows = restore(self.standby.cluster, self._backup, [self.app.name], replace=True).rows
        return f"{rows[self.app.name]} rows restored and counted; the standby is in charge, read-only"

    def _switch_to_standby(self, _: Facts) -> None:
        """No writes yet: a roll back would leave them behind."""
        self.app.book.current, self.app.book.writable = "standby", False

    def _switch_to_primary(self, _: Facts) -> None:
        self.app.book.current, self.app.book.writable = "primary", True

    def _verify_service(self, facts: Facts) -> str:
        self._check_answers("standby", facts)
        name, spare, key = self.app.name, self.standby.insert_collection, time.time_ns() // 1000
        vector = [1.0, *[0.0] * (DIMENSIONS - 1)]
        with connected(self.standby.cluster) as client, refusals("the standby does not serve"):
            if not client.search(name, [vector], limit=1, consistency_level="Strong")[0]:
                raise DrillError("a strong search found nothing", hint="look at the standby's query nodes")
            client.insert(spare, [{"id": key, "vector": vector}])
            client.flush(spare)
            client.release_collection(spare)
            if client.get_load_state(spare)["state"] == LoadState.Loaded:
                raise DrillError("a release did nothing", hint="look at the standby's query coordinator")
            load(client, spare, 1)
            if not client.query(spare, f"id == {key}", ["id"], consistency_level="Strong"):
                raise DrillError("a row that was inserted and flushed is not there", hint="keep its logs")
        return f"{len(QUESTIONS)} known answers, strong search, insert, flush, release, load: all pass"

    def _allow_writes(self, facts: Facts) -> None:
        self.app.book.writable = True
        facts.verified_at = self._clock.now()

    def _check_answers(self, address: Address, facts: Facts) -> None:
        for question, known in facts.answers.items():
            if self._answer(address, question) != known:
                raise DrillError(
                    f"the {address} answers {question!r} otherwise than the primary did",
                    hint="compare the rows of both",
                )

    def _answer(self, address: Address, question: str) -> str:
        """The best passage, "" if none is found. Asked again for a while: pymilvus gives up at once on a
        proxy that is just back, and a query node that is just back finds nothing.
        """
        end = self._clock.now() + _ANSWER_TIMEOUT
        while True:
            try:
                passages = self.app.homes[address].ask(question, limit=1)
            except MeasurementError:
                if self._clock.now() > end:
                    raise
            else:
                if passages or self._clock.now() > end:
                    return passages[0].text if passages else ""
            self._clock.sleep(_POLL)

    # -- 6 and 7: the figures -------------------------------------------------------------------------------

    def _measure(self, facts: Facts) -> str:
        acknowledged = [sample for sample in self._inserts() if sample.done <= facts.lost_at]
        missing = set(self.standby.count(acknowledged, self.app.name).missing)
        first = min((sample.done for sample in acknowledged if sample.key in missing), default=facts.lost_at)
        facts.rto, facts.rpo = facts.verified_at - facts.lost_at, facts.lost_at - first
        facts.rpo_rows = len(missing)
        return f"RTO {facts.rto:.1f} s; RPO {facts.rpo:.1f} s, {len(missing)} acknowledged rows"

    def _write_figures(self, facts: Facts) -> str:
        figures = {"rto": facts.rto, "rpo": facts.rpo, "rpo_rows": facts.rpo_rows}
        (self.folder / "figures.json").write_text(json.dumps({"targets": asdict(facts.targets), **figures}))
        return "figures.json written; the report follows when the drill has ended"

    # -- 8: home --------------------------------------------------------------------------------------------

    def _check_primary_back(self, facts: Facts) -> None:
        """The primary comes back, and is not in charge: that is what keeps two from taking writes."""
        self._heal_primary(facts)
        self._answer("primary", QUESTIONS[0])
        if self.app.book.current != "standby":
            raise DrillError("the address is the primary's already", hint="who switched it?")

    def _stop_writes(self, _: Facts) -> None:
        self.app.book.writable = False
        self._read_only_since = self._clock.now()

    def _bring_rows_home(self, _: Facts) -> str:
        self._clock.sleep(self._deadline)  # writes under way reach the standby, or have failed
        folder = self.folder / "failback"
        manifest = backup(self.standby.cluster, folder, [self.app.name])
        brought = self._merge(folder)
        return f"{brought} rows written on the standby brought home, of {manifest.rows}"

    def _switch_home(self, facts: Facts) -> None:
        self._switch_to_primary(facts)
        facts.read_only = self._clock.now() - self._read_only_since

    def _keep_standby(self, _: Facts) -> None:
        """The way home failed: users have written to the standby, and so it stays in charge."""
        self.app.book.current, self.app.book.writable = "standby", True

    def _merge(self, folder: Path) -> int:
        """Insert the rows that the primary lacks; how many. Nothing is replaced: it may have newer rows."""
        name, brought = self.app.name, 0
        saved = verify(folder).collections[0]
        with connected(self.primary.cluster) as client, refusals("the rows did not come home"):
            for partition, _, rows in batches(saved, folder):
                keys = [row["id"] for row in rows]
                present = client.query(name, f"id in {keys}", ["id"], consistency_level="Strong")
                known = {row["id"] for row in present}
                new = [row for row in rows if row["id"] not in known]
                if new:
                    client.insert(name, new, partition_name=partition)
                brought += len(new)
            client.flush(name)
        return brought

    def _check_nothing_lost(self, facts: Facts) -> None:
        self._check_answers("primary", facts)
        missing = self.primary.count(self._inserts(), self.app.name).missing
        facts.lost_at_home = len(missing)
        if missing:
            raise DrillError(
                f"{len(missing)} acknowledged rows are not on the primary",
                hint="they are in the folder's backups: bring them home by hand",
            )

    # -- helpers --------------------------------------------------------------------------------------------

    def _inserts(self) -> list[Sample]:
        return [sample for sample in self.experiment.run.so_far() if sample.operation == "insert"]

    def _simulated_step(self, step: Step) -> Step:
        """The same step on simulated clusters: the loss is simulated, all else says it was not done."""

        def go_home(facts: Facts) -> str:
            self._heal_primary(facts)
            return "SIMULATED: the proxy was started again"

        def do_nothing(_: Facts) -> str:
            self._clock.sleep(1.0)
            return _SIMULATED

        if step.name == "loss":
            return replace(step, verify=nothing)
        do = go_home if step.name == "failback" else do_nothing
        return Step(step.name, step.title, step.deadline, do)


def _drill_journal(run: Run, state: State, app: Application) -> Journal:
    """The journal of the run, with the drill's steps as events, and its loss as the one fault."""
    offset = state.zero - run.started
    events = [
        Event(round(record.began + offset, 6), record.name, f"step {record.status}", "user", record.title)
        for record in state.records
        if record.began is not None
    ]
    faults = [
        FaultRecord("lose", "primary", fault.component, fault.at, fault.undone_at)
        for fault in run.journal.faults
        if fault.component == state.facts.component
    ]
    notes = ["SIMULATED: no address was switched, so service came back when the proxy did."]
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
            "this is not the journal of a drill", hint="make one with rehearse(app, folder)"
        )
    users = []
    for name in ("search", TWO_ADDRESSES):
        if name in journal.header.operations:
            samples = tuple(sample for sample in journal.samples(name) if sample.intended >= loss)
            bad = sum(sample.outcome is not Outcome.OK for sample in samples)
            users.append(Unanswered(name, len(samples), bad, len(degraded(samples))))
    return tuple(users)
