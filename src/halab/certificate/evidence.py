"""The measurements kept for each card: which of them count, and for each of the others why it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from halab.certificate.record import FaultPin, JournalPin
from halab.course.catalogue import CATALOGUE, Bilingual, Language
from halab.course.paths import journals
from halab.errors import JournalError
from halab.folders import course_root
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.summaries import OperationSummary, summary
from halab.measure.journal.validity import objections

__all__ = ["Evidence", "Measurement", "RejectedJournal", "evidence", "measurement"]

_LOAD_CARDS = (4, 5)  # writing and reading: their labs put a cluster under load
_MAIN_OPERATION = "search"  # what a prediction is about


@dataclass(frozen=True, slots=True)
class Measurement:
    """An intact journal of a real cluster, as a certificate pins it.

    `began` is seconds since the epoch; `searches` is what became of searches, or of the first operation.
    """

    pin: JournalPin
    experiment: str
    began: float
    searches: OperationSummary
    samples_digest: str


@dataclass(frozen=True, slots=True)
class RejectedJournal:
    """A journal that does not count, and why."""

    file: str
    why: Bilingual

    def sentence(self, language: Language) -> str:
        if language == "zh":
            return f"{self.file} 不算数：{self.why.zh}"
        return f"{self.file} does not count: {self.why.en}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What lies in `work/journals` for one card, oldest first."""

    accepted: tuple[Measurement, ...] = ()
    rejected: tuple[RejectedJournal, ...] = ()


def evidence() -> dict[int, Evidence]:
    """The measurements of every card.

    A journal counts if its chain is whole, a real cluster was measured, something was broken (or, for the
    cards on load, the cluster was put under load), and nothing speaks against its figures (see
    measure/journal/validity.py). Its samples count for one card only, whatever else was written beside them;
    and the journal that comes with the course counts for nobody.
    """
    counted: dict[str, JournalPin] = {}
    return {card.number: _of_card(card.number, counted) for card in CATALOGUE}


def _of_card(card: int, counted: dict[str, JournalPin]) -> Evidence:
    """What counts for this card and does not yet for another; `counted` holds those, by their samples."""
    accepted: list[Measurement] = []
    rejected: list[RejectedJournal] = []
    for path in journals(card):
        measured = measurement(path, card)
        if isinstance(measured, Bilingual):
            rejected.append(RejectedJournal(path.name, measured))
        elif measured.samples_digest in counted:
            rejected.append(RejectedJournal(path.name, _counted_elsewhere(counted[measured.samples_digest])))
        else:
            counted[measured.samples_digest] = measured.pin
            accepted.append(measured)
    return Evidence(tuple(accepted), tuple(rejected))


def _counted_elsewhere(first: JournalPin) -> Bilingual:
    return Bilingual(
        f"it is the same measurement as {first.file}, which counts for card {first.card}.",
        f"它和 {first.file} 是同一次测量，已经算在第 {first.card} 张卡片上。",
    )


def measurement(path: Path, card: int) -> Measurement | Bilingual:
    """The measurement in a file kept for a card, or why there is none to count."""
    try:
        journal = Journal.load(path)
        if journal.simulated or journal.header.engine == "simulated":
            return Bilingual("it is a simulation, not a measurement.", "这是模拟，不是实测。")
        if not journal.samples():
            return Bilingual("it holds no probe.", "里面没有任何探测。")
        if journal.samples_digest in _shipped_digests(course_root()):
            return Bilingual("it is a run that comes with the course.", "这是课程自带的运行，不是你测的。")
        if not journal.faults and not (card in _LOAD_CARDS and journal.phases):
            return Bilingual("nothing was broken in it.", "这次运行里没有注入任何故障。")
        if reasons := objections(journal):
            return Bilingual(
                f"it proves nothing. {' '.join(reasons)}",
                "这次运行说明不了问题：机器太忙、故障来得太晚，或者故障之前就已经有请求失败。请重新运行。",
            )
        # A chain can be whole and its fields nonsense; then no figure can be worked out.
        return _measurement(path.name, card, journal)
    except JournalError as error:
        return Bilingual(f"{error.message}.", f"日志已损坏或被改动（{error.message}）。")
    except (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError):
        return Bilingual("it is not as halab writes a journal.", "它不是 halab 写出来的样子。")


def _measurement(file: str, card: int, journal: Journal) -> Measurement:
    header = journal.header
    pin = JournalPin(
        card=card,
        file=file,
        digest=journal.digest,
        engine=header.engine,
        profile=header.profile,
        ttl=header.ttl,
        versions=header.versions,
        started=datetime.fromisoformat(header.started),
        faults=tuple(
            FaultPin(kind=fault.kind, target=fault.target, component=fault.component, at=fault.at)
            for fault in journal.faults
        ),
        probes=len(journal.samples()),
        simulated=False,
    )
    rows = summary(journal).rows
    return Measurement(
        pin=pin,
        experiment=experiment_of(journal),
        began=pin.started.timestamp(),
        searches=next((row for row in rows if row.operation == _MAIN_OPERATION), rows[0]),
        samples_digest=journal.samples_digest,
    )


@cache
def _shipped_digests(root: Path) -> frozenset[str]:
    """Of the journals that the course shows as recorded: the README's picture, and lesson 6's partition."""
    return frozenset(Journal.load(path).samples_digest for path in (root / "docs").glob("*.jsonl"))
