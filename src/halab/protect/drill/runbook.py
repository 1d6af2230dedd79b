"""A drill as data: steps that are checked, done, verified and can be undone, each within a deadline.

    drill = Drill(steps, "drills/monday/state.json", clock=cluster.now)
    drill.run()           # from the first step that is not done
    drill.roll_back()     # what was begun is undone, last first

After each change the state is written to a file, so that a drill which was cut off can be gone on with by
`run`, or taken back by `roll_back`, also by another process. For that, what steps tell each other stands in
`facts`, which is part of the state. A step that was cut off is undone before it is done again.

A deadline holds for all of a step, precheck to verify, and again for its undoing. A step that overruns is
stopped or left (see step_timeout.py), has failed, and the drill goes on to undo. Each step works on a
copy of the facts: of one that was stopped or left nothing is taken over, then or later.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from halab.errors import DrillError, HalabError
from halab.protect.drill.step_timeout import Overran, bounded

__all__ = ["Drill", "Facts", "Record", "State", "Step", "load_state"]

Facts = dict[str, Any]
T = TypeVar("T")
Status = Literal["waiting", "running", "done", "refused", "failed", "undone"]
FORMAT = "halab-drill"
VERSION = 1


def _done(step: Step, facts: Facts) -> str:
    said = step.do(facts)
    step.verify(facts)
    return said


def _nothing(_: Facts) -> None:
    """Most steps have nothing to check before, to verify or to undo."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `deadline` is seconds; `who` does it; `do` returns a sentence that says what it found.

    Each function gets the drill's facts and may raise a HalabError; it runs in a thread that is stopped when
    its time is over. `undo` must bear being called twice.
    Once a step that `commits` is done, a later failure undoes only its own step: users rely on what was done.
    """

    name: str
    title: str
    deadline: float
    do: Callable[[Facts], str]
    precheck: Callable[[Facts], None] = _nothing
    verify: Callable[[Facts], None] = _nothing
    undo: Callable[[Facts], None] = _nothing
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
    """A drill's whole state. `started` is ISO 8601 (UTC), `zero` the clock's reading at that moment;
    `resumed` are the seconds since then at which it was gone on with after it had been cut off."""

    title: str
    started: str
    zero: float
    records: list[Record]
    facts: Facts = field(default_factory=dict)
    resumed: list[float] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True if every step was done."""
        return all(record.status == "done" for record in self.records)

    @property
    def stopped_at(self) -> Record | None:
        """The step that ended the drill, or None."""
        return next((one for one in self.records if one.status in ("refused", "failed")), None)

    def text(self) -> str:
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=1) + "\n"


def load_state(path: str | Path) -> State:
    """Read a drill's state. Raises DrillError if there is none, or if it is damaged."""
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        if (told.pop("format"), told.pop("version")) != (FORMAT, VERSION):
            raise ValueError("another format or version")
        told["records"] = [Record(**one) for one in told["records"]]
        return State(**told)
    except FileNotFoundError:
        raise DrillError(f"there is no drill at {path}", hint="name the drill's state.json") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DrillError(
            f"{path} is no state of a drill that this halab can read ({error})",
            hint="see by hand which cluster is in charge, then begin a new drill in another folder",
        ) from None


class Drill:
    """Steps under way. Goes on from the state in `path` if there is one; `say` is told each phase."""

    def __init__(
        self,
        steps: Iterable[Step],
        path: str | Path,
        *,
        clock: Callable[[], float],
        title: str = "Recovery drill",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.steps = list(steps)
        self.path = Path(path)
        self._clock, self._say = clock, say
        if self.path.exists():
            self.state = load_state(self.path)
            if [one.name for one in self.state.records] != [step.name for step in self.steps]:
                raise DrillError(
                    f"{path} belongs to a drill of other steps", hint="begin a new drill in another folder"
                )
        else:
            records = [Record(step.name, step.title, step.who, step.deadline) for step in self.steps]
            self.state = State(title, datetime.now(UTC).isoformat(timespec="milliseconds"), clock(), records)

    @property
    def elapsed(self) -> float:
        """Seconds since the drill began."""
        return round(self._clock() - self.state.zero, 3)

    def run(self) -> State:
        """Do what is not done yet. A step that is refused or fails ends the drill, and what was done is
        undone, back to the last step that commits.

        Only HalabErrors are a result; whatever else ends it leaves the state as it was written last.
        """
        if self.state.stopped_at:
            raise DrillError(
                f"this drill ended at the step {self.state.stopped_at.title!r}",
                hint="read its report, mend what it names, and begin a new drill in another folder",
            )
        if any(record.status == "undone" for record in self.state.records):
            raise DrillError(
                "this drill was taken back, and cannot be gone on with",
                hint="begin a new one in another folder",
            )
        if any(record.began is not None for record in self.state.records):
            self.state.resumed.append(self.elapsed)
        for step, record in zip(self.steps, self.state.records, strict=True):
            if record.status == "done":
                continue
            if record.status == "running":
                self._undo_one(step)
            if not self._one(step, record):
                self._undo(self._since_commit())
                break
        return self.state

    def roll_back(self) -> State:
        """Undo every step that was begun, the last first. A failed undo is noted, and the rest is undone."""
        self._undo(0)
        return self.state

    def _since_commit(self) -> int:
        """The number of the first step that a failure undoes."""
        pairs = enumerate(zip(self.steps, self.state.records, strict=True), 1)
        return max((at for at, (step, one) in pairs if step.commits and one.status == "done"), default=0)

    def _undo(self, first: int) -> None:
        steps = list(zip(self.steps, self.state.records, strict=True))[first:]
        for step, record in reversed(steps):
            if record.status not in ("done", "running", "failed"):
                continue
            self._say(f"undoing: {step.title}")
            try:
                self._undo_one(step)
            except HalabError as error:
                record.note += f" NOT UNDONE: {error.message}"
            else:
                # The step that failed stays marked: it is why the others were undone.
                record.status = "failed" if record.status == "failed" else "undone"
            self._save()

    def _undo_one(self, step: Step) -> None:
        bounded(partial(step.undo, copy.deepcopy(self.state.facts)), step.deadline)

    def _one(self, step: Step, record: Record) -> bool:
        """One step; whether it was done in time and as it should."""
        self._say(step.title)
        record.began = self.elapsed
        try:
            self._within(step, record, step.precheck)
        except HalabError as error:
            return self._end(record, "refused", error.message)
        record.status = "running"
        self._save()
        try:
            said = self._within(step, record, partial(_done, step))
        except HalabError as error:
            return self._end(record, "failed", error.message)
        took = self.elapsed - record.began
        if took > step.deadline:
            return self._end(record, "failed", f"took {took:.1f} s, and its deadline is {step.deadline:g} s")
        return self._end(record, "done", said)

    def _within(self, step: Step, record: Record, work: Callable[[Facts], T]) -> T:
        """Work on a copy of the facts, in what is left of the deadline."""
        facts = copy.deepcopy(self.state.facts)
        left = step.deadline - (self.elapsed - (record.began or 0.0))
        try:
            found = bounded(partial(work, facts), max(left, 0.0))
        except Overran:
            raise
        except HalabError:
            self.state.facts = facts  # it ended by itself: what it had found out by then is in the report
            raise
        self.state.facts = facts
        return found

    def _end(self, record: Record, status: Status, note: str) -> bool:
        record.status, record.note, record.ended = status, note, self.elapsed
        self._save()
        return status == "done"

    def _save(self) -> None:
        """In one go: a power cut leaves the old state or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(self.state.text())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
