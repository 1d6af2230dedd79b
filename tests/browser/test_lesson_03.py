"""Lesson 3 in JupyterLab, on the simulated engine; tests/notebooks runs it on the real one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_lesson_is_played_measured_and_compared(open_lesson: Callable[[str], Any]) -> None:
    lesson = open_lesson("03-architecture")
    lesson.run_next(2)  # the title and the map: two presses of Shift+Enter
    expect(lesson.page.locator(".halab-arch-status").first).to_contain_text("nothing runs yet")
    lesson.screenshot("lesson-03-start")
    lesson.run_all()
    lesson.shows("read_sessions(cluster)", "SIMULATED", "lesson-03-sessions")
    lesson.shows("summary(two)", "crash etcd leader", "lesson-03-two-members")
    lesson.shows("compare_parts(standby", "crash etcd follower", "lesson-03-parts")
    lesson.shows("retriever.set_replicas(4)", "querynode-4", "lesson-03-four-copies")
    expect(lesson.cell("show_card(3, measured")).to_contain_text("crash active rootcoord")
