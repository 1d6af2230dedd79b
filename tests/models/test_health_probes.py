import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.health_probes import (
    CARD,
    TUNED,
    YEAR,
    HealthProbe,
    backoffs,
    detection,
    false_restarts,
    restart_storm,
    share_over,
    start_allowance,
)
from halab.sim.probe_verdicts import crash, first_verdict, hang, stalls, verdicts

probes = st.builds(
    HealthProbe, period=st.integers(1, 60), timeout=st.integers(1, 60), failures=st.integers(1, 8)
)


def test_the_card_s_thirty_and_six_seconds_are_edges_of_ranges():
    assert detection(CARD, "crash") == (20, 25, 30)
    assert detection(CARD, "hang") == (25, 30, 35)
    assert detection(TUNED, "crash") == (3, 4.5, 6)
    assert detection(TUNED, "hang") == (6, 7.5, 9)
    assert detection(TUNED, "crash", "tcpSocket") == (3, 4.5, 6)
    assert detection(TUNED, "hang", "tcpSocket") == (math.inf,) * 3


@given(probes, st.floats(0, 0.999), st.sampled_from(["crash", "hang"]))
def test_a_probe_played_step_by_step_decides_when_the_formula_says(probe, share, fault):
    at = 1000 * probe.period - share * probe.period  # the next probe leaves share x period later
    answer = crash(at) if fault == "crash" else hang(at)
    found = first_verdict(probe, answer, at + 1000 * (probe.period + probe.timeout))
    span = detection(probe, fault)
    assert found - at == pytest.approx(span.least + share * probe.period, abs=1e-6)
    assert span.least - 1e-6 <= found - at <= span.most + 1e-6


@given(probes, st.sampled_from(["crash", "hang"]))
def test_more_patience_never_notices_sooner(probe, fault):
    more = HealthProbe(probe.period, probe.timeout, probe.failures + 1)
    slower = HealthProbe(probe.period + 1, probe.timeout, probe.failures)
    assert detection(more, fault).least > detection(probe, fault).least
    assert detection(slower, fault).most > detection(probe, fault).most


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 10))
def test_a_sample_never_proves_that_nothing_is_late(latencies, timeout):
    share = share_over(latencies, timeout)
    assert 0 < share <= 1
    assert share >= sum(one > timeout for one in latencies) / len(latencies)
    assert share_over(latencies, timeout + 1) <= share


@given(probes, st.floats(0, 1))
def test_false_restarts_are_bounded_by_the_number_of_probes(probe, late):
    a_year = YEAR / probe.period
    assert 0 <= false_restarts(probe, late) <= a_year / probe.failures * (1 + 1e-9)
    tougher = HealthProbe(probe.period, probe.timeout, probe.failures + 1)
    assert false_restarts(tougher, late) <= false_restarts(probe, late)


@pytest.mark.parametrize(("failures", "late"), [(1, 0.2), (2, 0.3), (3, 0.5), (4, 1.0)])
def test_false_restarts_are_those_of_a_simulated_year(failures, late):
    rng, run, restarts, sent = random.Random(1), 0, 0, 200_000
    for _ in range(sent):
        run = run + 1 if rng.random() < late else 0
        if run == failures:
            restarts, run = restarts + 1, 0
    probe = HealthProbe(10, 1, failures)
    assert restarts / sent == pytest.approx(false_restarts(probe, late) * 10 / YEAR, rel=0.05)


def test_a_stall_shorter_than_the_probe_s_patience_restarts_nobody():
    assert first_verdict(TUNED, stalls([(0.5, 5.0)]), 60) == pytest.approx(float("inf"))
    assert first_verdict(HealthProbe(1, 1, 1), stalls([(0.5, 5.0)]), 60) == pytest.approx(2.0)


@given(
    st.builds(HealthProbe, period=st.integers(1, 30), failures=st.integers(1, 50), delay=st.integers(0, 60)),
    st.floats(0, 1),
)
def test_a_start_within_the_allowance_is_allowed(startup, share):
    span = start_allowance(startup)
    first = startup.delay + share * startup.period
    assert span.least == startup.delay + (startup.failures - 1) * startup.period
    starts = span.least
    answer = lambda sent: -1.0 if sent < starts else 0.0  # noqa: E731
    failed = first_verdict(startup, answer, 10 * span.most + 100, first)
    assert failed == float("inf") or failed >= starts


def test_a_verdict_is_taken_back_after_enough_successes():
    readiness = HealthProbe(1, 1, 2, successes=3)
    told = verdicts(readiness, stalls([(10.0, 4.5)]), 30)
    assert [word for _, word in told] == ["passed", "failed", "passed"]
    assert told[0][0] == 2.0


def test_back_off_doubles_up_to_five_minutes():
    waits = backoffs()
    assert [next(waits) for _ in range(9)] == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_restart_storm_is_mostly_waiting():
    restarts, down = restart_storm(uptime=9, seconds=3600)
    assert 10 < restarts < 20
    assert down > 0.9
    assert restart_storm(uptime=700, seconds=7200)[1] == 0


@pytest.mark.parametrize("wrong", [{"period": 0}, {"timeout": -1}, {"failures": 0}, {"delay": -1},
                                   {"successes": 0}, {"failures": 1.5}])  # fmt: skip
def test_what_kubernetes_refuses_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HealthProbe(**wrong)


def test_nonsense_is_refused():
    for call in (lambda: detection(CARD, "flood"), lambda: share_over([], 1), lambda: share_over([1], 0),
                 lambda: false_restarts(CARD, 2), lambda: restart_storm(0, 1)):  # fmt: skip
        with pytest.raises(ValueError, match="must "):
            call()
