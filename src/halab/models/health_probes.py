"""Health probes in closed form: how soon they notice, how often they are wrong. Times are seconds.

A probe is sent every `period` seconds. It fails if it is refused, or if `timeout` passes without an answer,
and `failures` of them in a row are a verdict. The fault falls anywhere between two probes, so the first probe
to meet it leaves between 0 and `period` seconds later, any time as likely as another.

    crash, refused at once      least (failures - 1) x period
    hang, never answered        least (failures - 1) x max(period, timeout) + timeout
    both                        mean = least + period / 2        most = least + period
    hang, asked by tcpSocket    never: the kernel takes the connection for a process that hangs

A probe that is still waiting when its successor is due delays it: a worker of the kubelet has one probe under
way, and its ticker keeps one tick for it. That is the `max`.

Sources. Fields, defaults and least values: Kubernetes' documentation, "Configure Liveness, Readiness and
Startup Probes". One probe at a time, and a new count after a restart: kubelet, pkg/kubelet/prober/worker.go.
Back-off: Kubernetes' documentation, "Pod Lifecycle". Runs of failures: W. Feller, An Introduction to
Probability Theory and Its Applications, vol. 1, XIII.7.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from halab.models.failover import Span
from halab.models.probe_settings import HealthProbe
from halab.translation import gettext

__all__ = [
    "BACKOFF_FIRST",
    "BACKOFF_MOST",
    "BACKOFF_RESET",
    "CARD",
    "TUNED",
    "YEAR",
    "Asks",
    "HealthProbe",
    "ProbedFault",
    "backoffs",
    "detection",
    "false_restarts",
    "restart_storm",
    "share_over",
    "start_allowance",
]

YEAR = 365 * 86400.0
BACKOFF_FIRST, BACKOFF_MOST, BACKOFF_RESET = 10.0, 300.0, 600.0
"""Seconds the kubelet waits before it restarts a second time, at most, and of running well until it
forgets."""

ProbedFault = Literal["crash", "hang"]
Asks = Literal["httpGet", "tcpSocket"]
"""How a probe asks: for a page, or only whether the port takes a connection."""


CARD = HealthProbe(period=10, timeout=5, failures=3, delay=30)
"""The liveness probe of card 9."""

TUNED = HealthProbe(period=3, timeout=3, failures=2, delay=30)
"""The same with the card's faster period and threshold, and the timeout of its readiness probe."""


def detection(probe: HealthProbe, fault: ProbedFault, asks: Asks = "httpGet") -> Span:
    """Seconds from a fault to the verdict; infinite where there never is one.

    Raises ValueError for a fault that is neither crash nor hang, and for another way to ask.
    """
    if fault not in get_args(ProbedFault):
        raise ValueError(gettext("fault must be crash or hang, not {fault}").format(fault=fault))
    if asks not in get_args(Asks):
        raise ValueError(gettext("asks must be httpGet or tcpSocket, not {asks}").format(asks=asks))
    if fault == "hang" and asks == "tcpSocket":
        return Span(math.inf, math.inf, math.inf)
    if fault == "crash":
        least = (probe.failures - 1) * probe.period
    else:
        least = (probe.failures - 1) * max(probe.period, probe.timeout) + probe.timeout
    return Span(least, least + probe.period / 2, least + probe.period)


def share_over(latencies: Sequence[float], timeout: float) -> float:
    """The share of answers that will come too late, judged by a sample of latencies (seconds).

    (over + 1) / (n + 1), where `over` of n were later than the timeout. Not over / n: a sample in which
    nothing was late does not prove that nothing ever is. If the next latency is one more of the same kind, it
    is as likely as any other to be the greatest of all, and that makes the chance of a late one at most this.
    Raises ValueError for an empty sample, or a timeout that is not above 0.
    """
    if not latencies:
        raise ValueError(gettext("a sample must have a latency at least"))
    if not timeout > 0:
        raise ValueError(gettext("timeout must be a positive number, not {timeout}").format(timeout=timeout))
    return (sum(each > timeout for each in latencies) + 1) / (len(latencies) + 1)


def false_restarts(probe: HealthProbe, late: float) -> float:
    """Restarts a year of a process that is well, if the share `late` of its answers misses the timeout.

    Late answers are taken to be independent of each other, which is optimistic: pauses come in bursts. A
    restart begins a new count, so one run of `failures` late answers follows another after a mean of
    (1 - p^k) / (p^k (1 - p)) probes. Raises ValueError unless 0 <= late <= 1.
    """
    if not 0 <= late <= 1:
        raise ValueError(gettext("late must lie from 0 to 1, not {late}").format(late=late))
    run = late**probe.failures
    # (1 - p^k) / (1 - p) is 1 + p + ... + p^(k - 1), which is also right where p is 1.
    return YEAR / probe.period * run / math.fsum(late**power for power in range(probe.failures))


def start_allowance(startup: HealthProbe) -> Span:
    """Seconds a process may take to start under a startup probe before it is restarted, if it refuses until
    then.

    The worker's ticks are periodic and know nothing of the process' start, so the first probe after the delay
    falls up to a period late. A start that takes no longer than `least` is always allowed.
    """
    least = startup.delay + (startup.failures - 1) * startup.period
    return Span(least, least + startup.period / 2, least + startup.period)


def backoffs() -> Iterator[float]:
    """Seconds the kubelet waits before each restart in a row: none, then 10, 20, 40 and so on up to 300."""
    yield 0.0
    wait = BACKOFF_FIRST
    while True:
        yield wait
        wait = min(2 * wait, BACKOFF_MOST)


def restart_storm(uptime: float, seconds: float) -> tuple[int, float]:
    """Restarts within `seconds`, and the share of them spent down, if each run lasts `uptime` seconds.

    That is what too tight a probe does to a process that is slow for a reason that a restart does not remove.
    After a run of BACKOFF_RESET seconds the back-off begins anew. Raises ValueError unless both are above 0
    and `seconds` is finite.
    """
    if not (uptime > 0 and seconds > 0 and math.isfinite(seconds)):
        raise ValueError(
            gettext("uptime and seconds must be positive numbers, not {uptime} and {seconds}").format(
                uptime=uptime, seconds=seconds
            )
        )
    at, down, restarts, waits = 0.0, 0.0, 0, backoffs()
    while (at := at + uptime) < seconds:
        restarts += 1
        if uptime >= BACKOFF_RESET:
            waits = backoffs()
        wait = min(next(waits), seconds - at)
        at, down = at + wait, down + wait
    return restarts, down / seconds
