"""Lesson 10 in JupyterLab, on the simulated engine; tests/notebooks runs it on two real clusters."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_drill_is_played_run_and_reported(open_lesson: Callable[[str], Any]) -> None:
    lesson = open_lesson("10-drill")
    lesson.run_next(2)  # the title and the checklist: two presses of Shift+Enter
    expect(lesson.page.get_by_role("button", name="Run").first).to_be_visible()
    lesson.screenshot("lesson-10-start")
    lesson.run_all(timeout=240)
    lesson.shows("questions(drill)", "SIMULATED", "lesson-10-mark")
    lesson.shows("compare_drill(drill)", "SIMULATED", "lesson-10-compare")
    lesson.screenshot("lesson-10-report", lesson.cell("drill.report").locator(".jp-OutputArea").first)
    picture = lesson.cell("drill.report.picture()").locator("img")
    expect(picture).to_have_attribute("alt", re.compile("SIMULATED"))
    lesson.screenshot("lesson-10-picture", picture)
    lesson.screenshot("lesson-10-card", lesson.cell("show_card(10, measured"))
