"""The race through a balancer in JupyterLab, as a learner uses it."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

CELL = "from halab.widgets.balancer_race import BalancerRace\nrace = BalancerRace()\nrace"
WIDER = """() => [...document.querySelectorAll('.halab-balancer, .halab-balancer *')]
  .filter((part) => part.clientWidth && !part.matches('select, option'))
  .filter((part) => part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.className} ${part.scrollWidth} > ${part.clientWidth}`)"""


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    chinese = f"import os\nos.environ['HALAB_LANG'] = 'zh'\n{CELL}"
    shown = "print(race)"
    return lab_with({"balancing": [CELL, shown], "balancing-zh": [chinese, shown]})


def test_it_is_played_by_keyboard_and_tells_the_kernel(lab, chromium_page: Page) -> None:  # type: ignore[no-untyped-def]
    page = chromium_page
    page.set_viewport_size({"width": 1280, "height": 1100})
    notebook = lab.open_notebook(page, "balancing.ipynb")
    notebook.run_all()
    page.wait_for_selector(".halab-balancer-lane")
    said = page.locator(".halab-balancer-said")
    expect(said).to_have_text("Press Race.")  # the end is not told before it
    page.locator("input[name=third]").focus()
    page.keyboard.press("ArrowLeft")
    expect(said).to_have_text("Press Race.")
    page.locator("select[name=event]").select_option("leaves")
    page.locator(".halab-balancer-again").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".halab-balancer-clock")).to_contain_text("9.", timeout=15_000)
    notebook.screenshot("balancing-running", ".halab-balancer")
    expect(page.locator(".halab-balancer-clock")).to_contain_text("20.0 s of", timeout=15_000)
    expect(page.locator(".halab-balancer-lane b").nth(2)).to_have_text("gone")
    expect(said).to_contain_text("p99: round robin")
    expect(page.locator(".halab-balancer-best:visible")).to_have_count(1)
    page.locator("select[name=event]").select_option("grey")
    page.locator(".halab-balancer-go").click()
    expect(page.locator(".halab-balancer-clock")).to_contain_text("20.0 s of", timeout=15_000)
    expect(page.locator(".halab-balancer-lane").first).to_contain_text("over ")
    expect(page.locator(".halab-balancer-more:visible").first).to_be_visible()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        for width in (1000, 480):
            page.evaluate("(w) => { document.querySelector('.halab-host').style.width = `${w}px`; }", width)
            assert page.evaluate(WIDER) == [], (theme, width)
            notebook.screenshot(f"balancing-{theme.split()[1].lower()}-{width}", ".halab-balancer")
    notebook.cell("print(race)").click()
    notebook.run_next(1)
    expect(notebook.cell("print(race)")).to_contain_text("it goes grey in")


def test_it_speaks_chinese(lab, chromium_page: Page) -> None:  # type: ignore[no-untyped-def]
    chinese = lab.open_notebook(chromium_page, "balancing-zh.ipynb")
    chinese.run_all()
    chromium_page.wait_for_selector(".halab-balancer-lane")
    expect(chromium_page.locator(".halab-balancer-lane").first).to_contain_text("轮询")
    chinese.screenshot("balancing-zh", ".halab-balancer")
