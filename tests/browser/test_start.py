"""The start notebook in JupyterLab: the board, and the button that starts the cluster."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

from halab.course.paths import course_root

pytestmark = pytest.mark.browser

# Slow enough to be seen starting; virtual, so that the button is tested where no Milvus can run.
SIMULATED = """
import time, halab
from halab.widgets.cluster_view import ClusterView

def start(progress):
    cluster = halab.cluster("button", engine="simulated")
    parts = cluster.components()
    for done in range(len(parts)):
        news = {"phase": "processes", "components": parts, "elapsed": 0.1 * done}
        progress({**news, "done": done, "total": len(parts)})
        time.sleep(0.1)
    return cluster

view = ClusterView(start)
view
"""
FAILING = """
from halab.errors import NotReady
from halab.widgets.cluster_view import ClusterView

def start(progress):
    raise NotReady("querycoord-1 did not answer in 60 s.", hint="Free some memory.")

ClusterView(start)
"""
TO_THE_TOP = """async () => {
  const cells = window.jupyterapp.shell.currentWidget.content;
  cells.activeCellIndex = 0;
  await cells.scrollToItem(0, "start");
}"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture(scope="module")
def lab(open_lab: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("work")
    (root / "course").mkdir()
    for lesson in (course_root() / "course").glob("*.ipynb"):
        shutil.copy(lesson, root / "course")
    for name, source in (("simulated", SIMULATED), ("failing", FAILING)):
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip())], metadata=KERNEL)
        nbformat.write(made, root / f"{name}.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(root))
        patch.setenv("HALAB_HOME", str(tmp_path_factory.mktemp("clusters")))
        patch.delenv("HALAB_LANG", raising=False)
        yield open_lab(root)


def opened(lab: Any, page: Page, path: str) -> Any:
    notebook = lab.open_notebook(page, path)
    notebook.run_all()
    page.wait_for_selector(".halab-cluster")
    return notebook


def test_the_start_notebook_runs_and_shows_the_cards_and_lesson_12(lab: Any, chromium_page: Page) -> None:
    notebook = opened(lab, chromium_page, "course/00-start-here.ipynb")
    page: Page = notebook.page
    page.evaluate(TO_THE_TOP)  # as who opens it sees it: to run all cells has scrolled to the last one
    expect(page.get_by_role("button", name="Start the cluster")).to_be_in_viewport()
    notebook.screenshot("start-here")
    board = page.locator(".halab-board")
    board.scroll_into_view_if_needed()
    expect(board.locator(".halab-board-tile")).to_have_count(11)
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        notebook.screenshot(f"board-{theme.split()[-1].lower()}", ".halab-board")


def test_a_link_of_the_board_opens_the_lesson_in_place(lab: Any, chromium_page: Page) -> None:
    page = chromium_page
    opened(lab, page, "course/00-start-here.ipynb")
    link = page.get_by_role("link", name="Lesson: The failover timeline")
    # Where nothing takes the click over, the plain link leads to the same place.
    assert link.get_attribute("href") == "../course/06-failover-timeline.ipynb"
    link.scroll_into_view_if_needed()
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="6 The failover timeline")).to_be_visible()
    assert len(page.context.pages) == 1, "no second browser tab"


def test_the_button_starts_watches_and_stops_a_cluster(lab: Any, chromium_page: Page) -> None:
    notebook = opened(lab, chromium_page, "simulated.ipynb")
    page: Page = notebook.page
    page.get_by_role("button", name="Start the cluster").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".halab-cluster progress")).to_be_visible()
    expect(page.locator(".halab-cluster-chips li").first).to_be_visible()
    notebook.screenshot("cluster-starting", ".halab-cluster")
    expect(page.locator(".halab-cluster tbody tr")).to_have_count(19)
    expect(page.locator(".halab-cluster")).to_contain_text("This is a simulation")
    expect(page.locator(".halab-cluster")).to_contain_text("19 of 19 processes healthy")
    stop = page.get_by_role("button", name="Stop it")
    expect(stop).to_be_focused()
    for width in (900, 600):
        page.set_viewport_size({"width": width, "height": 1000})
        notebook.screenshot(f"cluster-ready-{width}", ".halab-cluster")
    stop.click()
    expect(page.get_by_role("button", name="Start the cluster")).to_be_visible()
    expect(page.locator(".halab-cluster tbody tr")).to_have_count(0)
    expect(page.locator(".halab-cluster-status")).to_have_text("Not running.")


def test_a_failure_is_told_with_its_hint(lab: Any, chromium_page: Page) -> None:
    notebook = opened(lab, chromium_page, "failing.ipynb")
    page: Page = notebook.page
    page.get_by_role("button", name="Start the cluster").click()
    expect(page.get_by_role("alert")).to_contain_text("querycoord-1 did not answer in 60 s.")
    expect(page.get_by_role("alert")).to_contain_text("Free some memory.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    notebook.screenshot("cluster-failed", ".halab-cluster")


@pytest.mark.cluster
@pytest.mark.skipif(sys.platform != "linux", reason="needs the real embedded cluster: Linux x86-64")
def test_the_button_starts_the_real_cluster(lab: Any, chromium_page: Page) -> None:
    notebook = opened(lab, chromium_page, "course/00-start-here.ipynb")
    page: Page = notebook.page
    page.get_by_role("button", name="Start the cluster").click()
    expect(page.get_by_role("button", name="Stop it")).to_be_visible(timeout=120_000)
    expect(page.locator(".halab-cluster-facts")).to_contain_text("Milvus 2.3.5")
    expect(page.locator(".halab-cluster tbody tr")).to_have_count(19)
    rows = page.locator(".halab-cluster tbody tr").filter(has_text="rootcoord")
    expect(rows.filter(has_text="★ active")).to_have_count(1)
    expect(rows.filter(has_text="☆ standby")).to_have_count(1)
    # It is live: the table goes on without anybody pressing anything.
    uptime = rows.first.locator("td").nth(5)
    before = uptime.inner_text()
    expect(uptime).not_to_have_text(before)
    notebook.screenshot("cluster-real", ".halab-cluster")
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("button", name="Start the cluster")).to_be_visible(timeout=60_000)
