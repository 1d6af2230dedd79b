"""The two kinds of load, against a service whose speed is known."""

import os
import time

import pytest

from halab.errors import MeasurementError
from halab.measure.experiments.load import (
    CLIENT,
    MACHINE,
    Meter,
    bottlenecks,
    closed_loop,
    latencies,
    open_loop,
    percentile,
    rate,
)
from halab.measure.journal.journal_file import Phase
from halab.models.samples import Outcome, Sample
from support.paced_service import PacedOperation
from support.scripted_milvus import Script, ScriptedOperation, Spell


@pytest.fixture
def paced():
    made = []

    def make(*arguments, **named):
        made.append(PacedOperation(*arguments, **named))
        made[-1].start()
        return made[-1]

    yield make
    for operation in made:
        operation.stop()


def whole(samples):
    return Phase("paced", samples[0].intended, max(one.done for one in samples) + 1e-6)


@pytest.mark.parametrize(("clients", "workers"), [(1, 4), (4, 4), (8, 2)])
def test_a_closed_loop_finds_the_speed_and_never_asks_more_at_once_than_it_has_clients(
    paced, clients, workers
):
    service = paced(0.02, workers)
    samples = closed_loop(service, clients=clients, seconds=0.6)
    most = min(clients, workers) / 0.02
    assert 0.3 * most < rate(samples, whole(samples)) <= 1.02 * most
    assert service.most <= clients
    assert sorted(one.number for one in samples) == list(range(len(samples)))


def test_a_closed_loop_ends_after_so_many_requests(paced):
    samples = closed_loop(paced(0.001), clients=3, requests=10, first=100)
    assert [one.number for one in sorted(samples, key=lambda one: one.number)] == [*range(100, 110)]
    assert all(one.outcome is Outcome.OK and one.intended == one.sent for one in samples)


def test_a_stall_that_a_closed_loop_hides_is_felt_by_every_request_that_was_due_in_it(paced):
    """Coordinated omission: one client is held up once, and asks nothing while the service stands still."""
    stall = [(0.3, 0.8)]
    closed = closed_loop(paced(0.002, 4, stalls=stall), clients=1, seconds=1.2)
    opened = open_loop(paced(0.002, 4, stalls=stall), rate=100, seconds=1.2)
    slow = [sum(one.latency > 0.1 for one in samples) for samples in (closed, opened)]
    assert 1 <= slow[0] <= 3  # a busy machine may hold a request up too
    assert slow[1] >= 25 > slow[0]
    assert percentile([one.latency for one in closed], 0.95) < 0.1
    assert percentile([one.latency for one in opened], 0.75) > 0.1


def test_an_open_loop_keeps_its_rate_whatever_becomes_of_the_requests(paced):
    samples = open_loop(paced(0.5, 1), rate=50, seconds=0.5, deadline=0.2)
    assert 20 <= len(samples) <= 27
    assert any(one.outcome is Outcome.UNKNOWN for one in samples)


def test_a_request_without_an_answer_is_unknown_and_its_client_goes_on():
    script = Script([Spell(0.0, 0.05, "hang")])
    script.begin()
    samples = closed_loop(ScriptedOperation("mute", script, latency=0.001), requests=3, deadline=0.1)
    assert [one.outcome for one in samples] == [Outcome.UNKNOWN, Outcome.OK, Outcome.OK]
    assert samples[0].latency == pytest.approx(0.1)


def test_an_operation_that_raises_ends_the_load_and_is_named():
    class Broken:
        name = "broken"

        def timeout(self, deadline):
            return deadline

        def send(self, number, deadline, done):
            raise RuntimeError("no such thing")

    with pytest.raises(MeasurementError, match="no such thing"):
        closed_loop(Broken(), clients=2, seconds=0.2)


@pytest.mark.parametrize("wrong", [{"clients": 0, "seconds": 1}, {}, {"seconds": 0}, {"seconds": -1}])
def test_a_closed_loop_without_clients_or_end_is_refused(wrong):
    with pytest.raises(MeasurementError, match="an end"):
        closed_loop(ScriptedOperation("any", Script([])), **wrong)


@pytest.mark.parametrize("wrong", [{"rate": 0, "seconds": 1}, {"rate": 5, "seconds": float("inf")}])
def test_an_open_loop_without_rate_or_end_is_refused(wrong):
    with pytest.raises(MeasurementError, match="above 0"):
        open_loop(ScriptedOperation("any", Script([])), **wrong)


def test_a_meter_tells_who_was_busy():
    with Meter({"me": os.getpid(), "gone": 2**22 + 1}) as meter:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
    usage = meter.usage()
    assert set(usage) == {CLIENT, MACHINE, "me"}
    assert 0 < usage[CLIENT]["cores"] <= usage[MACHINE]["cores"] + 0.5
    assert usage["me"]["memory"] > 1e6


def test_percentiles_are_values_that_were_measured():
    assert [percentile([1, 2, 3, 4], share) for share in (0.25, 0.5, 0.51, 1)] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="share"):
        percentile([1], 0)


def sample(intended, done, *, sent=None, outcome=Outcome.OK):
    return Sample("paced", 0, intended, intended if sent is None else sent, done, outcome)


def test_a_phase_counts_what_was_answered_in_it_and_the_wait_of_what_was_due_in_it():
    phase = Phase("paced", 1.0, 3.0)
    samples = [
        sample(0.5, 0.9), sample(0.9, 1.1), sample(1.5, 1.6), sample(2.0, 2.5, outcome=Outcome.FAIL),
        sample(2.9, 3.4), sample(3.1, 3.2),
    ]  # fmt: skip
    assert rate(samples, phase) == 1.0
    assert latencies(samples, phase) == pytest.approx([0.1, 0.5, 0.5])


def test_it_is_said_who_set_the_pace():
    calm = [sample(0.1 * n, 0.1 * n + 0.02) for n in range(10)]
    late = [sample(0.1 * n, 0.1 * n + 0.05, sent=0.1 * n + 0.03) for n in range(10)]
    idle = {CLIENT: {"cores": 0.2, "memory": 0.0}, MACHINE: {"cores": 1.0, "memory": 0.0}}
    full = {CLIENT: {"cores": 0.95, "memory": 0.0}, MACHINE: {"cores": 1.9, "memory": 0.0}}
    assert bottlenecks(calm, Phase("paced", 0, 1, usage=idle), 2) == {}
    assert list(bottlenecks(calm, Phase("paced", 0, 1, usage=full), 2)) == ["client", "machine"]
    assert "was sent 30 ms late" in bottlenecks(late, Phase("paced", 0, 1, usage=idle), 2)["late"]
