from halab.rag.protections import Breaker, RetryBudget


def test_a_budget_pays_for_a_share_of_the_questions_and_no_more():
    budget = RetryBudget(ratio=0.2, reserve=5)
    sent = 0
    for _ in range(100):
        budget.earn()
        sent += budget.spend() + budget.spend()  # who would retry twice
    assert 0.2 * 100 <= sent <= 0.2 * 100 + 5


def test_an_open_breaker_lets_one_request_through_now_and_then():
    now = [0.0]
    breaker = Breaker(failures=3, rest=1.0, clock=lambda: now[0])
    for _ in range(3):
        assert breaker.allows()
        breaker.record(False)
    assert [breaker.allows() for _ in range(5)] == [False] * 5
    now[0] = 1.5
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.record(False)
    assert not breaker.allows()
    now[0] = 3.0
    assert breaker.allows()
    breaker.record(True)
    assert all(breaker.allows() for _ in range(3))
