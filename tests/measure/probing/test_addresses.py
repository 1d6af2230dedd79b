"""Two addresses: who is asked, when an answer is degraded, and that only one cluster takes writes."""

import threading

import pytest

from halab.errors import MeasurementError
from halab.measure.probing.addresses import (
    DEGRADED,
    READ_ONLY,
    AddressBook,
    Application,
    ToActiveAddress,
    ToEitherAddress,
)
from halab.measure.probing.embedding import Passage
from halab.models.samples import Outcome


class Side:
    """An operation that answers at once, or fails."""

    name = "search"

    def __init__(self, well=True):
        self.well, self.asked = well, 0

    def timeout(self, deadline):
        return deadline

    def start(self):
        pass

    stop = start

    def send(self, number, deadline, done):
        self.asked += 1
        done(Outcome.OK if self.well else Outcome.FAIL, "" if self.well else "refused")


class Home:
    simulated, name = False, "cards"

    def __init__(self, well=True):
        self.well = well

    def ask(self, question, limit, timeout):
        if not self.well:
            raise MeasurementError("gone")
        return [Passage("text", "card")]


def sent(operation, deadline=0.3):
    ended, found = threading.Event(), []

    def done(outcome, error):
        found.append((outcome, error))
        ended.set()

    operation.start()
    try:
        operation.send(1, deadline, done)
        assert ended.wait(5)
    finally:
        operation.stop()
    assert len(found) == 1
    return found[0]


def test_the_one_in_charge_answers_and_nobody_else_is_asked():
    sides = {"primary": Side(), "standby": Side()}
    assert sent(ToEitherAddress(AddressBook(), sides)) == (Outcome.OK, "")
    assert sides["standby"].asked == 0


def test_the_other_answers_when_it_does_not_and_says_that_it_is_degraded():
    sides = {"primary": Side(well=False), "standby": Side()}
    assert sent(ToEitherAddress(AddressBook(), sides)) == (Outcome.OK, DEGRADED)
    assert sent(ToEitherAddress(AddressBook("standby"), sides)) == (Outcome.OK, "")


def test_when_neither_answers_it_gives_up_in_time():
    sides = {"primary": Side(well=False), "standby": Side(well=False)}
    outcome, _ = sent(ToEitherAddress(AddressBook(), sides))
    assert outcome is Outcome.FAIL
    assert sides["primary"].asked > 1


def test_a_write_goes_to_the_one_in_charge_only_and_nowhere_while_read_only():
    book, sides = AddressBook(), {"primary": Side(well=False), "standby": Side()}
    assert sent(ToActiveAddress(book, sides, writes=True))[0] is Outcome.FAIL
    assert sides["standby"].asked == 0
    book.current = "standby"
    assert sent(ToActiveAddress(book, sides, writes=True))[0] is Outcome.OK
    book.writable = False
    assert sent(ToActiveAddress(book, sides, writes=True)) == (Outcome.FAIL, READ_ONLY)


def test_the_application_says_who_answered():
    app = Application(Home(well=False), Home())
    answer = app.ask("?")
    assert (answer.by, answer.degraded, answer.tries) == ("standby", True, 2)
    assert "DEGRADED" in repr(answer)
    app.book.current = "standby"
    assert not app.ask("?").degraded


def test_no_answer_at_all_is_an_error():
    with pytest.raises(MeasurementError, match="neither address answered in 4 tries"):
        Application(Home(well=False), Home(well=False)).ask("?")
