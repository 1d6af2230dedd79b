"""Exercise 10: drills on simulated clusters, with faults that are drawn from a seed. Times are seconds.

A drill here is a list of what was done so far, oldest first, and a script that says what is done next:

    [{"action": "backup", "ok": True, "seconds": 12.0, "deadline": 60.0, "primary": "up"}, ...]

`primary` is what is known of the primary after the action: "up" (it serves), "lost" (it does not answer),
"back" (it answers again, and its address is not in use) or "fenced" (it can take no write).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from halab.exercises.drill.given import (
    ACTIONS,
    STEPS,
    Data,
    DrillCase,
    Variant,
    rehearse,
)
from halab.exercises.learner_numbers import per_learner
from halab.models.drill_plan import EVERY

__all__ = ["BEFORE", "MISHAPS", "make_case", "make_figures", "reference_script", "rehearse", "variant"]

BEFORE = ("backup", "standby")
"""What is looked at before any harm is done."""
MISHAPS = (
    "none",
    "backup corrupt",
    "standby unhealthy",
    "failover fails",
    "failover late",
    "service half broken",
    "split brain",
    "split brain, then broken",
)


def make_case(fault: str, rng: random.Random) -> DrillCase:
    """A drill with this fault and times of its own."""
    deadlines = {action: float(rng.randrange(30, 300)) for action in ACTIONS}
    seconds = {action: round(limit * rng.uniform(0.1, 0.95), 1) for action, limit in deadlines.items()}
    if fault == "failover late":
        seconds["failover"] = round(deadlines["failover"] * rng.uniform(1.05, 3), 1)
    return DrillCase(fault, seconds, deadlines, rng.choice(("failover", "service")))


def reference_script(done: Sequence[Data]) -> str:
    """What a good script does next: the rules as the exercise tells them."""
    if not done:
        return STEPS[0]
    last, actions = done[-1], [record["action"] for record in done]
    if last["action"] in ("report", "stop"):
        return "stop"
    if last["primary"] == "back":
        return "fence"
    steps = [record for record in done if record["action"] in STEPS]
    if "roll back" in actions:
        return "report"
    step = steps[-1]
    if not step["ok"] or step["seconds"] > step["deadline"]:
        return "report" if "loss" not in actions else "roll back"
    return STEPS[STEPS.index(step["action"]) + 1]


def make_figures(rng: random.Random) -> Data:
    """A drill's raw figures: when the primary was lost, when the service was verified, when each row was
    acknowledged, and which keys the standby had when it took over."""
    lost = round(rng.uniform(100, 500), 1)
    moments = sorted(round(rng.uniform(0, lost + 60), 1) for _ in range(rng.randrange(20, 60)))
    backup = rng.uniform(0.3, 0.9) * lost
    acknowledged = dict(zip(rng.sample(range(1000, 9999), len(moments)), moments, strict=True))
    there = [key for key, at in acknowledged.items() if at < backup or at > lost]
    # A row whose insert timed out may be there: it was never acknowledged.
    there += rng.sample(range(10_000, 11_000), 3)
    rng.shuffle(there)
    keys = list(acknowledged.items())
    rng.shuffle(keys)
    return {
        "lost_at": lost,
        "verified_at": round(lost + rng.uniform(20, 4000), 1),
        "acknowledged": [{"key": key, "at": at} for key, at in keys],
        "standby_has": there,
    }


@per_learner(card=10)
def variant(rng: random.Random) -> Variant:
    """The exercise of this learner (default: the one at work here), the same each time."""
    faults = ["none", *rng.sample(MISHAPS[1:], 3)]
    late = rehearse(make_case("failover late", rng), reference_script)
    return Variant(
        [make_case(fault, rng) for fault in faults],
        make_figures(rng),
        float(rng.randrange(10, 60) * 60),
        float(rng.randrange(1, 10) * 30),
        late,
        rng.choice([*EVERY]),
        f"2026-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
    )
