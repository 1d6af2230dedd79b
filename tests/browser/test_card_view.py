"""The card and the prediction form in JupyterLab, by mouse and by keyboard."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

FAULT = "crash active rootcoord"
CARD = ["from halab.widgets.card_view import show_card", "shown = show_card(6)", "shown"]
FORM = [
    "from halab.widgets.prediction_form import PredictionForm",
    f'form = PredictionForm(6, "{FAULT}")',
    "form",
]
FOUND = [
    "from halab.translation import gettext_lazy",
    "from halab.widgets.card_view import Finding, show_card",
    "lost = gettext_lazy('Log killed')",
    "words = gettext_lazy('{disaster}: {share} of the unflushed rows missing', disaster=lost, share='57 %')",
    "rto = gettext_lazy('{finding} (measured).', finding='12.2')",
    "found = {'replicas-rto': Finding('held', rto, measured=(12.2, 3.4), predicted=(8.0,))}",
    "found['replicas-rpo'] = Finding('broken', words, lost, measured=(3.1,), predicted=(0.0,))",
    "show_card(7, measured=found)",
]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path: Path, *cells: list[str]) -> None:
    made = [nbformat.v4.new_code_cell("\n".join(lines)) for lines in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=KERNEL), path)


@pytest.fixture(scope="module")
def lab(open_lab: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("cards")
    write_notebook(root / "card.ipynb", CARD)
    write_notebook(root / "form.ipynb", FORM)
    write_notebook(root / "found.ipynb", FOUND)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(root))
        patch.delenv("HALAB_LANG", raising=False)
        yield open_lab(root)


def opened(lab: Any, page: Page, name: str, selector: str) -> Any:
    notebook = lab.open_notebook(page, name)
    notebook.run_all()
    page.wait_for_selector(selector)
    return notebook


@pytest.fixture
def card(lab: Any, chromium_page: Page) -> Any:
    return opened(lab, chromium_page, "card.ipynb", ".halab-card")


def test_the_switch_changes_the_language_and_keeps_the_focus(card: Any) -> None:
    page: Page = card.page
    expect(page.locator(".halab-card h2").first).to_have_text("The failover timeline")
    chinese = page.get_by_role("button", name="中文")
    chinese.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".halab-card h2").first).to_have_text("故障转移的时间线")
    expect(page.locator(".halab-card")).to_have_attribute("lang", "zh-Hans")
    expect(chinese).to_have_attribute("aria-pressed", "true")
    expect(chinese).to_be_focused()
    card.screenshot("card-zh-light")  # of the window: the kernel's answer draws the card once more


def test_a_verdict_is_covered_until_its_claim_is_pressed(card: Any) -> None:
    page: Page = card.page
    claims = page.locator(".halab-card-claims > li")
    expect(claims).to_have_count(13)
    expect(page.locator(".halab-card-verdict")).to_have_count(0)
    expect(page.locator(".halab-card")).not_to_contain_text("not so in Milvus")
    claim = page.locator('[data-claim="elected"]')
    claim.focus()
    page.keyboard.press("Space")
    expect(claim).to_have_attribute("aria-expanded", "true")
    expect(claim).to_be_focused()
    expect(claim).to_contain_text("not so in Milvus")
    expect(page.locator(".halab-card-verdict")).to_contain_text("no election among coordinators")
    links = page.locator(".halab-card-verdict a")
    assert all(link.get_attribute("href").startswith("https://") for link in links.all())
    page.keyboard.press("Space")
    expect(page.locator(".halab-card-verdict")).to_have_count(0)
    expect(claim).to_contain_text("not so in Milvus")  # what was uncovered is not covered again


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("width", [900, 600])
def test_nothing_runs_out_of_the_card(card: Any, theme: str, width: int) -> None:
    page: Page = card.page
    page.set_viewport_size({"width": width, "height": 1000})
    card.theme(theme)
    page.locator('[data-claim="tuned-detection"]').click()
    wide = page.evaluate(
        "(() => { const c = document.querySelector('.halab-card'); return c.scrollWidth - c.clientWidth })()"
    )
    assert wide <= 0
    card.screenshot(f"card-en-{theme.split()[-1].lower()}-{width}", ".halab-card")


def test_a_prediction_is_filled_in_and_locked_by_keyboard(lab: Any, chromium_page: Page) -> None:
    page = chromium_page
    notebook = opened(lab, page, "form.ipynb", "form.halab-predict")
    page.get_by_label("First failed search").fill("5")
    page.get_by_label("Last failed search").fill("2")
    page.get_by_label("Failed searches").fill("120")
    lock = page.get_by_role("button", name="Lock in")
    lock.click()
    # Refused by the browser: the last failure lies before the first.
    expect(page.locator("form.halab-predict")).to_be_visible()
    page.get_by_label("Last failed search").fill("9")
    page.get_by_role("checkbox", name="insert").focus()
    page.keyboard.press("Space")
    notebook.screenshot("predict-form", ".halab-predict")
    page.get_by_label("Failed searches").press("Enter")
    locked = page.locator("section.halab-predict")
    expect(locked).to_contain_text("Locked in on")
    expect(locked.locator("dd")).to_have_text(["5 s", "9 s", "120", "insert"])
    assert page.locator(".halab-predict input").count() == 0
    notebook.screenshot("predict-locked", ".halab-predict")
    # A new kernel finds it as it was.
    notebook.run_all()
    expect(page.locator("section.halab-predict dd").first).to_have_text("5 s")


def test_a_run_has_its_own_verdict_and_picture_in_the_language_of_the_card(
    lab: Any, chromium_page: Page
) -> None:
    page = chromium_page
    notebook = opened(lab, page, "found.ipynb", ".halab-card")
    broken = page.locator('[data-claim="replicas-rpo"]')
    expect(broken.locator("[data-run=broken]")).to_have_text("✕ broken by: Log killed")
    expect(page.locator(".halab-card-picture")).to_have_count(2)
    alt = page.locator('li:has([data-claim="replicas-rto"]) .halab-card-picture')
    expect(alt).to_have_attribute("aria-label", "card 5 s – 15 s; you said 8 s; measured 3.4 s – 12.2 s")
    expect(page.locator(".halab-card h4")).to_have_text(
        ["Put to the test in this lesson", "Not tested in this lesson"]
    )
    notebook.screenshot("card-found-en", ".halab-card")
    page.get_by_role("button", name="中文").click()
    expect(broken.locator("[data-run=broken]")).to_have_text("✕ 被推翻：杀掉日志")
    expect(page.locator(".halab-card-verdict").nth(1)).to_contain_text(
        "你这次的结果：杀掉日志：没落盘的行丢了 57 %"
    )
    notebook.theme("JupyterLab Dark")
    page.set_viewport_size({"width": 900, "height": 1000})
    notebook.screenshot("card-found-zh-dark", ".halab-card")
