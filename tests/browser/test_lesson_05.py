"""Lesson 5 in JupyterLab, on the simulated engine; tests/notebooks runs it on the real one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_lesson_is_played_measured_and_compared(open_lesson: Callable[[str], Any]) -> None:
    lesson = open_lesson("05-reading")
    lesson.run_next(2)  # the title and the race: two presses of Shift+Enter
    expect(lesson.page.locator(".halab-balancer-said").first).to_contain_text("p99: round robin")
    lesson.screenshot("lesson-05-start")
    lesson.run_all()
    lesson.shows("scaling(limited)", "SPEED LIMIT", "lesson-05-scaling")
    lesson.shows("speeds(shared)", "SIMULATED", "lesson-05-speeds")
    lesson.shows("balancer_here(cluster) else", "A balancer is not simulated", "lesson-05-balancer")
    lesson.shows("compare_reads(shared, limited)", "x 2.8", "lesson-05-compare")
    expect(lesson.cell("show_card(5, measured")).to_contain_text("280 a second")
