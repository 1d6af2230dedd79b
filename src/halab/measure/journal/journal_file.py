"""A journal: one measurement as one JSONL file, hash-chained, from which every result is worked out again.

The first line is the header, the last the footer; between them stand faults, events, the phases of a load,
samples, notes and the count of rows. Each line carries the hash of the line before it (`prev`) and its own
(`hash`: SHA-256 of the line's canonical JSON without `hash`), so a changed, missing, moved or added line is
found out. The chain has no secret: who rewrites the whole file can make a new one. Keep `Journal.digest` to
notice that.

Times are seconds since the start of the measurement. Sizes are bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from halab.cluster.protocol import Cluster, Event
from halab.errors import JournalError
from halab.folders import read_plain_text
from halab.measure.journal.record_fields import problem_of
from halab.models.samples import Outcome, Sample
from halab.translation import gettext

__all__ = ["FaultRecord", "Header", "Journal", "Phase", "Pressure", "RowCount", "Scheduling", "machine"]

FORMAT = "halab-journal"
VERSION = 2
_NO_HASH = "0" * 64
_LARGEST = 256 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What was measured, on what, and how.

    `rate` is probes a second of each operation (of clients that wait for their answers: as it turned out);
    `deadline` and `ttl` are seconds; `timeouts` is how many seconds the users of each operation wait (the
    deadline, unless they wait longer); `started` is the wall clock in ISO 8601; `seed` feeds every random
    number of the run. `learner` is the id of who measured it in a lesson, "" if it was no learner's, or if
    halab did not write that yet.
    """

    name: str
    engine: str
    profile: str
    ttl: float
    versions: dict[str, str]
    seed: int
    machine: dict[str, Any]
    started: str
    rate: float
    deadline: float
    operations: tuple[str, ...]
    timeouts: dict[str, float]
    simulated: bool
    learner: str = ""

    @classmethod
    def of(
        cls,
        cluster: Cluster,
        *,
        seed: int,
        started: str,
        rate: float,
        deadline: float,
        timeouts: Mapping[str, float],
    ) -> Header:
        """The header of a measurement of this cluster on this machine; `timeouts` names the operations."""
        return cls(
            name=cluster.name,
            engine=cluster.engine,
            profile=cluster.profile,
            ttl=cluster.ttl,
            versions=dict(cluster.versions),
            seed=seed,
            machine=machine(),
            started=started,
            rate=rate,
            deadline=deadline,
            operations=tuple(timeouts),
            timeouts=dict(timeouts),
            simulated=cluster.engine == "simulated",
        )


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """A fault as it was injected. `target` is what was asked, `component` what it named at that moment;
    `undone_at` is None if it was still in place when the measurement ended. `ordered_at` is when the
    experiment asked for it, None if that is not known."""

    kind: str
    target: str
    component: str
    at: float
    undone_at: float | None = None
    ordered_at: float | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a measurement under load, between `start` and `end`; its warm-up lies before it.

    `settings` are the numbers it was run with, such as replicas and clients; `figures` what was measured
    beside the samples (seconds, bytes). `usage` says for each process how many cores it kept busy and its
    resident memory in bytes: {"querynode-1": {"cores": 0.4, "memory": 9.1e7}}.
    """

    name: str
    start: float
    end: float
    settings: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    usage: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowCount:
    """Rows written by the insert probes, and what a Strong count found of them afterwards.

    `missing` are keys that were acknowledged and are not there: data lost. `unknown_present` and
    `failed_present` count rows that are there although their insert timed out or was refused:
    a timeout is not a failure. `late` counts acknowledged rows that a first look did not find and a later one
    did: not lost, but for a while not seen.
    """

    acknowledged: int
    unknown: int
    failed: int
    found: int
    missing: tuple[int, ...] = ()
    unknown_present: int = 0
    failed_present: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Scheduling:
    """How well the prober kept its own timetable: seconds between intended and actual send,
    and the resolution of the clock it read. All 0 if simulated."""

    median: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    clock_resolution: float = 0.0


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about the measurement."""

    text: str


@dataclass(frozen=True, slots=True)
class Pressure:
    """How short of processor time the machine was: `cpu` is the share, 0 to 1, of the time since the record
    before (about a second) in which some task was ready to run and had no core."""

    time: float
    cpu: float


def machine() -> dict[str, Any]:
    """The machine this runs on: platform, cores, memory in bytes, Python version."""
    return {
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
        "memory": psutil.virtual_memory().total,
        "python": platform.python_version(),
    }


