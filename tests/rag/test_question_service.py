import time
from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from halab.errors import RagError
from halab.rag.local_passages import LocalPassages
from halab.rag.protections import NAIVE, Protections, RetryBudget
from halab.rag.question_service import QuestionService
from halab.rag.vectors import LexicalVectors
from support.fake_passages import PASSAGES, FakeAddress

DOWN = (None, "UNAVAILABLE: failed to connect")
QUICK = Protections(deadline=0.4, pause=0.001, hedge_after=0.05)
NO_DEGRADING = replace(QUICK, degrade=False)


def service(*addresses, protections=QUICK, budget=None):
    local = LocalPassages(PASSAGES)
    return QuestionService(addresses, LexicalVectors(local.rarity), local, protections, budget)


def test_a_good_answer_says_nothing_of_degraded():
    answer = service(FakeAddress()).ask("tea")
    assert (answer.passages, answer.degraded, answer.requests) == (tuple(PASSAGES), "", 1)


def test_the_next_address_is_asked_when_the_first_fails():
    answer = service(FakeAddress(DOWN), FakeAddress(name="two")).ask("tea")
    assert (answer.degraded, answer.requests) == ("", 2)


def test_an_answer_of_the_standby_is_degraded():
    answer = service(FakeAddress(DOWN), FakeAddress(standby=True)).ask("tea")
    assert (answer.degraded, "failed to connect" in answer.why) == ("standby", True)


def test_an_empty_answer_is_no_answer_unless_nobody_checks():
    assert service(FakeAddress(([], "")), FakeAddress(name="two")).ask("tea").passages
    assert service(FakeAddress(([], "")), protections=NAIVE).ask("tea").passages == ()


def test_a_slow_address_is_overtaken_by_a_second_request_and_then_rested():
    slow, quick = FakeAddress("hang"), FakeAddress(name="two")
    asking = service(slow, quick)
    began = time.monotonic()
    assert [asking.ask("tea").requests for _ in range(6)] == [2] * 5 + [1]
    assert time.monotonic() - began < 3.0
    assert slow.asked == 5


def test_no_question_outlasts_its_deadline():
    began = time.monotonic()
    with pytest.raises(RagError, match=r"not within 0\.4 s"):
        service(FakeAddress("hang"), protections=NO_DEGRADING).ask("tea")
    assert 0.3 < time.monotonic() - began < 2.0


def test_without_an_answer_the_last_good_one_is_given_and_says_so():
    address = FakeAddress()
    asking = service(address)
    asking.ask("tea")
    address.behave = DOWN
    answer = asking.ask("tea")
    assert (answer.degraded, answer.why[:10]) == ("memory", "0 s old; t")
    other = asking.ask("where are the 钥匙")
    assert (other.degraded, "not answered" in other.why) == ("keywords", True)
    assert other.passages[0] == PASSAGES[1]


def test_a_degraded_answer_is_not_remembered_as_a_good_one():
    asking = service(FakeAddress(DOWN))
    asking.ask("tea")
    assert asking.ask("tea").degraded == "keywords"


def test_what_nothing_answers_is_an_error():
    with pytest.raises(RagError, match="failed to connect"):
        service(FakeAddress(DOWN)).ask("unrelated zzz")


def test_an_outage_costs_no_more_requests_than_the_budget_has():
    address = FakeAddress(DOWN)
    asking = service(address, protections=replace(QUICK, breaker=False), budget=RetryBudget(0.2, reserve=2))
    for _ in range(50):
        asking.ask("tea")
    assert 50 + 10 <= address.asked + 1 <= 50 + 10 + 3


def test_readiness_wants_the_known_passage_from_the_cluster():
    assert service(FakeAddress()).ready() == ""
    assert "not found" in service(FakeAddress((PASSAGES[1:], ""))).ready()
    assert "failed to connect" in service(FakeAddress(DOWN)).ready()
    assert "only the standby" in service(FakeAddress(DOWN), FakeAddress(standby=True)).ready()


def test_metrics_tell_outcomes_requests_and_what_is_rested():
    asking = service(FakeAddress(DOWN), protections=replace(QUICK, attempts=1))
    for _ in range(6):
        asking.ask("tea")
    told = generate_latest(asking.registry).decode()
    assert 'halab_rag_questions_total{outcome="degraded"} 6.0' in told
    assert 'halab_rag_requests_total{address="one",outcome="failed"} 5.0' in told
    assert 'halab_rag_breaker_open{address="one"} 1.0' in told


def test_the_standby_is_asked_in_time_when_both_proxies_hang():
    answer = service(FakeAddress("hang"), FakeAddress("hang", name="two"), FakeAddress(standby=True)).ask(
        "tea"
    )
    assert (answer.requests, answer.degraded) == (3, "standby")


def test_an_address_that_was_asked_too_late_is_not_to_blame():
    slow, late = FakeAddress((None, "UNAVAILABLE: x")), FakeAddress((None, "DEADLINE_EXCEEDED"), name="two")
    asking = service(slow, late)
    for _ in range(6):
        asking.ask("tea")
    assert [breaker.is_open for breaker in asking.breakers.values()] == [True, False]
