"""What exercise 6 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

from halab.exercises.expectations import call_many, example, expect
from halab.exercises.failover_timeline.given import (
    HeartbeatPromise,
    Journal,
    KnownOutages,
    Promise,
    Recording,
)
from halab.exercises.learner_numbers import draw
from halab.models.failover import Heartbeats, Lease, detection, false_alarms_per_year
from halab.models.retry_policy import Retry
from halab.models.samples import Outcome
from halab.sim.retry_storm import Scenario, judge
from halab.translation import gettext

__all__ = [
    "LONGEST_WAIT",
    "MOST_FAILED",
    "MOST_LOAD",
    "check_backoff",
    "check_blips",
    "check_counts",
    "check_deadline",
    "check_jitter",
    "check_load",
    "check_misses",
    "check_numbers",
    "check_rto",
    "check_safe",
    "check_ttl_calm",
    "check_ttl_rto",
    "check_users",
    "check_windows",
    "draw",
]

MOST_FAILED = 0.2
"""Fraction of the requests sent during the outage that may fail for good. Some must: an insert whose outcome
is unknown may not be sent again."""

MOST_LOAD = 8.0
"""Attempts for each request during the outage, on average."""

LONGEST_WAIT = 6.0
"""Seconds a client may wait between two attempts."""

_NO_ANSWER = {
    "fault_at": 1.0,
    "quiet": 2.0,
    "samples": [{"operation": "search", "intended": 1.1, "done": 2.1, "outcome": "unknown"}],
}
"""A small case that a failed check tells."""

DRAWS = 400  # waits asked of a policy, enough that chance does not decide how they are spread
FEW_DRAWS = 100  # enough to find a wait that must never be

Outages = Callable[[Journal, str], Any]


def check_windows(outages: Outages, recording: Recording) -> None:
    """One outage: where it begins, where it ends."""
    for operation, truth, answer in _answers(outages, recording):
        windows = _windows(answer, "06.1.start")
        expect(
            bool(windows) and _near(windows[0][0], truth.windows[0][0]),
            gettext(
                "The outage of {operation} begins with the intended send of the first request that "
                "was not ok: failed or unknown, its user had no answer."
            ).format(operation=operation),
            "06.1.start",
        )
        expect(
            _near(windows[-1][1], truth.windows[0][1]),
            gettext(
                "The outage of {operation} ends with the intended send of the first request that was "
                "ok again."
            ).format(operation=operation),
            "06.1.end",
        )
        expect(
            len(windows) == 1,
            gettext("The outage of {operation} is one window, since no good service came between.").format(
                operation=operation
            ),
            "06.1.end",
        )


def check_blips(outages: Outages, recording: Recording) -> None:
    """Separate blips stay separate; a flap that is over sooner than the quiet time does not end an outage."""
    for operation, truth, answer in _answers(outages, recording):
        windows = _windows(answer, "06.1.blips")
        expect(
            len(windows) >= len(truth.windows),
            gettext(
                "Two spells of {operation} with good service for the quiet time between them stay "
                "two outages."
            ).format(operation=operation),
            "06.1.blips",
        )
        expect(
            len(windows) == len(truth.windows),
            gettext(
                "A good answer of {operation} with a bad one within the quiet time after it ends no outage."
            ).format(operation=operation),
            "06.1.flaps",
        )
        expect(
            all(
                _near(window[0], known[0]) and _near(window[1], known[1])
                for window, known in zip(windows, truth.windows, strict=True)
            ),
            gettext("Each outage of {operation} keeps its own beginning and end.").format(
                operation=operation
            ),
            "06.1.blips",
        )


def check_rto(rto: Callable[[Journal, str], Any], recording: Recording) -> None:
    """RTO is counted from the fault to the first lasting answer."""
    for operation, truth, answer in _answers(rto, recording):
        expect(
            _number(answer) and _near(answer, truth.rto),
            gettext(
                "The RTO of {operation} runs from the fault to the first lasting answer: to the "
                "`done` of the first request that was answered after its last outage, in seconds."
            ).format(operation=operation),
            "06.1.rto",
        )


@example(_NO_ANSWER, "search", gives=(0, 1))
def check_counts(counts: Callable[[Journal, str], Any], recording: Recording) -> None:
    """Failed and unknown are two counts."""
    for operation, truth, answer in _answers(counts, recording):
        expect(
            isinstance(answer, Sequence) and len(answer) == 2,
            gettext("The counts are two numbers: failed, unknown."),
            "06.1.counts",
        )
        expect(
            answer[0] == truth.failed,
            gettext(
                "Only requests of {operation} that certainly did not happen count as failed; one "
                "without an answer may have happened."
            ).format(operation=operation),
            "06.1.counts",
        )
        expect(
            answer[1] == truth.unknown,
            gettext("Every request of {operation} that ended without an answer counts as unknown.").format(
                operation=operation
            ),
            "06.1.counts",
        )


def check_backoff(retry: Retry) -> None:
    """Waits double from attempt to attempt, up to a cap."""
    longest = [max(_waits(retry, attempt, "06.2.backoff")) for attempt in (1, 2, 3)]
    expect(
        all(1.6 * earlier < later < 2.5 * earlier for earlier, later in pairwise(longest)),
        gettext(
            "The longest possible wait doubles from the first attempt to the second, and again to the third."
        ),
        "06.2.backoff",
    )
    late = call_many(
        retry,
        (
            (attempt, 0.0, Outcome.FAIL, "search", rng)
            for attempt in range(6, 13)
            for rng in _generators(FEW_DRAWS)
        ),
    )
    expect(
        all(wait is None or wait <= LONGEST_WAIT for wait in late),
        gettext(
            "However many attempts there were, no wait is longer than {longest_wait:.0f} s: "
            "nobody should sleep on long after the service is back."
        ).format(longest_wait=LONGEST_WAIT),
        "06.2.cap",
    )


def check_jitter(retry: Retry) -> None:
    """Waits are spread evenly from zero to the longest one."""
    for attempt in (1, 2, 4):
        waits = sorted(_waits(retry, attempt, "06.2.jitter"))
        shares = [waits[len(waits) * quarter // 4] / max(waits[-1], 1e-9) for quarter in (1, 2, 3)]
        expect(
            waits[0] < 0.05 * waits[-1]
            and all(abs(share - want) < 0.1 for share, want in zip(shares, (0.25, 0.5, 0.75), strict=True)),
            gettext(
                "Clients that failed together spread out: their waits lie evenly between zero and "
                "the longest one."
            ),
            "06.2.jitter",
        )


def check_deadline(retry: Retry, deadline: float) -> None:
    """Nothing is sent after the deadline, and not everything is given up before it."""
    for left, attempt, outcome in product(
        (-1.0, 0.0, 0.05, 0.5, 2.0), (1, 4, 8), (Outcome.FAIL, Outcome.UNKNOWN)
    ):
        waits = call_many(
            retry, ((attempt, deadline - left, outcome, "search", rng) for rng in _generators(FEW_DRAWS))
        )
        expect(
            all(wait is None or 0 <= wait <= left + 1e-9 for wait in waits),
            gettext("No attempt starts later than the deadline after the request first left."),
            "06.2.deadline",
        )
    early = call_many(retry, ((3, deadline / 4, Outcome.FAIL, "search", rng) for rng in _generators()))
    expect(
        None not in early,
        gettext("Long before the deadline a failed search is still tried again."),
        "06.2.deadline",
    )


def check_safe(retry: Retry) -> None:
    """Only what can do no harm is sent again."""
    expect(
        _gives_up(retry, Outcome.UNKNOWN, "insert"),
        gettext("An insert that may have happened is not sent again: the row could be there twice."),
        "06.2.safe",
    )
    for outcome, operation in (
        (Outcome.FAIL, "search"),
        (Outcome.UNKNOWN, "search"),
        (Outcome.FAIL, "insert"),
    ):
        expect(
            not _gives_up(retry, outcome, operation),
            gettext(
                "Where another attempt can do no harm, there is one: {operation}, outcome {outcome}."
            ).format(operation=operation, outcome=outcome),
            "06.2.again",
        )


def _expect_a_policy(retry: Retry) -> None:
    """A wait that never changes can be lucky in one scenario."""
    asked = product((1, 3, 12), (0.0, 1000.0), (Outcome.FAIL, Outcome.UNKNOWN), ("search", "insert"))
    waits = call_many(retry, ((*question, rng) for question in asked for rng in _generators(3)))
    expect(
        len(set(map(repr, waits))) > 1,
        gettext("A policy looks at what it is asked: one that always gives the same answer is none."),
        "06.2.users",
    )


def check_users(retry: Retry, scenario: Scenario, seed: int = 0) -> None:
    """In the simulator, most users of the outage get their answer after all."""
    report = judge(retry, scenario, seed, call_many)
    sent = scenario.rate * scenario.outage
    expect(
        report.failed <= MOST_FAILED * sent,
        gettext(
            "Of the {sent:.0f} requests sent during the outage at most {most_failed:.0%} may "
            "fail for good; with your policy {failed} do."
        ).format(sent=sent, most_failed=MOST_FAILED, failed=report.failed),
        "06.2.users",
    )
    _expect_a_policy(retry)


def check_load(retry: Retry, scenario: Scenario, seed: int = 0) -> None:
    """In the simulator, the policy retries and yet raises no storm."""
    report = judge(retry, scenario, seed, call_many)
    expect(
        report.amplification > 1.5,
        gettext("A policy adds some load: one that never tries again has not been tested."),
        "06.2.users",
    )
    expect(
        report.amplification <= MOST_LOAD,
        gettext(
            "During the outage the service gets at most {most_load:.0f} attempts for each "
            "request; with your policy it gets {amplification:.1f}."
        ).format(most_load=MOST_LOAD, amplification=report.amplification),
        "06.2.load",
    )
    _expect_a_policy(retry)


def check_ttl_rto(ttl: Any, promise: Promise) -> None:
    """The TTL keeps the promised RTO at the worst moment."""
    _expect_whole(
        ttl,
        2,
        gettext("A TTL is a whole number of seconds, at least 2: etcd grants no other."),
        "06.3.ttl-rto",
    )
    expect(
        detection(Lease(ttl)).most + promise.after <= promise.rto,
        gettext(
            "A crash at the worst moment is over within {rto} s; with your TTL it can take longer."
        ).format(rto=promise.rto),
        "06.3.ttl-rto",
    )


def check_ttl_calm(ttl: Any, promise: Promise) -> None:
    """The TTL keeps the promised number of false alarms."""
    _expect_whole(
        ttl,
        2,
        gettext("A TTL is a whole number of seconds, at least 2: etcd grants no other."),
        "06.3.ttl-calm",
    )
    expect(
        false_alarms_per_year(Lease(ttl), promise.stalls, promise.processes) <= promise.false_alarms,
        gettext(
            "At most {false_alarms} needless failovers are expected in a year; your TTL causes more."
        ).format(false_alarms=promise.false_alarms),
        "06.3.ttl-calm",
    )


def check_misses(misses: Any, case: HeartbeatPromise) -> None:
    """The number of missed heartbeats keeps both promises."""
    _expect_whole(
        misses, 1, gettext("A threshold is a whole number of missed beats, at least 1."), "06.3.misses"
    )
    detector, promise = Heartbeats(case.interval, misses, case.timeout), case.promise
    expect(
        detection(detector).most + promise.after <= promise.rto,
        gettext(
            "A crash just after a beat is over within {rto} s; with your threshold it can take longer."
        ).format(rto=promise.rto),
        "06.3.misses",
    )
    expect(
        false_alarms_per_year(detector, promise.stalls, promise.processes) <= promise.false_alarms,
        gettext(
            "At most {false_alarms} needless failovers are expected in a year; your threshold causes more."
        ).format(false_alarms=promise.false_alarms),
        "06.3.misses",
    )


def check_numbers(ttl: Any, worst_outage: Any, false_alarms: Any, promise: Promise) -> None:
    """The two figures that justify the chosen TTL are the right ones for it, within two per cent."""
    _expect_whole(
        ttl,
        2,
        gettext("A TTL is a whole number of seconds, at least 2: etcd grants no other."),
        "06.3.numbers",
    )
    expect(
        _close(worst_outage, detection(Lease(ttl)).most + promise.after),
        gettext(
            "worst_outage is the longest time your users can be without service after a crash, in seconds."
        ),
        "06.3.numbers",
    )
    expect(
        _close(false_alarms, false_alarms_per_year(Lease(ttl), promise.stalls, promise.processes)),
        gettext("false_alarms is the number of needless failovers expected in a year with your TTL."),
        "06.3.numbers",
    )


def _answers(
    function: Callable[[Journal, str], Any], recording: Recording
) -> list[tuple[str, KnownOutages, Any]]:
    """For each operation the truth and what the learner's function says. The journal goes over to it once."""
    answers = call_many(function, ((recording.journal, operation) for operation in recording.truth))
    return list(zip(recording.truth, recording.truth.values(), answers, strict=True))


