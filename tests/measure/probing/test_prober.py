"""The prober against fakes whose outages are known to the millisecond."""

import time

import pytest

from halab.cluster.protocol import Event
from halab.cluster.simulated import SimulatedCluster
from halab.errors import MeasurementError
from halab.measure.journal.outage import outages
from halab.measure.probing.operations import NamedOperation
from halab.measure.probing.prober import Prober, _Pending, probe
from halab.models.samples import NOTHING_FOUND, Outcome
from support.scripted_milvus import Script, ScriptedCluster, ScriptedOperation, ScriptedServer, Spell

RECONNECT = 0.12  # seconds: see operations.py, what a refused client adds by itself


def play(script, operations, seconds, cluster=None, **options):
    """Probe while a script plays; the journal, and when it started on the script's clock."""
    with probe(cluster or ScriptedCluster(), operations, **options) as run:
        time.sleep(seconds)
    return run.journal, run.started - script.began


def calmly(measure):
    """The first of three measurements in which the prober kept its own timetable, else the last: a machine
    that is too busy to send probes in time says nothing about the prober."""
    for _ in range(3):
        journal, *rest = measure()
        if journal.scheduling.max < journal.resolution:
            break
    return journal, *rest


def assert_found(journal, offset, spells, more=0.0):
    """Each spell was found for each operation, its edges right within one probe interval (and, on a busy
    machine, the worst delay that the journal itself admits), and nothing else was."""
    answered = [sample.latency for sample in journal.samples() if sample.outcome is not Outcome.UNKNOWN]
    interval = journal.resolution + max(answered)
    for operation in journal.header.operations:
        found = outages(journal.samples(operation), quiet=0.3)
        assert len(found) == len(spells), (operation, found)
        for outage, spell in zip(found, spells, strict=True):
            assert spell.start - interval <= outage.start + offset <= spell.start + interval
            assert spell.end - interval <= outage.end + offset <= spell.end + interval + more


@pytest.mark.slow
def test_outages_of_a_fake_are_found_within_one_probe_interval():
    def measure():
        script = Script([Spell(0.3, 0.7, "error"), Spell(1.1, 1.4, "hang")])
        script.begin()
        operations = [ScriptedOperation("search", script), ScriptedOperation("insert", script)]
        return *play(script, operations, 1.85), script.spells

    journal, offset, spells = calmly(measure)
    assert_found(journal, offset, spells)
    first, second = outages(journal.samples("search"), quiet=0.3)
    assert first.unknown == 0
    assert second.failed == 0


@pytest.mark.slow
def test_outages_of_a_grpc_server_are_found_within_one_probe_interval():
    def measure():
        script = Script([Spell(0.8, 1.2, "error"), Spell(1.7, 2.1, "hang"), Spell(2.6, 3.0, "refuse")])
        with ScriptedServer(script) as server:
            # The deadline is short enough for the hanging calls to end before the port is closed.
            measured = play(script, server.operations(), 3.7, server.cluster(), deadline=0.45)
        return *measured, [*script.spells[:2], *server.refused]

    journal, offset, spells = calmly(measure)
    assert_found(journal, offset, spells, more=RECONNECT)
    for operation in journal.header.operations:
        error, hang, refuse = outages(journal.samples(operation), quiet=0.3)
        assert error.failed > 0
        assert error.unknown == 0
        assert hang.unknown > 0
        assert hang.failed == 0
        assert refuse.failed > 0


def test_an_answer_without_a_hit_is_a_failure_and_says_why():
    script = Script([Spell(0.3, 0.7, "nothing")])
    with ScriptedServer(script) as server:
        journal, _ = play(script, server.operations(), 1.2, server.cluster())
    (empty,) = outages(journal.samples("search"), quiet=0.3)
    assert 0.2 < empty.duration < 0.7
    assert {s.error for s in journal.samples("search") if s.outcome is not Outcome.OK} == {NOTHING_FOUND}
    assert {sample.outcome for sample in journal.samples("insert")} == {Outcome.OK}


def test_an_insert_that_timed_out_may_have_happened():
    script = Script([Spell(0.0, 60.0, "hang")])
    with ScriptedServer(script) as server:
        inserts = server.operations()[1:2]
        journal, _ = play(script, inserts, 0.5, server.cluster(), deadline=0.2)
        keys = {sample.key for sample in journal.samples("insert")}
        assert {sample.outcome for sample in journal.samples()} == {Outcome.UNKNOWN}
        # All of them did happen: that is why unknown is not failed. (The last may still be on its way.)
        assert len(keys & server.inserted) >= len(keys) - 2 > 0


def test_insert_keys_are_never_used_twice():
    with ScriptedServer(Script([])) as server:
        insert = server.operations()[1]
        first, _ = play(server.script, [insert], 0.3, server.cluster())
        second, _ = play(server.script, [insert], 0.3, server.cluster())
    keys = [sample.key for journal in (first, second) for sample in journal.samples()]
    assert len(set(keys)) == len(keys) > 4


def test_late_answers_do_not_delay_the_next_probe():
    script = Script([])
    slow = ScriptedOperation("search", script, latency=0.4)
    journal, _ = play(script, [slow], 1.2)
    # One after the other there would be three.
    assert len(journal.samples()) > 15
    assert all(sample.outcome is Outcome.OK for sample in journal.samples())
    assert min(sample.latency for sample in journal.samples()) > 0.3


