"""The survivability map in JupyterLab, as a learner uses it."""

import pytest
from playwright.sync_api import Page, expect

from halab.models.survival import OPERATIONS

pytestmark = pytest.mark.browser

CELLS = [
    "from halab.widgets.survival_map import SurvivalMap\nwidget = SurvivalMap('ha')\nwidget",
    "print({one.operation: one.fate for one in widget.verdicts})",
    "SurvivalMap('small')",
    "from halab.cluster.simulated import SimulatedCluster\nSurvivalMap(SimulatedCluster('lab', 'ha', 10))",
    "chinese = SurvivalMap('small')\nchinese.lang = 'zh'\nchinese",
]


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    return lab_with({"survival": CELLS})


@pytest.fixture
def notebook(lab, chromium_page: Page):  # type: ignore[no-untyped-def]
    notebook = lab.open_notebook(chromium_page, "survival.ipynb")
    notebook.run_all()
    chromium_page.wait_for_selector(".halab-map")
    return notebook


def fates(page: Page) -> dict[str, str]:
    rows = page.locator(".halab-map").first.locator(".halab-map-fates > li")
    return rows.evaluate_all(
        "rows => Object.fromEntries(rows.map((row) => [row.dataset.operation, row.dataset.fate]))"
    )


def part(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.locator(".halab-map").first.locator(f'[data-part="{name}"]')


def test_a_click_shows_at_once_what_stops_and_why(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    assert fates(page) == dict.fromkeys(OPERATIONS, "survives")
    part(page, "objectstore").click()
    expect(part(page, "objectstore")).to_have_attribute("aria-pressed", "true")
    found = fates(page)
    assert {name for name, fate in found.items() if fate == "stops"} == {"flush", "load"}
    flush = page.locator('[data-operation="flush"]').first
    expect(flush).to_contain_text("Flushed segments are files in it.")
    expect(page.locator(".halab-map-summary").first).to_have_text(
        "✕ stops: flush, load  ● survives: search, strong search, insert, metadata call"
    )
    part(page, "rootcoord-1").click()
    notebook.screenshot("survival-light", ".halab-map")
    notebook.theme("JupyterLab Dark")
    notebook.screenshot("survival-dark", ".halab-map")
    notebook.theme("JupyterLab Light")
    page.locator(".halab-map-reset").first.click()
    assert set(fates(page).values()) == {"survives"}


def test_the_keyboard_switches_and_keeps_its_place(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    part(page, "querynode-1").focus()
    page.keyboard.press("Space")
    expect(part(page, "querynode-1")).to_have_attribute("aria-pressed", "true")
    expect(part(page, "querynode-1")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(part(page, "querynode-2")).to_have_attribute("aria-pressed", "true")
    expect(part(page, "querynode-2")).to_be_focused()
    expect(page.locator(".halab-map-about").first).to_have_text(
        "A query node holds a copy of the data in memory and searches it. Needs: log, object store. "
        "One lost: ● survives: everything. All lost: ✕ stops: search, strong search, load"
        "  ● survives: insert, metadata call, flush."
    )
    part(page, "indexnode-1").hover()
    expect(page.locator(".halab-map-about").first).to_contain_text("If it is lost: ● survives: everything.")
    expect(page.locator(".halab-map-about").first).to_contain_text("New files then wait for their index")
    index_node = page.locator(".halab-map").first.locator('[data-box="indexnode"] .halab-map-tag')
    expect(index_node).to_have_text("no spare")
    expect(index_node).to_have_attribute("data-warns", "false")


def test_no_part_moves_from_under_the_pointer(notebook) -> None:  # type: ignore[no-untyped-def]
    """Whatever the line above the picture says of the part under the pointer, or of one that was pressed."""
    page: Page = notebook.page
    picture = page.locator(".halab-map-picture").first
    top = picture.bounding_box()["y"]
    for name in ("proxy-1", "etcd-1", "querynode-1", "indexnode-1"):
        part(page, name).hover()
        part(page, name).click()
        assert picture.bounding_box()["y"] == top, name


def test_python_sees_the_clicks_and_agrees(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    for name in ("querycoord-1", "etcd-1", "etcd-2"):
        part(page, name).click()
    shown = fates(page)
    notebook.cell("widget.verdicts").click()
    notebook.run_next(1)
    expect(notebook.cell("widget.verdicts").locator(".jp-OutputArea-output")).to_have_text(str(shown))


def test_a_spare_can_be_added_and_taken_away(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    widget = page.locator(".halab-map").first
    part(page, "log").click()
    assert fates(page)["insert"] == "stops"
    widget.locator('[data-step="log 1"]').click()
    assert fates(page)["insert"] == "survives"
    expect(widget.locator(".halab-map-source")).to_contain_text("edited")
    widget.locator('[data-step="log -1"]').click()
    assert fates(page)["insert"] == "stops"


def test_the_challenge_is_solved_by_spares_and_a_switch_and_the_map_says_so(notebook) -> None:  # type: ignore[no-untyped-def]
    widget = notebook.cell("SurvivalMap('small')").locator(".halab-map")
    said = widget.locator(".halab-map-single")
    expect(said).to_have_text(
        "Lost alone, any of these 6 stops a search: "
        "proxy-1, querycoord-1, rootcoord-1, querynode-1, etcd-1, log."
    )
    for box in ("proxy", "querycoord", "rootcoord", "querynode", "etcd", "log"):
        widget.locator(f'[data-step="{box} 1"]').click()
    expect(said).to_have_text("Lost alone, any of these 3 stops a search: proxy-1, etcd-1, etcd-2.")
    expect(widget.locator('[data-box="etcd"]')).to_contain_text("half is no majority")
    expect(widget.locator('[data-box="proxy"]')).to_contain_text("a spare, no switch")
    expect(widget.locator('[data-box="querynode"]')).to_contain_text("spare node, no spare copy")
    widget.locator('[data-step="etcd 1"]').click()
    widget.get_by_label("A switch moves clients").check()
    expect(said).to_contain_text("✓ Solved: no part, lost alone, stops a search.")
    expect(said).to_contain_text("have 7 spares. The switch there is")
    notebook.screenshot("survival-solved", widget)


def test_an_operation_that_is_chosen_shows_its_own_arrows(notebook) -> None:  # type: ignore[no-untyped-def]
    widget = notebook.page.locator(".halab-map").first
    used = widget.locator('.halab-map-arrows [data-used="true"]')
    before = used.count()
    widget.get_by_role("button", name="metadata call").click()
    expect(widget.get_by_role("button", name="metadata call")).to_be_focused()
    assert 0 < used.count() < before
    expect(widget.locator(".halab-map-single")).to_contain_text("stops a metadata call")


def test_beside_a_cluster_it_says_that_nothing_is_killed(notebook) -> None:  # type: ignore[no-untyped-def]
    widget = notebook.cell("SimulatedCluster").locator(".halab-map")
    expect(widget).to_contain_text("In thought: nothing is killed here.")
    expect(notebook.page.locator(".halab-map").first).not_to_contain_text("In thought")


def test_nothing_is_cut_off_however_narrow_it_is(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    widget = page.locator(".halab-map").first
    part(page, "rootcoord-1").click()
    for width in (1000, 700, 460, 360):
        widget.evaluate("(map, width) => { map.parentElement.style.width = `${width}px`; }", width)
        assert widget.evaluate(CUT_OFF) == [], width
        notebook.screenshot(f"survival-{width}", widget)


# What sticks out of its box or of the map.
CUT_OFF = """(map) => [...map.querySelectorAll('*')].filter((part) => {
  const edge = (part.closest('.halab-map-box') ?? map).getBoundingClientRect();
  const { left, right, width } = part.getBoundingClientRect();
  return part.checkVisibility() && width && (left < edge.left - 1 || right > edge.right + 1);
}).map((part) => part.outerHTML.slice(0, 80))"""


def test_it_speaks_chinese(notebook) -> None:  # type: ignore[no-untyped-def]
    notebook.cell("chinese").scroll_into_view_if_needed()
    widget = notebook.cell("chinese").locator(".halab-map")
    widget.locator('[data-part="querynode-1"]').click()
    expect(widget.locator('[data-operation="search"]')).to_contain_text("被搜索的数据就在它的内存里。")
    notebook.screenshot("survival-zh", widget)