def _windows(answer: Any, hint: str) -> list[tuple[float, float]]:
    whole = isinstance(answer, list) and all(
        isinstance(window, Sequence) and len(window) == 2 and all(map(_number, window)) for window in answer
    )
    expect(whole, gettext("Outages are a list of pairs (start, end), in seconds."), hint)
    return [(window[0], window[1]) for window in answer]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _near(value: float, want: float) -> bool:
    return math.isclose(value, want, abs_tol=1e-6)


def _close(value: Any, want: float) -> bool:
    return _number(value) and math.isclose(value, want, rel_tol=0.02)


def _expect_whole(value: Any, least: int, behaviour: str, hint: str) -> None:
    expect(isinstance(value, int) and not isinstance(value, bool) and value >= least, behaviour, hint)


def _generators(number: int = DRAWS) -> list[random.Random]:
    """The dice for so many calls: the same each time, since a class' grading would make seven thousand."""
    return [random.Random(0)] * number


def _waits(retry: Retry, attempt: int, hint: str) -> list[float]:
    """The waits a policy draws after so many failed searches, long before any deadline."""
    answers = call_many(retry, ((attempt, 0.0, Outcome.FAIL, "search", rng) for rng in _generators()))
    waits = [wait for wait in answers if _number(wait) and wait is not None and wait >= 0]
    expect(
        len(waits) == len(answers),
        gettext("A failed search is tried again: the policy returns the seconds to wait, zero or more."),
        hint,
    )
    return waits


def _gives_up(retry: Retry, outcome: Outcome, operation: str) -> bool:
    moments = ((1, 0.0), (2, 0.5), (5, 3.0))
    calls = ((*moment, outcome, operation, rng) for moment in moments for rng in _generators(FEW_DRAWS))
    return all(wait is None for wait in call_many(retry, calls))
