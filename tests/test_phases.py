"""Each test runs once: in one phase of `make test`, or, with containers, in `make test-compose`."""

import itertools
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES = dict(re.findall(r"^(\w+) := (.+)$", (ROOT / "Makefile").read_text(), re.M))
PHASES = LINES["PHASES"].split()
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
MARKS = [line.split(":")[0] for line in SETTINGS["markers"]]


def test_whatever_marks_a_test_has_it_belongs_to_one_phase():
    for has in itertools.product((False, True), repeat=len(MARKS)):
        marks = dict(zip(MARKS, has, strict=True))
        # Selections are written as Python writes them.
        selected = [phase for phase in PHASES if eval(LINES[phase.upper()], {"__builtins__": {}}, marks)]
        assert len(selected) == (not marks["compose"]), marks
        assert (selected == ["fast"]) == (not any(has)), marks
