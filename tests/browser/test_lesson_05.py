"""Lesson 5 in JupyterLab, on the simulated engine; tests/notebooks runs it on the real one."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from halab.course.paths import course_root

pytestmark = pytest.mark.browser

LESSON = "05-reading.ipynb"
# The parts of an output that are wider than their place, so that they are cut off or must be scrolled.
WIDER = """(output) => [output, ...output.querySelectorAll('div')]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.className} ${part.scrollWidth} > ${part.clientWidth}`)"""


@pytest.fixture
def lesson(
    open_lab: Callable[[Path], Any],
    chromium_page: Page,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    work = tmp_path_factory.mktemp("work")
    monkeypatch.setenv("HALAB_WORK", str(work))
    monkeypatch.setenv("HALAB_COURSE", str(course_root()))
    monkeypatch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("clusters")))
    monkeypatch.setenv("HALAB_ENGINE", "simulated")
    monkeypatch.delenv("HALAB_LANG", raising=False)
    shutil.copy(course_root() / "course" / LESSON, work)
    return open_lab(work).open_notebook(chromium_page, LESSON, mode="lab")


def test_the_lesson_is_played_measured_and_compared(lesson: Any) -> None:
    page: Page = lesson.page
    lesson.run_next(2)  # the title and the race: two presses of Shift+Enter
    expect(page.locator(".hb-said")).to_contain_text("p99: round robin")
    lesson.screenshot("lesson-05-start")
    lesson.run_all()
    for source, said in (
        ("scaling(limited)", "SPEED LIMIT"),
        ("speeds(shared)", "SIMULATED"),
        ("compare_reads(shared, limited)", "x 2.8"),
    ):
        output = lesson.cell(source).locator(".jp-OutputArea").first
        expect(output).to_contain_text(said)
        assert output.evaluate(WIDER) == [], source
        lesson.screenshot(f"lesson-05-{source.split('(')[0]}", output)
    expect(lesson.cell("show_card(5, measured")).to_contain_text("280 a second")
    lesson.screenshot("lesson-05-card", lesson.cell("show_card(5, measured").locator(".jp-OutputArea").first)
