"""The planner of RTO and RPO in JupyterLab, as a learner uses it."""

import pytest
from playwright.sync_api import Page, expect

from halab.models.recovery import Need, Periodic, Setting, cheapest, strategies
from halab.widgets.recovery_planner import duration

pytestmark = pytest.mark.browser

CELL = "from halab.widgets.recovery_planner import RecoveryPlanner\nplanner = RecoveryPlanner()\nplanner"


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    chinese = f"import os\nos.environ['HALAB_LANG'] = 'zh'\n{CELL}"
    shown = "print(planner)"
    return lab_with({"recovery": [CELL, shown], "recovery-zh": [chinese, shown]})


@pytest.fixture
def notebook(lab, chromium_page: Page):  # type: ignore[no-untyped-def]
    chromium_page.set_viewport_size({"width": 1280, "height": 1700})
    notebook = lab.open_notebook(chromium_page, "recovery.ipynb")
    notebook.run_all()
    chromium_page.wait_for_selector(".halab-recovery tbody tr")
    return notebook


def slide(page: Page, name: str, value: int) -> None:
    page.locator(f".halab-slider input[name={name}]").evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
    )


def figure(page: Page) -> str:
    """What the line says of the backups: RPO and RTO."""
    return page.locator(".halab-recovery-figure").first.text_content() or ""


def test_the_disaster_is_dragged_by_mouse_and_by_keyboard(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    setting = Setting()
    line = page.locator(".halab-recovery-line")
    box = line.bounding_box()
    assert box
    line.press("Home")
    assert figure(page) == f"RPO {duration(Periodic(setting.interval, setting.takes).age(0))}, RTO 2 h 30 min"
    handle = page.locator(".halab-recovery-handle").bounding_box()
    assert handle
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + 6)
    page.mouse.down()
    page.mouse.move(handle["x"] + 120, handle["y"] + 6, steps=4)
    page.mouse.up()
    expect(line).to_be_focused()
    at = float(line.get_attribute("aria-valuenow") or "nan")
    assert 0 < at < 2 * setting.interval
    lost = Periodic(setting.interval, setting.takes).age(at)
    assert figure(page) == f"RPO {duration(lost)}, RTO 2 h 30 min"
    line.press("End")
    assert line.get_attribute("aria-valuenow") == str(2 * 86400)
    line.press("ArrowLeft")
    assert float(line.get_attribute("aria-valuenow") or "nan") < 2 * 86400
    assert "Backups: RPO" in (line.get_attribute("aria-valuetext") or "")
    # The arrow keys were the widget's: JupyterLab has neither moved nor made a cell.
    assert page.locator(".jp-Cell").count() == 2


def test_a_slider_follows_the_arrow_keys(notebook) -> None:  # type: ignore[no-untyped-def]
    slider = notebook.page.locator(".halab-slider input[name=rto]")
    before = float(slider.input_value())
    slider.focus()
    notebook.page.keyboard.press("ArrowLeft")
    assert float(slider.input_value()) < before
    notebook.page.keyboard.press("ArrowUp")
    assert float(slider.input_value()) == before


def test_sliders_and_boxes_choose_and_the_kernel_says_the_same(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    verdict = page.locator(".halab-recovery-verdict")
    expect(verdict).to_contain_text("Cheapest that fits: warm standby, 2800 a year")
    page.locator(".halab-recovery-box input[name=mistake]").check()
    expect(verdict).to_have_text("None of them fits. Allow more, or ask for less.")
    slide(page, "rpo", 200)
    best = cheapest(strategies(Setting()), Need(4 * 3600, 30 * 86400))
    assert best
    expect(verdict).to_contain_text(f"Cheapest that fits: {best.name}, {best.cost:.0f} a year")
    expect(page.locator("tr.halab-recovery-best")).to_contain_text("yes, cheapest")
    for name in ("node", "log", "mistake", "site"):
        page.locator(f".halab-recovery-box input[name={name}]").uncheck()
    expect(verdict).to_have_text("Tick at least one disaster.")
    page.locator(".halab-recovery-box input[name=node]").check()
    slide(page, "rpo", 0)
    slide(page, "rto", 200)
    expect(verdict).to_contain_text("Cheapest that fits: one cluster, 1000 a year")
    page.locator("summary").click()
    page.locator("input[name=cluster]").fill("1234")
    expect(verdict).to_contain_text("one cluster, 1234 a year")
    notebook.cell("print(planner)").click()
    notebook.run_next(1)
    expect(notebook.cell("print(planner)")).to_contain_text("Cheapest that fits: one cluster.")


def test_it_reads_well_in_every_theme_width_and_language(notebook, lab) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        for width in (1000, 560):
            resize(page, width)
            assert page.evaluate(OVERLAPS) == [], (theme, width)
            notebook.screenshot(f"recovery-{theme.split()[1].lower()}-{width}", ".halab-recovery")
    chinese = lab.open_notebook(page, "recovery-zh.ipynb")
    chinese.run_all()
    page.wait_for_selector(".halab-recovery tbody tr")
    resize(page, 1000)
    expect(page.locator(".halab-recovery-verdict")).to_contain_text("合适又最便宜的：温备站点")
    assert page.evaluate(OVERLAPS) == []
    chinese.screenshot("recovery-zh", ".halab-recovery")


def resize(page: Page, width: int) -> None:
    page.evaluate("(w) => { document.querySelector('.halab-host').style.width = `${w}px`; }", width)
    page.wait_for_function(
        "(w) => document.querySelector('.halab-recovery-line').viewBox.baseVal.width <= w - 30", arg=width
    )


OVERLAPS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('.halab-recovery svg')) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent);
    const boxes = texts.map((text) => text.getBoundingClientRect());
    boxes.forEach((a, i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1) found.push(`out: ${texts[i].textContent}`);
      boxes.slice(i + 1).forEach((b, j) => {
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
          found.push(`${texts[i].textContent} / ${texts[i + 1 + j].textContent}`);
      });
    });
  }
  return found;
}"""
