"""Load: many requests, and what the processes used meanwhile.

    with Meter({"querynode-1": 4711}) as meter:
        samples = closed_loop(operation, clients=8, seconds=5.0)
    meter.usage()

Two kinds of clients. In a closed loop each of n clients waits for its answer before it asks again: it finds
the most a service can do, and says little of latency, because it asks least when the service is slowest
(Gil Tene calls that "coordinated omission"). In an open loop requests leave at intended times, whatever
became of those before; latency counts from the intended send, so a stall is felt by every request that was
due in it.
"""

from __future__ import annotations

import math
import os
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count

import psutil

from halab.errors import MeasurementError
from halab.measure.journal.journal_file import Phase
from halab.measure.journal.journal_parts import MACHINE
from halab.measure.probing.operations import Operation
from halab.measure.probing.prober import Prober
from halab.models.samples import Outcome, Sample
from halab.translation import gettext

__all__ = [
    "CLIENT",
    "MACHINE",
    "Meter",
    "bottlenecks",
    "closed_loop",
    "latencies",
    "open_loop",
    "percentile",
    "rate",
]

CLIENT = "this client"
"""The measuring process itself, as `Phase.usage` names it."""

_BUSY = 0.9  # of what there is: above that the figure is the client's or the machine's, not the service's


def closed_loop(
    operation: Operation,
    *,
    clients: int = 1,
    seconds: float = math.inf,
    requests: int | None = None,
    first: int = 0,
    deadline: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
) -> list[Sample]:
    """Let `clients` ask, each waiting for its answer, for `seconds` or until `requests` were sent in all.

    Probes are numbered from `first`. A request without an answer within `deadline` seconds is unknown, and
    its client goes on. Raises MeasurementError if there is no end, or if the operation raises.
    """
    if clients < 1 or (requests is None and not 0 < seconds < math.inf):
        raise MeasurementError(
            gettext(
                "a closed loop needs at least one client and an end, found {clients} clients, {seconds:g} s"
            ).format(clients=clients, seconds=seconds),
            hint=gettext("for example clients=4, seconds=5"),
        )
    numbers = count(first)
    last = math.inf if requests is None else first + requests
    end = clock() + seconds
    samples: list[Sample] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            while not errors and clock() < end and (number := next(numbers)) < last:
                samples.append(_one(operation, number, deadline, clock))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, name=f"halab-client-{n}", daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise MeasurementError(
            gettext("a request could not be sent: {problem!r}").format(problem=errors[0]),
            hint=gettext("an operation must report failures through `done`, not raise them"),
        ) from errors[0]
    return sorted(samples, key=lambda sample: sample.intended)


def _one(operation: Operation, number: int, deadline: float, clock: Callable[[], float]) -> Sample:
    answered = threading.Event()
    ended: list[tuple[float, Outcome, str]] = []

    def done(outcome: Outcome, error: str = "") -> None:
        ended.append((clock(), outcome, error))
        answered.set()

    timeout = operation.timeout(deadline)
    sent = clock()
    key = operation.send(number, deadline, done)
    if not answered.wait(max(0.0, sent + timeout - clock())) or ended[0][0] - sent > timeout:
        return Sample(
            operation.name, number, sent, sent, sent + timeout, Outcome.UNKNOWN, "deadline passed", key
        )
    at, outcome, error = ended[0]
    return Sample(operation.name, number, sent, sent, at, outcome, error, key)


def open_loop(
    operation: Operation,
    *,
    rate: float,
    seconds: float,
    deadline: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Sample]:
    """Let `rate` requests a second leave for `seconds`, whatever becomes of them. Raises MeasurementError."""
    if not (0 < rate < math.inf and 0 < seconds < math.inf):
        raise MeasurementError(
            gettext(
                "an open loop needs a rate and a time above 0, found {rate:g} a second for {seconds:g} s"
            ).format(rate=rate, seconds=seconds),
            hint=gettext("for example rate=50, seconds=5"),
        )
    prober = Prober([operation], rate=rate, deadline=deadline, clock=clock)
    prober.start()
    try:
        sleep(max(0.0, prober.started + seconds - clock()))
    finally:
        prober.stop()
    return sorted(prober.samples, key=lambda sample: sample.intended)


