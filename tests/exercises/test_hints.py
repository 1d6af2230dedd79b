"""Every hint that a check can give is there, in three steps, and none is there for nothing."""

import json
import re

import pytest

from halab.course.catalogue import entry, exercises
from halab.course.paths import course_root
from halab.exercises.architecture.variant import RULES
from halab.grading.hints import STEPS, hints_of


def sources(slug):
    """What may name a hint: the checks, and the test cells that hand one to a check."""
    checks = course_root() / "src" / "halab" / "exercises" / slug[3:].replace("-", "_") / "checks.py"
    cells = json.loads((course_root() / "solutions" / slug / f"{slug}.ipynb").read_text())["cells"]
    graded = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
    return checks.read_text() + "".join("".join(cell["source"]) for cell in graded), graded


@pytest.mark.parametrize("card", [exercise.number for exercise in exercises()])
def test_every_check_has_a_hint_of_three_steps_and_every_hint_a_check(card):
    text, graded = sources(entry(card).slug)
    named = set(re.findall(rf'"({card:02d}\.\d\.[a-z-]+)"', text))
    if card == 3:
        named |= {f"03.3.{rule}" for rule in RULES}
    # A check whose answer stops with an error gives the hint of the cell's own name.
    own = {re.sub(r"^(\d\d)-(\d)-", r"\1.\2.", cell["id"]) for cell in graded}
    hints = hints_of(card)
    assert set(hints) == named | own
    assert {len(steps) for steps in hints.values()} == {len(STEPS)}
