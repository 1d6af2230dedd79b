"""A notebook that is opened and not touched: its tab, its folder, and nothing to save."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from halab.course.paths import course_root

pytestmark = pytest.mark.browser

MODEL = "window.jupyterapp.shell.currentWidget.context.model"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The learner's folder."""
    root: Path = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(root))
        patch.setenv("HALAB_COURSE", str(course_root()))
        yield root


@pytest.fixture(scope="module")
def lab(open_lab: Callable[[Path], Any], work: Path) -> Any:
    return open_lab(work)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("course/06-failover-timeline.ipynb", "none"), ("exercises/01-essence/01-essence.ipynb", '"Exercise "')],
)
def test_a_notebook_that_nobody_touched(lab: Any, chromium_page: Page, path: str, kind: str) -> None:
    page = chromium_page
    notebook = lab.open_notebook(page, path, mode="lab")
    notebook.screenshot(f"untouched-{path.split('/')[0]}")
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel", has_text=Path(path).name)
    assert tab.evaluate("(label) => getComputedStyle(label, '::before').content") == kind
    if path.startswith("course/"):
        expect(page.locator(".jp-DirListing-item", has_text="01-essence.ipynb")).to_be_visible()
    page.wait_for_timeout(1500)  # what the kernel tells of itself has arrived by then
    assert page.evaluate(f"{MODEL}.dirty") is False
    page.evaluate("window.jupyterapp.commands.execute('application:close')")
    expect(page.locator(".jp-NotebookPanel")).to_have_count(0)
    assert page.get_by_role("dialog").count() == 0
