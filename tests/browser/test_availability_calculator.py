"""The availability calculator in JupyterLab, as a learner uses it."""

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from halab.models.availability import YEARS, Calendar
from halab.widgets import availability_calculator

pytestmark = pytest.mark.browser

WIDGETS = "from halab.widgets.availability_calculator import *\n"
CELLS = [
    WIDGETS + "copies = CopiesCalculator()\ncopies",
    "ChainCalculator(mtbf=99 * 3600, mttr=3600)",
    "PromiseCalculator(failover=12)",
    "print(sorted(copies.settings.items()))",
]
BUSY = [WIDGETS + "ChainCalculator()", "import time\ntime.sleep(6)"]
SLIDERS = {
    "copies": ("copies", "beta", "failover", "mtbf", "mttr"),
    "chain": ("mtbf", "mttr", "beta", "failover"),
    "promise": ("slo", "failover", "errors"),
}
# Set a slider and read, within the same task, what is drawn: no kernel can have had a part in it.
PULL = """([part, name, share]) => {
  const widget = document.querySelector(`.halab-calculator-${part}`);
  const input = widget.querySelector(`.halab-slider input[name="${name}"]`);
  const seen = () => widget.querySelector('.halab-calculator-results').innerHTML;
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


def test_the_first_pull_moves_a_big_mark_that_carries_its_value(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    value, mark = page.locator(".halab-calculator-value"), page.locator(".halab-calculator-here")
    expect(value).to_have_text("99 % · 3.65 days a year")
    before = mark.bounding_box()
    page.evaluate(PULL, ["copies", "copies", 2 / 7])
    expect(value).to_have_text("99.9999 % · 31.5 s a year")
    after = mark.bounding_box()
    assert before
    assert after
    assert after["y"] < before["y"] - 60
    assert after["width"] > 15


def test_eight_copies_are_not_all_of_the_time_and_no_line_is_cut_to_a_plateau(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.evaluate(PULL, ["copies", "copies", 1.0])
    expect(page.locator(".halab-calculator-value")).to_have_text("more than 99.9999999 % · under 1 ms a year")
    assert "100 %" not in page.locator(".halab-calculator-copies").inner_text()
    line = page.locator("path.halab-calculator-line-0.halab-calculator-line").first.get_attribute("d") or ""
    heights = [float(point.split()[1]) for point in line.lstrip("M").split("L")]
    assert all(lower > higher + 5 for lower, higher in pairwise(heights)), "it rises to its very end"
    expect(page.locator(".halab-calculator-formula")).to_contain_text("n: copies")


def test_what_costs_nothing_has_no_line_that_would_hide_another(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    legend = page.locator(".halab-calculator-copies .halab-legend")
    expect(legend).not_to_contain_text("with common causes")
    page.evaluate(PULL, ["copies", "beta", 0.1])
    expect(legend).to_contain_text("with common causes")
    page.evaluate(PULL, ["copies", "failover", 0.1])
    expect(legend).to_contain_text("and with failovers")


@pytest.mark.parametrize("part", SLIDERS)
def test_every_slider_redraws_in_the_moment_it_is_pulled(notebook, part: str) -> None:  # type: ignore[no-untyped-def]
    notebook.page.evaluate(PULL, [part, SLIDERS[part][0], 0.5])
    for name in SLIDERS[part]:
        for share in (0.2, 0.9):
            changed, shown = notebook.page.evaluate(PULL, [part, name, share])
            assert changed, f"{name} at {share}: nothing moved"
            assert shown


def test_the_picture_follows_a_hand_that_does_not_stop(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.evaluate(PULL, ["copies", "beta", 0.5])
    slider = page.locator('.halab-calculator-copies input[name="mttr"]')
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


def test_the_kernel_hears_of_it_when_the_hand_rests(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.evaluate(PULL, ["copies", "failover", 0.1])
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


def test_a_figure_may_be_typed_with_a_comma_and_what_is_refused_says_why(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    field, complaint = page.locator('input[name="availability"]'), page.get_by_role("alert").first
    field.fill("99,9")
    expect(page.locator(".halab-calculator-value")).to_have_text("99.9 % · 8.76 h a year")
    for typed, why in (
        ("100", "between 0 and 100 %"), ("-3", "between 0 and 100 %"),
        ("8,5 x", "“8,5 x” is no number here"), ("1,000", "is no number here"), ("", "is no number here"),
    ):  # fmt: skip
        field.fill(typed)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(complaint).to_contain_text(why)
        expect(page.locator(".halab-calculator-value")).to_have_text("99.9 % · 8.76 h a year")
    field.fill("99")
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(complaint).to_be_hidden()


def test_a_chain_tells_its_weakest_link_and_its_size_is_kept_sound(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    chain = page.locator(".halab-calculator-blocks")
    expect(chain.locator(".halab-calculator-worst").first).to_contain_text("log, weakest")
    page.get_by_label("log: copies").fill("2")
    expect(chain.locator(".halab-calculator-worst")).to_have_count(1)
    expect(chain.locator(".halab-calculator-worst")).to_contain_text("object store, weakest")
    page.get_by_label("proxy: needed").fill("4")
    expect(page.get_by_label("proxy: copies")).to_have_value("4")
    for typed in ("0", "-3", "999", "8,5"):
        page.get_by_label("proxy: copies").fill(typed)
        expect(page.get_by_label("proxy: copies")).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".halab-calculator-chain").get_by_role("alert")).to_have_text(
            f"proxy: copies is a whole number from 1 to 9, and “{typed}” is not."
        )
    page.get_by_role("button", name="One of each").click()
    expect(chain.locator("tfoot")).to_contain_text("91.35 %")
    expect(page.get_by_label("proxy: copies")).to_have_value("1")


def test_a_simulation_stands_beside_the_closed_form_and_is_done_again(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    simulated(page)
    figures = page.locator(".halab-calculator-simulated")
    first = figures.inner_text()
    assert "±" in first
    assert "Simulated, not measured" in first
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
    page.evaluate(PULL, ["chain", "mttr", 0.5])
    expect(page.locator(".halab-calculator-simulated")).to_contain_text("waiting for the kernel")
    simulated(page)


def test_a_promise_prints_its_convention_and_marks_its_row(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    promise = page.locator(".halab-calculator-promise")
    expect(promise).to_contain_text("99.9 % leaves 43.2 min a month")
    expect(promise).to_contain_text("216 failovers of 12 s")
    expect(promise.locator("caption")).to_have_text("A year of 365 days, a month of 30 days")
    promise.locator('select[name="year"]').select_option("365.25")
    promise.locator('select[name="month"]').select_option("a twelfth of the year")
    expect(promise.locator("caption")).to_have_text("A year of 365.25 days, a month of 30.4375 days")
    expect(promise.locator(".halab-calculator-chosen")).to_contain_text("▸ 99.9 %")


def test_nothing_is_cut_off_and_none_is_taller_than_a_screen(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    page.set_viewport_size({"width": 1280, "height": 2400})
    page.evaluate(PULL, ["copies", "beta", 0.1])
    page.evaluate(PULL, ["copies", "failover", 0.1])
    page.evaluate(PULL, ["copies", "copies", 1.0])
    for theme in ("Light", "Dark"):
        notebook.theme(f"JupyterLab {theme}")
        for width in (1040, 820, 460):
            page.evaluate(
                "(w) => document.querySelectorAll('.halab-host').forEach((e) => (e.style.width = w + 'px'))",
                width,
            )
            simulated(page)
            page.wait_for_function(
                "() => document.querySelector('.halab-calculator-chart svg').viewBox.baseVal.width"
                " === document.querySelector('.halab-calculator-chart').clientWidth"
            )
            for part in SLIDERS:
                widget = page.locator(f".halab-calculator-{part}")
                assert widget.evaluate(CUT_OFF) == [], (theme, width, part)
                box = widget.bounding_box()
                assert box
                assert width < 800 or box["height"] < 580, (width, part, box)
                notebook.screenshot(f"calculator-{part}-{theme.lower()}-{width}", widget)


CUT_OFF = """(widget) => {
  const found = [];
  const edge = widget.getBoundingClientRect();
  for (const part of widget.querySelectorAll('.halab-scroll, .halab-calculator-formula p, td, label')) {
    if (part.scrollWidth > part.clientWidth + 1) found.push(`cut off: ${part.className}`);
  }
  const texts = [...widget.querySelectorAll('.halab-calculator-chart text:not(.halab-calculator-value)')]
    .map((text) => [text, text.getBoundingClientRect()]);
  texts.forEach(([text, a], i) => {
    if (a.left < edge.left || a.right > edge.right) found.push(`outside: ${text.textContent}`);
    texts.slice(i + 1).forEach(([other, b]) => {
      if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
        found.push(`${text.textContent} / ${other.textContent}`);
    });
  });
  const value = widget.querySelector('.halab-calculator-value')?.getBoundingClientRect();
  if (value && (value.left < edge.left || value.right > edge.right)) found.push('outside: the value');
  return found;
}"""

RUN = """async ([source, work, given]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  return given.map((one) => eval(work)(module, one));
}"""


def in_javascript(page: Page, work: str, given: list[object]) -> list[Any]:
    asked = [availability_calculator.CopiesCalculator._esm, work, json.loads(json.dumps(given))]
    found: list[Any] = page.evaluate(RUN, asked)
    return found


def random_settings(rng: random.Random) -> dict[str, Any]:
    def size() -> dict[str, int]:
        copies = rng.randint(1, 9)
        return {"copies": copies, "needed": rng.randint(1, copies)}

    return {
        "year": rng.choice(YEARS),
        "month": rng.choice(["30 days", "a twelfth of the year"]),
        "mtbf": 10 ** rng.uniform(3, 9),
        "mttr": 10 ** rng.uniform(0, 6),
        "copies": rng.randint(1, 9),
        "beta": rng.choice([0.0, rng.random(), 1.0]),
        "failover": rng.choice([0.0, rng.uniform(0, 120)]),
        "slo": rng.choice([0.9, 0.99, 0.999, 0.9999, 0.999999, rng.random()]),
        "errors": rng.choice([0.0, rng.random()]),
        "blocks": [{"name": f"b{number}", **size()} for number in range(rng.randint(1, 9))],
    }


def python_figures(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What the three widgets say of these settings."""
    times = {key: given[key] for key in ("mtbf", "mttr", "beta", "failover")}
    copies = availability_calculator.CopiesCalculator(copies=given["copies"], **times)
    chain = availability_calculator.chain_of(given)
    promise = availability_calculator.PromiseCalculator(slo=given["slo"])
    promise.settings = given
    blocks = [block.availability for block in chain.blocks]
    return copies.figures, {"blocks": blocks, "chain": chain.availability}, promise.figures


