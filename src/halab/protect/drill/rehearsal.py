"""The course's drill on two clusters: the seven steps of card 10, and the eighth, which is to go home.

    app = Application(Retriever(primary, replicas=1), Retriever(standby, replicas=1))
    done = rehearse(app, "drills/monday")
    done.report, done.journal
    resume(app, "drills/monday")              # if it was cut off; or roll_back("drills/monday", primary)

Three probes run throughout (see `probing/addresses.py`). The loss is a crash of the primary's only proxy:
to its users that site is gone, and its data is not. So the way home can be rehearsed too.

On simulated clusters the steps are gone through in virtual time: nothing is backed up, restored, switched or
verified there, and every line says so.
"""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from pymilvus.client.types import LoadState

from halab.cluster.protocol import Cluster, Event
from halab.errors import DrillError, MeasurementError
from halab.measure.journal.journal_file import FaultRecord, Journal, RowCount
from halab.measure.probing.addresses import TWO_ADDRESSES, Address, Application, degraded
from halab.measure.probing.prober import Run, probe
from halab.measure.probing.progress_line import DONE, ProgressLine
from halab.measure.probing.retriever import QUESTIONS
from halab.models.samples import Outcome, Sample
from halab.protect.backup.connection import connected, load, refusals
from halab.protect.backup.manifest import verify
from halab.protect.backup.restorer import batches, restore
from halab.protect.backup.writer import backup
from halab.protect.drill.drill_report import DrillReport, Targets
from halab.protect.drill.runbook import Drill, Facts, State, Step, load_state
from halab.protect.drill.unfinished import (
    STATE,
    SampleLog,
    address_book,
    check_clusters,
    is_unfinished,
    lock,
    mark_clusters,
    read_samples,
    refuse_unfinished,
    remove_marks,
)

__all__ = ["Rehearsal", "Unanswered", "rehearse", "resume", "roll_back", "unanswered"]

