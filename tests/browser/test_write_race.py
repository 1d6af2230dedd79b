"""The race of writes in JupyterLab, as a learner uses it."""

import pytest
from playwright.sync_api import Page, expect

from halab.models.replication import Copy, parallel

pytestmark = pytest.mark.browser

CELL = "from halab.widgets.write_race import WriteRace\nrace = WriteRace()\nrace"
OUTSIDE = """() => {
  const frame = document.querySelector('.halab-write-chart').getBoundingClientRect();
  return [...document.querySelectorAll('.halab-write-chart text')].map((text) => text.getBoundingClientRect())
    .filter((box) => box.left < frame.left - 1 || box.right > frame.right + 1).length;
}"""


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    chinese = f"import os\nos.environ['HALAB_LANG'] = 'zh'\n{CELL}"
    shown = "print(race)"
    two = f"{CELL.splitlines()[0]}\nfrom IPython.display import display\ndisplay(WriteRace(), WriteRace())"
    return lab_with(
        {"replication": [CELL, shown], "replication-zh": [chinese, shown], "replication-two": [two]}
    )


def test_it_is_played_by_keyboard_and_tells_the_kernel(lab, chromium_page: Page) -> None:  # type: ignore[no-untyped-def]
    page = chromium_page
    page.set_viewport_size({"width": 1280, "height": 1100})
    notebook = lab.open_notebook(page, "replication.ipynb")
    notebook.run_all()
    page.wait_for_selector(".halab-write tbody tr")
    expect(page.locator(".halab-write-said")).to_have_text("Press Write one row.")
    assert page.locator(".halab-write-ackmark").count() == 0  # the end is not told before it
    page.locator(".halab-write-write").focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody td").nth(1)).not_to_have_text("…", timeout=15_000)
    expect(page.locator(".halab-write-said")).to_contain_text("Acknowledged: one by one")
    expect(page.locator(".halab-write-chart")).to_contain_text("★ first")
    assert page.locator(".halab-write-ackmark").count() == 4
    copies = page.locator("input[name=copies]")
    copies.focus()
    page.keyboard.press("ArrowRight")
    mean = f"{parallel(Copy(10, 10), 4).acknowledged:.1f} ms"
    expect(page.locator(".halab-write tbody tr").nth(1).locator("td").first).to_have_text(mean)
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[name=needed]")).to_have_value("3")  # of five: a majority
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("input[name=needed]")).to_have_value("2")
    page.locator(".halab-write-write").click()
    expect(page.locator("tbody td").nth(1)).to_contain_text("ms", timeout=15_000)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        for width in (1000, 480):
            page.evaluate("(w) => { document.querySelector('.halab-host').style.width = `${w}px`; }", width)
            page.wait_for_function(
                "(w) => document.querySelector('.halab-write-chart').viewBox.baseVal.width <= w - 30",
                arg=width,
            )
            assert page.evaluate(OUTSIDE) == 0, (theme, width)
            notebook.screenshot(f"replication-{theme.split()[1].lower()}-{width}", ".halab-write")
    notebook.cell("print(race)").click()
    notebook.run_next(1)
    expect(notebook.cell("print(race)")).to_contain_text("quorum, 2 of 3")


def test_it_speaks_chinese(lab, chromium_page: Page) -> None:  # type: ignore[no-untyped-def]
    chinese = lab.open_notebook(chromium_page, "replication-zh.ipynb")
    chinese.run_all()
    chromium_page.wait_for_selector(".halab-write tbody tr")
    chromium_page.locator(".halab-write-write").click()
    expect(chromium_page.locator(".halab-write-said")).to_contain_text("确认用时", timeout=15_000)
    chinese.screenshot("replication-zh", ".halab-write")


def test_two_on_a_page_keep_each_its_own_labels(lab, chromium_page: Page) -> None:  # type: ignore[no-untyped-def]
    lab.open_notebook(chromium_page, "replication-two.ipynb").run_all()
    sliders = chromium_page.locator(".halab-write input")
    expect(sliders).to_have_count(8)
    assert sliders.evaluate_all("(all) => all.map((one) => one.labels.length)") == [1] * 8