def test_the_browser_and_python_compute_the_same(chromium_page: Page) -> None:
    rng = random.Random(2)
    settings = [random_settings(rng) for _ in range(300)]
    work = (
        "(m, s) => [m.computeCopies(s), m.computeChain(s), m.computePromise(s), Object.values(m.periods(s)),"
        " m.spell(s.mttr), m.percent(1 - m.computeCopies(s).one)]"
    )
    for given, shown in zip(settings, in_javascript(chromium_page, work, settings), strict=True):
        lacking, chain, promise, lengths, mttr, one = shown
        copies, expected_chain, expected_promise = python_figures(given)
        assert {key: 1 - down for key, down in lacking.items()} == pytest.approx(copies, abs=1e-14)
        assert chain["blocks"] == pytest.approx(expected_chain["blocks"], abs=1e-14)
        assert chain["chain"] == pytest.approx(expected_chain["chain"], abs=1e-13)
        assert promise.keys() == expected_promise.keys()
        for key, value in expected_promise.items():
            assert promise[key] == (None if value is None else pytest.approx(value, rel=1e-9)), key
        assert lengths == pytest.approx(list(Calendar(given["year"], given["month"]).periods.values()))
        assert mttr == availability_calculator.spell(given["mttr"])
        assert one == availability_calculator.percent(copies["one"])


def test_numbers_are_read_as_people_write_them(chromium_page: Page) -> None:
    typed = ["8,5", "8.5", "99", " 99.9 ", "-3", "1,000", "1.000", "", "8,5,1", "eight", "1e3"]
    found = in_javascript(chromium_page, "(m, text) => String(m.parseNumber(text))", list(typed))
    assert found == ["8.5", "8.5", "99", "99.9", "-3", "NaN", "1", "NaN", "NaN", "NaN", "NaN"]
