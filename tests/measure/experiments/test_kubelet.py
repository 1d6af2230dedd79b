"""The kubelet's timing against the documented semantics, with a fake clock: no test here waits."""

import asyncio
import sys

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.measure.experiments.kubelet import (
    Check,
    Exec,
    HttpGet,
    Kubelet,
    Pod,
    TcpSocket,
    _ends_well,
    container_of,
)
from halab.measure.experiments.virtual_loop import VirtualLoop
from halab.models.health_probes import CARD, TUNED, HealthProbe, detection

GET = HttpGet()


class Fake:
    """A container in virtual time: down, hung and slow in the spells it is given (begin, end)."""

    name = "fake"

    def __init__(self, hung=(), down=(), gone=(), slow_start=0.0, heals=True):
        self.loop = VirtualLoop()
        self.hung, self.down, self.gone = list(hung), list(down), list(gone)
        self.slow_start, self.heals = slow_start, heals
        self.start, self.restarts, self.asked = 0.0, [], []

    def within(self, spells):
        return any(begin <= self.loop.time() < end for begin, end in spells)

    def running(self):
        return not self.within(self.gone)

    async def passes(self, how, timeout):
        self.asked.append(self.loop.time())
        if self.within(self.hung):
            await asyncio.sleep(timeout)
            return False
        return not self.within(self.down + self.gone) and self.loop.time() >= self.start + self.slow_start

    async def restart(self, grace, why):
        if self.within(self.hung):
            await asyncio.sleep(grace)
        if self.heals:
            self.hung, self.down, self.gone = [], [], []
        self.start = self.loop.time()
        self.restarts.append(self.start)


def watched(fake, seconds, seed=0, watch=True, **pod):
    with Kubelet(fake, Pod(**pod), seed=seed, watch=watch) as kubelet:
        kubelet.wait(seconds)
    return kubelet


def kinds(kubelet):
    return [each.kind for each in kubelet.events if not each.kind.endswith((" ok", " failed"))]


@pytest.mark.parametrize("probe", [CARD, TUNED, HealthProbe(2, 5, 3), HealthProbe(1, 1, 1)])
@pytest.mark.parametrize("fault", ["crash", "hang"])
@pytest.mark.parametrize("seed", range(5))
def test_a_fault_is_noticed_when_the_model_says(probe, fault, seed):
    spell = [(100.0, 1e9)]
    fake = Fake(**{"down" if fault == "crash" else "hung": spell})
    kubelet = watched(fake, 200, seed, liveness=Check(GET, probe))
    found = kubelet.seen("unhealthy") - 100.0
    span = detection(probe, fault)
    assert span.least - 1e-6 <= found <= span.most + 1e-6
    assert kubelet.restarts >= 1


def test_probes_leave_every_period_and_not_before_the_initial_delay():
    fake = Fake()
    watched(fake, 60, liveness=Check(GET, HealthProbe(period=10, delay=25)))
    gaps = [after - before for before, after in zip(fake.asked, fake.asked[1:], strict=False)]
    assert 25 <= fake.asked[0] < 35
    assert gaps == pytest.approx([10.0] * len(gaps))


def test_failures_count_only_in_a_row():
    down = [(at, at + 2) for at in range(0, 60, 3)]
    kubelet = watched(Fake(down=down), 60, liveness=Check(GET, HealthProbe(1, 1, 3)))
    assert kubelet.restarts == 0
    assert any(each.kind == "liveness failed" and each.detail.startswith("2") for each in kubelet.events)


def test_readiness_begins_as_failed_goes_and_comes_back_and_never_restarts():
    probe = HealthProbe(1, 1, failures=2, successes=3)
    kubelet = watched(Fake(down=[(10, 20)]), 40, readiness=Check(GET, probe))
    assert kinds(kubelet) == ["ready", "not ready", "ready"]
    first, away, back = (e.time for e in kubelet.events if e.kind in ("ready", "not ready"))
    assert 2 <= first <= 3
    assert 11 <= away <= 12
    assert 22 <= back <= 23
    assert kubelet.restarts == 0


def test_a_startup_probe_holds_the_others_off_until_it_has_passed():
    slow = {"slow_start": 20.0, "heals": False}
    liveness = Check(GET, HealthProbe(1, 1, 1))
    assert watched(Fake(**slow), 60, liveness=liveness).restarts >= 1
    kubelet = watched(Fake(**slow), 60, liveness=liveness, startup=Check(GET, HealthProbe(5, 1, 10)))
    assert kubelet.restarts == 0
    assert kubelet.seen("liveness ok") >= 20


def test_a_start_beyond_the_allowance_is_restarted():
    kubelet = watched(Fake(slow_start=1e9, heals=False), 20, startup=Check(GET, HealthProbe(2, 1, 3)))
    assert 4 <= kubelet.seen("unhealthy") <= 6
    assert kubelet.restarts >= 1


