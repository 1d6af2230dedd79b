"""Exercise 10: what a learner is given: drills to come, and a way to rehearse them. Times are seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from halab.translation import gettext

__all__ = ["ACTIONS", "STEPS", "Data", "DrillCase", "Variant", "record_action", "rehearse"]

Data = dict[str, Any]

STEPS = ("backup", "standby", "loss", "failover", "service", "measure", "failback", "report")
"""The order in which a drill without trouble goes; the report comes last, and always."""

ACTIONS = (*STEPS, "fence", "roll back", "stop")

_MOST = 20  # actions after which a script is going round in circles


@dataclass(frozen=True, slots=True)
class DrillCase:
    """One drill to come: the fault, and how long each action takes and may take."""

    fault: str
    seconds: dict[str, float]
    deadlines: dict[str, float]
    back_after: str  # the action after which, in a split brain, the primary answers again


def record_action(case: DrillCase, action: str, before: Sequence[Data]) -> Data:
    """What is known after an action."""
    bad = {
        "backup corrupt": "backup",
        "standby unhealthy": "standby",
        "failover fails": "failover",
        "service half broken": "service",
        "split brain, then broken": "service",
    }
    primary = before[-1]["primary"] if before else "up"
    if action == "loss":
        primary = "lost"
    elif action in ("roll back", "failback"):
        primary = "up"
    elif action == "fence":
        primary = "fenced"
    elif case.fault.startswith("split brain") and primary == "lost" and action == _returns_after(case):
        primary = "back"
    return {
        "action": action,
        "ok": bad.get(case.fault) != action,
        "seconds": case.seconds[action],
        "deadline": case.deadlines[action],
        "primary": primary,
    }


def _returns_after(case: DrillCase) -> str:
    return "failover" if case.fault == "split brain, then broken" else case.back_after


def rehearse(case: DrillCase, script: Callable[[list[Data]], Any]) -> list[Data]:
    """Let a script run a drill to its end: what was done. Raises ValueError for an action there is not."""
    done: list[Data] = []
    for _ in range(_MOST):
        action = script([dict(record) for record in done])
        if action not in ACTIONS:
            raise ValueError(gettext("{action!r} is no action").format(action=action))
        if action == "stop":
            break
        done.append(record_action(case, action, done))
    return done


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise. `rto` and `rpo` are targets in seconds, `day` the first drill's (ISO 8601)."""

    drills: list[DrillCase]
    figures: Data
    rto: float
    rpo: float
    done: list[Data]
    importance: str
    day: str
