import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halab.models.failover import (
    CARD,
    MILVUS,
    ExponentialStalls,
    Failover,
    Heartbeats,
    Lease,
    Timeline,
    detection,
    false_alarm_probability,
    false_alarms_per_year,
    request_counts,
)

seconds = st.floats(0.0, 100.0)


@dataclass(frozen=True)
class LognormalStalls:
    """Stalls with lognormal lengths: half exceed `median` seconds; `sigma` is the spread of the log."""

    per_day: float
    median: float
    sigma: float

    def longer_than(self, length: float) -> float:
        return 0.5 * math.erfc(math.log(length / self.median) / (self.sigma * math.sqrt(2)))


detectors = st.one_of(
    st.builds(Heartbeats, st.floats(0.1, 30), st.integers(1, 10), seconds),
    st.builds(Lease, st.floats(1, 120)),
)
failovers = st.builds(Failover, detectors, seconds, seconds, seconds, seconds, seconds, st.booleans())


def test_the_card_shows_its_own_timeline() -> None:
    assert [phase.at for phase in CARD.timeline()] == [0, 3, 5, 8, 10, 12]
    assert CARD.outage().most == 12


def test_three_beats_of_a_second_are_noticed_between_two_and_three_seconds() -> None:
    assert detection(Heartbeats(1, 3, 0)) == (2, 2.5, 3)


def test_a_hung_probe_adds_its_timeout_as_card_nine_needs() -> None:
    assert detection(Heartbeats(10, 3, 5)) == (25, 30, 35)


def test_a_lease_of_ten_seconds_is_noticed_as_gone_between_two_thirds_of_it_and_half_a_second_late() -> None:
    assert detection(Lease(10)) == pytest.approx((20 / 3, 10 - 5 / 3 + 0.25, 10.5))


@given(detectors)
def test_the_mean_of_detection_lies_between_its_edges(detector: Heartbeats | Lease) -> None:
    span = detection(detector)
    assert span.least <= span.mean <= span.most
    assert span.mean == pytest.approx((span.least + span.most) / 2)


@given(failovers, st.sampled_from(["crash", "hang", "stop", "restart"]), st.floats(0, 1))
def test_time_never_goes_back(failover: Failover, kind: str, phase: float) -> None:
    marks = [mark.at for mark in failover.timeline(kind, phase)]  # type: ignore[arg-type]
    assert marks == sorted(marks)
    assert marks[0] == 0


@given(failovers)
def test_no_fault_is_slower_than_a_hang_and_none_but_it_slower_than_a_crash(failover: Failover) -> None:
    crash, hang, stop, restart = (failover.outage(kind).most for kind in ("crash", "hang", "stop", "restart"))
    assert stop <= crash
    assert restart <= crash
    assert crash <= hang


def test_a_hang_is_decided_by_the_connection_when_that_is_slower_than_the_lease() -> None:
    shorter = Failover(Lease(5), 0.1, 0.3, 1.0, connection=12)
    assert shorter.timeline("hang").back == MILVUS.timeline("hang").back == 13


def test_a_stop_is_as_slow_as_a_crash_unless_the_lease_is_revoked() -> None:
    assert MILVUS.outage("stop") == MILVUS.outage("crash")
    assert Failover(Lease(10), 0.1, 0.3, 1.0, revokes=True).outage("stop") == pytest.approx((1.4, 1.4, 1.4))


def test_a_timeline_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="back in time"):
        Timeline(0, 3, 2, 4, 5, 6)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: Heartbeats(interval=0), "interval"),
        (lambda: Heartbeats(misses=0), "misses"),
        (lambda: Heartbeats(timeout=-1), "timeout"),
        (lambda: Lease(ttl=-3), "ttl"),
        (lambda: Lease(ttl=math.nan), "ttl"),
        (lambda: Failover(Lease(), -1, 0, 0), "election"),
        (lambda: CARD.timeline(phase=1.5), "phase"),
        (lambda: ExponentialStalls(1, 0), "mean"),
        (lambda: request_counts(-1, 1), "rate"),
        (lambda: false_alarms_per_year(Lease(), ExponentialStalls(1, 1), 0), "processes"),
    ],
)
def test_an_impossible_setting_is_refused_by_name(build: object, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        build()  # type: ignore[operator]


def test_requests_that_are_refused_all_fail() -> None:
    assert request_counts(rate=20, outage=12) == (240, 0)


def test_requests_that_can_wait_fail_less() -> None:
    assert request_counts(rate=20, outage=12, deadline=2) == (200, 40)
    assert request_counts(rate=20, outage=1, deadline=2) == (0, 20)


def test_at_the_rate_the_card_implies_five_to_ten_requests_fail() -> None:
    assert 5 <= request_counts(0.5, CARD.outage().most).failed <= 10


@pytest.mark.parametrize(("ttl", "mean"), [(3, 0.5), (10, 2.0), (30, 7.0)])
def test_exponential_false_alarms_have_a_closed_form(ttl: float, mean: float) -> None:
    third, look = ttl / 3, 0.5
    exact = math.exp(-ttl / mean) * (mean / third) * math.expm1(third / mean)
    exact *= (mean / look) * -math.expm1(-look / mean)
    assert false_alarm_probability(Lease(ttl), ExponentialStalls(1, mean)) == pytest.approx(exact)


def test_lognormal_false_alarms_agree_with_dice() -> None:
    rng = np.random.default_rng(6)
    n = 400_000
    detected = 5 - rng.uniform(0, 5 / 3, n) + rng.uniform(0, 0.5, n)
    alarms = rng.lognormal(math.log(1.0), 1.0, n) > detected
    probability = false_alarm_probability(Lease(5), LognormalStalls(1, median=1.0, sigma=1.0))
    assert alarms.mean() == pytest.approx(probability, rel=0.05)


def test_a_longer_lease_raises_fewer_false_alarms_and_more_processes_more() -> None:
    stalls = LognormalStalls(per_day=10, median=0.3, sigma=1.0)
    alarms = [false_alarms_per_year(Lease(ttl), stalls) for ttl in (3, 5, 10, 30)]
    assert alarms == sorted(alarms, reverse=True)
    assert false_alarms_per_year(Lease(5), stalls, 19) == pytest.approx(19 * alarms[1])
