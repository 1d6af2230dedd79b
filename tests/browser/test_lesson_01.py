"""Lesson 1 as a learner meets it, in JupyterLab. Simulated; tests/notebooks runs it on the real cluster."""

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from halab.course.paths import course_root

pytestmark = pytest.mark.browser

LESSON = "01-essence.ipynb"


@pytest.fixture(scope="module")
def lab(open_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A learner's folder with the lesson in it, and no real cluster."""
    work = tmp_path_factory.mktemp("work")
    shutil.copy(course_root() / "course" / LESSON, work / LESSON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(work))
        patch.setenv("HALAB_COURSE", str(course_root()))
        patch.setenv("HALAB_ENGINE", "simulated")
        patch.delenv("HALAB_LANG", raising=False)
        yield open_lab(work)


def test_a_learner_clicks_predicts_breaks_and_compares(lab: Any, chromium_page: Page) -> None:
    lesson = lab.open_notebook(chromium_page, LESSON)
    lesson.run_next(2)
    first = lesson.cell('SurvivalMap("small")').locator(".halab-map")
    first.locator('[data-part="log"]').click()
    expect(first.locator('[data-operation="insert"]')).to_have_attribute("data-fate", "stops")
    lesson.run_all()
    running = lesson.cell("cluster = lesson.cluster()").locator(".halab-map")
    expect(running).to_contain_text("simulated")
    running.locator('[data-part="proxy-1"]').click()
    expect(running.locator(".halab-map-summary")).to_have_text("✕ stops: everything")
    lesson.screenshot("essence-map", running)
    expect(lesson.cell("summary(lost)").locator("table")).to_contain_text("search, three copies")
    picture = lesson.cell("in_one_picture(lost").locator("img")
    expect(picture).to_have_attribute("alt", re.compile("simulated"))
    for name in (
        "plot(lost)",
        "summary(lost)",
        "in_one_picture(lost",
        "print(lesson.SurvivalMap",
        "measured=",
    ):
        shown = lesson.cell(name).locator(".jp-OutputArea-output").last
        expect(shown).to_be_visible()
        lesson.screenshot("essence-" + "".join(filter(str.isalpha, name)).lower(), shown)
