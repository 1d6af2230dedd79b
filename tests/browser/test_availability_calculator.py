"""The availability calculator in JupyterLab, as a learner uses it."""

import json
import random

import pytest
from playwright.sync_api import Page, expect

from halab.models.availability import YEARS, Calendar
from halab.widgets import availability_calculator

pytestmark = pytest.mark.browser

CELLS = [
    "from halab.widgets.availability_calculator import Calculator\nwidget = Calculator()\nwidget",
    "print(sorted(widget.settings.items()))",
]
BUSY = [CELLS[0], "import time\ntime.sleep(6)"]
SLIDERS = ("mtbf", "mttr", "copies", "needed", "beta", "failover", "slo", "errors")
# Set a slider and read, within the same task, what is drawn: no kernel can have had a part in it.
PULL = """([name, share]) => {
  const input = document.querySelector(`.halab-slider input[name="${name}"]`);
  const seen = () => document.querySelector('.halab-calculator').innerHTML;
  const before = seen();
  input.value = Number(input.min) + share * (Number(input.max) - Number(input.min));
  input.dispatchEvent(new Event('input', { bubbles: true }));
  return [seen() !== before, input.closest('.halab-slider').querySelector('output').textContent];
}"""


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    return lab_with({"calculator": CELLS, "busy": BUSY})


@pytest.fixture
def notebook(lab, chromium_page: Page):  # type: ignore[no-untyped-def]
    notebook = lab.open_notebook(chromium_page, "calculator.ipynb")
    notebook.run_all()
    chromium_page.wait_for_selector(".halab-calculator")
    return notebook


def last_formula(page: Page) -> str:
    return page.locator(".halab-calculator-formula .halab-calculator-last").inner_text()


def simulated(page: Page) -> None:
    expect(page.locator('.halab-calculator-simulated[data-state="simulated"]')).to_be_visible(timeout=20_000)


