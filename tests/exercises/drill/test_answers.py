"""Answers to exercise 10 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.drill.variant import variant
from halab.models.drill_plan import drill_dates
from support.answers import Answers, Wrong

SCRIPT = """
def script(done):
    order = ["backup", "standby", "loss", "failover", "service", "measure", "failback", "report"]
    if not done:
        return "backup"
    actions = [one["action"] for one in done]
    if actions[-1] == "report":
        return "stop"
    {fence}
    if "roll back" in actions:
        return "report"
    last = [one for one in done if one["action"] in order][-1]
    if {failed}:
        return {then}
    return order[order.index(last["action"]) + 1]
"""
FENCE = 'if done[-1]["primary"] == "back": return "fence"'
FAILED = 'not last["ok"] or last["seconds"] > last["deadline"]'
THEN = '"roll back" if "loss" in actions else "report"'
RPO = """
def rpo(figures):
    lost, there = figures["lost_at"], set(figures["standby_has"])
    missing = [one["at"] for one in figures["acknowledged"] if {which}]
    return len(missing), {window}
"""
MISSING = 'one["at"] <= lost and one["key"] not in there'
WINDOW = "lost - min(missing, default=lost)"
REPORT = """
def report(done, rto, rpo, target_rto, target_rpo):
    actions = [one["action"] for one in done]
    if "loss" not in actions:
        verdict = {stopped}
    elif "roll back" in actions:
        verdict = "rolled back"
    else:
        verdict = "passed" if {met} else "missed"
    return dict(
        verdict=verdict,
        failed=[one["action"] for one in done if not one["ok"]],
        late=[one["action"] for one in done if {late}],
        seconds=sum(one["seconds"] for one in done),
    )
"""
MET = "rto <= target_rto and rpo <= target_rpo"
LATE = 'one["seconds"] > one["deadline"]'


def script(fence=FENCE, failed=FAILED, then=THEN):
    return {"10-1-script-answer": SCRIPT.format(fence=fence, failed=failed, then=then)}


def rpo(which=MISSING, window=WINDOW):
    return {"10-2-rpo-answer": RPO.format(which=which, window=window)}


def report(stopped='"stopped"', met=MET, late=LATE):
    return {"10-3-report-answer": REPORT.format(stopped=stopped, met=met, late=late)}


WRONG = {
    "never fences": Wrong(script(fence="pass"), {"10-1-fence": "10.1.fence"}),
    "fences and starts again": Wrong(
        script(fence=FENCE + '\n    if actions[-1] == "fence": return "failover"'), {"10-1-fence": "10.1.on"}
    ),
    "takes the late for good": Wrong(script(failed='not last["ok"]'), {"10-1-back": "10.1.late"}),
    "goes on with half a service": Wrong(
        script(failed='last["action"] != "service" and (' + FAILED + ")"),
        {"10-1-back": "10.1.half", "10-1-fence": "10.1.on"},
    ),
    "breaks the primary on a bad backup": Wrong(
        script(failed='last["action"] != "backup" and (' + FAILED + ")"), {"10-1-abort": "10.1.harm"}
    ),
    "rolls back what was not done": Wrong(script(then='"roll back"'), {"10-1-abort": "10.1.nothing"}),
    "reports and leaves users waiting": Wrong(
        script(then='"report"'), {"10-1-back": "10.1.back", "10-1-fence": "10.1.on"}
    ),
    "stays on the standby": Wrong(
        {
            "10-1-script-answer": SCRIPT.format(fence=FENCE, failed=FAILED, then=THEN).replace(
                ' "failback",', ""
            )
        },
        {"10-1-order": "10.1.home", "10-1-fence": "10.1.on"},
    ),
    "gives an RTO to what never came back": Wrong(
        {"10-2-rto-answer": 'def rto(one):\n    return (one["verified_at"] or 0) - one["lost_at"]'},
        {"10-2-rto": "10.2.never"},
    ),
    "counts what was written on the standby": Wrong(
        rpo(which='one["key"] not in there or one["at"] > lost'), {"10-2-rpo": "10.2.rows"}
    ),
    "forgets the row of the last moment": Wrong(
        rpo(which='one["at"] < lost and one["key"] not in there'), {"10-2-rpo": "10.2.rows"}
    ),
    "measures from the last lost row": Wrong(
        rpo(window="lost - max(missing, default=lost)"), {"10-2-rpo": "10.2.window"}
    ),
    "looks at one target": Wrong(report(met="rto <= target_rto"), {"10-3-report": "10.3.missed"}),
    "fails who just meets it": Wrong(
        report(met="rto < target_rto and rpo <= target_rpo"), {"10-3-report": "10.3.verdict"}
    ),
    "leaves out what was ok but late": Wrong(
        report(late=f'{LATE} and not one["ok"]'), {"10-3-report": "10.3.late"}
    ),
    "adds days for months": Wrong(
        {
            "10-3-dates-answer": """
def dates(importance, day):
    from datetime import date, timedelta

    first = date.fromisoformat(day)
    gap = {"critical": 90, "important": 180, "ordinary": 365}[importance]
    return [(first + timedelta(days=gap * n)).isoformat() for n in range(360 // gap or 1)]
"""
        },
        {"10-3-dates": "10.3.dates"},
    ),
}


class TestAnswers(Answers):
    NAME = "10-drill"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("10-3-dates",)

    @staticmethod
    def neighbour():
        from datetime import date

        mine = variant("bo")
        days = [one.isoformat() for one in drill_dates(mine.importance, date.fromisoformat(mine.day))]
        return {"10-3-dates-answer": f"def dates(importance, day):\n    return {days}"}
