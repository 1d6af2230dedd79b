"""The table of protections without a browser; its sums in JavaScript are run by node."""

import base64
import itertools
import json
import subprocess
from dataclasses import asdict

import pytest

from halab.models.protection import CELLS, DISASTERS, PROTECTIONS, Times, best, recovery
from halab.models.recovery import HOUR, Periodic
from halab.widgets.protection_table import ProtectionTable
from support.nodejs import node

SCRIPT = """
import { readFileSync } from "node:fs";
const { best, costs } = await import(process.argv[1]);
const { cells, disasters, times, cases } = JSON.parse(readFileSync(0, "utf8"));
const found = cases.map(([have, hours]) => best(cells, disasters, have, costs(times, hours)));
console.log(JSON.stringify(found));
"""


def test_the_browser_chooses_as_python_does():
    module = "data:text/javascript;base64," + base64.b64encode(ProtectionTable._esm.encode()).decode()
    cases = [
        (list(have), interval)
        for size in range(len(PROTECTIONS) + 1)
        for have in itertools.combinations(PROTECTIONS, size)
        for interval in (1, 24, 48)
    ]
    given = {
        "cells": [asdict(cell) for cell in CELLS],
        "disasters": DISASTERS,
        "times": {one: recovery(one, Times()) for one in PROTECTIONS},
        "cases": cases,
    }
    ran = subprocess.run(
        [node(), "--input-type=module", "-e", SCRIPT, module],
        input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    for (have, interval), found in zip(cases, json.loads(ran.stdout), strict=True):
        times = Times(backups=Periodic(interval * HOUR, Times().backups.takes))
        assert found == [asdict(one) for one in best(have, times)]


def test_every_reason_is_told_in_the_learners_language(monkeypatch):
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert all(cell["why"].endswith("。") for cell in ProtectionTable().cells)


def test_it_says_the_same_as_text_and_follows_the_ticks():
    shown = ProtectionTable()
    assert "nothing helps" in repr(shown)
    shown.have, shown.interval = ["replicas", "off-site backup"], 6
    assert "nothing helps" not in repr(shown)
    assert {one.disaster: one.rpo for one in shown.answers}["site loss"] == 7 * HOUR
    assert "7 h" in repr(shown)


def test_a_protection_there_is_not_is_refused():
    with pytest.raises(ValueError, match="luck"):
        ProtectionTable(["luck"])
