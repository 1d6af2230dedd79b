"""A health probe, step by step: what the kubelet's worker sees of a process. Times are seconds.

`models/health_probes.py` has the formula; this is the loop that it was derived from, so each tests the other.
A process is described by an `Answer`: how long it takes to answer a probe that is sent at a given time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Literal

from halab.models.health_probes import HealthProbe

__all__ = ["Answer", "crash", "first_verdict", "hang", "stalls", "verdicts"]

Answer = Callable[[float], float]
"""Seconds from a probe sent at a time to its answer; infinite if there is none. A refusal is -1."""


def hang(at: float) -> Answer:
    """A process that answers at once until `at`, and never again."""
    return lambda sent: math.inf if sent >= at else 0.0


def crash(at: float) -> Answer:
    """A process that answers at once until `at`, and refuses from then on."""
    return lambda sent: -1.0 if sent >= at else 0.0


def stalls(pauses: Iterable[tuple[float, float]]) -> Answer:
    """A healthy process that stalls now and then: for each pause (begin, seconds) it answers at its end."""
    spells = [(begin, begin + length) for begin, length in pauses]

    def answer(sent: float) -> float:
        return max((end - sent for begin, end in spells if begin <= sent < end), default=0.0)

    return answer


def verdicts(probe: HealthProbe, answer: Answer, until: float, first: float = 0.0) -> list[tuple[float, str]]:
    """When the worker's verdict changes, up to `until`: pairs (seconds, "failed" or "passed").

    The first probe leaves at `first`. A late one delays its successor, and missed ticks are not made up for.
    """
    changes: list[tuple[float, str]] = []
    state, run, last = "", 0, ""
    sent = first
    while sent <= until:
        took = answer(sent)
        failed = took < 0 or took > probe.timeout
        done = sent + (max(took, 0.0) if not failed or took < 0 else probe.timeout)
        word: Literal["failed", "passed"] = "failed" if failed else "passed"
        run, last = (run + 1 if word == last else 1), word
        if run >= (probe.failures if failed else probe.successes) and word != state:
            state = word
            changes.append((done, word))
        sent = _next(sent, done, probe.period, first)
    return changes


def _next(sent: float, done: float, period: float, first: float) -> float:
    """The next tick; at once if one has passed while the probe was under way."""
    tick = first + (math.floor((sent - first) / period + 1e-9) + 1) * period
    return max(tick, done)


def first_verdict(probe: HealthProbe, answer: Answer, until: float, first: float = 0.0) -> float:
    """When the worker first decides that the process has failed, or infinity."""
    return next((at for at, word in verdicts(probe, answer, until, first) if word == "failed"), math.inf)
