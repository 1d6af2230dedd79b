"""Widgets after the page was loaded anew, the browser closed, the kernel restarted, or JupyterLab."""

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
# A lab as lesson 6 shows it while it runs, of a fake service, and what lesson 9 plays with.
LAB = (
    f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[1])!r})",
    "from halab.lessons import health_checks as lesson\n\nlesson.ProbeTuner()",
    """
from halab.lessons import failover_timeline as lesson
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.probing.prober import probe
from support.scripted_milvus import Script, ScriptedCluster, ScriptedOperation, Spell

script = Script([Spell(1.0, 2.0, "error")])
run = probe(ScriptedCluster(), [ScriptedOperation("search", script)], rate=20.0)
steps = ExperimentSteps(run)
script.begin()
with run:
    steps.wait(6, "crash active rootcoord")
steps.count_rows(run.journal, None)
lesson.show_run(run.journal)
""",
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


def test_a_page_that_is_loaded_anew_while_a_lab_runs_or_after_it_misses_nothing(
    lab_anew: Callable[[Path], Any], work: Path, chromium: Browser
) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in LAB], metadata=KERNEL)
    nbformat.write(made, work / "widgets.ipynb")
    lab = lab_anew(work)
    notebook = opened(lab, chromium)
    notebook.page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    lane = notebook.panel.locator(".halab-live")
    expect(lane.locator(".halab-mark-fail")).to_be_attached(timeout=30_000)
    save(notebook)  # as JupyterLab does by itself now and then

    notebook = opened(lab, chromium)  # while it runs
    expect(notebook.panel.locator(".halab-live")).to_contain_text("Measured: ", timeout=30_000)
    expect(notebook.panel.locator(".halab-tuner")).to_be_visible()

    notebook = opened(lab, chromium)  # after it ended, of the same file
    expect(notebook.panel.locator(".halab-live")).to_contain_text("Measured: ")
    expect(notebook.panel).not_to_contain_text("model not found")
    notebook.screenshot("widgets-loaded-anew")
