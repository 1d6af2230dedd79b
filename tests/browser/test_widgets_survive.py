"""Widgets after the browser was closed, the kernel restarted, and JupyterLab started anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

pytestmark = pytest.mark.browser

CELLS = (
    "from halab.widgets.timeline import FailoverTimeline\n\nFailoverTimeline()",
    "from halab.widgets.grade_panel import GradePanel\n\nGradePanel(6)",
)
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's folder with a notebook of two widgets."""
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))
    monkeypatch.delenv("HALAB_LANG", raising=False)
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS], metadata=KERNEL
    )
    nbformat.write(made, tmp_path / "widgets.ipynb")
    return tmp_path


def opened(lab: Any, chromium: Browser) -> Any:
    """The notebook in a browser that was closed before."""
    for context in chromium.contexts:
        context.close()
    page = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    return lab.open_notebook(page, "widgets.ipynb", mode="lab")


def widgets(notebook: Any) -> Locator:
    return notebook.panel.locator(".halab-host")


def save(notebook: Any) -> None:
    notebook.page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")


def test_a_widget_lives_on_or_says_how_to_have_it_back(
    lab_anew: Callable[[Path], Any], work: Path, chromium: Browser
) -> None:
    lab = lab_anew(work)
    notebook = opened(lab, chromium)
    notebook.run_all()
    expect(widgets(notebook)).to_have_count(2)
    save(notebook)

    notebook = opened(lab, chromium)
    expect(widgets(notebook)).to_have_count(2)
    ended = notebook.panel.locator(".halab-ended")
    expect(ended).to_have_count(0)

    notebook.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(ended).to_have_count(2)
    expect(ended.first).to_contain_text("was restarted. Before you use it, run this cell again")
    expect(widgets(notebook)).to_have_count(2)
    notebook.screenshot("widgets-restarted")

    notebook = opened(lab, chromium)
    earlier = notebook.panel.get_by_text("From an earlier session. To use it, run this cell again")
    expect(earlier).to_have_count(2)
    notebook.run_all()
    expect(widgets(notebook)).to_have_count(2)
    expect(earlier).to_have_count(0)
    save(notebook)

    notebook = opened(lab_anew(work), chromium)
    expect(notebook.panel.get_by_text("From an earlier session.")).to_have_count(2)
    expect(notebook.panel.locator(".jp-OutputArea img")).to_be_visible()
    expect(notebook.panel).not_to_contain_text("model not found")
    notebook.screenshot("widgets-next-day")
