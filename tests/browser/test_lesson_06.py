"""Lesson 6 as a learner meets it: from the start notebook to the exercise, in the JupyterLab of `halab lab`.

On the simulated engine, so that it is quick and the same everywhere; tests/notebooks runs it on the real one.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from halab.course.jupyterlab import START
from halab.course.paths import course_root

pytestmark = pytest.mark.browser

LESSON = "course/06-failover-timeline.ipynb"
EXERCISE = "exercises/06-failover-timeline/06-failover-timeline.ipynb"
FAULT = "crash active rootcoord"
# The parts of an output that are wider than their place, so that they are cut off or must be scrolled.
WIDER = """(output) => [output, ...output.querySelectorAll('div')]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.className} ${part.scrollWidth} > ${part.clientWidth}`)"""
PATIENT = 60_000  # milliseconds for what a kernel has to start or import first


@pytest.fixture
def lab(
    open_lab: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """An empty folder for the learner, on the machine of somebody who has no real cluster."""
    work = tmp_path_factory.mktemp("work")
    monkeypatch.setenv("HALAB_WORK", str(work))
    monkeypatch.setenv("HALAB_COURSE", str(course_root()))
    monkeypatch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("clusters")))
    monkeypatch.setenv("HALAB_ENGINE", "simulated")
    monkeypatch.delenv("HALAB_LANG", raising=False)
    return open_lab(work)


@pytest.fixture
def lesson(lab: Any, chromium_page: Page) -> Any:
    """The lesson, opened by its link on the board."""
    page = chromium_page
    start = lab.open_notebook(page, START, mode="lab")
    start.run_all()
    start.screenshot("lesson-start")
    assert not (lab.root / LESSON).exists()
    start.cell("show_board").get_by_role("link", name="Lesson: The failover timeline").click()
    notebook = opened(lab, page, LESSON)
    assert (lab.root / LESSON).is_file(), "the copy is made on first opening"
    assert sources(lab.root / LESSON) == sources(course_root() / LESSON)
    return notebook


def opened(lab: Any, page: Page, path: str) -> Any:
    page.wait_for_function(
        "(path) => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=path, timeout=PATIENT
    )
    return lab.current_notebook(page)


def sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


def test_a_learner_goes_from_the_start_through_the_lesson_to_the_exercise(lab: Any, lesson: Any) -> None:
    page: Page = lesson.page
    lesson.run_next(2)  # the title and the animation: two presses of Shift+Enter
    it_plays_and_is_scrubbed(lesson)
    lesson.run_all()
    it_speaks_chinese_and_english(lesson)
    a_prediction_is_locked_in_by_keyboard(lesson)
    lesson.run_all()  # again, now with a prediction to compare; a second run is no mistake
    run = lesson.cell("show_run(crash)")
    picture = run.get_by_role("img", name="Outages on a time axis")
    expect(picture).to_have_attribute("aria-label", has("your prediction: fails from 0.5 to 9 s."))
    expect(run).to_contain_text("Simulated. You said 9 s; searches were back")
    expect(run.locator("table")).to_be_hidden()
    run.get_by_text("All figures of this run").click()
    expect(run.locator("table")).to_contain_text("metadata call")
    expect(run.locator("table")).to_contain_text("SIMULATED")
    expect(lesson.cell("FailoverTimeline(lesson.MILVUS")).to_contain_text("My crash")
    expect(lesson.cell("results(crash)")).to_contain_text("TTL 10 s (simulated)")
    nothing_is_cut_off(lesson)
    the_exercise_opens_as_a_copy(lab, lesson)
    assert len(page.context.pages) == 1, "no second browser tab"


def it_plays_and_is_scrubbed(lesson: Any) -> None:
    cell = lesson.cell("FailoverTimeline()")
    root, axis, play = (
        cell.locator(".halab-timeline"),
        cell.locator(".halab-timeline-axis"),
        cell.locator(".halab-timeline-play"),
    )
    expect(play).to_have_text("Play", timeout=PATIENT)
    play.click()
    expect(root).to_have_attribute("data-playing", "true")
    expect(axis).not_to_have_attribute("aria-valuenow", "-2.00", timeout=PATIENT)
    play.click()
    expect(root).to_have_attribute("data-playing", "false")
    box = axis.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    lesson.page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    lesson.page.mouse.down()
    lesson.page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=5)
    lesson.page.mouse.up()
    expect(axis).to_be_focused()
    scrubbed = float(axis.get_attribute("aria-valuenow") or "nan")
    assert 5 < scrubbed < 12
    expect(cell.locator(".halab-timeline-beat")).not_to_contain_text("All is well")
    lesson.screenshot("lesson-animation")
    lesson.page.keyboard.press("Home")
    expect(axis).to_have_attribute("aria-valuenow", "-2.00")
    lesson.page.keyboard.press("PageUp")
    expect(cell.locator(".halab-timeline-beat")).to_contain_text("The active member crashes")


def it_speaks_chinese_and_english(lesson: Any) -> None:
    card = lesson.cell("show_card(6)").locator(".halab-card")
    expect(card.locator("h2").first).to_have_text("The failover timeline", timeout=PATIENT)
    card.get_by_role("button", name="中文").click()
    expect(card.locator("h2").first).to_have_text("故障转移的时间线")
    lesson.screenshot("lesson-card-zh")
    card.get_by_role("button", name="EN").press("Enter")
    expect(card.locator("h2").first).to_have_text("The failover timeline")


def a_prediction_is_locked_in_by_keyboard(lesson: Any) -> None:
    form = lesson.cell(f'PredictionForm(6, "{FAULT}")').locator(".halab-predict")
    form.get_by_label("First failed search").focus()
    # A number field takes no letters; what is not a number cannot even be typed.
    lesson.page.keyboard.type("soon")
    expect(form.get_by_label("First failed search")).to_have_value("")
    lesson.page.keyboard.type("0.5")
    for number in ("9", "150"):
        lesson.page.keyboard.press("Tab")
        lesson.page.keyboard.type(number)
    lesson.page.keyboard.press("Enter")
    expect(form).to_contain_text("Locked in on", timeout=PATIENT)
    lesson.screenshot("lesson-prediction")


def nothing_is_cut_off(lesson: Any) -> None:
    """A picture of each part in both themes and two widths, of which none may be wider than its place."""
    page: Page = lesson.page
    shown = {
        "timeline": "FailoverTimeline()", "card": "results(crash)", "plot": "plot(crash)",
        "run": "show_run(crash)", "three-copies": "show_run(three_copies)",
        "lane": "FailoverTimeline(lesson.MILVUS", "retries": "plot(retried)",
    }  # fmt: skip
    for theme, width in (("Light", 1280), ("Dark", 1280), ("Light", 900)):
        lesson.theme(f"JupyterLab {theme}")
        page.set_viewport_size({"width": width, "height": 2400})
        for name, source in shown.items():
            output = lesson.cell(source).locator(".jp-OutputArea-output").last
            # Outputs are laid out again when the window changes.
            expect(output).to_be_visible()
            with suppress(TimeoutError):
                page.wait_for_function(
                    f"(e) => !({WIDER})(e).length", arg=output.element_handle(), timeout=9000
                )
            assert output.evaluate(WIDER) == [], (name, theme, width)
            lesson.screenshot(f"lesson-{name}-{theme.lower()}-{width}", output)
    page.set_viewport_size({"width": 1280, "height": 1000})


def the_exercise_opens_as_a_copy(lab: Any, lesson: Any) -> None:
    assert not (lab.root / EXERCISE).exists()
    lesson.panel.get_by_role("link", name="exercise").click()
    exercise = opened(lab, lesson.page, EXERCISE)
    assert sources(lab.root / EXERCISE) == sources(course_root() / EXERCISE)
    exercise.screenshot("lesson-exercise")


def has(words: str) -> Any:

    return re.compile(re.escape(words))