_SIMULATED = "SIMULATED, not done: a simulated cluster keeps no rows and has no address"
_PATIENCE = 20.0  # seconds for a proxy that has come back to answer its clients again
_NO_PROBE = 2.0  # seconds without a probe, of a measurement that was cut off
_LOOK = 0.5  # seconds between two looks


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
    `notice` between the loss and somebody's decision to fail over. `folder` must be new: it gets
    the state, the backups, the journal and the report. A drill that fails is a result, and undone. Raises
    DrillError if it cannot begin, MeasurementError if nothing can be measured.
    """
    folder, clusters = Path(folder), _clusters(app)
    refuse_unfinished(folder, clusters)
    if folder.exists():
        raise DrillError(f"{folder} is already there, and a drill is never overwritten", hint="name another")
    targets = targets or Targets()
    for cluster in clusters.values():
        cluster.wait_healthy()
    folder.mkdir(parents=True)
    with lock(folder), closing(SampleLog(folder)) as log:
        primary, operations = clusters["primary"], app.operations()
        with probe(primary, operations, rate=rate, deadline=deadline, seed=seed, witness=log) as run:
            course = DrillSteps(app, folder, run, targets, notice, deadline)
            course.wait(before, "writing rows")
            course.nightly()
            course.wait(since_backup, "writing rows that are in no backup")
            drill = Drill(course.steps(), folder / STATE, clock=primary.now, say=course.say)
            drill.state.facts["setting"] = {
                "primary": primary.name, "standby": clusters["standby"].name, "collection": app.name,
                "targets": asdict(targets), "notice": notice, "after": after, "rate": rate,
                "deadline": deadline, "seed": seed, "started": run.started, "wall": run.wall,
            }  # fmt: skip
            mark_clusters(clusters, folder)
            state = drill.run()
            course.wait(after, "after the drill")
        return _finish(course, state)


def resume(app: Application, folder: str | Path) -> Rehearsal:
    """Go on with a drill that was cut off, in the step it was in: that one is undone first, and begun again.

    `app` has the same two clusters and collections. What was measured before stands in the same journal;
    between the two nothing was, and a note says so. Raises DrillError if there is nothing to go on with, or a
    cluster is not the one that the drill began on.
    """
    folder, clusters = Path(folder), _clusters(app)
    state = load_state(folder / STATE)
    if not is_unfinished(folder):
        raise DrillError(f"the drill in {folder} is at its end", hint=f"read {folder / 'report.html'}")
    with lock(folder), closing(SampleLog(folder)) as log:
        check_clusters(clusters, folder, state)
        setting = state.facts["setting"]
        if not app.simulated:  # there no address is ever switched
            app.book = address_book(state)
        probing = {"rate": setting["rate"], "deadline": setting["deadline"], "seed": setting["seed"]}
        earlier = read_samples(folder)
        with probe(clusters["primary"], app.operations(lost="primary"), **probing, witness=log) as run:
            began = run.started
            run.take_up(setting["started"], setting["wall"], earlier)
            for last, again in _gaps([one.intended for one in earlier] + [began]):
                last, again = last - run.started, again - run.started
                run.note(f"The drill was cut off: no probe was sent between {last:.1f} and {again:.1f} s.")
            targets = Targets(**setting["targets"])
            course = DrillSteps(app, folder, run, targets, setting["notice"], setting["deadline"])
            drill = Drill(course.steps(), folder / STATE, clock=clusters["primary"].now, say=course.say)
            state = drill.run()
            course.wait(setting["after"], "after the drill")
        (folder / "journal.jsonl").unlink(missing_ok=True)  # if it was cut off between journal and report
        return _finish(course, state)


def _gaps(times: list[float]) -> list[tuple[float, float]]:
    """Where nobody probed: while one process runs, probes leave many times a second."""
    return [(one, other) for one, other in pairwise(sorted(times)) if other - one > _NO_PROBE]


def _clusters(app: Application) -> dict[Address, Any]:
    return {address: home.cluster for address, home in app.homes.items()}


def _finish(course: DrillSteps, state: State) -> Rehearsal:
    """The journal and the report of a drill that is at its end; the report is the last to be written."""
    run, folder = course.run, course.folder
    journal = _rewritten(run.journal, state, run.started, course.app, course.count())
    course.say(DONE)
    report = DrillReport.of(state, course.targets, journal)
    journal.save(folder / "journal.jsonl")
    report.save(folder)
    remove_marks(_clusters(course.app), folder)
    return Rehearsal(report, journal, folder)


def roll_back(folder: str | Path, primary: Cluster) -> DrillReport:
    """Take back a drill whose process has ended: the primary serves again, and nothing else was its own.

    The standby keeps what was restored and written into it; where users had written, a note says so. The
    report says that it was taken back. Raises DrillError.
    """
    folder = Path(folder)
    state = load_state(folder / STATE)

    def bring_home(facts: Facts) -> None:
        if component := facts.get("component"):
            primary.heal(component)
        primary.wait_healthy()

    with lock(folder):
        check_clusters({"primary": primary}, folder, state)
        steps = [Step(one.name, one.title, 90.0, lambda _: "", undo=bring_home) for one in state.records]
        written = any(one.name == "service" and one.status == "done" for one in state.records)
        state = Drill(steps, folder / STATE, clock=time.monotonic).roll_back()
        if written:
            state.records[-1].note += " Rows written on the standby since are there only: bring them home."
        setting = state.facts.get("setting", {})
        report = DrillReport.of(state, Targets(**setting.get("targets", {})))
        report.save(folder)
        remove_marks({"primary": primary}, folder)
    return report


class DrillSteps:
    """The eight steps of one drill, and what they share while they run."""

    def __init__(
        self, app: Application, folder: Path, run: Run, targets: Targets, notice: float, deadline: float
    ) -> None:
        self.app, self.folder, self.run, self.targets = app, folder, run, targets
        self.primary, self.standby = app.homes["primary"], app.homes["standby"]
        self.say = ProgressLine(lambda: run.elapsed)
        self._clock = self.primary.cluster
        self._notice, self._deadline = notice, deadline
        self._fault: Any = None

    def wait(self, seconds: float, phase: str) -> None:
        end = self._clock.now() + seconds
        while (left := end - self._clock.now()) > 0:
            self.say(phase)
            self._clock.sleep(min(_LOOK, left))

    def nightly(self) -> None:
        """The backup that the drill will find. It is no step of it: a drill takes what there is."""
        if not self.app.simulated:
            self.say("the nightly backup")
            backup(self._clock, self.folder / "backup", [self.app.name])

    def steps(self) -> list[Step]:
        """Deadlines are seconds on the course's small clusters, with room for a busy machine."""
        real = not self.app.simulated
        plan = [
            Step("backup", "Verify the newest backup", 30, self._verify_backup),
            Step("standby", "Verify the standby", 30, self._verify_standby, self._healthy),
            Step("loss", "Lose the primary", 30, self._crash_proxy, self._resolve_target,
                 self._is_lost, self._heal_primary),
            Step("failover", "Fail over", 60, self._fail_over, undo=self._switch_back),
            Step("service", "Verify the service", 60, self._verify_service, commits=True),
            Step("measure", "Compute RTO and RPO", 60, self._measure),
            Step("report", "DrillReport", 30, self._write_figures),
            Step("failback", "Fail back", 90, self._fail_back, self._primary_back, self._nothing_lost,
                 self._keep_standby),
        ]  # fmt: skip
        return plan if real else [self._pretended(step) for step in plan]

    def count(self) -> RowCount | None:
        """The rows of every insert on the primary, now that all is over."""
        if self.app.simulated:
            return None
        self.say("counting rows")
        try:
            return self.primary.count(self._inserts(), self.app.name)
        except MeasurementError as error:
            self.run.note(f"Rows were not counted: {error.message}")
            return None

    # -- 1 and 2: before any harm ---------------------------------------------------------------------------

    def _verify_backup(self, facts: Facts) -> str:
        manifest = verify(self.folder / "backup")
        age = (datetime.now(UTC) - datetime.fromisoformat(manifest.begun)).total_seconds()
        if age > self.targets.rpo:
            raise DrillError(
                f"the newest backup is {age:.0f} s old, and at most {self.targets.rpo:g} s may be lost",
                hint="back up, and begin again",
            )
        facts["backup"] = str(self.folder / "backup")
        return f"{manifest.rows} rows, every file as its SHA-256 says, begun {age:.1f} s ago"

    def _healthy(self, _: Facts) -> None:
        for home in self.app.homes.values():
            home.cluster.wait_healthy(10.0)

    def _verify_standby(self, facts: Facts) -> str:
        ours, theirs = self.primary.cluster.versions["milvus"], self.standby.cluster.versions["milvus"]
        if ours != theirs:
            raise DrillError(
                f"the primary runs Milvus {ours}, the standby {theirs}", hint="upgrade the standby first"
            )
        facts["answers"] = {question: self._answer("primary", question) for question in QUESTIONS}
        parts = len(self.standby.cluster.components())
        return f"{parts} of {parts} components healthy, Milvus {theirs}; {len(QUESTIONS)} answers known"

    # -- 3: the loss ----------------------------------------------------------------------------------------

    def _resolve_target(self, facts: Facts) -> None:
        """What is to be killed stands in the state before it is killed: else nobody could take that back."""
        self._healthy(facts)
        facts["component"] = self.primary.cluster.resolve("any proxy").name

    def _crash_proxy(self, facts: Facts) -> str:
        self._fault = self.primary.cluster.inject("crash", "any proxy")
        facts["lost_at"] = self._fault.at
        self.wait(self._notice, "nobody has noticed yet")
        return f"the only proxy, {facts['component']}, was killed; noticed after {self._notice:g} s"

    def _is_lost(self, _: Facts) -> None:
        try:
            self.primary.ask(QUESTIONS[0], timeout=1.0)
        except MeasurementError:
            return
        raise DrillError("the primary still answers, so nothing was lost", hint="see what was killed")

    def _heal_primary(self, facts: Facts) -> None:
        """By its name too: another process may have made the fault, or the step was stopped in the middle."""
        if self._fault is not None:
            self._fault.undo()
        if "component" in facts:
            self.primary.cluster.heal(facts["component"])
        self.primary.cluster.wait_healthy()

    # -- 4 and 5: over, and proven --------------------------------------------------------------------------

    def _fail_over(self, facts: Facts) -> str:
        rows = restore(self.standby.cluster, facts["backup"], [self.app.name], replace=True).rows
        # No writes yet: a roll back would leave them behind.
        self.app.book.current, self.app.book.writable = "standby", False
        return f"{rows[self.app.name]} rows restored and counted; the standby is in charge, read-only"

    def _switch_back(self, _: Facts) -> None:
        self.app.book.current, self.app.book.writable = "primary", True

    def _keep_standby(self, _: Facts) -> None:
        """The way home failed: users have written to the standby, and so it stays in charge."""
        self.app.book.current, self.app.book.writable = "standby", True

    def _verify_service(self, facts: Facts) -> str:
        self._known_answers("standby", facts)
        name, spare, key = self.app.name, self.standby.insert_collection, time.time_ns() // 1000
        vector = [1.0] + [0.0] * 63
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
        self.app.book.writable = True
        facts["verified_at"] = self._clock.now()
        return f"{len(QUESTIONS)} known answers, strong search, insert, flush, release, load: all pass"

    def _known_answers(self, address: Address, facts: Facts) -> None:
        for question, known in facts["answers"].items():
            if self._answer(address, question) != known:
                raise DrillError(
                    f"the {address} answers {question!r} otherwise than the primary did",
                    hint="compare the rows of both",
                )

    def _answer(self, address: Address, question: str) -> str:
        """The best passage, "" if none is found. Asked again for a while: pymilvus gives up at once on a
        proxy that is just back, and a query node that is just back finds nothing.
        """
        end = self._clock.now() + _PATIENCE
        while True:
            try:
                found = self.app.homes[address].ask(question, limit=1)
            except MeasurementError:
                if self._clock.now() > end:
                    raise
            else:
                if found or self._clock.now() > end:
                    return found[0].text if found else ""
            self._clock.sleep(_LOOK)

    # -- 6 and 7: the figures -------------------------------------------------------------------------------

    def _measure(self, facts: Facts) -> str:
        rto = facts["rto"] = facts["verified_at"] - facts["lost_at"]
        written = [one for one in self._inserts() if one.done <= facts["lost_at"]]
        missing = set(self.standby.count(written, self.app.name).missing)
        first = min((one.done for one in written if one.key in missing), default=facts["lost_at"])
        facts["rpo"], facts["rpo_rows"] = facts["lost_at"] - first, len(missing)
        return f"RTO {rto:.1f} s; RPO {facts['rpo']:.1f} s, {len(missing)} acknowledged rows"

    def _write_figures(self, facts: Facts) -> str:
        (self.folder / "figures.json").write_text(
            json.dumps({"targets": asdict(self.targets), **{k: facts[k] for k in ("rto", "rpo", "rpo_rows")}})
        )
        return "figures written; the report follows when the drill has ended"

    # -- 8: home --------------------------------------------------------------------------------------------

    def _primary_back(self, facts: Facts) -> None:
        """The primary comes back, and is not in charge: that is what keeps two from taking writes."""
        self._heal_primary(facts)
        self._answer("primary", QUESTIONS[0])
        if self.app.book.current != "standby":
            raise DrillError("the address is the primary's already", hint="who switched it?")

    def _fail_back(self, facts: Facts) -> str:
        self.app.book.writable = False
        began = self._clock.now()
        self._clock.sleep(self._deadline)  # writes under way reach the standby, or have failed
        # The way home may be gone a second time, and a backup is never overwritten.
        tries = len(list(self.folder.glob("failback*")))
        folder = self.folder / (f"failback-{tries + 1}" if tries else "failback")
        manifest = backup(self.standby.cluster, folder, [self.app.name])
        brought = self._merge(folder)
        self.app.book.current, self.app.book.writable = "primary", True
        facts["read_only"] = self._clock.now() - began
        return (
            f"{brought} rows written on the standby brought home, of {manifest.rows}; "
            f"no writes for {facts['read_only']:.1f} s"
        )

    def _merge(self, folder: Path) -> int:
        """Rows that the primary does not have. Nothing of its own is replaced: it may have the newer rows."""
        name, brought = self.app.name, 0
        saved = verify(folder).collections[0]
        with connected(self.primary.cluster) as client, refusals("the rows did not come home"):
            for partition, _, rows in batches(saved, folder):
                keys = [row["id"] for row in rows]
                there = client.query(name, f"id in {keys}", ["id"], consistency_level="Strong")
                have = {row["id"] for row in there}
                new = [row for row in rows if row["id"] not in have]
                if new:
                    client.insert(name, new, partition_name=partition)
                brought += len(new)
            client.flush(name)
        return brought

    def _nothing_lost(self, facts: Facts) -> None:
        self._known_answers("primary", facts)
        missing = self.primary.count(self._inserts(), self.app.name).missing
        facts["lost_at_home"] = len(missing)
        if missing:
            raise DrillError(
                f"{len(missing)} acknowledged rows are not on the primary",
                hint="they are in the folder's backups: bring them home by hand",
            )

    # -- helpers --------------------------------------------------------------------------------------------

    def _inserts(self) -> list[Sample]:
        return [one for one in self.run.so_far() if one.operation == "insert"]

    def _pretended(self, step: Step) -> Step:
        """The same step on simulated clusters: the loss is simulated, all else says it was not done."""
        if step.name == "loss":
            return Step(
                step.name,
                step.title,
                step.deadline,
                self._crash_proxy,
                self._resolve_target,
                undo=self._heal_primary,
            )
        undo = step.undo
        if step.name == "failback":

            def home(facts: Facts) -> str:
                self._heal_primary(facts)
                return "SIMULATED: the proxy was started again"

            return Step(step.name, step.title, step.deadline, home, undo=undo)

        def nothing(facts: Facts) -> str:
            self._clock.sleep(1.0)
            return _SIMULATED

        return Step(step.name, step.title, step.deadline, nothing, undo=undo)