def test_a_process_that_does_not_hear_is_killed_after_its_grace():
    kubelet = watched(Fake(hung=[(10, 1e9)]), 80, liveness=Check(GET, TUNED), grace=30)
    assert kubelet.seen("restarted") - kubelet.seen("restarting") == pytest.approx(30)


def test_a_probe_s_own_grace_period_comes_before_the_pod_s():
    soon, month = Check(GET, TUNED, grace=2), 30 * 86400.0
    kubelet = watched(Fake(hung=[(10, 1e9)]), 80, liveness=soon, grace=month)
    assert kubelet.seen("restarted") - kubelet.seen("restarting") == pytest.approx(2)
    kubelet = watched(Fake(hung=[(10, 1e9)]), 3600, liveness=Check(GET, TUNED), grace=month)
    assert kubelet.seen("restarting") is not None
    assert kubelet.seen("restarted") is None, "a hung process is given the month it was promised"
    with pytest.raises(ValueError, match="a readiness probe ends nothing"):
        Pod(readiness=soon)


def test_a_restart_that_does_not_help_backs_off():
    fake = Fake(down=[(0, 1e9)], heals=False)
    kubelet = watched(fake, 400, liveness=Check(GET, HealthProbe(1, 1, 1)))
    waits = [each.detail for each in kubelet.events if each.kind == "back-off"]
    assert waits[:5] == [f"CrashLoopBackOff: {wait} s" for wait in (10, 20, 40, 80, 160)]
    gaps = [after - before for before, after in zip(fake.restarts, fake.restarts[1:], strict=False)]
    assert all(wait - 1e-6 <= gap <= wait + 2.1 for wait, gap in zip((10, 20, 40), gaps, strict=False))


def test_ten_minutes_of_running_are_forgiven():
    fake = Fake(down=[(10, 1e9)])
    with Kubelet(fake, Pod(liveness=Check(GET, HealthProbe(1, 1, 1)))) as kubelet:
        kubelet.wait(30)
        fake.down = [(700, 1e9)]
        kubelet.wait(700)
    assert kubelet.restarts == 2
    assert kubelet.seen("back-off") is None


def test_a_process_that_ended_needs_no_probe():
    gone = [(50.5, 1e9)]
    kubelet = watched(Fake(gone=gone), 90, liveness=Check(GET, CARD))
    assert kubelet.seen("exit seen") - 50.5 <= 1.0
    assert "unhealthy" not in kinds(kubelet)
    alone = watched(Fake(gone=gone), 120, watch=False, liveness=Check(GET, CARD))
    assert alone.seen("unhealthy") - 50.5 >= 20


def test_a_pause_within_the_threshold_restarts_nobody_and_beyond_it_does():
    pauses = [(at, at + 1.5) for at in range(5, 60, 5)]
    tight, patient = Check(GET, HealthProbe(1, 1, 1)), Check(GET, HealthProbe(1, 1, 3))
    assert watched(Fake(hung=pauses, heals=False), 60, liveness=tight).restarts > 0
    assert watched(Fake(hung=pauses, heals=False), 60, liveness=patient).restarts == 0


def test_kubernetes_refuses_a_success_threshold_for_liveness_and_startup():
    for name in ("liveness", "startup"):
        with pytest.raises(ValueError, match=f"successes of a {name} probe must be 1"):
            Pod(**{name: Check(GET, HealthProbe(successes=2))})


@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_on_a_simulated_cluster_it_finds_and_mends_the_fault_in_virtual_time(fault):
    cluster = SimulatedCluster()
    pod = Pod(liveness=Check(GET, TUNED), readiness=Check(TcpSocket(), HealthProbe(1, 1, 2)), grace=2)
    with Kubelet(container_of(cluster, "query node 1"), pod, watch=False) as kubelet:
        assert kubelet.wait(60, lambda: kubelet.seen("liveness ok") is not None)
        broken = cluster.inject(fault, "query node 1")
        assert kubelet.wait(60, lambda: kubelet.restarts == 1 and kubelet.ready)
    span = detection(TUNED, fault)
    assert span.least - 0.2 <= kubelet.seen("unhealthy") - broken.at <= span.most + 0.2
    assert cluster.now() == pytest.approx(kubelet.events[-1].time, abs=1)


@pytest.mark.parametrize(("status", "passes"), [(0, True), (1, False)])
def test_a_command_passes_with_status_zero(status, passes):
    assert asyncio.run(_ends_well((sys.executable, "-c", f"raise SystemExit({status})"))) is passes


def test_a_command_that_takes_too_long_is_killed():
    async def impatient():
        async with asyncio.timeout(0.5):
            return await _ends_well(Exec(("sleep", "60")).command)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())


def test_virtual_time_refuses_to_wait_for_ever():
    loop = VirtualLoop()
    with pytest.raises(RuntimeError, match="nothing but timers"):
        loop.run_until_complete(loop.create_future())
    loop.close()