def test_an_answer_after_the_deadline_is_unknown_and_counted_once():
    script = Script([])
    late = ScriptedOperation("search", script, latency=0.4)
    journal, _ = play(script, [late], 0.5, deadline=0.1)
    time.sleep(0.5)
    assert late.answers >= len(journal.samples()) > 4
    assert {sample.outcome for sample in journal.samples()} == {Outcome.UNKNOWN}
    assert {round(sample.done - sample.sent, 3) for sample in journal.samples()} == {0.1}


def test_an_answer_that_overtakes_a_late_timer_is_unknown_all_the_same():
    now = 0.0
    prober = Prober([ScriptedOperation("search", Script([]))], rate=20, deadline=1.0, clock=lambda: now)
    pending = _Pending(prober, "search", 0, 0.0, 0.0, 1.0)
    pending.release()
    now = 1.5
    pending.done(Outcome.OK)
    pending.expire()
    (sample,) = prober.samples
    assert (sample.outcome, sample.done) == (Outcome.UNKNOWN, 1.0)


def test_probes_leave_on_a_timetable_shifted_between_operations():
    script = Script([])
    journal, _ = play(script, [ScriptedOperation(name, script) for name in "ab"], 0.5, rate=10)
    assert [s.intended for s in journal.samples("a")][:3] == pytest.approx([0.0, 0.1, 0.2], abs=1e-5)
    assert [s.intended for s in journal.samples("b")][:3] == pytest.approx([0.05, 0.15, 0.25], abs=1e-5)
    assert 0 <= journal.scheduling.median <= journal.scheduling.p99 <= journal.scheduling.max
    assert journal.scheduling.clock_resolution > 0


def test_every_probe_has_an_outcome_when_the_measurement_ends():
    script = Script([Spell(0.0, 60.0, "hang")])
    operation = ScriptedOperation("search", script)
    journal, _ = play(script, [operation], 0.3, deadline=0.5)
    numbers = [sample.number for sample in journal.samples()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 4


def test_the_journal_is_written_even_if_the_block_raises():
    run = probe(ScriptedCluster(), [ScriptedOperation("search", Script([]))])

    def block():
        with run:
            time.sleep(0.2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    assert len(run.journal.samples()) > 1


def test_an_operation_that_raises_is_an_error_of_the_measurement():
    class Broken(ScriptedOperation):
        def send(self, number, deadline, done):
            raise RuntimeError("no such thing")

    with (
        pytest.raises(MeasurementError, match="no such thing"),
        probe(ScriptedCluster(), [Broken("search", Script([]))], deadline=0.1),
    ):
        time.sleep(0.1)


def test_faults_and_restarts_are_taken_from_the_cluster_events():
    class Eventful(ScriptedCluster):
        def events(self, since=0.0):
            return [
                Event(since + 1.0, "rootcoord-1", "fault:crash", "user", "active rootcoord"),
                Event(since + 1.0, "rootcoord-1", "ended", "user", "signal 9"),
                Event(since + 2.0, "datacoord-1", "restarted", "supervisor", "after it exited"),
                Event(since + 3.0, "rootcoord-1", "started", "user", "fault undone"),
            ]

    script = Script([])
    journal, _ = play(script, [ScriptedOperation("search", script)], 0.1, Eventful())
    (fault,) = journal.faults
    assert (fault.kind, fault.target, fault.component) == ("crash", "active rootcoord", "rootcoord-1")
    assert (fault.at, fault.undone_at) == pytest.approx((1.0, 3.0))
    assert [event.by for event in journal.events if event.kind == "restarted"] == ["supervisor"]


def test_a_simulated_cluster_is_probed_in_virtual_time_and_says_so():
    cluster = SimulatedCluster(ttl=10)
    began = time.monotonic()
    with probe(cluster, [NamedOperation("search"), NamedOperation("insert")]) as run:
        cluster.sleep(5)
        fault = run.inject("crash", "active rootcoord")
        cluster.sleep(20)
        fault.undo()
    assert time.monotonic() - began < 15
    assert run.journal.simulated
    assert run.journal.header.engine == "simulated"
    (marked,) = run.journal.faults
    assert marked.at == marked.ordered_at == pytest.approx(5.0)
    assert 450 < len(run.journal.samples("search")) < 600
    assert {found.operation for found in outages(run.journal.samples())} == {"search", "insert"}
    assert all(found.start >= 4.9 for found in outages(run.journal.samples()))


def test_the_journal_of_a_running_measurement_is_refused():
    run = probe(ScriptedCluster(), [ScriptedOperation("search", Script([]))])
    with pytest.raises(MeasurementError, match="not finished"):
        _ = run.journal


@pytest.mark.parametrize(
    ("names", "options"), [([], {}), (["a", "a"], {}), (["a"], {"rate": 0}), (["a"], {"deadline": 0})]
)
def test_a_measurement_that_makes_no_sense_is_refused(names, options):
    with pytest.raises(MeasurementError):
        probe(ScriptedCluster(), [ScriptedOperation(name, Script([])) for name in names], **options)
