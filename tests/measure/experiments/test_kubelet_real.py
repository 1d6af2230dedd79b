"""The kubelet's probes against real components: what each kind says of a crash and of a hang."""

import sys

import pytest

from halab.measure.experiments.kubelet import Check, Exec, HttpGet, Kubelet, Pod, TcpSocket, container_of
from halab.models.health_probes import HealthProbe

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
QUICK = HealthProbe(period=1, timeout=1, failures=2)
SEEN = Check(HttpGet(), QUICK)
NODE = "any query node"


def page(cluster):
    """A command that asks a query node for its /healthz, and waits for the answer as long as it takes."""
    process = next(one for one in cluster.spec.processes if one.role == "querynode")
    address = f"http://127.0.0.1:{process.ports['metrics']}/healthz"
    return Exec((sys.executable, "-c", f"import urllib.request; urllib.request.urlopen({address!r})"))


def said(kubelet, kind, since):
    return [each.kind for each in kubelet.events if each.kind.startswith(kind) and each.time >= since]


def test_a_hung_process_still_passes_tcp_because_the_kernel_accepts(small):
    pod = Pod(liveness=Check(TcpSocket(), QUICK), readiness=SEEN, grace=1)
    with Kubelet(container_of(small, NODE), pod) as kubelet:
        assert kubelet.wait(30, lambda: kubelet.ready)
        fault = small.inject("hang", NODE)
        assert kubelet.wait(20, lambda: not kubelet.ready), "httpGet sees the hang"
        kubelet.wait(5)
        fault.undo()
        assert len(said(kubelet, "liveness ok", fault.at)) >= 4
        assert not said(kubelet, "liveness failed", fault.at)
        assert kubelet.restarts == 0
    small.wait_healthy()


@pytest.mark.parametrize("kind", ["tcp", "exec"])
def test_a_crash_is_refused_and_mended(small, kind):
    asks = Check(TcpSocket() if kind == "tcp" else page(small), HealthProbe(1, 3, 2))
    with Kubelet(container_of(small, NODE), Pod(asks, SEEN, grace=1), watch=False) as kubelet:
        assert kubelet.wait(30, lambda: kubelet.ready and bool(said(kubelet, "liveness ok", 0)))
        fault = small.inject("crash", NODE)
        assert kubelet.wait(40, lambda: kubelet.restarts == 1 and kubelet.ready)
        assert said(kubelet, "liveness failed", fault.at)[:2] == ["liveness failed"] * 2
        assert kubelet.seen("unhealthy", fault.at) is not None
    small.wait_healthy()


def test_a_command_that_asks_a_hung_process_is_killed_and_the_process_restarted(small):
    asks = Check(page(small), HealthProbe(1, 3, 2))
    with Kubelet(container_of(small, NODE), Pod(asks, SEEN, grace=1)) as kubelet:
        assert kubelet.wait(30, lambda: kubelet.ready and bool(said(kubelet, "liveness ok", 0)))
        before = small.resolve(NODE).pid
        fault = small.inject("hang", NODE)
        assert kubelet.wait(60, lambda: kubelet.restarts == 1 and kubelet.ready)
        assert kubelet.seen("unhealthy", fault.at) - fault.at >= 3  # the command's own timeout, at least once
        assert small.resolve(NODE).pid != before
    small.wait_healthy()
