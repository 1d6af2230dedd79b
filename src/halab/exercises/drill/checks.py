"""What exercise 10 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from halab.exercises.drill.given import ACTIONS, STEPS, Data, DrillCase, record_action, rehearse
from halab.exercises.drill.variant import BEFORE, MISHAPS, make_case, reference_script
from halab.exercises.expectations import call_many, example, expect, same
from halab.exercises.learner_numbers import draw
from halab.models.drill_plan import drill_dates
from halab.translation import gettext, gettext_noop

__all__ = [
    "check_abort",
    "check_dates",
    "check_fence",
    "check_order",
    "check_report",
    "check_roll_back",
    "check_rpo",
    "check_rto",
    "draw",
    "make_drills",
]

Function = Callable[..., Any]
# Small cases that a failed check tells.
_BAD_BACKUP = {"action": "backup", "ok": False, "seconds": 12.0, "deadline": 60.0, "primary": "up"}
_STOPPED = {"verdict": "stopped", "failed": ["backup"], "late": [], "seconds": 12.0}
_ONE_LOST = {
    "lost_at": 10.0,
    "verified_at": 45.0,
    "acknowledged": [{"key": 1, "at": 6.0}, {"key": 2, "at": 7.0}],
    "standby_has": [1],
}
_MOST = 20  # actions after which a script is going round in circles


def make_drills(seed: int, each_fault: int = 2) -> list[DrillCase]:
    """Drills with every fault, drawn from a seed."""
    rng = random.Random(seed)
    return [make_case(fault, rng) for fault in MISHAPS for _ in range(each_fault)]


@example([], gives="backup")
def check_order(script: Function, drills: Sequence[DrillCase]) -> None:
    """Without trouble: every step once, in order, and then it stops."""
    for done in _run_drills(script, [drill for drill in drills if drill.fault == "none"]):
        actions = _actions(done)
        expect(
            actions[: len(BEFORE)] == list(BEFORE),
            gettext("Before anything is broken, the newest backup is verified, and then the standby."),
            "10.1.first",
        )
        expect(
            "roll back" not in actions and "fence" not in actions,
            gettext("Where nothing went wrong, nothing is rolled back and nothing is fenced."),
            "10.1.order",
        )
        expect(
            actions[-1:] == ["report"] and done[-1]["primary"] == "up",
            gettext("A drill fails back to the primary before it ends, and its report comes last."),
            "10.1.home",
        )
        expect(
            actions == list(STEPS),
            gettext("Each of the eight steps is done once, in their order."),
            "10.1.order",
        )


@example([_BAD_BACKUP], gives="report")
def check_abort(script: Function, drills: Sequence[DrillCase]) -> None:
    """A bad finding before the loss ends the drill: no harm, and a report."""
    chosen = [drill for drill in drills if drill.fault in ("backup corrupt", "standby unhealthy")]
    for drill, done in zip(chosen, _run_drills(script, chosen), strict=True):
        actions = _actions(done)
        expect(
            "loss" not in actions,
            gettext("With a backup or a standby that cannot be relied on, nothing is broken on purpose."),
            "10.1.harm",
        )
        expect(
            "roll back" not in actions and "fence" not in actions,
            gettext("Where nothing was broken yet there is nothing to roll back."),
            "10.1.nothing",
        )
        expect(
            actions == _actions(rehearse(drill, reference_script)),
            gettext("A drill that stops early has found something, so its report comes next."),
            "10.1.report",
        )


def check_roll_back(script: Function, drills: Sequence[DrillCase]) -> None:
    """After the loss, what failed or came too late is rolled back at once, and reported."""
    faults = ("failover fails", "failover late", "service half broken")
    chosen = [drill for drill in drills if drill.fault in faults]
    for drill, done in zip(chosen, _run_drills(script, chosen), strict=True):
        actions = _actions(done)
        behaviour, hint = {
            "failover late": (
                gettext("A failover that took longer than its deadline has failed, though it ended well."),
                "10.1.late",
            ),
            "service half broken": (
                gettext("A service that is broken in part is not back: the drill goes no step further."),
                "10.1.half",
            ),
        }.get(drill.fault, (gettext("A failover that failed is rolled back."), "10.1.back"))
        expect("roll back" in actions and "failback" not in actions, behaviour, hint)
        expect(
            actions == _actions(rehearse(drill, reference_script)),
            gettext("After the step that failed comes the roll back, then the report, and then nothing."),
            "10.1.back",
        )


def check_fence(script: Function, drills: Sequence[DrillCase]) -> None:
    """A primary that answers again is fenced before anything else is done."""
    chosen = [drill for drill in drills if drill.fault.startswith("split brain")]
    for drill, done in zip(chosen, _run_drills(script, chosen), strict=True):
        actions = _actions(done)
        came = next((number for number, record in enumerate(done) if record["primary"] == "back"), None)
        expect(
            came is not None and actions[came + 1 : came + 2] == ["fence"],
            gettext(
                "A primary that comes back while the standby is in charge is fenced before the next step."
            ),
            "10.1.fence",
        )
        expect(
            actions == _actions(rehearse(drill, reference_script)),
            gettext(
                "Once the primary is fenced, the drill continues where it was, and a step that "
                "failed still counts as failed."
            ),
            "10.1.on",
        )


@example({"lost_at": 10.0, "verified_at": 45.0, "acknowledged": [], "standby_has": []}, gives=35.0)
def check_rto(rto: Function, cases: Sequence[Data]) -> None:
    """From the loss to the verified service; None where the service was never verified."""
    answers = call_many(rto, ((dict(figures),) for figures in cases))
    for figures, value in zip(cases, answers, strict=True):
        if figures["verified_at"] is None:
            expect(
                value is None,
                gettext("A service that was never verified has no RTO: it is None."),
                "10.2.never",
            )
        else:
            expect(
                _near(value, figures["verified_at"] - figures["lost_at"]),
                gettext("RTO is the time from the loss to the moment at which the service was verified."),
                "10.2.rto",
            )


@example(_ONE_LOST, gives=(1, 3.0))
def check_rpo(rpo: Function, cases: Sequence[Data]) -> None:
    """Rows acknowledged before the loss that the standby does not have, and how far back they reach."""
    answers = call_many(rpo, ((dict(figures),) for figures in cases))
    for figures, value in zip(cases, answers, strict=True):
        lost, there = figures["lost_at"], set(figures["standby_has"])
        missing = [
            row["at"] for row in figures["acknowledged"] if row["at"] <= lost and row["key"] not in there
        ]
        expect(
            isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2,
            gettext("The answer is a pair: how many rows, and how many seconds."),
            "10.2.rows",
        )
        expect(
            value[0] == len(missing),
            gettext(
                "A row is lost if it was acknowledged at or before the loss and is not on the "
                "standby. What was written later was not lost in the failover."
            ),
            "10.2.rows",
        )
        expect(
            _near(value[1], lost - min(missing, default=lost)),
            gettext(
                "The window reaches from the first row that is lost to the loss; it is 0 if no row is lost."
            ),
            "10.2.window",
        )


@example([_BAD_BACKUP], None, None, 60.0, 5.0, gives=_STOPPED)
def check_report(report: Function, seed: int, targets: tuple[float, float]) -> None:
    """Verdict, late steps, failed steps and the time it took, of every kind of drill."""
    rng = random.Random(seed)
    calls, wanted = [], []
    for case in make_drills(seed, 1):
        done = rehearse(case, reference_script)
        actions = _actions(done)
        stopped, back = "loss" not in actions, "roll back" in actions
        for rto, rpo in _rto_rpo_cases(targets, rng) if not stopped and not back else [(None, None)]:
            verdict = "stopped" if stopped else "rolled back" if back else "passed"
            if rto is not None and rpo is not None and (rto > targets[0] or rpo > targets[1]):
                verdict = "missed"
            calls.append(([dict(record) for record in done], rto, rpo, *targets))
            wanted.append((verdict, done))
    for (verdict, done), value in zip(wanted, call_many(report, calls), strict=True):
        expect(
            isinstance(value, Mapping) and set(value) == {"verdict", "failed", "late", "seconds"},
            gettext("A report is a dict with verdict, failed, late and seconds."),
            "10.3.report",
        )
        behaviour, hint = _VERDICTS[verdict]
        expect(value["verdict"] == verdict, gettext(behaviour), hint)
        expect(
            same(value["failed"], [record["action"] for record in done if not record["ok"]]),
            gettext("`failed` names the actions that were not ok, in the order in which they were done."),
            "10.3.failed",
        )
        expect(
            same(
                value["late"],
                [record["action"] for record in done if record["seconds"] > record["deadline"]],
            ),
            gettext("`late` names the actions that took longer than their deadlines, also if they were ok."),
            "10.3.late",
        )
        expect(
            _near(value["seconds"], sum(record["seconds"] for record in done)),
            gettext("`seconds` is the time of all that was done, the roll back and the fencing included."),
            "10.3.seconds",
        )


_VERDICTS = {
    "stopped": (
        gettext_noop("A drill that ended before the loss was stopped; it has no RTO."),
        "10.3.stopped",
    ),
    "rolled back": (
        gettext_noop("A drill that was rolled back did not pass, however fast it was."),
        "10.3.verdict",
    ),
    "passed": (
        gettext_noop("A drill that went through and met both targets, even exactly, passed."),
        "10.3.verdict",
    ),
    "missed": (
        gettext_noop("A drill that went through and missed one of its targets did not pass."),
        "10.3.missed",
    ),
}


def _rto_rpo_cases(targets: tuple[float, float], rng: random.Random) -> list[tuple[float, float]]:
    """RTO and RPO that meet both targets, meet them just so, miss one, miss the other."""
    rto, rpo = targets
    return [
        (rto * rng.uniform(0.1, 0.9), rpo * rng.uniform(0.1, 0.9)),
        (rto, rpo),
        (rto + 1, rpo * 0.5),
        (rto * 0.5, rpo + 1),
    ]


@example("important", "2026-08-31", gives=["2026-08-31", "2027-02-28"])
def check_dates(dates: Function, cases: Sequence[tuple[str, str]]) -> None:
    """The drills of a year, by importance."""
    answers = call_many(dates, cases)
    for (importance, day), value in zip(cases, answers, strict=True):
        wanted = [drill_day.isoformat() for drill_day in drill_dates(importance, date.fromisoformat(day))]
        expect(
            isinstance(value, Sequence) and not isinstance(value, str) and len(value) == len(wanted),
            gettext(
                "In a year a critical system has four drills, an important one two, any other one, "
                "the first included."
            ),
            "10.3.often",
        )
        expect(
            list(value) == wanted,
            gettext(
                "Drills are whole months apart, on the same day of the month, or on its last if that "
                "is missing."
            ),
            "10.3.dates",
        )


def _run_drills(script: Function, drills: Sequence[DrillCase]) -> list[list[Data]]:
    """Every drill to its end. All of them are asked for their next action at once, round after round."""
    done: list[list[Data]] = [[] for _ in drills]
    ended: set[int] = set()
    for _ in range(_MOST):
        going = [number for number in range(len(drills)) if number not in ended]
        if not going:
            return done
        answers = call_many(script, (([dict(record) for record in done[number]],) for number in going))
        for number, action in zip(going, answers, strict=True):
            expect(
                isinstance(action, str) and action in ACTIONS,
                gettext("The script answers with the name of an action, whatever has happened before."),
                "10.1.action",
            )
            if action == "stop":
                ended.add(number)
            else:
                done[number].append(record_action(drills[number], action, done[number]))
    expect(
        len(ended) == len(drills), gettext("A drill comes to an end: after its report it stops."), "10.1.stop"
    )
    return done


def _actions(done: Sequence[Data]) -> list[str]:
    return [record["action"] for record in done]


def _near(value: Any, wanted: float) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-6)
    )
