"""An application with two addresses: a primary cluster, and a standby that answers when the primary does not.

    app = Application(Retriever(primary, replicas=1), Retriever(standby, replicas=1))
    app.ask("What does a drill verify?")         # an Answer: by whom, and whether it is degraded

Searches may be answered by either cluster. An answer by the one that is not in charge is *degraded*: its rows
may be older, and the client says so. Writes go only to the one in charge: two clusters that both take writes
are a split brain, and nobody can put them together again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from halab.errors import MeasurementError
from halab.measure.probing.embedding import Passage
from halab.measure.probing.operations import Done, Insert, Operation
from halab.measure.probing.retriever import Retriever
from halab.measure.probing.scheduler import Scheduler
from halab.models.samples import Outcome, Sample
from halab.translation import gettext, gettext_noop

__all__ = ["DEGRADED", "TWO_ADDRESSES", "Address", "AddressBook", "Answer", "Application", "degraded"]

Address = Literal["primary", "standby"]
DEGRADED = "degraded: answered by the cluster that is not in charge"
TWO_ADDRESSES = gettext_noop("search with two addresses")
READ_ONLY = "refused: nobody may write now"
_PAUSE = 0.1  # seconds before the other address is asked


@dataclass
class AddressBook:
    """Which cluster is in charge now, and whether it takes writes: the one place where a drill switches."""

    current: Address = "primary"
    writable: bool = True

    @property
    def other(self) -> Address:
        return "standby" if self.current == "primary" else "primary"


@dataclass(frozen=True, slots=True)
class Answer:
    """Passages, which cluster gave them, whether they may be old, and how many requests it took."""

    passages: list[Passage]
    by: Address
    degraded: bool
    tries: int

    def __repr__(self) -> str:
        best = self.passages[0].source if self.passages else "nothing"
        how = "DEGRADED, " if self.degraded else ""
        return gettext("Answer({how}by the {by} at try {tries}: {best})").format(
            how=how, by=self.by, tries=self.tries, best=best
        )


class Application:
    """The course's retriever with two homes. `book` says which is in charge."""

    def __init__(self, primary: Retriever, standby: Retriever) -> None:
        self.homes: dict[Address, Retriever] = {"primary": primary, "standby": standby}
        self.book = AddressBook()
        self.simulated = primary.simulated
        self.name = primary.name

    def ask(self, question: str, limit: int = 3, timeout: float = 2.0, rounds: int = 2) -> Answer:
        """An answer from the cluster in charge, or else a degraded one from the other.

        Each address is tried `rounds` times, `timeout` seconds each. Raises MeasurementError if neither
        answers.
        """
        tries = 0
        for _ in range(rounds):
            for address in (self.book.current, self.book.other):
                tries += 1
                try:
                    passages = self.homes[address].ask(question, limit, timeout)
                except MeasurementError:
                    time.sleep(_PAUSE)
                    continue
                return Answer(passages, address, address != self.book.current, tries)
        raise MeasurementError(
            gettext("neither address answered in {tries} tries").format(tries=tries),
            hint=gettext("see `halab status` of both clusters"),
        )

    def operations(self) -> list[Operation]:
        """Three probes: a search by the address in charge, a search by either, an insert as the first.

        When they start both clusters must answer. On simulated clusters the second is left out: there is
        nothing to switch to.
        """
        if self.simulated:
            primary = self.homes["primary"]
            return [*primary.operations("search"), primary.insert_into_passages()]

        def both() -> dict[Address, Operation]:
            return {name: home.operations("search")[0] for name, home in self.homes.items()}

        inserts: dict[Address, Operation] = {
            name: home.insert_into_passages() for name, home in self.homes.items()
        }
        return [
            ToActiveAddress(self.book, both()),
            ToEitherAddress(self.book, both()),
            ToActiveAddress(self.book, inserts, writes=True),
        ]


class ToActiveAddress:
    """An operation that is sent to the cluster in charge. A write is refused while the book is read-only."""

    def __init__(
        self,
        book: AddressBook,
        sides: Mapping[Address, Operation],
        writes: bool = False,
    ) -> None:
        self.name = sides["primary"].name
        self._book, self._sides, self._writes = book, sides, writes

    def timeout(self, deadline: float) -> float:
        return max(each.timeout(deadline) for each in self._sides.values())

    def start(self) -> None:
        for each in self._sides.values():
            each.start()
        first, second = self._sides["primary"], self._sides["standby"]
        if isinstance(first, Insert) and isinstance(second, Insert):
            second.follow(first)  # one probe, one key, whichever cluster takes it

    def stop(self) -> None:
        for each in self._sides.values():
            each.stop()

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        if self._writes and not self._book.writable:
            done(Outcome.FAIL, READ_ONLY)
            return None
        return self._sides[self._book.current].send(number, deadline, done)


class ToEitherAddress:
    """A search that asks the cluster in charge, then the other, in turn, until its time is over."""

    def __init__(self, book: AddressBook, sides: Mapping[Address, Operation]) -> None:
        self.name = TWO_ADDRESSES
        self._book, self._sides = book, sides
        self._timers: Scheduler | None = None

    def timeout(self, deadline: float) -> float:
        """A request to each address may take its whole deadline."""
        return 2 * deadline + _PAUSE

    def start(self) -> None:
        for each in self._sides.values():
            each.start()
        self._timers = Scheduler(time.monotonic)
        self._timers.start()

    def stop(self) -> None:
        if self._timers is not None:
            self._timers.stop()
            self._timers = None
        for each in self._sides.values():
            each.stop()

    def send(self, number: int, deadline: float, done: Done) -> int | None:
        until = time.monotonic() + self.timeout(deadline)
        self._ask(self._book.current, number, deadline, until, done)
        return None

    def _ask(self, address: Address, number: int, deadline: float, until: float, done: Done) -> None:
        def answered(outcome: Outcome, error: str) -> None:
            now = time.monotonic()
            if outcome is Outcome.OK:
                done(outcome, "" if address == self._book.current else DEGRADED)
            elif self._timers is None or now + _PAUSE >= until:
                done(outcome, error)
            else:
                other: Address = "standby" if address == "primary" else "primary"
                self._timers.at(now + _PAUSE, partial(self._ask, other, number, deadline, until, done))

        self._sides[address].send(number, deadline, answered)


def degraded(samples: tuple[Sample, ...]) -> list[Sample]:
    """The answers that said they were degraded."""
    return [sample for sample in samples if sample.outcome is Outcome.OK and sample.error == DEGRADED]
