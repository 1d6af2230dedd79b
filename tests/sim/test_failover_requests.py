from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.failover import CARD, MILVUS, Failover, Heartbeats, Lease, detection, request_counts
from halab.models.retry_policy import RetryPolicy
from halab.models.samples import OPERATIONS, Outcome
from halab.sim.failover_requests import Incident, fail_over, outages, probe, simulate

seconds = st.floats(0.0, 20.0)
detectors = st.one_of(
    st.builds(Heartbeats, st.floats(0.2, 10), st.integers(1, 6), seconds), st.builds(Lease, st.floats(2, 60))
)
failovers = st.builds(Failover, detectors, seconds, seconds, seconds, seconds, seconds, st.booleans())


def bad(samples, operation):  # type: ignore[no-untyped-def]
    return [s for s in samples if s.operation == operation and s.outcome != Outcome.OK]


@given(failovers, st.sampled_from(["crash", "hang", "stop", "restart"]), st.integers(0, 10**6))
def test_every_run_lands_between_the_edges_of_the_closed_form(settings, kind, seed) -> None:  # type: ignore[no-untyped-def]
    run, best, worst = (
        fail_over(settings, kind, seed),
        settings.timeline(kind, 1.0),
        settings.timeline(kind, 0.0),
    )
    for mark, least, most in zip(run, best, worst, strict=True):
        assert least.at - 1e-6 <= mark.at <= most.at + 1e-6


@pytest.mark.parametrize("detector", [Lease(10), Lease(3), Heartbeats(1, 3, 2), Heartbeats(10, 3, 0)])
def test_the_mean_of_many_runs_is_the_mean_of_the_closed_form(detector: Lease | Heartbeats) -> None:
    settings = Failover(detector, 0.1, 0.3, 1.0)
    runs = [fail_over(settings, seed=seed).detected for seed in range(400)]
    span = detection(detector)
    assert mean(runs) == pytest.approx(span.mean, abs=(span.most - span.least) / 10)
    assert max(runs) - min(runs) > 0.8 * (span.most - span.least)


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    assert simulate(seed=6) == simulate(seed=6)
    assert simulate(seed=6) != simulate(seed=7)


def test_the_failed_requests_of_a_crash_are_those_of_the_closed_form() -> None:
    run = simulate(CARD, at=5, end=30, rate=20, seed=1)
    expected = request_counts(20, run.timeline.outage).failed
    for operation in OPERATIONS:
        assert len(bad(run.samples, operation)) == pytest.approx(expected, abs=3)


def test_a_hang_leaves_requests_unknown_and_answers_the_last_ones_late() -> None:
    run = simulate(MILVUS, kind="hang", rate=20, deadline=1.0, seed=2)
    failed, late = request_counts(20, run.timeline.outage, deadline=1.0)
    searches = [s for s in run.samples if s.operation == "search"]
    assert {s.outcome for s in searches} == {Outcome.OK, Outcome.UNKNOWN}
    assert len(bad(searches, "search")) == pytest.approx(failed, abs=3)
    assert sum(s.outcome == Outcome.OK and s.latency > 0.1 for s in searches) == pytest.approx(late, abs=3)


@pytest.mark.parametrize(
    ("role", "failing"),
    [
        ("rootcoord", set(OPERATIONS)),
        ("querycoord", {"search", "strong search"}),
        ("datacoord", {"search", "strong search", "insert"}),
        ("indexnode", set()),
        ("datanode", set()),
        ("objectstore", set()),
        ("etcd", set()),
    ],
)
def test_an_operation_fails_when_a_role_it_needs_is_lost(role: str, failing: set[str]) -> None:
    run = simulate(role=role, seed=3)
    assert {s.operation for s in run.samples if s.outcome != Outcome.OK} == failing


def test_without_a_majority_of_etcd_nobody_refuses_and_nobody_answers() -> None:
    lost = Incident("etcd", "crash", 5.0, fail_over(MILVUS), quorum=False, undone_at=20.0)
    silent = outages(lost)
    assert {outage.operation for outage in silent} == {"strong search", "metadata call"}
    assert all(outage.silent for outage in silent)


def test_bounded_search_notices_a_lost_data_coordinator_late() -> None:
    run = simulate(role="datacoord", at=5, seed=4)
    assert bad(run.samples, "insert")[0].intended < 5.2
    assert bad(run.samples, "search")[0].intended >= 10


def test_replicas_turn_the_loss_of_a_query_node_into_single_errors() -> None:
    one = bad(simulate(role="querynode", replicas=1, seed=5).samples, "search")
    three = bad(simulate(role="querynode", replicas=3, seed=5).samples, "search")
    assert len(one) > 100
    assert 0 < len(three) < 30


def test_no_standby_means_down_until_repaired() -> None:
    alone = Incident("rootcoord", "crash", 5.0, fail_over(MILVUS), standby=False)
    assert outages(alone)[0].end == float("inf")
    repaired = Incident("rootcoord", "crash", 5.0, fail_over(MILVUS), standby=False, undone_at=20.0)
    assert outages(repaired)[0].end == pytest.approx(21.3)


def test_probes_leave_on_time_whatever_happened_to_the_ones_before() -> None:
    samples = simulate(kind="hang", rate=10, end=20, seed=6).samples
    assert [s.intended for s in samples if s.operation == "insert"] == [k / 10 for k in range(200)]
    assert all(s.done >= s.sent == s.intended for s in samples)
    keys = [s.key for s in samples if s.operation == "insert"]
    assert len(set(keys)) == len(keys)


def test_retries_turn_failed_requests_into_late_ones_as_the_closed_form_says() -> None:
    policy = RetryPolicy(attempts=5, base=0.5, cap=5, deadline=30, jitter="none")
    run = simulate(CARD, rate=20, end=40, seed=8, retry=policy)
    expected = request_counts(20, run.timeline.outage, policy.span())
    searches = [s for s in run.samples if s.operation == "search"]
    assert len(bad(searches, "search")) == pytest.approx(expected.failed, abs=4)
    assert sum(s.outcome == Outcome.OK and s.latency > 0.4 for s in searches) == pytest.approx(
        expected.late, abs=4
    )


def test_an_insert_left_unknown_is_not_sent_again() -> None:
    policy = RetryPolicy(attempts=9, base=1, cap=5, deadline=60, jitter="none")
    run = simulate(MILVUS, kind="hang", end=40, seed=9, retry=policy)
    assert {s.outcome for s in bad(run.samples, "insert")} == {Outcome.UNKNOWN}
    assert len(bad(run.samples, "insert")) > 200
    assert bad(run.samples, "search") == []


def test_an_unknown_role_or_operation_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match="rootcoord"):
        simulate(role="indexcoord")
    with pytest.raises(ValueError, match="strong search"):
        probe([], 0, 1, operations=["flush"])
