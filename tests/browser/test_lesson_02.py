"""Lesson 2 as a learner meets it in JupyterLab, on the simulated engine; tests/notebooks has the real one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

from halab.course.paths import course_root

pytestmark = pytest.mark.browser

LESSON = "02-availability-maths.ipynb"
# The parts of an output that are wider than their place, so that they are cut off or must be scrolled.
WIDER = """(output) => [output, ...output.querySelectorAll('div')]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.className} ${part.scrollWidth} > ${part.clientWidth}`)"""


@pytest.fixture
def lab(
    open_lab: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A folder with the lesson, repeating twice, on the machine of somebody who has no real cluster."""
    work = tmp_path_factory.mktemp("work")
    lesson = nbformat.read(course_root() / "course" / LESSON, as_version=4)
    next(cell for cell in lesson.cells if cell.id == "how-often").source = "repeats = 2"
    nbformat.write(lesson, work / LESSON)
    monkeypatch.setenv("HALAB_WORK", str(work))
    monkeypatch.setenv("HALAB_COURSE", str(course_root()))
    monkeypatch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("clusters")))
    monkeypatch.setenv("HALAB_ENGINE", "simulated")
    monkeypatch.delenv("HALAB_LANG", raising=False)
    return open_lab(work)


def test_a_learner_plays_predicts_measures_and_prices(lab: Any, chromium_page: Page) -> None:
    page = chromium_page
    page.set_viewport_size({"width": 1280, "height": 2000})
    lesson = lab.open_notebook(page, LESSON)
    lesson.run_next(2)
    expect(lesson.cell("lesson.CopiesCalculator()").locator(".halab-calculator-value")).to_have_text(
        "99 % · 3.65 days a year"
    )
    lesson.run_all(timeout=240)
    form = lesson.cell("PredictionForm(2, FAULT)").locator(".halab-predict")
    form.get_by_label("First failed search").fill("1")
    form.get_by_label("Last failed search").fill("13")
    form.get_by_label("Failed searches").fill("240")
    form.get_by_role("button", name="Lock in").click()
    expect(form).to_contain_text("Locked in on", timeout=60_000)
    lesson.run_all(timeout=240)  # again, now with a prediction to compare
    prices = lesson.cell("price_list(runs)").locator("table")
    expect(prices).to_contain_text("your prediction")
    expect(prices).to_contain_text("simulated, 2 runs")
    expect(lesson.cell("show_card(2, measured")).to_contain_text("failovers of")
    expect(lesson.cell("results(runs))").locator("h4").first).to_have_text(
        "Beside your runs, which can neither prove nor break them"
    )
    for source in ("PromiseCalculator(slo", "ChainCalculator(mtbf"):
        failover = lesson.cell(source).locator('.halab-slider input[name="failover"]')
        assert 5 < float(failover.input_value()) < 15, "the calculator begins with the learner's own failover"
    picture = lesson.cell("runs_picture(runs)").locator(".jp-OutputArea-output").last
    expect(picture).to_contain_text("2 failovers took")
    expect(picture).to_contain_text("your prediction")
    shown = {
        "play": "lesson.CopiesCalculator()", "summary": "runs_picture(runs)", "prices": "price_list(runs)",
        "promise": "PromiseCalculator(slo", "chain": "ChainCalculator(mtbf",
        "log": "show_run(log", "card": "results(runs))",
    }  # fmt: skip
    for name, source in shown.items():
        output = lesson.cell(source).locator(".jp-OutputArea-output").last
        expect(output).to_be_visible()
        assert output.evaluate(WIDER) == [], name
        lesson.screenshot(f"lesson-02-{name}", output)
