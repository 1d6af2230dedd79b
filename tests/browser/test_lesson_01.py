"""Lesson 1 as a learner meets it, in JupyterLab. Simulated; tests/notebooks runs it on the real cluster."""

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
    passage = lesson.cell("three.ask(").locator(".jp-OutputArea-output").last
    expect(passage).to_contain_text("Card 8, Availability is not safety: Why both")
    expect(passage.locator("li").first).to_contain_text("Replicas do not protect from a wrong command")
    expect(lesson.cell("what_copies_did(lost)")).to_contain_text("While the node was gone (simulated)")
    thought = lesson.cell("SurvivalMap(cluster, down").locator(".halab-map")
    thought.get_by_label("A switch moves clients").check()
    expect(thought.locator(".halab-map-summary")).to_have_text("◐ degrades: everything")
    for name in ("three.ask(", "show_run(lost", "SurvivalMap(cluster, down", "measured="):
        shown = lesson.cell(name).locator(".jp-OutputArea-output").last
        expect(shown).to_be_visible()
        lesson.screenshot("essence-" + "".join(filter(str.isalpha, name)).lower(), shown)