def _rewritten(
    journal: Journal, state: State, started: float, app: Application, count: RowCount | None
) -> Journal:
    """The journal with the drill's steps as events, and its loss as the one fault."""
    offset = state.zero - started
    events = [
        Event(round(record.began + offset, 6), record.name, f"step {record.status}", "user", record.title)
        for record in state.records
        if record.began is not None
    ]
    faults = [
        FaultRecord("lose", "primary", fault.component, fault.at, fault.undone_at)
        for fault in journal.faults[-1:]  # a loss that was cut off was undone, and made again
    ]
    said = "SIMULATED: no address was switched, so service came back when the proxy did."
    return journal.extended(count=count, notes=[said] if app.simulated else [], events=events, faults=faults)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What users of one kind of client met: questions sent, unanswered, and answered but degraded."""

    operation: str
    sent: int
    unanswered: int
    degraded: int


def unanswered(journal: Journal) -> tuple[Unanswered, ...]:
    """Each search of a drill, from the loss to the end. Raises MeasurementError for another journal."""
    loss = next((fault.at for fault in journal.faults if fault.kind == "lose"), None)
    if loss is None:
        raise MeasurementError("this is the journal of no drill", hint="make one with rehearse(app, folder)")
    names = [name for name in ("search", TWO_ADDRESSES) if name in journal.header.operations]
    found = []
    for name in names:
        asked = tuple(one for one in journal.samples(name) if one.intended >= loss)
        bad = sum(one.outcome is not Outcome.OK for one in asked)
        found.append(Unanswered(name, len(asked), bad, len(degraded(asked))))
    return tuple(found)
