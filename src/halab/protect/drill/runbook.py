"""A runbook as data: steps that are checked, done, verified and can be undone, each within a deadline.

    drill = Drill(steps, "drills/monday/state.json", clock=cluster.now)
    drill.run()

After each change the state is written to a file, so that a drill which was cut off can be explained and
rolled back by another process (see unfinished.py). What steps tell each other stands in `Facts`, part of it.

A deadline holds for all of a step, precheck to verify, and again for its undoing. A step that overruns has
failed, and the drill goes on to undo. Python cannot stop the thread it runs in, so a late step must not be
able to change anything that counts: each phase works on a copy of the facts, which is dropped if it is late;
no phase begins after a late one; and what takes effect at once, such as a switch of the address, belongs into
`on_start` and `on_done`, which the drill itself calls before `do` and when it has ended in time.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from halab.errors import DrillError, HalabError
from halab.folders import read_plain
from halab.protect.drill.step_timeout import StepTimeout, run_with_timeout
from halab.translation import gettext, pgettext

__all__ = ["Drill", "Facts", "Record", "State", "Step", "Targets", "load_state", "nothing", "status_in_words"]

T = TypeVar("T")
Status = Literal["waiting", "running", "done", "refused", "failed", "undone"]


def status_in_words(status: Status) -> str:
    """What became of a step, in the reader's language."""
    return {
        "waiting": pgettext("step", "waiting"),
        "running": pgettext("step", "running"),
        "done": pgettext("step", "done"),
        "refused": pgettext("step", "refused"),
        "failed": pgettext("step", "failed"),
        "undone": pgettext("step", "undone"),
    }[status]


FORMAT = "halab-drill"
VERSION = 2
_LARGEST = 4 << 20  # bytes of a state; a drill of eight steps has some thousand


@dataclass(frozen=True, slots=True)
class Targets:
    """What was promised, in seconds: until service is back, and of writes that may be lost."""

    rto: float = 60.0
    rpo: float = 60.0


@dataclass(slots=True)
class Facts:
    """What is known of a drill, and what its steps tell each other.

    `lost_at` and `verified_at` are seconds on the primary's clock, 0 until then; `rto`, `rpo` and `read_only`
    are lengths in seconds, `rpo_rows` and `lost_at_home` rows, None where nothing was measured.
    """

    primary: str = ""
    """The cluster's name, as `standby` is the other's."""
    standby: str = ""
    simulated: bool = False
    targets: Targets = Targets()
    answers: dict[str, str] = field(default_factory=dict)
    """The primary's best passage for each question, before the loss."""
    component: str = ""
    """The component that is killed, known before it is: else nobody could undo that after a crash."""
    lost_at: float = 0.0
    verified_at: float = 0.0
    rto: float | None = None
    rpo: float | None = None
    rpo_rows: int | None = None
    read_only: float | None = None
    """Seconds without writes on the way home."""
    lost_at_home: int | None = None
    """Acknowledged rows that are missing after the way home."""


def nothing(_: Facts) -> None:
    """For a step that has nothing to check, to switch, to verify or to undo."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `deadline` is seconds; `who` does it; `do` returns a sentence that says what it found.

    Each function gets the drill's facts and may raise a HalabError. They run in a thread that is abandoned
    when the time is over, but for `on_start` and `on_done`, which must return at once. Once a step that
    `commits` is done, a later failure undoes only what came after it: users rely on what was done.
    """

    name: str
    title: str
    deadline: float
    do: Callable[[Facts], str]
    precheck: Callable[[Facts], None] = nothing
    on_start: Callable[[Facts], None] = nothing
    on_done: Callable[[Facts], None] = nothing
    verify: Callable[[Facts], None] = nothing
    undo: Callable[[Facts], None] = nothing
    who: str = "halab"
    commits: bool = False


@dataclass(slots=True)
class Record:
    """What became of a step; times are seconds since the drill began, None while there is none."""

    name: str
    title: str
    who: str
    deadline: float
    status: Status = "waiting"
    began: float | None = None
    ended: float | None = None
    note: str = ""

    @property
    def seconds(self) -> float | None:
        return None if self.began is None or self.ended is None else self.ended - self.began


