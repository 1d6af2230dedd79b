"""Lesson 7 in JupyterLab, on the simulated engine; tests/notebooks runs it on the real one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_lesson_is_played_measured_and_compared(open_lesson: Callable[[str], Any]) -> None:
    lesson = open_lesson("07-rto-rpo")
    lesson.run_next(2)  # the title and the planner: two presses of Shift+Enter
    expect(lesson.page.locator(".halab-recovery-verdict").first).to_contain_text("Cheapest that fits")
    lesson.screenshot("lesson-07-start")
    lesson.run_all()
    lesson.shows('disaster(cluster, "log"', "not counted", "lesson-07-log")
    lesson.shows("compare_losses(data_node", "crash every Milvus process", "lesson-07-losses")
    lesson.shows("summary(everything)", "SIMULATED", "lesson-07-summary")
    lesson.shows("Periodic(interval=600", "Span(least=5", "lesson-07-flush")
    expect(lesson.cell("show_card(7, measured")).to_contain_text("crash log")
