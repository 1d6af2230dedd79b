"""A measurement is seen in JupyterLab while it runs, and leaves a sentence that needs no kernel."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

# The service is a fake; what is tried here is what is seen of it.
CELL = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from halab.lessons import common
from halab.measure.experiments.experiment_steps import ExperimentSteps
from halab.measure.probing.prober import probe
from support.scripted_milvus import Script, ScriptedCluster, ScriptedOperation, Spell

script = Script([Spell(2.0, 4.0, "error"), Spell(4.0, 5.0, "nothing")])
run = probe(ScriptedCluster(), [ScriptedOperation("search", script)], rate=20.0)
steps = ExperimentSteps(run)
steps.on_progress("waiting until every search finds something")
script.begin()
with run:
    steps.wait(7, "before the fault")
steps.count_rows(run.journal, None)
print("the end")
"""


def test_lanes_fill_before_the_eyes_and_fold_to_a_sentence(lab_with, chromium_page: Page) -> None:  # type: ignore[no-untyped-def]
    lab = lab_with({"live": [CELL]})
    notebook = lab.open_notebook(chromium_page, "live.ipynb")
    chromium_page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    lane = chromium_page.locator(".halab-live")
    expect(lane.locator(".halab-live-sentence")).to_contain_text("the last 20 searches", timeout=30_000)
    answered, failed = (lane.locator(f"svg[role=img] .halab-mark-{fate}") for fate in ("ok", "fail"))
    early = len(answered.get_attribute("d") or "")
    assert failed.count() == 0
    expect(failed).to_be_attached(timeout=10_000)
    assert len(answered.get_attribute("d") or "") > early
    expect(lane.locator("[role=status]")).to_contain_text("before the fault")
    notebook.screenshot("live-lane", lane)
    output = notebook.panel.locator(".jp-OutputArea").first
    expect(output).to_contain_text("Measured: ", timeout=20_000)
    expect(output).to_contain_text("answered, but nothing found")
    assert lane.count() == 0  # no widget is left that a notebook opened again could miss
