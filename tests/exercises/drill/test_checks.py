import calendar
import random

import pytest

from halab.exercises.drill import checks
from halab.exercises.drill.given import STEPS, rehearse
from halab.exercises.drill.variant import MISHAPS, make_case, make_figures, reference_script, variant
from halab.models.drill_plan import EVERY
from support.answers import hint_of

DRILLS = checks.make_drills(3, 3)


def rto(figures):
    return None if figures["verified_at"] is None else figures["verified_at"] - figures["lost_at"]


def rpo(figures):
    lost, there = figures["lost_at"], set(figures["standby_has"])
    missing = [one["at"] for one in figures["acknowledged"] if one["at"] <= lost and one["key"] not in there]
    return len(missing), lost - min(missing, default=lost)


def report(done, rto, rpo, target_rto, target_rpo):
    actions = [one["action"] for one in done]
    verdict = "missed"
    if "loss" not in actions:
        verdict = "stopped"
    elif "roll back" in actions:
        verdict = "rolled back"
    elif rto <= target_rto and rpo <= target_rpo:
        verdict = "passed"
    return {
        "verdict": verdict,
        "failed": [one["action"] for one in done if not one["ok"]],
        "late": [one["action"] for one in done if one["seconds"] > one["deadline"]],
        "seconds": sum(one["seconds"] for one in done),
    }


def dates(importance, day):
    year, month, first = map(int, day.split("-"))
    found = []
    for later in range(0, 12, EVERY[importance]):
        years, index = divmod(month - 1 + later, 12)
        last = calendar.monthrange(year + years, index + 1)[1]
        found.append(f"{year + years}-{index + 1:02d}-{min(first, last):02d}")
    return found


@pytest.mark.parametrize("seed", range(6))
def test_the_right_answer_is_right_on_every_seed(seed):
    drills, rng = checks.make_drills(seed), random.Random(seed)
    for check in (checks.check_order, checks.check_abort, checks.check_roll_back, checks.check_fence):
        check(reference_script, drills)
    figures = [make_figures(rng), make_figures(rng) | {"verified_at": None}]
    checks.check_rto(rto, figures)
    checks.check_rpo(rpo, figures)
    checks.check_report(report, seed, (600.0, 60.0))
    checks.check_dates(dates, [(name, "2027-11-30") for name in EVERY])


def test_a_learner_sees_a_drill_that_was_rolled_back_and_runs_one_without_trouble():
    assert [one["action"] for one in variant("ada").done][-2:] == ["roll back", "report"]
    assert variant("ada").drills[0].fault == "none"


def test_every_fault_is_met_and_a_drill_without_any_has_all_steps():
    assert {one.fault for one in DRILLS} == set(MISHAPS)
    done = rehearse(make_case("none", random.Random(1)), reference_script)
    assert [one["action"] for one in done] == list(STEPS)
    with pytest.raises(ValueError, match="no action"):
        rehearse(make_case("none", random.Random(1)), lambda done: "tea")


def never(done):
    """Every step, whatever was found."""
    actions = [one["action"] for one in done]
    return STEPS[len(actions)] if len(actions) < len(STEPS) else "stop"


def test_a_script_that_looks_at_nothing_is_told_what_it_did():
    checks.check_order(never, DRILLS)
    assert hint_of(checks.check_abort, never, DRILLS) == "10.1.harm"
    assert hint_of(checks.check_roll_back, never, DRILLS) == "10.1.back"
    assert hint_of(checks.check_fence, never, DRILLS) == "10.1.fence"


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        (lambda done: None, "10.1.action"),
        (lambda done: ["backup"], "10.1.action"),
        (lambda done: "backup", "10.1.stop"),
        (lambda done: "stop", "10.1.first"),
        (lambda done: (*STEPS[:6], "report", "stop")[len(done)], "10.1.home"),
        (lambda done: (*STEPS[:3], *STEPS[4:], "stop")[len(done)], "10.1.order"),
        (lambda done: (*STEPS[:2], "roll back", *STEPS[2:], "stop")[len(done)], "10.1.order"),
    ],
)
def test_what_is_no_drill_is_told_so(script, hint):
    assert hint_of(checks.check_order, script, DRILLS) == hint


def test_wrong_figures_get_their_hints():
    verified = [make_figures(random.Random(seed)) for seed in range(3)]
    figures = [*verified, *({**one, "verified_at": None} for one in verified)]
    assert hint_of(checks.check_rto, lambda one: one["verified_at"], figures) == "10.2.rto"
    assert hint_of(checks.check_rto, lambda one: (one["verified_at"] or 0) - one["lost_at"], figures) == (
        "10.2.never"
    )
    assert hint_of(checks.check_rpo, lambda one: 3, figures) == "10.2.rows"
    assert hint_of(checks.check_rpo, lambda one: (rpo(one)[0], one["lost_at"]), figures) == "10.2.window"
    wrong = lambda *given: report(*given) | {"verdict": "passed"}  # noqa: E731
    assert hint_of(checks.check_report, wrong, 3, (60.0, 60.0)) in {"10.3.stopped", "10.3.missed"}
    assert hint_of(checks.check_report, lambda *_: {}, 3, (60.0, 60.0)) == "10.3.report"
    assert hint_of(checks.check_dates, lambda *_: [], [("critical", "2026-11-30")]) == "10.3.often"
    fixed = lambda *_: ["2026-11-30", "2027-02-28", "2027-05-28", "2027-08-28"]  # noqa: E731
    assert hint_of(checks.check_dates, fixed, [("critical", "2026-11-30")]) == "10.3.dates"
