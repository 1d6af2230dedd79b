"""The table of protections in JupyterLab, as a learner uses it."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

CELLS = [
    "from halab.widgets.protection_table import ProtectionTable\nwidget = ProtectionTable()\nwidget",
    "print({one.disaster: one.helps for one in widget.answers})",
    "chinese = ProtectionTable(['snapshots'])\nchinese.lang = 'zh'\nchinese",
]


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    return lab_with({"protection": CELLS})


@pytest.fixture
def notebook(lab, chromium_page: Page):  # type: ignore[no-untyped-def]
    notebook = lab.open_notebook(chromium_page, "protection.ipynb")
    notebook.run_all()
    chromium_page.wait_for_selector(".halab-protect")
    return notebook


def test_a_tick_shows_at_once_what_is_survived_and_why(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    widget = page.locator(".halab-protect").first
    row = widget.locator('[data-disaster="wrong delete"]')
    expect(row.locator('[data-kind="best"]')).to_contain_text("nothing helps")
    widget.locator('[data-have="off-site backup"]').check()
    expect(row.locator('[data-kind="best"]')).to_contain_text("off-site backup")
    expect(row.locator('[data-kind="rpo"]')).to_have_text("25 h")
    widget.locator('[data-cell="wrong delete/replicas"]').click()
    expect(widget.locator(".halab-protect-reason")).to_contain_text("The command is an entry in the log")
    notebook.screenshot("protection-light", ".halab-protect")
    notebook.theme("JupyterLab Dark")
    notebook.screenshot("protection-dark", ".halab-protect")
    notebook.theme("JupyterLab Light")


def test_the_keyboard_is_enough_and_python_sees_it(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    widget = page.locator(".halab-protect").first
    widget.locator('[data-have="standby"]').focus()
    page.keyboard.press("Space")
    widget.locator('input[type="range"]').focus()
    page.keyboard.press("ArrowLeft")
    expect(widget.locator("output")).to_have_text("23")
    widget.locator('[data-cell="site loss/standby"]').focus()
    page.keyboard.press("Enter")
    expect(widget.locator(".halab-protect-reason")).to_contain_text("is promoted")
    notebook.cell("widget.answers").click()
    notebook.run_next(1)
    expect(notebook.cell("widget.answers").locator(".jp-OutputArea-output")).to_contain_text(
        "'site loss': 'yes'"
    )


def test_it_speaks_chinese(notebook) -> None:  # type: ignore[no-untyped-def]
    widget = notebook.cell("chinese").locator(".halab-protect")
    widget.scroll_into_view_if_needed()
    widget.locator('[data-cell="site loss/snapshots"]').click()
    expect(widget.locator(".halab-protect-reason")).to_contain_text("它就在丢掉的那份存储上。")
    notebook.screenshot("protection-zh", widget)
