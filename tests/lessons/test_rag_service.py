import threading

import pytest

from halab.lessons import rag_service
from halab.lessons.rag_service_runs import DEGRADED, WRONG, Asking, Fates, Trial, fates, worth
from halab.measure.journal.journal_file import FaultRecord, Header, Journal
from halab.models.samples import Outcome, Sample
from halab.rag.local_passages import LocalPassages
from halab.rag.protections import NAIVE, Protections
from halab.rag.question_service import QuestionService
from halab.rag.vectors import LexicalVectors
from support.fake_passages import PASSAGES, FakeAddress

NAMES = ("naive", "protected")


def question(client, number, outcome=Outcome.OK, error=""):
    return Sample(client, number, number / 10, number / 10, number / 10 + 0.01, outcome, error)


@pytest.fixture
def trial():
    """Ten questions a second by two clients; the fault strikes at 1 s."""
    header = Header(
        "lab", "embedded", "ha", 10.0, {}, 0, {}, "2026-11-28T12:00:00+00:00", 10.0, 2.0, NAMES,
        dict.fromkeys(NAMES, 2.0), False,
    )  # fmt: skip
    samples = [question(client, number) for client in NAMES for number in range(10)]
    samples += [question("naive", 10, Outcome.UNKNOWN), question("naive", 11, Outcome.FAIL, "gone")]
    samples += [question("naive", 12, Outcome.FAIL, f"{WRONG}nothing found"), question("naive", 13)]
    samples += [question("protected", number, Outcome.OK, f"{DEGRADED}memory") for number in range(10, 14)]
    fault = FaultRecord("crash", "active rootcoord", "rootcoord-1", 1.0, 3.0)
    return Trial(Journal.write(header, samples=samples, faults=[fault]), {"naive": 14, "protected": 21})


def test_only_questions_since_the_fault_are_judged_and_each_has_one_fate(trial):
    assert fates(trial) == [Fates("naive", 4, 2, 1, 0, 1.0), Fates("protected", 4, 0, 0, 4, 1.5)]
    assert "protected" in repr(rag_service.three_numbers(trial))
    assert rag_service.loads({"it crashes": trial}).rows[1] == ("protected", "1.50")


def test_the_picture_says_in_words_what_it_shows(trial):
    picture = worth({"it crashes": trial, "it hangs": trial})
    assert picture.alt.startswith("it crashes: naive 2, 1, 0; protected 0, 0, 4.")
    assert "<svg" in picture._repr_html_()


@pytest.mark.parametrize(
    ("behave", "protections", "outcome", "error"),
    [
        ((PASSAGES, ""), NAIVE, Outcome.OK, ""),
        ((PASSAGES[1:], ""), NAIVE, Outcome.FAIL, f"{WRONG}another passage"),
        (([], ""), NAIVE, Outcome.FAIL, f"{WRONG}nothing found"),
        ((None, "gone"), NAIVE, Outcome.FAIL, "the question was not answered: one: gone"),
        ((None, "gone"), Protections(attempts=1), Outcome.OK, f"{DEGRADED}memory"),
    ],
)
def test_a_question_is_good_degraded_wrong_or_unanswered(behave, protections, outcome, error):
    local, address = LocalPassages(PASSAGES), FakeAddress()
    service = QuestionService([address], LexicalVectors(local.rarity), local, protections)
    asking = Asking("client", service, {"tea": PASSAGES[0].key})
    came, ended = [], threading.Event()
    asking.start()
    address.behave = behave
    asking.send(0, 2.0, lambda *what: (came.append(what), ended.set()))
    assert ended.wait(5)
    asking.stop()
    assert came == [(outcome, error)]
    assert asking.requests == 1