@dataclass(frozen=True)
class Journal:
    """One measurement. The lines are the truth; everything else is read from them.

    Make one with `Journal.write`, or read one with `Journal.load`, which checks it.
    """

    lines: tuple[str, ...]

    @classmethod
    def write(
        cls,
        header: Header,
        *,
        samples: Iterable[Sample],
        faults: Iterable[FaultRecord] = (),
        events: Iterable[Event] = (),
        phases: Iterable[Phase] = (),
        pressure: Iterable[Pressure] = (),
        notes: Iterable[str] = (),
        count: RowCount | None = None,
        scheduling: Scheduling | None = None,
    ) -> Journal:
        """Put a measurement into a chained journal, in the order in which things happened."""
        timed = [(f.at, "fault", asdict(f)) for f in faults]
        timed += [(e.time, "event", asdict(e)) for e in events]
        timed += [(p.start, "phase", asdict(p)) for p in phases]
        timed += [(p.time, "pressure", asdict(p)) for p in pressure]
        timed += [(s.intended, "sample", asdict(s)) for s in samples]
        timed.sort(key=lambda entry: entry[0])
        records: list[tuple[str, dict[str, Any]]] = [
            ("header", {"format": FORMAT, "version": VERSION, **asdict(header)})
        ]
        records += [(kind, fields) for _, kind, fields in timed]
        records += [("note", {"text": text}) for text in notes]
        records += [("count", asdict(count))] if count else []
        records.append(("footer", {"records": len(records) + 1, **asdict(scheduling or Scheduling())}))
        return cls(tuple(_chained(records)))

    @classmethod
    def load(cls, path: str | Path) -> Journal:
        """Read a journal and check it. Raises JournalError naming the first line that is wrong."""
        try:
            text = _read_text(Path(path))
        except FileNotFoundError:
            raise JournalError(
                gettext("there is no journal at {path}").format(path=path), hint=gettext("check the name")
            ) from None
        except UnicodeDecodeError as error:
            raise JournalError(
                gettext("{path} is not a text file in UTF-8: {error}").format(path=path, error=error),
                hint=gettext("is it a journal?"),
            ) from None
        except OSError as error:
            raise JournalError(
                gettext("{path} cannot be read: {why}").format(path=path, why=error.strerror),
                hint=gettext("is it a journal?"),
            ) from None
        journal = cls(tuple(text.removesuffix("\n").split("\n") if text else ()))
        journal.verify()
        return journal

    def save(self, path: str | Path) -> Path:
        """Write the journal to a new file. Raises JournalError if the file is already there."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.writelines(line + "\n" for line in self.lines)
        except FileExistsError:
            raise JournalError(
                gettext("{path} is already there, and a journal is never overwritten").format(path=path),
                hint=gettext("choose another name, or move the old journal away yourself"),
            ) from None
        return path

    def verify(self) -> None:
        """Check format, chain and length. Raises JournalError saying the line and what to do."""
        if not self.lines:
            raise JournalError(gettext("the journal is empty"), hint=gettext("take the measurement again"))
        prev = _NO_HASH
        for number, line in enumerate(self.lines, start=1):
            record, canonical = _parsed(line, number)
            if number == 1:
                _check_format(record)
            prev = _checked(record, line == canonical, prev, number)
            _check_place(record, number, len(self.lines))
        self._check_fields()

    def _check_fields(self) -> None:
        """Each record has the fields it should, of types and sizes that whoever reads it can rely on."""
        for number, record in enumerate(self._records, start=1):
            if problem := _field_problem(record):
                raise JournalError(
                    gettext(
                        "line {number}: the chain is whole, but a field of the {record} is wrong: {problem}"
                    ).format(number=number, record=record["record"], problem=problem),
                    hint=gettext("this file was not written by halab; take the measurement again"),
                )
        unknown = {sample.operation for sample in self._samples} - set(self.header.operations)
        if unknown:
            raise JournalError(
                gettext("a sample is of the operation {operation!r}, which the header does not name").format(
                    operation=sorted(unknown)[0]
                ),
                hint=gettext("this file was not written by halab; take the measurement again"),
            )

    @cached_property
    def _records(self) -> tuple[dict[str, Any], ...]:
        return tuple(json.loads(line) for line in self.lines)

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [_values(record) for record in self._records if record["record"] == kind]

    @cached_property
    def header(self) -> Header:
        fields = self._of("header")[0]
        return Header(**{**fields, "operations": tuple(fields["operations"])})

    @cached_property
    def _samples(self) -> tuple[Sample, ...]:
        return tuple(Sample(**{**f, "outcome": Outcome(f["outcome"])}) for f in self._of("sample"))

    def samples(self, operation: str | None = None) -> tuple[Sample, ...]:
        """The probes in order of their intended sends; those of one operation if named."""
        if operation is None:
            return self._samples
        if operation not in self.header.operations:
            raise JournalError(
                gettext("the journal has no operation {operation!r}; it has {operations}").format(
                    operation=operation, operations=", ".join(self.header.operations)
                ),
                hint=gettext("use one of those names"),
            )
        return tuple(sample for sample in self._samples if sample.operation == operation)

    @cached_property
    def faults(self) -> tuple[FaultRecord, ...]:
        return tuple(FaultRecord(**fields) for fields in self._of("fault"))

    @cached_property
    def events(self) -> tuple[Event, ...]:
        return tuple(Event(**fields) for fields in self._of("event"))

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The parts of a measurement under load; none if it was probed only."""
        return tuple(Phase(**fields) for fields in self._of("phase"))

    @cached_property
    def pressure(self) -> tuple[Pressure, ...]:
        """How short of processor time the machine was, by time; none where its kernel does not tell."""
        return tuple(Pressure(**fields) for fields in self._of("pressure"))

    @cached_property
    def count(self) -> RowCount | None:
        """The rows found afterwards, or None if they were not counted."""
        counts = self._of("count")
        return RowCount(**{**counts[-1], "missing": tuple(counts[-1]["missing"])}) if counts else None

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return tuple(Note(**fields).text for fields in self._of("note"))

    @cached_property
    def scheduling(self) -> Scheduling:
        return Scheduling(**self._of("footer")[0])

    @property
    def simulated(self) -> bool:
        """True if no real cluster was measured: then every picture and table must say so."""
        return self.header.simulated

    @property
    def began(self) -> float:
        """When the measurement began: wall clock, seconds since 1970 (UTC)."""
        return datetime.fromisoformat(self.header.started).timestamp()

    @property
    def digest(self) -> str:
        """The hash of the last line, which stands for the whole journal (64 hexadecimal digits)."""
        return str(self._records[-1]["hash"])

    @property
    def resolution(self) -> float:
        """How finely edges of an outage can be told: one probe interval, seconds."""
        return 1.0 / self.header.rate

    def extended(
        self,
        *,
        count: RowCount | None = None,
        notes: Iterable[str] = (),
        events: Iterable[Event] = (),
        faults: Iterable[FaultRecord] | None = None,
        learner: str = "",
    ) -> Journal:
        """The same measurement with its row count, more notes and more events, chained anew. `faults`
        take the place of those it had; `learner` is who made it, where the journal does not say it yet."""
        return Journal.write(
            replace(self.header, learner=self.header.learner or learner),
            samples=self._samples,
            faults=self.faults if faults is None else faults,
            events=[*self.events, *events],
            phases=self.phases,
            pressure=self.pressure,
            notes=[*self.notes, *notes],
            count=count or self.count,
            scheduling=self.scheduling,
        )

    def __repr__(self) -> str:
        """One line: engine, faults, number of probes. The lines themselves would fill the screen."""
        faults = ", ".join(f"{fault.kind} {fault.component}" for fault in self.faults) or gettext("no fault")
        mark = "SIMULATED, " if self.simulated else ""
        return gettext("Journal({mark}{engine}, {faults}, {count} probes)").format(
            mark=mark, engine=self.header.engine, faults=faults, count=len(self._samples)
        )


