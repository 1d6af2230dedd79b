"""Lesson 9 in JupyterLab, on the simulated engine; tests/notebooks runs it on the real one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_lesson_is_played_measured_and_compared(open_lesson: Callable[[str], Any]) -> None:
    lesson = open_lesson("09-health-checks")
    lesson.run_next(2)  # the title and the tuner: two presses of Shift+Enter
    expect(lesson.page.locator(".halab-tuner-yaml").first).to_contain_text("livenessProbe")
    lesson.screenshot("lesson-09-start")
    lesson.run_all()
    lesson.shows("compare_detection(crash", "SIMULATED", "lesson-09-detection")
    lesson.shows("compare_restarts(tight", "SIMULATED", "lesson-09-restarts")
    lesson.shows("compare_sight(log)", "SIMULATED", "lesson-09-sight")
    lesson.screenshot("lesson-09-card", lesson.cell("show_card(9, measured"))
