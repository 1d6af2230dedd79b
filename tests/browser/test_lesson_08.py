"""Lesson 8 in JupyterLab, on the simulated engine; tests/notebooks runs it on the real one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_lesson_is_played_measured_and_compared(open_lesson: Callable[[str], Any]) -> None:
    lesson = open_lesson("08-safety")
    lesson.run_next(2)  # the title and the table: two presses of Shift+Enter
    expect(lesson.page.locator(".halab-protect-summary").first).to_contain_text("of 8 answered")
    lesson.screenshot("lesson-08-start")
    lesson.run_all()
    lesson.shows("compare_mistakes(deleted", "not counted", "lesson-08-mistakes")
    lesson.shows("data_loss_report(deleted)", "SIMULATED", "lesson-08-data-loss")
    lesson.shows("Retention(daily=7", "305", "lesson-08-retention")
    expect(lesson.cell("show_card(8, measured")).to_contain_text("24 h")
