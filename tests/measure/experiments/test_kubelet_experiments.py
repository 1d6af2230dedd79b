"""Health checks as experiments, in virtual time; the lesson's own test runs them on the real cluster."""

from contextlib import nullcontext

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.errors import FaultError, MeasurementError
from halab.measure.experiments.kubelet import Check, HttpGet, Kubelet, Pod
from halab.measure.experiments.kubelet_experiments import (
    dependency_outage,
    detection_times,
    health_check,
    health_probes_of,
    outage_checks,
    restarts,
    stalling_process,
    tcp_http_passes,
    tcp_vs_http,
    usual_pod,
)
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.retriever import Retriever
from halab.models.health_probes import CARD, TUNED, HealthProbe, detection


@pytest.fixture
def cluster():
    return SimulatedCluster()


@pytest.fixture
def retriever(cluster):
    return Retriever(cluster)


@pytest.mark.parametrize("probe", [CARD, TUNED])
@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_the_kubelet_mends_a_fault_within_the_range(cluster, retriever, probe, fault):
    journal = health_check(
        cluster, f"{fault} any query node", pod=usual_pod(probe), retriever=retriever, seed=3
    )
    assert journal.simulated
    found, span = detection_times(journal), detection(probe, fault)
    assert span.least - 0.2 <= found.verdict <= span.most + 0.2
    assert found.out < found.verdict <= found.restarted < found.ready
    assert restarts(journal) == 1
    assert (health_probes_of(journal)["liveness"].period, health_probes_of(journal)["readiness"].period) == (
        probe.period,
        1,
    )


def test_an_exit_is_seen_without_a_probe(cluster, retriever):
    journal = health_check(
        cluster, "crash any query node", pod=usual_pod(CARD), retriever=retriever, watch=True, seed=1
    )
    assert detection_times(journal).verdict <= 1.1


def test_what_is_said_is_a_function_of_the_saved_journal(cluster, retriever, tmp_path):
    journal = health_check(cluster, "hang proxy 1", pod=usual_pod(TUNED), retriever=retriever, seed=1)
    again = Journal.load(journal.save(tmp_path / "one.jsonl"))
    assert (detection_times(again), health_probes_of(again)) == (
        detection_times(journal),
        health_probes_of(journal),
    )


def test_a_busy_process_is_restarted_by_a_tight_probe_and_left_alone_by_a_patient_one(cluster, retriever):
    tight, patient = (Pod(Check(HttpGet(), HealthProbe(1, 1, count)), grace=1) for count in (1, 3))
    assert restarts(stalling_process(cluster, "query node 1", pod=tight, retriever=retriever)) > 0
    assert restarts(stalling_process(cluster, "query node 1", pod=patient, retriever=retriever)) == 0


class RefusesOnce(SimulatedCluster):
    """A cluster that refuses the first fault, as one does whose component is just being restarted."""

    refused = False

    def inject(self, kind, target):
        if not self.refused:
            self.refused = True
            raise FaultError("it is being restarted")
        return super().inject(kind, target)


@pytest.mark.parametrize("by_the_kubelet", [True, False])
def test_a_pause_waits_for_a_restart_of_the_kubelets_and_for_nothing_else(monkeypatch, by_the_kubelet):
    cluster = RefusesOnce()
    seen = []

    def restarting(kubelet):
        seen.append(cluster.refused)
        return by_the_kubelet and seen.count(True) == 1  # until it was seen once after the refusal

    monkeypatch.setattr(Kubelet, "restarting", property(restarting))
    patient = Pod(Check(HttpGet(), HealthProbe(1, 1, 3)), grace=1)
    refused = nullcontext() if by_the_kubelet else pytest.raises(FaultError)
    with refused:
        stalling_process(cluster, "query node 1", pod=patient, retriever=Retriever(cluster), pauses=1)


def test_health_is_green_while_a_dependency_is_gone(cluster, retriever):
    found = outage_checks(dependency_outage(cluster, retriever=retriever))
    assert found.checks == found.healthy > 5
    assert found.searches > 100


def test_a_journal_without_what_is_asked_says_what_to_do(cluster, retriever):
    with pytest.raises(MeasurementError, match="has none"):
        health_check(cluster, "hang proxy 1", pod=Pod(), retriever=retriever)
    from halab.measure.experiments.fault_experiment import experiment

    other = experiment(cluster, None, retriever=retriever, seconds=1, progress=False)
    for ask in (detection_times, health_probes_of, outage_checks):
        with pytest.raises(MeasurementError):
            ask(other)


def test_a_hang_passes_tcp_and_not_http_and_a_crash_passes_neither(cluster, retriever):
    hung = tcp_http_passes(tcp_vs_http(cluster, retriever=retriever))
    assert hung.tcp_passed == hung.tcp > 3
    assert hung.http > hung.http_passed == 0
    gone = tcp_http_passes(tcp_vs_http(cluster, "crash any query node", retriever=retriever))
    assert gone.tcp_passed == gone.http_passed == 0
