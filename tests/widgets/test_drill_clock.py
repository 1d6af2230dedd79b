"""The drill on paper without a browser; its sums in JavaScript are run by node."""

import base64
import json
import subprocess
from dataclasses import asdict

import pytest

from halab.models.drill_plan import FENCE, MINUTES, MISHAPS, ROLL_BACK, plan
from halab.widgets.drill_clock import DrillClock
from support.nodejs import node

SCRIPT = """
import { readFileSync } from "node:fs";
const { plan } = await import(process.argv[1]);
const { cases, extra } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(([minutes, fault, age]) => plan(minutes, fault, age, extra))));
"""


def test_the_browser_plans_as_python_does():
    module = "data:text/javascript;base64," + base64.b64encode(DrillClock._esm.encode()).decode()
    other = {step: 3 * number for number, step in enumerate(MINUTES)}
    cases = [(minutes, fault, age) for minutes in (MINUTES, other) for fault in MISHAPS for age in (0, 45)]
    ran = subprocess.run(
        [node(), "--input-type=module", "-e", SCRIPT, module],
        input=json.dumps({"cases": cases, "extra": {"roll back": ROLL_BACK, "fence": FENCE}}),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    found = json.loads(ran.stdout)
    assert found == json.loads(json.dumps([asdict(plan(*case)) for case in cases]))


def test_it_says_the_same_as_text_and_follows_what_is_chosen():
    shown = DrillClock()
    assert "RTO: 45 min (target 60 min)" in repr(shown)
    shown.fault = "backup corrupt"
    assert shown.plan.verdict == "stopped"
    assert "nothing was lost" in repr(shown)
    shown.fault, shown.minutes = "split brain", {**MINUTES, "failover": 60}
    assert shown.plan.rto == 85


def test_a_fault_there_is_not_is_refused():
    with pytest.raises(ValueError, match="fire"):
        DrillClock("fire")
