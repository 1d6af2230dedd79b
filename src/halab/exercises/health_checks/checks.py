"""What exercise 9 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from halab.exercises.expectations import call_many, example, expect, expect_refused
from halab.exercises.health_checks.given import Goal
from halab.exercises.health_checks.variant import make_goal
from halab.exercises.kubernetes_yaml import ManifestError, asked_of, probe_in, read_pod
from halab.exercises.learner_numbers import draw
from halab.models.health_probes import HealthProbe, detection, false_restarts, share_over, start_allowance
from halab.sim.probe_verdicts import first_verdict, hang
from halab.translation import gettext

__all__ = [
    "check_crash",
    "check_false",
    "check_hang",
    "check_in_time",
    "check_patient",
    "check_readiness",
    "check_refused",
    "check_restarts",
    "check_share",
    "check_start",
    "check_valid",
    "draw",
    "ready_changes",
    "restarts_at",
]

Function = Callable[..., Any]


@example({"period": 10, "timeout": 5, "failures": 3}, "crash", gives=(20, 30))
def check_crash(detected: Function, probes: Sequence[HealthProbe]) -> None:
    """The range of a crash."""
    for probe, span in _call_detected(detected, probes, "crash"):
        expect(
            _near(span[0], detection(probe, "crash").least),
            gettext("The best case is a crash just before a probe: that probe is the first to be refused."),
            "09.1.least",
        )
        expect(
            _near(span[1], detection(probe, "crash").most),
            gettext(
                "The worst case is a crash just after a probe: a whole period passes before the "
                "first refusal."
            ),
            "09.1.most",
        )


@example({"period": 10, "timeout": 5, "failures": 3}, "hang", gives=(25, 35))
def check_hang(detected: Function, probes: Sequence[HealthProbe]) -> None:
    """The range of a hang, in which probes may be late for each other."""
    # Probes that are never late first: what is wrong with all is said before what is wrong with some.
    for probe, answer in sorted(
        _call_detected(detected, probes, "hang"), key=lambda pair: pair[0].timeout > pair[0].period
    ):
        span = detection(probe, "hang")
        expect(
            probe.timeout > probe.period or (_near(answer[0], span.least) and _near(answer[1], span.most)),
            gettext(
                "A hung process lets the probe run into its timeout, the last one too, and only then "
                "is it counted."
            ),
            "09.1.hang",
        )
        expect(
            _near(answer[0], span.least) and _near(answer[1], span.most),
            gettext(
                "Only one probe is under way at a time: where the timeout is longer than the period, "
                "the next one waits."
            ),
            "09.1.late",
        )


@example([0.1, 0.2, 6.0], 5, gives=0.5)
def check_share(late: Function, goal: Goal) -> None:
    """The share of late answers."""
    for timeout in (0.5, 1, 2, 3, 60, statistics.median_low(goal.latencies)):
        share = late(list(goal.latencies), timeout)
        expect(_number(share) and 0 <= share <= 1, gettext("A share lies from 0 to 1."), "09.1.share")
        expect(
            timeout < 60 or share > 0,
            gettext(
                "That nothing was late in a sample does not prove that nothing ever is: the share is above 0."
            ),
            "09.1.never",
        )
        expect(
            math.isclose(share, share_over(goal.latencies, timeout), rel_tol=1e-9),
            gettext(
                "The share is (late ones + 1) / (all + 1), and an answer at the timeout itself is in time."
            ),
            "09.1.share",
        )


def check_false(restarts: Function, probes: Sequence[HealthProbe]) -> None:
    """Restarts a year of a healthy process."""
    shares = (0.0, 0.001, 0.02, 0.3)
    calls = [(asdict(probe), late) for probe in probes for late in shares]
    answers = call_many(restarts, calls)
    want = [false_restarts(probe, late) for probe in probes for late in shares]
    for value, right in zip(answers, want, strict=True):
        expect(
            _number(value) and math.isclose(value, right, rel_tol=1e-6, abs_tol=1e-9),
            gettext(
                "Probes a year, divided by the mean number of probes until `failures` late ones come "
                "in a row: with the formula above, for 365 days."
            ),
            "09.1.false",
        )


def check_valid(manifest: Function, goals: Sequence[Goal]) -> None:
    """Kubernetes would take it, and its probes ask what Milvus answers."""
    for goal in goals:
        pod = _pod(manifest, goal)
        for name in ("livenessProbe", "readinessProbe", "startupProbe"):
            _required_probe(pod, name)
            expect(
                asked_of(pod, name) == ("/healthz", 9091),
                gettext("The {name} asks /healthz on port 9091, where Milvus answers.").format(name=name),
                "09.2.asked",
            )


def check_in_time(manifest: Function, goals: Sequence[Goal]) -> None:
    """A hang is noticed in time, wherever between two probes it falls: played step by step."""
    for goal in goals:
        probe = _probe_of(manifest, goal, "livenessProbe")
        slowest = max(_seconds_to_verdict(probe, share / 20) for share in range(1, 21))
        expect(
            slowest <= goal.within + 1e-6,
            gettext(
                "A hang is noticed in time even if it falls just after a probe, and every probe runs "
                "into its timeout."
            ),
            "09.2.time",
        )


def check_patient(manifest: Function, goals: Sequence[Goal]) -> None:
    """A healthy process is left alone."""
    for goal in goals:
        probe = _probe_of(manifest, goal, "livenessProbe")
        expect(
            false_restarts(probe, share_over(goal.latencies, probe.timeout)) * goal.years <= 1 + 1e-9,
            gettext("A healthy process with these latencies is restarted at most once in `years` years."),
            "09.2.patient",
        )


def check_start(manifest: Function, goals: Sequence[Goal]) -> None:
    """A slow start is allowed, and not by making liveness slow."""
    for goal in goals:
        startup = _probe_of(manifest, goal, "startupProbe")
        liveness = _probe_of(manifest, goal, "livenessProbe")
        expect(
            start_allowance(startup).least >= goal.start,
            gettext(
                "A start that takes `start` seconds is allowed even in the worst case: the last "
                "probe that counts comes no sooner."
            ),
            "09.2.start",
        )
        expect(
            liveness.delay <= 30,
            gettext(
                "The startup probe gives the start its time, so the liveness probe needs no long "
                "delay of its own."
            ),
            "09.2.delay",
        )


def check_refused(manifest: Function, goals: Sequence[Goal]) -> None:
    """A goal that no probe reaches is refused, and one that some probe reaches is not."""
    easy = make_goal(random.Random(0)).data | {"within": 300, "years": 0.001}
    expect_refused(
        manifest,
        [(goal.data,) for goal in goals],
        (easy,),
        gettext("Where no probe reaches the goal, a ValueError says so."),
        "09.2.refused",
    )


@example([True, True, False, False], 2, 2, gives=[(1, True), (3, False)])
def check_readiness(changes: Function, heard: Sequence[bool]) -> None:
    """In and out of service."""
    for failures, successes in ((1, 1), (2, 1), (3, 2), (2, 3)):
        answer = changes(list(heard), failures, successes)
        right = ready_changes(heard, failures, successes)
        expect(isinstance(answer, Sequence), gettext("The answer is a list of pairs."), "09.3.ready")
        first = [tuple(change) for change in answer][:1]
        expect(
            not first or first[0][1] is not False,
            gettext(
                "A process is out of service until a probe has passed often enough, so its first "
                "change is into service."
            ),
            "09.3.first",
        )
        expect(
            [tuple(change) for change in answer] == right,
            gettext(
                "Readiness changes at the probe that completes enough good or bad answers in a row, "
                "and only to a state it is not in already."
            ),
            "09.3.ready",
        )


@example([False, False, False, False], 2, gives=[1, 3], of="restarted")
def check_restarts(restarts: Function, heard: Sequence[bool]) -> None:
    """When liveness restarts."""
    for failures in (1, 2, 3, 4):
        answer = restarts(list(heard), failures)
        expect(
            isinstance(answer, Sequence) and list(answer) == restarts_at(heard, failures),
            gettext(
                "A restart comes with the probe that completes `failures` bad answers in a row, and "
                "the new process begins with none."
            ),
            "09.3.restart",
        )


def ready_changes(heard: Sequence[bool], failures: int, successes: int) -> list[tuple[int, bool]]:
    """Where in the sequence readiness changes, and to what; it begins as not ready."""
    ready, run, changes = False, 0, []
    for index, passed in enumerate(heard):
        run = run + 1 if index and heard[index - 1] is passed else 1
        if run >= (successes if passed else failures) and passed is not ready:
            ready = passed
            changes.append((index, ready))
    return changes


def restarts_at(heard: Sequence[bool], failures: int) -> list[int]:
    """Where in the sequence a liveness probe restarts the process."""
    run, restarts = 0, []
    for index, passed in enumerate(heard):
        run = 0 if passed else run + 1
        if run == failures:
            restarts.append(index)
            run = 0
    return restarts


def _call_detected(
    detected: Function, probes: Sequence[HealthProbe], fault: str
) -> list[tuple[HealthProbe, tuple[float, float]]]:
    spans = call_many(detected, ((asdict(probe), fault) for probe in probes))
    for span in spans:
        expect(
            isinstance(span, Sequence) and len(span) == 2 and all(_number(value) for value in span),
            gettext("The range is two numbers: the least and the most seconds."),
            "09.1.least",
        )
    return list(zip(probes, spans, strict=True))


def _pod(manifest: Function, goal: Goal) -> dict[str, Any]:
    text = manifest(goal.data)
    expect(isinstance(text, str), gettext("The manifest is a text."), "09.2.valid")
    try:
        return read_pod(text)
    except ManifestError as error:
        expect(
            False,
            gettext("A manifest that Kubernetes takes. It refuses yours: {message}").format(
                message=error.message
            ),
            "09.2.valid",
        )
        raise


def _probe_of(manifest: Function, goal: Goal, name: str) -> HealthProbe:
    return _required_probe(_pod(manifest, goal), name)


def _required_probe(pod: dict[str, Any], name: str) -> HealthProbe:
    probe = probe_in(pod, name)
    behaviour = (
        gettext("The container has a {name}.")
        if len(pod["spec"]["containers"]) == 1
        else gettext("One container has all three probes: the first with a probe has a {name}, too.")
    )
    expect(probe is not None, behaviour.format(name=name), "09.2.valid")
    assert probe is not None
    return probe


def _seconds_to_verdict(probe: HealthProbe, share: float) -> float:
    """Seconds to the verdict if the next probe leaves a share of a period after the hang."""
    at = 100 * probe.period - share * probe.period
    return first_verdict(probe, hang(at), at + 2 * detection(probe, "hang").most) - at


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _near(value: Any, want: float) -> bool:
    return _number(value) and math.isclose(value, want, abs_tol=1e-6)