class Meter:
    """Cores kept busy and memory of processes while its `with` block runs; this client and the machine too.

    `processes` are process ids by name; one that has ended is left out. Cores are CPU seconds a second.
    """

    def __init__(self, processes: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = {CLIENT: os.getpid(), **processes}
        self._clock = clock
        self._before: dict[str, float] = {}
        self._after: dict[str, float] = {}
        self._memory: dict[str, float] = {}
        self._seconds = 0.0

    def __enter__(self) -> Meter:
        self._seconds = -self._clock()
        self._before = self._spent()
        return self

    def __exit__(self, *_: object) -> None:
        self._after = self._spent()
        self._seconds += self._clock()
        self._memory = {MACHINE: float(psutil.virtual_memory().used)}
        for name, pid in self._processes.items():
            with suppress(psutil.Error):
                self._memory[name] = float(psutil.Process(pid).memory_info().rss)

    def usage(self) -> dict[str, dict[str, float]]:
        """By process: `cores` and `memory` (resident, bytes), as a `Phase` keeps them."""
        return {
            name: {
                "cores": round((self._after[name] - spent) / self._seconds, 4),
                "memory": self._memory[name],
            }
            for name, spent in self._before.items()
            if name in self._after and name in self._memory
        }

    def _spent(self) -> dict[str, float]:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        spent = {
            MACHINE: sum(times[:8]) - idle
        }  # what comes after the eighth is counted in the first already
        for name, pid in self._processes.items():
            with suppress(psutil.Error):
                used = psutil.Process(pid).cpu_times()
                spent[name] = used.user + used.system
        return spent


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank). Raises ValueError."""
    if not values or not 0 < share <= 1:
        raise ValueError(gettext("a percentile needs values, and a share above 0 and up to 1"))
    return sorted(values)[math.ceil(share * len(values)) - 1]


def latencies(samples: Sequence[Sample], phase: Phase) -> list[float]:
    """Seconds from the intended send to the outcome, of the requests due in the phase."""
    return [sample.latency for sample in samples if phase.start <= sample.intended < phase.end]


def rate(samples: Sequence[Sample], phase: Phase) -> float:
    """Good answers a second that came in the phase, wherever their requests were sent."""
    good = sum(sample.outcome is Outcome.OK and phase.start <= sample.done < phase.end for sample in samples)
    return good / (phase.end - phase.start)


def bottlenecks(samples: Sequence[Sample], phase: Phase, cores: int) -> dict[str, str]:
    """What else than the service may have set the pace, a sentence each: "client", "machine", "late" sending.

    A Python client can keep about one core busy, whatever the machine has. `cores` is what the machine has.
    """
    causes = {}
    client = phase.usage.get(CLIENT, {}).get("cores", 0.0)
    machine = phase.usage.get(MACHINE, {}).get("cores", 0.0)
    due = [sample for sample in samples if phase.start <= sample.intended < phase.end]
    if client >= _BUSY:
        causes["client"] = gettext("the client was busy with {client:.2f} of the one core it can use").format(
            client=client
        )
    if cores and machine >= _BUSY * cores:
        causes["machine"] = gettext("the machine was busy with {machine:.2f} of its {cores} cores").format(
            machine=machine, cores=cores
        )
    if due:
        late = percentile([sample.sent - sample.intended for sample in due], 0.99)
        if late > max(0.001, 0.1 * statistics.median(sample.latency for sample in due)):
            causes["late"] = gettext("one request in a hundred was sent {delay:.0f} ms late or more").format(
                delay=late * 1000
            )
    return causes
