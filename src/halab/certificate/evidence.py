"""The measurements kept for each card: which of them count, and for each of the others why it does not."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from halab.certificate.record import FaultPin, JournalPin
from halab.course.catalogue import CERTIFIED, entry
from halab.course.paths import journals
from halab.course.predictions import prediction
from halab.errors import JournalError
from halab.folders import course_root
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.summaries import OperationSummary, summary
from halab.measure.journal.validity import objections
from halab.translation import Language, LazyText, gettext_lazy, pgettext_lazy

__all__ = [
    "CLOCK_TOLERANCE", "Evidence", "Measurement", "RejectedJournal", "evidence", "foreseen", "measurement",
]  # fmt: skip

_FEW = 2  # journals of a card that do not count and are each told
_LOAD_CARDS = (4, 5)  # writing and reading: their labs put a cluster under load
_MAIN_OPERATION = "search"  # what a prediction is about
_REAL_ENGINES = ("embedded", "compose")
_SAME = 0.1  # share of two journals' probes at the very same times, from which they are one measurement
_SKETCH = 16  # hashes of probes in a certificate

CLOCK_TOLERANCE = 300.0
"""Seconds that another machine's clock may be ahead, before what it says is in the future."""

Probes = frozenset[tuple[str, float, float, float]]
"""What was measured, whatever else a journal says: each probe's operation and times."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """An intact journal of a real cluster, as a certificate pins it.

    `began` is seconds since the epoch; `searches` is what became of searches, or of the first operation.
    `probes` tell one measurement from another.
    """

    pin: JournalPin
    experiment: str
    began: float
    searches: OperationSummary
    probes: Probes


@dataclass(frozen=True, slots=True)
class RejectedJournal:
    """A journal that does not count, and why."""

    file: str
    why: LazyText

    def sentence(self, language: Language) -> str:
        return gettext_lazy("{file} does not count: {why}", file=self.file, why=self.why).in_(language)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What lies in `work/journals` for one card, oldest first."""

    card: int
    accepted: tuple[Measurement, ...] = ()
    rejected: tuple[RejectedJournal, ...] = ()

    def notes(self, language: Language) -> list[str]:
        """Why journals do not count, a sentence each; of many, their count and why the last does not.

        Of a card that has what counts besides, many that do not are no news.
        """
        told = [journal.sentence(language) for journal in self.rejected]
        if len(told) <= _FEW:
            return told
        if self.accepted:
            return []
        many = gettext_lazy(
            "{count} journals of card {card} do not count. The last of them: {last}",
            count=len(told),
            card=self.card,
            last=told[-1],
        )
        return [many.in_(language)]


def evidence() -> dict[int, Evidence]:
    """The measurements of every card and lesson that the certificate asks for.

    A journal counts if its chain is whole, a real cluster was measured, something was broken (or, for the
    cards on load, the cluster was put under load), and nothing speaks against its figures (see
    measure/journal/validity.py). It counts for one card only, whatever was added to a copy or left out of it;
    and the journal that comes with the course counts for nobody.
    """
    counted: list[Measurement] = []
    return {card.number: _of_card(card.number, counted) for card in CERTIFIED}


def foreseen(run: Measurement) -> dict[str, float]:
    """What the learner predicted of this very run before it began, by the numbers' names; {} if nothing."""
    made = prediction(run.pin.card, run.experiment, before=run.began)
    return made.numbers if made else {}


def _of_card(card: int, counted: list[Measurement]) -> Evidence:
    """What counts for this card and does not yet for another; `counted` holds those."""
    accepted: list[Measurement] = []
    rejected: list[RejectedJournal] = []
    for path in journals(card):
        measured = measurement(path, card)
        if isinstance(measured, LazyText):
            rejected.append(RejectedJournal(path.name, measured))
        elif first := next((other for other in counted if _same(other.probes, measured.probes)), None):
            rejected.append(RejectedJournal(path.name, _counted_elsewhere(first.pin)))
        else:
            counted.append(measured)
            accepted.append(measured)
    return Evidence(card, tuple(accepted), tuple(rejected))


def _counted_elsewhere(first: JournalPin) -> LazyText:
    return gettext_lazy(
        "it is the same measurement as {file}, which counts for {card}.",
        file=first.file,
        card=entry(first.card).called,
    )


def measurement(path: Path, card: int) -> Measurement | LazyText:
    """The measurement in a file kept for a card, or why there is none to count."""
    try:
        journal = Journal.load(path)
        if problem := _no_measurement(journal, card):
            return problem
        if objections(journal):
            return gettext_lazy("it proves nothing. {reasons}", reasons=lambda: " ".join(objections(journal)))
        # A chain can be whole and its fields nonsense; then no figure can be worked out.
        return _measurement(path.name, card, journal)
    except JournalError as error:
        return pgettext_lazy("a damaged journal", "{problem}.", problem=error.message)
    except (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError):
        return gettext_lazy("it is not as halab writes a journal.")


def _no_measurement(journal: Journal, card: int) -> LazyText | None:
    """Why a whole journal is none of a learner's own lab, or None."""
    engine = journal.header.engine
    if journal.simulated or engine == "simulated":
        return gettext_lazy("it is a simulation, not a measurement.")
    if engine not in _REAL_ENGINES:
        first, second = _REAL_ENGINES
        return gettext_lazy(
            "its engine is {engine!r}; a lab runs on {first} or {second}.",
            engine=engine[:40],
            first=first,
            second=second,
        )
    if not journal.samples():
        return gettext_lazy("it holds no probe.")
    if any(_same(_probes(journal), shown) for shown in _shipped(course_root())):
        return gettext_lazy("it is a run that comes with the course.")
    if not journal.faults and not (card in _LOAD_CARDS and journal.phases):
        return gettext_lazy("nothing was broken in it.")
    if journal.began > time.time() + CLOCK_TOLERANCE:
        return gettext_lazy("it says that it began in the future.")
    return None


def _probes(journal: Journal) -> Probes:
    return frozenset(
        (sample.operation, sample.intended, sample.sent, sample.done) for sample in journal.samples()
    )


def _same(probes: Probes, other: Probes) -> bool:
    """Whether two journals hold one measurement: who chains one anew can add notes, or leave probes out.

    Times are to the microsecond, so of two runs hardly any probe has the same ones.
    """
    return len(probes & other) > _SAME * min(len(probes), len(other))


def _sketch(probes: Probes) -> tuple[str, ...]:
    """The smallest hashes of all probes. Two measurements share none; of a copy from which some probes were
    taken, most stay.
    """
    hashes = sorted(hashlib.sha256(repr(probe).encode()).hexdigest()[:16] for probe in probes)
    return tuple(hashes[:_SKETCH])


def _measurement(file: str, card: int, journal: Journal) -> Measurement:
    header, probes = journal.header, _probes(journal)
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
        probes_sketch=_sketch(probes),
        simulated=False,
        learner=header.learner[:64],
        foreseen=False,  # what was predicted is not in the journal: `assess` looks
    )
    rows = summary(journal).rows
    return Measurement(
        pin=pin,
        experiment=experiment_of(journal),
        began=pin.started.timestamp(),
        searches=next((row for row in rows if row.operation == _MAIN_OPERATION), rows[0]),
        probes=probes,
    )


@cache
def _shipped(root: Path) -> tuple[Probes, ...]:
    """The journals that the course shows as recorded: the README's picture, and lesson 6's partition."""
    return tuple(_probes(Journal.load(path)) for path in sorted((root / "docs").glob("*.jsonl")))
