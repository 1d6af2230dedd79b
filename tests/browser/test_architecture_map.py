"""The architecture map in JupyterLab, as a learner uses it."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

CELLS = [
    "from halab.cluster.simulated import SimulatedCluster\n"
    "from halab.widgets.architecture_map import ArchitectureMap\ncluster = SimulatedCluster()\n"
    "shown = ArchitectureMap(cluster)\nshown",
    "fault = cluster.inject('crash', 'active rootcoord')\ncluster.sleep(15)",
    "print(shown.selected)",
    "cluster.down()",
    "chinese = ArchitectureMap()\nchinese.lang = 'zh'\nchinese",
]


@pytest.fixture(scope="module")
def lab(lab_with):  # type: ignore[no-untyped-def]
    return lab_with({"architecture": CELLS})


@pytest.fixture
def notebook(lab, chromium_page: Page):  # type: ignore[no-untyped-def]
    notebook = lab.open_notebook(chromium_page, "architecture.ipynb")
    notebook.run_next(1)
    chromium_page.wait_for_selector(".halab-arch")
    return notebook


def test_it_shows_what_falls_with_a_part_and_follows_the_cluster(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    first = page.locator(".halab-arch").first
    expect(first.locator(".halab-arch-status")).to_contain_text("19 of 19 processes healthy")
    first.locator('[data-part="objectstore"]').click()
    expect(first.locator(".halab-arch-detail")).to_contain_text("Flushed segments are files in it.")
    first.locator('[data-part="etcd-1"]').click()
    expect(first.locator(".halab-arch-detail")).to_contain_text("about a second")
    first.locator('[data-part="etcd-2"]').click()
    expect(first.locator(".halab-arch-detail")).to_contain_text("Users notice nothing.")
    first.locator('[data-part="indexnode-1"]').click()
    expect(first.locator('[data-part="indexnode-1"]')).to_contain_text("no spare")
    expect(first.locator(".halab-arch-detail")).to_contain_text("new segments wait for their index")
    first.locator('[data-part="rootcoord-1"]').click()
    expect(first.locator(".halab-arch-detail")).to_contain_text("mixcoord")
    notebook.screenshot("architecture-light", ".halab-arch")
    notebook.theme("JupyterLab Dark")
    notebook.screenshot("architecture-dark", ".halab-arch")
    notebook.theme("JupyterLab Light")
    notebook.cell("fault = cluster").click()
    notebook.run_next(1)  # the active root coordinator is lost
    first.scroll_into_view_if_needed()  # a map that nobody can see looks at nothing
    expect(first.locator('[data-part="rootcoord-1"]')).to_have_attribute("data-health", "down")
    expect(first.locator('[data-part="rootcoord-2"]')).to_have_attribute("data-ha-state", "active")
    expect(first.locator(".halab-arch-detail")).to_contain_text("Now that it is lost")
    notebook.screenshot("architecture-lost", ".halab-arch")
    notebook.cell("cluster.down()").click()
    notebook.run_next(1)
    first.scroll_into_view_if_needed()
    expect(first.locator(".halab-arch-status")).to_contain_text("taken down")


def test_the_keyboard_moves_from_part_to_part(notebook) -> None:  # type: ignore[no-untyped-def]
    page: Page = notebook.page
    first = page.locator(".halab-arch").first
    first.locator('[aria-checked="true"]').focus()
    page.keyboard.press("ArrowRight")
    expect(first.locator('[data-part="rootcoord-2"]')).to_be_focused()
    expect(first.locator('[data-part="rootcoord-2"]')).to_have_attribute("aria-checked", "true")
    page.keyboard.press("ArrowUp")
    expect(first.locator('[data-part="proxy-2"]')).to_be_focused()
    widths = first.locator(".halab-arch-part").evaluate_all("(all) => all.map((one) => one.offsetWidth)")
    assert len(set(widths)) == 1
    notebook.cell("print(shown").click()
    notebook.run_next(1)
    expect(notebook.cell("print(shown").locator(".jp-OutputArea-output")).to_have_text("proxy-2")


def test_it_speaks_chinese_before_anything_runs(notebook) -> None:  # type: ignore[no-untyped-def]
    notebook.cell("chinese").click()
    notebook.run_next(1)
    widget = notebook.cell("chinese").locator(".halab-arch")
    expect(widget.locator(".halab-arch-status")).to_have_text("配置 ha：还没有运行。")
    widget.locator('[data-part="querynode-1"]').click()
    expect(widget.locator(".halab-arch-detail")).to_contain_text("执行搜索")
    notebook.screenshot("architecture-zh", widget)
