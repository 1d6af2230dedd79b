"""A notebook that is opened and not touched has nothing to save."""

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
    "path", ["course/06-failover-timeline.ipynb", "exercises/01-essence/01-essence.ipynb"]
)
def test_a_notebook_that_nobody_touched_is_not_unsaved(lab: Any, chromium_page: Page, path: str) -> None:
    lab.open_notebook(chromium_page, path, mode="lab")
    chromium_page.wait_for_timeout(1500)  # what the kernel tells of itself has arrived by then
    assert chromium_page.evaluate(f"{MODEL}.dirty") is False
    chromium_page.evaluate("window.jupyterapp.commands.execute('application:close')")
    expect(chromium_page.locator(".jp-NotebookPanel")).to_have_count(0)
    assert chromium_page.get_by_role("dialog").count() == 0
