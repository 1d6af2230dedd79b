"""From English to Chinese by the switch on the start page, and what a learner wrote stays."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

EXERCISE = "exercises/06-failover-timeline/06-failover-timeline.ipynb"
MINE = "def outages(journal, operation):\n    return []  # mine"


@pytest.fixture(scope="module")
def lab(open_lab: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(root))
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.delenv("HALAB_LANG", raising=False)
        yield open_lab(root)


def answer(lab: Any, source: str) -> None:
    """Write an answer into the copy, as a learner did and saved it."""
    path = lab.root / EXERCISE
    notebook = json.loads(path.read_text())
    next(cell for cell in notebook["cells"] if cell["id"] == "06-1-outages")["source"] = source
    path.write_text(json.dumps(notebook))


def test_the_switch_changes_what_is_opened_and_nothing_that_was_written(
    lab: Any, chromium_page: Page
) -> None:
    page = chromium_page
    notebook = lab.open_notebook(page, EXERCISE)
    expect(notebook.panel.get_by_role("heading", name="Exercise 6: the failover timeline")).to_be_visible()
    answer(lab, MINE)
    notebook = lab.open_notebook(page, "course/00-start-here.ipynb", mode="lab")
    notebook.run_all()
    switch = notebook.cell("LanguageSwitch")
    switch.get_by_label("中文").check()
    expect(switch.get_by_role("status")).to_contain_text("课程已切换为中文")
    board = page.locator(".halab-board-summary")  # shown before the switch, and not run again
    expect(board).to_contain_text("下一步")
    switch.get_by_label("English").check()
    expect(board).to_contain_text("Next")
    switch.get_by_label("中文").check()
    expect(board).to_contain_text("下一步")
    notebook.screenshot("zh-switch", switch)

    notebook = lab.open_notebook(page, "course/06-failover-timeline.ipynb", mode="lab")
    expect(page.get_by_role("menuitem", name="文件")).to_be_visible()  # JupyterLab's own menu
    expect(notebook.panel.get_by_role("heading", level=1)).to_contain_text("故障转移的时间线")
    notebook.run_next(3)
    notebook.screenshot("zh-lesson-06")

    notebook = lab.open_notebook(page, EXERCISE)
    expect(notebook.panel.get_by_role("heading", level=1)).to_contain_text("练习 6")
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel", has_text="06-failover-timeline.ipynb")
    words = "(label) => getComputedStyle(label, '::before').content"
    assert tab.evaluate(words) == '"练习 "'
    sources = page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
             .map((cell) => [cell.model.id, cell.model.sharedModel.source])"""
    )
    assert dict(sources)["06-1-outages"] == MINE
    assert "# YOUR CODE HERE" in dict(sources)["06-1-rto-answer"]
    notebook.screenshot("zh-exercise-06")
