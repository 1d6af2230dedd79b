"""The drill on paper in JupyterLab, as a learner uses it."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

# A step runs for less than a second, so what is shown meanwhile is noted as it changes.
NOTE = """(row) => {
  window.shown = [];
  new MutationObserver(() => window.shown.push(row.dataset.status)).observe(row, { attributes: true });
}"""
CELLS = [
    "from halab.widgets.drill_clock import DrillClock\nwidget = DrillClock()\nwidget",
    "print(widget.plan.verdict, widget.plan.rto)",
    "chinese = DrillClock('split brain')\nchinese.lang = 'zh'\nchinese",
]


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    return lab_with({"drill": CELLS})


@pytest.fixture
def notebook(lab, chromium_page: Page):  # type: ignore[no-untyped-def]
    notebook = lab.open_notebook(chromium_page, "drill.ipynb")
    notebook.run_all()
    chromium_page.wait_for_selector(".halab-drill")
    return notebook


def test_a_fault_shows_at_once_where_the_drill_ends(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    widget = page.locator(".halab-drill").first
    expect(widget.locator('[data-clock="rto"]')).to_contain_text("45 min ✓")
    notebook.screenshot("drill-light", ".halab-drill")
    widget.locator('[data-part="fault"]').select_option("service half broken")
    expect(widget.locator(".halab-drill-summary")).to_contain_text("Rolled back")
    expect(widget.locator('[data-row="roll back"]')).to_be_visible()
    expect(widget.locator('[data-row="failback"]')).to_contain_text("waiting")
    notebook.theme("JupyterLab Dark")
    notebook.screenshot("drill-dark", ".halab-drill")
    notebook.theme("JupyterLab Light")


def test_the_clock_runs_and_the_keyboard_is_enough(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    widget = page.locator(".halab-drill").first
    widget.locator('[data-step="failover"]').focus()
    page.keyboard.press("ArrowRight")
    expect(widget.locator('[data-clock="rto"]')).to_contain_text("46 min")
    widget.locator('[data-part="run"]').focus()
    widget.locator('[data-row="loss"]').evaluate(NOTE)
    page.keyboard.press("Enter")
    expect(widget.locator(".halab-drill-summary")).to_have_text("The drill went through.", timeout=20_000)
    assert [*dict.fromkeys(page.evaluate("window.shown"))] == ["waiting", "running", "done"]
    notebook.cell("widget.plan").click()
    notebook.run_next(1)
    expect(notebook.cell("widget.plan").locator(".jp-OutputArea-output")).to_contain_text("passed 46")


def test_it_speaks_chinese(notebook) -> None:  # type: ignore[no-untyped-def]
    widget = notebook.cell("chinese").locator(".halab-drill")
    widget.scroll_into_view_if_needed()
    expect(widget.locator('[data-row="fence"]')).to_contain_text("隔离主集群")
    notebook.screenshot("drill-zh", widget)
