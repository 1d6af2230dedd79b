import time

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.measure.probing.operations import NamedOperation
from halab.measure.probing.prober import probe
from halab.measure.probing.retrying import with_retries
from halab.models.retry_policy import RetryPolicy
from halab.models.samples import Outcome
from support.scripted_milvus import Script, ScriptedCluster, ScriptedOperation, Spell

PATIENT = RetryPolicy(attempts=30, base=0.05, cap=0.1, deadline=1.0, jitter="none")


def measure(spells, policy, seconds, name="search", deadline=0.2):
    script = Script(spells)
    script.begin()
    retrying = with_retries(ScriptedOperation(name, script), policy)
    plain = ScriptedOperation(name, script)
    with probe(ScriptedCluster(), [plain, retrying], deadline=deadline) as run:
        time.sleep(seconds)
    return run.journal, retrying


def bad(journal, name):
    return [sample for sample in journal.samples(name) if sample.outcome is not Outcome.OK]


def test_users_whose_client_retries_notice_latency_instead_of_failure():
    journal, retrying = measure([Spell(0.2, 0.6, "error")], PATIENT, 0.9)
    assert len(bad(journal, "search")) > 3
    assert bad(journal, "search with retries") == []
    assert max(sample.latency for sample in journal.samples("search with retries")) > 0.2
    assert retrying.attempts > len(journal.samples("search with retries"))


def test_retries_are_no_help_when_the_outage_outlasts_their_deadline():
    impatient = RetryPolicy(attempts=30, base=0.05, cap=0.1, deadline=0.2, jitter="none")
    journal, _ = measure([Spell(0.0, 60.0, "error")], impatient, 0.5)
    samples = journal.samples("search with retries")
    assert {sample.outcome for sample in samples} == {Outcome.FAIL}
    assert min(sample.latency for sample in samples) > 0.1


def test_a_timed_out_insert_is_not_sent_again():
    journal, retrying = measure([Spell(0.0, 60.0, "hang")], PATIENT, 0.3, name="insert")
    samples = journal.samples("insert with retries")
    assert retrying.attempts == len(samples) > 2
    assert {sample.outcome for sample in samples} == {Outcome.UNKNOWN}
    assert max(sample.done - sample.sent for sample in samples) < 1.0


def test_a_timed_out_search_is_sent_again():
    journal, retrying = measure([Spell(0.0, 0.4, "hang")], PATIENT, 0.5)
    assert retrying.attempts > len(journal.samples("search with retries"))
    assert bad(journal, "search with retries") == []


def test_a_retry_waits_until_its_own_deadline_and_no_longer():
    retrying = with_retries(ScriptedOperation("search", Script([])), PATIENT)
    assert retrying.timeout(1.0) == pytest.approx(2.0)


def test_a_simulated_cluster_is_probed_with_retries_too():
    cluster = SimulatedCluster(ttl=10)
    patient = RetryPolicy(attempts=100, base=0.5, cap=1.0, deadline=30.0)
    operations = [NamedOperation("search"), with_retries(NamedOperation("search"), patient)]
    with probe(cluster, operations) as run:
        cluster.sleep(3)
        with cluster.fault("crash", "active rootcoord"):
            cluster.sleep(20)
        cluster.sleep(3)
    assert len(bad(run.journal, "search")) > 50
    assert bad(run.journal, "search with retries") == []


def test_simulated_users_who_retry_notice_latency_and_those_whose_policy_never_does_notice_the_same():
    cluster = SimulatedCluster(ttl=10)
    once = with_retries(NamedOperation("search"), RetryPolicy(attempts=1))
    patient = with_retries(
        NamedOperation("strong search"), RetryPolicy(attempts=100, base=0.5, cap=1.0, deadline=30.0)
    )
    with probe(cluster, [NamedOperation("search"), once, patient]) as run:
        cluster.sleep(3)
        with cluster.fault("crash", "active rootcoord"):
            cluster.sleep(20)
    plain, same = run.journal.samples("search"), run.journal.samples("search with retries")
    assert [(s.intended, s.outcome) for s in same] == [(s.intended, s.outcome) for s in plain]
    assert max(sample.latency for sample in run.journal.samples("strong search with retries")) > 5