def test_it_begins_where_the_card_does_and_prints_its_convention(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    expect(page.locator(".halab-calculator-formula")).to_contain_text(
        "1 − (1 − 0.99)^3= 99.9999 %  31.5 s a year"
    )
    expect(page.locator(".halab-calculator-nines caption")).to_have_text(
        "A year of 365 days, a month of 30 days"
    )
    page.locator('select[name="year"]').select_option("365.25")
    page.locator('select[name="month"]').select_option("a twelfth of the year")
    expect(page.locator(".halab-calculator-nines caption")).to_have_text(
        "A year of 365.25 days, a month of 30.4375 days"
    )
    expect(page.locator(".halab-calculator-nines tbody tr").nth(1)).to_contain_text("7.31 h")


def test_what_costs_nothing_has_no_line_that_would_hide_another(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    lines = page.locator(".halab-calculator-chart .halab-calculator-line")
    expect(lines).to_have_count(1)
    page.evaluate(PULL, ["beta", 0.1])
    expect(lines).to_have_count(2)
    page.evaluate(PULL, ["failover", 0.1])
    expect(lines).to_have_count(3)
    expect(page.locator(".halab-legend")).to_contain_text("and with failovers")


def test_every_slider_redraws_in_the_moment_it_is_pulled(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    for name in SLIDERS:
        for share in (0.1, 0.9):
            changed, shown = page.evaluate(PULL, [name, share])
            assert changed, f"{name} at {share}: nothing moved"
            assert shown


def test_the_picture_follows_a_hand_that_does_not_stop(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.evaluate(PULL, ["beta", 0.5])
    slider = page.locator('.halab-slider input[name="mttr"]')
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.1, middle)
    page.mouse.down()
    seen = set()
    for step in range(2, 10):
        page.mouse.move(box["x"] + box["width"] * step / 10, middle)
        seen.add(last_formula(page))
    page.mouse.up()
    assert len(seen) == 8
    simulated(page)


def test_the_kernel_hears_of_it_when_the_hand_rests(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.evaluate(PULL, ["failover", 0.1])
    page.wait_for_timeout(600)
    notebook.cell("print(sorted").click()
    notebook.run_next(1)
    expect(notebook.cell("print(sorted")).to_contain_text("('failover', 12)")


def test_sliders_and_fields_are_worked_by_keyboard(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    copies = page.locator('.halab-slider input[name="copies"]')
    copies.click()
    expect(copies).to_be_focused()
    page.keyboard.press("Home")
    expect(copies).to_have_attribute("aria-valuetext", "1")
    expect(page.locator(".halab-calculator-formula")).to_contain_text("^1= 99 %")
    page.keyboard.press("ArrowRight")
    expect(copies).to_have_attribute("aria-valuetext", "2")
    assert page.locator(".jp-Cell").count() == len(CELLS), "the arrow keys were the widget's"
    assert copies.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"


def test_availability_and_downtime_give_each_other(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    availability, downtime = (
        page.locator('input[name="availability"]'),
        page.locator('input[name="downtime"]'),
    )
    availability.fill("99.9")
    expect(downtime).to_have_value("525.6")
    page.locator('select[name="period"]').select_option("month")
    expect(downtime).to_have_value("43.2")
    downtime.fill("432")
    expect(availability).to_have_value("99")
    availability.fill("100")
    expect(availability).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("between 0 and 100 %")
    expect(downtime).to_have_value("432")
    availability.fill("99")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_chain_tells_its_weakest_link_and_its_size_is_kept_sound(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    chain = page.locator(".halab-calculator-blocks")
    expect(chain.locator(".halab-calculator-worst").first).to_contain_text("log, weakest")
    page.get_by_label("log: copies").fill("2")
    expect(chain.locator(".halab-calculator-worst")).to_have_count(1)
    expect(chain.locator(".halab-calculator-worst")).to_contain_text("object store, weakest")
    page.get_by_label("proxy: needed").fill("4")
    expect(page.get_by_label("proxy: copies")).to_have_value("4")
    page.get_by_label("proxy: copies").fill("0")
    expect(page.get_by_label("proxy: copies")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="One of each").click()
    expect(chain.locator("tfoot")).to_contain_text("91.35 %")


def test_a_simulation_stands_beside_the_closed_form_and_is_done_again(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    simulated(page)
    figures = page.locator(".halab-calculator-simulated tbody")
    first = figures.inner_text()
    assert "±" in first
    again = page.get_by_role("button", name="Simulate again")
    again.focus()
    page.keyboard.press("Enter")
    expect(figures).not_to_have_text(first)
    simulated(page)
    expect(again).to_be_focused()


def test_a_busy_kernel_is_waited_for_and_the_page_says_so(lab, chromium_page: Page) -> None:  # type: ignore[no-untyped-def]
    page = chromium_page
    notebook = lab.open_notebook(page, "busy.ipynb")
    notebook.run_next(1)
    simulated(page)
    notebook.cell("time.sleep").click()
    page.keyboard.press("Shift+Enter")
    page.evaluate(PULL, ["mttr", 0.5])
    expect(page.locator(".halab-calculator-simulated")).to_contain_text("waiting for the kernel")
    simulated(page)


def test_nothing_is_cut_off_in_any_theme_or_width(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.set_viewport_size({"width": 1280, "height": 2400})
    page.evaluate(PULL, ["beta", 0.1])
    page.evaluate(PULL, ["failover", 0.1])
    for theme in ("Light", "Dark"):
        notebook.theme(f"JupyterLab {theme}")
        for width in (1040, 820, 560):
            page.evaluate("(w) => { document.querySelector('.halab-host').style.width = `${w}px`; }", width)
            simulated(page)
            page.wait_for_function(
                "() => document.querySelector('.halab-calculator-chart svg').viewBox.baseVal.width"
                " === document.querySelector('.halab-calculator-chart').clientWidth"
            )
            assert page.evaluate(CUT_OFF) == [], (theme, width)
            notebook.screenshot(f"calculator-{theme.lower()}-{width}", ".halab-calculator")


CUT_OFF = """() => {
  const found = [];
  const edge = document.querySelector('.halab-calculator').getBoundingClientRect();
  const parts = '.halab-calculator section, .halab-scroll, .halab-calculator-formula p';
  for (const part of document.querySelectorAll(parts)) {
    if (part.scrollWidth > part.clientWidth + 1) found.push(`cut off: ${part.className}`);
  }
  const texts = [...document.querySelectorAll('.halab-calculator-chart text')]
    .map((text) => [text, text.getBoundingClientRect()]);
  texts.forEach(([text, a], i) => {
    if (a.left < edge.left || a.right > edge.right) found.push(`outside: ${text.textContent}`);
    texts.slice(i + 1).forEach(([other, b]) => {
      if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
        found.push(`${text.textContent} / ${other.textContent}`);
    });
  });
  return found;
}"""

RUN = """async ([source, work, given]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  return given.map((one) => eval(work)(module, one));
}"""


def in_javascript(page: Page, work: str, given: list[object]) -> list[object]:
    asked = [availability_calculator.Calculator._esm, work, json.loads(json.dumps(given))]
    found: list[object] = page.evaluate(RUN, asked)
    return found


def random_settings(rng: random.Random) -> dict[str, object]:
    def size() -> dict[str, int]:
        copies = rng.randint(1, 9)
        return {"copies": copies, "needed": rng.randint(1, copies)}

    return {
        "year": rng.choice(YEARS),
        "month": rng.choice(["30 days", "a twelfth of the year"]),
        "period": "year",
        "mtbf": 10 ** rng.uniform(3, 9),
        "mttr": 10 ** rng.uniform(0, 6),
        **size(),
        "beta": rng.choice([0.0, rng.random(), 1.0]),
        "failover": rng.choice([0.0, rng.uniform(0, 120)]),
        "slo": rng.choice([0.9, 0.99, 0.999, 0.9999, 0.999999, rng.random()]),
        "errors": rng.choice([0.0, rng.random()]),
        "blocks": [{"name": f"b{number}", **size()} for number in range(rng.randint(1, 9))],
    }


def test_the_browser_and_python_compute_the_same(chromium_page: Page) -> None:
    rng = random.Random(2)
    settings = [random_settings(rng) for _ in range(300)]
    work = (
        "(m, s) => [m.compute(s), Object.values(m.periods(s)), m.spell(s.mttr), m.percent(m.compute(s).one)]"
    )
    for given, (found, lengths, mttr, one) in zip(
        settings, in_javascript(chromium_page, work, settings), strict=True
    ):
        expected = availability_calculator.closed_form(given)
        blocks = expected.pop("blocks")
        assert found.pop("blocks") == pytest.approx(blocks, abs=1e-14)
        assert {k for k, v in found.items() if v is None} == {k for k, v in expected.items() if v is None}
        known = {key: value for key, value in expected.items() if value is not None}
        assert {key: found[key] for key in known} == pytest.approx(known, rel=1e-9, abs=1e-14)
        assert lengths == pytest.approx(list(Calendar(given["year"], given["month"]).periods.values()))
        assert mttr == availability_calculator.spell(given["mttr"])
        assert one == availability_calculator.percent(expected["one"])
