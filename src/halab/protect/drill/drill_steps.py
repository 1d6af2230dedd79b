"""The eight steps of the course's drill: what each checks, does, verifies and undoes, and by when.

The table is `DrillSteps._steps`; the functions follow in its order.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from pymilvus.client.types import LoadState

from halab.cluster.protocol import Component
from halab.errors import DrillError, MeasurementError
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.addresses import Address, Application
from halab.measure.probing.embedding import DIMENSIONS, questions
from halab.models.samples import Sample
from halab.protect.backup.connection import connected, load, refusals
from halab.protect.backup.manifest import verify
from halab.protect.backup.restorer import batches, restore
from halab.protect.backup.writer import backup
from halab.protect.drill.runbook import Drill, Facts, Step, Targets, nothing
from halab.protect.drill.unfinished import STATE
from halab.translation import gettext, gettext_noop

__all__ = ["DrillSteps"]

_SIMULATED = gettext_noop("SIMULATED, not done: a simulated cluster keeps no rows and has no address")
_ANSWER_TIMEOUT = 20.0  # seconds for a proxy that has come back to answer its clients again
_POLL = 0.5  # seconds between two looks


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
            self.experiment.on_progress(gettext("the nightly backup"))
            backup(self._clock, self._backup, [self.app.name])

    def _steps(self) -> list[Step]:
        """Deadlines are seconds on the course's small clusters, with room for a busy machine."""
        steps = [
            Step("backup", gettext("Verify the newest backup"), 30, self._verify_backup),
            Step(
                "standby",
                gettext("Verify the standby"),
                30,
                self._verify_standby,
                precheck=self._check_healthy,
            ),
            Step(
                "loss", gettext("Lose the primary"), 30, self._crash_proxy,
                precheck=self._choose_proxy, verify=self._check_lost, undo=self._heal_primary,
            ),
            Step(
                "failover", gettext("Fail over"), 60, self._restore_on_standby,
                on_done=self._switch_to_standby, undo=self._switch_to_primary,
            ),
            Step(
                "service", gettext("Verify the service"), 60, self._verify_service,
                on_done=self._allow_writes, commits=True,
            ),
            Step("measure", gettext("Compute RTO and RPO"), 60, self._measure),
            Step("figures", gettext("Write down the figures"), 30, self._write_figures),
            Step(
                "failback", gettext("Fail back"), 90, self._bring_rows_home,
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
                gettext("the newest backup is {age:.0f} s old, and at most {rpo:g} s may be lost").format(
                    age=age, rpo=facts.targets.rpo
                ),
                hint=gettext("back up, and begin again"),
            )
        return gettext("{rows} rows, every file as its SHA-256 says, begun {age:.1f} s ago").format(
            rows=manifest.rows, age=age
        )

    def _check_healthy(self, _: Facts) -> None:
        for home in self.app.homes.values():
            home.cluster.wait_healthy(10.0)

    def _verify_standby(self, facts: Facts) -> str:
        ours, theirs = self.primary.cluster.versions["milvus"], self.standby.cluster.versions["milvus"]
        if ours != theirs:
            raise DrillError(
                gettext("the primary runs Milvus {ours}, the standby {theirs}").format(
                    ours=ours, theirs=theirs
                ),
                hint=gettext("upgrade the standby first"),
            )
        facts.answers = {question: self._answer("primary", question) for question in questions()}
        parts = len(self.standby.cluster.components())
        return gettext(
            "{parts} of {parts} components healthy, Milvus {theirs}; {count} answers known"
        ).format(parts=parts, theirs=theirs, count=len(questions()))

    # -- 3: the loss ----------------------------------------------------------------------------------------

    def _choose_proxy(self, facts: Facts) -> None:
        self._check_healthy(facts)
        self._target = self.primary.cluster.resolve("any proxy")
        facts.component = self._target.name

    def _crash_proxy(self, facts: Facts) -> str:
        assert self._target is not None
        facts.lost_at = self.primary.cluster.inject("crash", self._target).at
        self.experiment.wait(self._notice, gettext("nobody has noticed yet"))
        return gettext("the only proxy, {component}, was killed; noticed after {notice:g} s").format(
            component=facts.component, notice=self._notice
        )

    def _check_lost(self, _: Facts) -> None:
        try:
            self.primary.ask(questions()[0], timeout=1.0)
        except MeasurementError:
            return
        raise DrillError(
            gettext("the primary still answers, so nothing was lost"), hint=gettext("see what was killed")
        )

    def _heal_primary(self, facts: Facts) -> None:
        if facts.component:
            self.primary.cluster.heal(facts.component)
        self.primary.cluster.wait_healthy()

    # -- 4 and 5: over, and proven --------------------------------------------------------------------------

    def _restore_on_standby(self, _: Facts) -> str:
        rows = restore(self.standby.cluster, self._backup, [self.app.name], replace=True).rows
        return gettext("{rows} rows restored and counted; the standby is in charge, read-only").format(
            rows=rows[self.app.name]
        )

    def _switch_to_standby(self, _: Facts) -> None:
        """No writes yet: a roll back would leave them behind."""
        self.app.book.current, self.app.book.writable = "standby", False

    def _switch_to_primary(self, _: Facts) -> None:
        self.app.book.current, self.app.book.writable = "primary", True

    def _verify_service(self, facts: Facts) -> str:
        self._check_answers("standby", facts)
        name, spare, key = self.app.name, self.standby.insert_collection, time.time_ns() // 1000
        vector = [1.0, *[0.0] * (DIMENSIONS - 1)]
        with connected(self.standby.cluster) as client, refusals(gettext("the standby does not serve")):
            if not client.search(name, [vector], limit=1, consistency_level="Strong")[0]:
                raise DrillError(
                    gettext("a strong search found nothing"),
                    hint=gettext("look at the standby's query nodes"),
                )
            client.insert(spare, [{"id": key, "vector": vector}])
            client.flush(spare)
            client.release_collection(spare)
            if client.get_load_state(spare)["state"] == LoadState.Loaded:
                raise DrillError(
                    gettext("a release did nothing"), hint=gettext("look at the standby's query coordinator")
                )
            load(client, spare, 1)
            if not client.query(spare, f"id == {key}", ["id"], consistency_level="Strong"):
                raise DrillError(
                    gettext("a row that was inserted and flushed is not there"), hint=gettext("keep its logs")
                )
        return gettext("{count} known answers, strong search, insert, flush, release, load: all pass").format(
            count=len(questions())
        )

    def _allow_writes(self, facts: Facts) -> None:
        self.app.book.writable = True
        facts.verified_at = self._clock.now()

    def _check_answers(self, address: Address, facts: Facts) -> None:
        for question, known in facts.answers.items():
            if self._answer(address, question) != known:
                raise DrillError(
                    gettext("the {address} answers {question!r} otherwise than the primary did").format(
                        address=address, question=question
                    ),
                    hint=gettext("compare the rows of both"),
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
        return gettext("RTO {rto:.1f} s; RPO {rpo:.1f} s, {count} acknowledged rows").format(
            rto=facts.rto, rpo=facts.rpo, count=len(missing)
        )

    def _write_figures(self, facts: Facts) -> str:
        figures = {"rto": facts.rto, "rpo": facts.rpo, "rpo_rows": facts.rpo_rows}
        (self.folder / "figures.json").write_text(json.dumps({"targets": asdict(facts.targets), **figures}))
        return gettext("figures.json written; the report follows when the drill has ended")

    # -- 8: home --------------------------------------------------------------------------------------------

    def _check_primary_back(self, facts: Facts) -> None:
        """The primary comes back, and is not in charge: that is what keeps two from taking writes."""
        self._heal_primary(facts)
        self._answer("primary", questions()[0])
        if self.app.book.current != "standby":
            raise DrillError(
                gettext("the address is the primary's already"), hint=gettext("who switched it?")
            )

    def _stop_writes(self, _: Facts) -> None:
        self.app.book.writable = False
        self._read_only_since = self._clock.now()

    def _bring_rows_home(self, _: Facts) -> str:
        self._clock.sleep(self._deadline)  # writes under way reach the standby, or have failed
        folder = self.folder / "failback"
        manifest = backup(self.standby.cluster, folder, [self.app.name])
        brought = self._merge(folder)
        return gettext("{brought} rows written on the standby brought home, of {rows}").format(
            brought=brought, rows=manifest.rows
        )

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
        with connected(self.primary.cluster) as client, refusals(gettext("the rows did not come home")):
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
                gettext("{count} acknowledged rows are not on the primary").format(count=len(missing)),
                hint=gettext("they are in the folder's backups: bring them home by hand"),
            )

    # -- helpers --------------------------------------------------------------------------------------------

    def _inserts(self) -> list[Sample]:
        return [sample for sample in self.experiment.run.so_far() if sample.operation == "insert"]

    def _simulated_step(self, step: Step) -> Step:
        """The same step on simulated clusters: the loss is simulated, all else says it was not done."""

        def go_home(facts: Facts) -> str:
            self._heal_primary(facts)
            return gettext("SIMULATED: the proxy was started again")

        def do_nothing(_: Facts) -> str:
            self._clock.sleep(1.0)
            return gettext(_SIMULATED)

        if step.name == "loss":
            return replace(step, verify=nothing)
        do = go_home if step.name == "failback" else do_nothing
        return Step(step.name, step.title, step.deadline, do)
