"""Lesson 4 in JupyterLab, on the simulated engine; tests/notebooks runs it on the real one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_lesson_is_played_measured_and_compared(open_lesson: Callable[[str], Any]) -> None:
    lesson = open_lesson("04-writing")
    lesson.run_next(2)  # the title and the race: two presses of Shift+Enter
    expect(lesson.page.locator(".halab-write-said").first).to_contain_text("Acknowledged: one by one")
    lesson.screenshot("lesson-04-start")
    lesson.run_all()
    lesson.shows("straggling(0.01", "2.97%", "lesson-04-straggling")
    lesson.shows("costs(written)", "SIMULATED", "lesson-04-costs")
    lesson.shows("compare_writes(written)", "+20 %", "lesson-04-compare")
    expect(lesson.cell("show_card(4, measured")).to_contain_text("1000 rows")