@dataclass(slots=True)
class State:
    """A drill's whole state. `started` is ISO 8601 (UTC), `zero` the clock's reading at that moment."""

    title: str
    started: str
    zero: float
    records: list[Record]
    facts: Facts = field(default_factory=Facts)

    @property
    def passed(self) -> bool:
        """True if every step was done."""
        return all(record.status == "done" for record in self.records)

    @property
    def stopped_at(self) -> Record | None:
        """The step that ended the drill, or None."""
        return next((record for record in self.records if record.status in ("refused", "failed")), None)

    def status(self, step: str) -> Status:
        """The status of the step of this name; "waiting" if there is none."""
        return next((record.status for record in self.records if record.name == step), "waiting")

    def text(self) -> str:
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=1) + "\n"

    def save(self, path: Path) -> None:
        """Write the state in one go: a power cut leaves the old file or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(self.text())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def load_state(path: str | Path) -> State:
    """Read a drill's state. Raises DrillError if there is none, or if it cannot be read."""
    try:
        fields = json.loads(read_plain(Path(path), _LARGEST))
        if (fields.pop("format"), fields.pop("version")) != (FORMAT, VERSION):
            raise ValueError(gettext("another format or version"))
        facts = fields.pop("facts")
        facts["targets"] = Targets(**facts["targets"])
        records = [Record(**record) for record in fields.pop("records")]
        return State(**fields, records=records, facts=Facts(**facts))
    except FileNotFoundError:
        raise DrillError(
            gettext("there is no drill at {path}").format(path=path),
            hint=gettext("name the folder of a drill"),
        ) from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OSError) as error:
        raise DrillError(
            gettext("{path} is not the state of a drill that this halab can read ({error})").format(
                path=path, error=error
            ),
            hint=gettext("see by hand which cluster is in charge, then begin a new drill in another folder"),
        ) from None


class Drill:
    """The steps of a runbook under way; `on_progress` gets the title of each step when it begins."""

    def __init__(
        self,
        steps: Iterable[Step],
        path: str | Path,
        *,
        clock: Callable[[], float],
        facts: Facts | None = None,
        title: str = "Recovery drill",
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = Path(path)
        self._steps = list(steps)
        self._clock, self._on_progress = clock, on_progress
        records = [Record(step.name, step.title, step.who, step.deadline) for step in self._steps]
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.state = State(title, started, clock(), records, facts or Facts())

    @property
    def elapsed(self) -> float:
        """Seconds since the drill began."""
        return round(self._clock() - self.state.zero, 3)

    def run(self) -> State:
        """Do the steps in order. One that is refused or fails ends the drill, and what was done is undone,
        back to the last step that commits.

        Only HalabErrors are a result; whatever else ends it leaves the state as it was written last.
        """
        for step, record in zip(self._steps, self.state.records, strict=True):
            if not self._run_step(step, record):
                self._undo_since_commit()
                break
        return self.state

    def _run_step(self, step: Step, record: Record) -> bool:
        """Run one step; True if it was done in time and as it should."""
        self._on_progress(step.title)
        record.began = self.elapsed
        try:
            self._run_phase(step, record, gettext("the check before it"), step.precheck)
        except HalabError as error:
            return self._end(record, "refused", error.message)
        record.status = "running"
        self.state.save(self.path)
        try:
            step.on_start(self.state.facts)
            note = self._run_phase(step, record, gettext("its work"), step.do)
            step.on_done(self.state.facts)
            self._run_phase(step, record, gettext("its verification"), step.verify)
        except HalabError as error:
            return self._end(record, "failed", error.message)
        took = self.elapsed - record.began
        if took > step.deadline:
            return self._end(
                record,
                "failed",
                gettext("took {took:.1f} s, and its deadline is {deadline:g} s").format(
                    took=took, deadline=step.deadline
                ),
            )
        return self._end(record, "done", note)

    def _run_phase(self, step: Step, record: Record, what: str, work: Callable[[Facts], T]) -> T:
        """Run a phase on a copy of the facts, in what is left of the step's deadline."""
        facts = copy.deepcopy(self.state.facts)
        left = step.deadline - (self.elapsed - (record.began or 0.0))
        try:
            result = run_with_timeout(lambda: work(facts), max(left, 0.0), what=what, deadline=step.deadline)
        except StepTimeout:
            raise
        except HalabError:
            self.state.facts = facts  # it ended by itself: what it had found out by then is in the report
            raise
        self.state.facts = facts
        return result

    def _undo_since_commit(self) -> None:
        """Undo the steps that were begun, the last first, back to the last one that commits and is done.

        An undo that fails is noted, and the rest is undone.
        """
        for step, record in reversed(list(zip(self._steps, self.state.records, strict=True))):
            if step.commits and record.status == "done":
                break
            if record.status not in ("done", "failed"):
                continue
            self._on_progress(gettext("undoing: {title}").format(title=step.title))
            try:
                self._undo(step)
            except HalabError as error:
                record.note += gettext(" NOT UNDONE: {message}").format(message=error.message)
            else:
                # The step that failed stays marked: it is why the others were undone.
                record.status = "failed" if record.status == "failed" else "undone"
            self.state.save(self.path)

    def _undo(self, step: Step) -> None:
        facts = copy.deepcopy(self.state.facts)
        run_with_timeout(
            lambda: step.undo(facts), step.deadline, what=gettext("its undoing"), deadline=step.deadline
        )

    def _end(self, record: Record, status: Status, note: str) -> bool:
        record.status, record.note, record.ended = status, note, self.elapsed
        self.state.save(self.path)
        return status == "done"