_RECORDS: dict[str, type] = {
    "header": Header,
    "fault": FaultRecord,
    "event": Event,
    "phase": Phase,
    "pressure": Pressure,
    "sample": Sample,
    "count": RowCount,
    "note": Note,
    "footer": Scheduling,
}
_OF_THE_FILE = {"record", "prev", "hash", "format", "version", "records"}


def _values(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of the measurement, without what it says of the file."""
    return {key: value for key, value in record.items() if key not in _OF_THE_FILE}


def _field_problem(record: Mapping[str, Any]) -> str:
    return problem_of(_RECORDS[record["record"]], _values(record))


def relative(event: Event, start: float) -> Event:
    """The event with its time counted from `start` (both seconds on the cluster's clock)."""
    return replace(event, time=round(event.time - start, 6))


def _canonical(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _hash(record: Mapping[str, Any]) -> str:
    body = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(_canonical(body).encode()).hexdigest()


def _chained(records: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterable[str]:
    prev = _NO_HASH
    for kind, fields in records:
        record = {"record": kind, **fields, "prev": prev}
        record["hash"] = prev = _hash(record)
        yield _canonical(record)


def _read_text(path: Path) -> str:
    """The text of a plain file. A pipe would never end, and no journal has a gigabyte."""
    described = path.stat()
    if not stat.S_ISREG(described.st_mode):
        raise JournalError(
            gettext("{path} is not a plain file").format(path=path), hint=gettext("is it a journal?")
        )
    if described.st_size > _LARGEST:
        raise JournalError(
            gettext("{path} has {size:,} bytes, and no journal has more than {most:,}").format(
                path=path, size=described.st_size, most=_LARGEST
            ),
            hint=gettext("is it a journal?"),
        )
    return read_plain_text(path, _LARGEST)


def _refuse(constant: str) -> None:
    raise ValueError(gettext("{constant} is not a JSON number").format(constant=constant))


def _parsed(line: str, number: int) -> tuple[dict[str, Any], str]:
    """The record of a line, and the one way to write it."""
    try:
        record = json.loads(line, parse_constant=_refuse)
        canonical = _canonical(record)
        canonical.encode()
    except (ValueError, RecursionError) as error:
        raise JournalError(
            gettext("line {number} is not JSON, or holds what no journal does ({error})").format(
                number=number, error=error
            ),
            hint=gettext(
                "the file was cut or edited here; use an untouched copy or take the measurement again"
            ),
        ) from None
    if not isinstance(record, dict) or record.get("record") not in _RECORDS:
        raise JournalError(
            gettext("line {number} is not a journal record").format(number=number),
            hint=gettext("is this a journal? use an untouched copy"),
        )
    return record, canonical


def _check_format(record: Mapping[str, Any]) -> None:
    if record["record"] != "header" or record.get("format") != FORMAT:
        raise JournalError(
            gettext("line 1 should be a {name} header and is a {record} record").format(
                name=FORMAT, record=record["record"]
            ),
            hint=gettext("the beginning is missing or this is no journal; use an untouched copy"),
        )
    if record.get("version") != VERSION:
        raise JournalError(
            gettext("line 1: the journal has version {found}, this halab reads version {known}").format(
                found=record.get("version"), known=VERSION
            ),
            hint=gettext("read it with the halab that wrote it, or take the measurement again"),
        )


def _checked(record: Mapping[str, Any], is_canonical: bool, prev: str, number: int) -> str:
    """The record's hash, if it is right, follows `prev`, and the line is written as journals are."""
    if record.get("prev") != prev:
        raise JournalError(
            gettext(
                "line {number} does not follow line {before}: a line was removed, moved or added before it"
            ).format(number=number, before=number - 1),
            hint=gettext("use an untouched copy or take the measurement again"),
        )
    if record.get("hash") != _hash(record) or not is_canonical:
        raise JournalError(
            gettext("line {number} was altered: its content does not give the hash it carries").format(
                number=number
            ),
            hint=gettext("use an untouched copy or take the measurement again"),
        )
    return str(record["hash"])


def _check_place(record: Mapping[str, Any], number: int, total: int) -> None:
    """A footer stands last and only there, and counts the lines; a header stands first and only there."""
    is_footer, is_last = record["record"] == "footer", number == total
    if is_footer and not is_last:
        raise JournalError(
            gettext("line {number} and after were added behind the footer").format(number=number + 1),
            hint=gettext("use an untouched copy"),
        )
    if is_last and not is_footer:
        raise JournalError(
            gettext("the journal ends at line {number} without its footer: the rest was cut off").format(
                number=number
            ),
            hint=gettext("use a whole copy or take the measurement again"),
        )
    if is_footer and record.get("records") != total:
        raise JournalError(
            gettext("the footer on line {number} speaks of {said} lines, there are {total}").format(
                number=number, said=record.get("records"), total=total
            ),
            hint=gettext("use an untouched copy"),
        )
    if number > 1 and record["record"] == "header":
        raise JournalError(
            gettext("line {number} is a second header: two files were joined").format(number=number),
            hint=gettext("use an untouched copy"),
        )
