"""How fast timeline and calculator answer a slider, and how smoothly the first plays, in headless Chromium.

    python benchmarks/slider.py

Measured in the page: from the mouse press on a slider's track to the changed picture in the DOM, and to the
next animation frame after that. Then the frames while it plays. No GPU; the kernel has no part in either.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright

# The tests know how to start JupyterLab in folders of its own; the benchmark starts it the same way.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from conftest import FLAGS, chromium_path, learners, start_lab, stop

MOVES = 40
PLAY_SECONDS = 6.0
TIMELINE = """from halab.models.failover import MILVUS
from halab.sim.failover_requests import simulate
from halab.widgets.timeline import FailoverTimeline, lane
run = simulate(MILVUS, at=5, end=25, seed=4)
FailoverTimeline(lanes=[lane("A lane of 20 requests a second", run.samples, at=5, simulated=True)])"""
CALCULATOR = """from halab.widgets.availability_calculator import CopiesCalculator
CopiesCalculator(copies=3, beta=0.05, failover=12)"""

WATCH = """([controls, picture]) => {
  window.redraws = [];
  let pressed = 0;
  const press = (event) => { pressed = event.timeStamp; };
  document.querySelector(controls).addEventListener('pointerdown', press, true);
  new MutationObserver(() => {
    if (!pressed) return;
    const changed = performance.now() - pressed;
    const since = pressed;
    pressed = 0;
    requestAnimationFrame(() => window.redraws.push([changed, performance.now() - since]));
  }).observe(document.querySelector(picture), { childList: true });
}"""

FRAMES = """(seconds) => new Promise((resolve) => {
  const times = [];
  const tick = (now) => {
    times.push(now);
    if (now - times[0] < seconds * 1000) requestAnimationFrame(tick); else resolve(times);
  };
  document.querySelector('.halab-timeline-play').click();
  requestAnimationFrame(tick);
})"""


def redraws(page: Page, widget: str, name: str, picture: str) -> list[tuple[float, float]]:
    """Press the mouse on a slider's track, here and there; milliseconds to DOM and to the next frame."""
    page.evaluate(WATCH, [f".halab-{widget}-controls", picture])
    slider = page.locator(f'.halab-{widget} .halab-slider input[name="{name}"]')
    slider.scroll_into_view_if_needed()
    for move in range(MOVES):
        box = slider.bounding_box()
        assert box
        share = 0.2 + 0.6 * (move % 2)
        page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        page.wait_for_timeout(120)
    return [tuple(each) for each in page.evaluate("window.redraws")]


def frame_gaps(page: Page) -> list[float]:
    """Milliseconds between frames while the animation plays."""
    page.locator(".halab-timeline-axis").press("Home")
    times = page.evaluate(FRAMES, PLAY_SECONDS)
    return [later - earlier for earlier, later in pairwise(times)]


def line(name: str, values: list[float], unit: str) -> str:
    ordered = sorted(values)
    p90 = ordered[int(0.9 * (len(ordered) - 1))]
    middle = statistics.median(ordered)
    return f"{name:38} {middle:8.1f} {p90:8.1f} {ordered[-1]:8.1f}  {unit}  (n={len(ordered)})"


def main() -> None:
    root, home = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in (TIMELINE, CALCULATOR)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), root / "slider.ipynb")
    lab, server = start_lab(root, home, learners)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
            page = browser.new_context(viewport={"width": 1100, "height": 1300}).new_page()
            lab.open_notebook(page, "slider.ipynb").run_all()
            page.wait_for_selector(".halab-timeline")
            page.wait_for_selector(".halab-calculator")
            measured = redraws(page, "timeline", "misses", ".halab-timeline-lane-box")
            worked_out = redraws(page, "calculator", "mttr", ".halab-calculator-chart")
            gaps = frame_gaps(page)
            browser.close()
    finally:
        stop(server)
    print(f"{'':38} {'median':>8} {'p90':>8} {'max':>8}")
    for widget, found in (("timeline", measured), ("calculator", worked_out)):
        print(line(f"{widget}: press to changed picture", [changed for changed, _ in found], "ms"))
        print(line(f"{widget}: press to next frame", [framed for _, framed in found], "ms"))
    print(line("between frames while playing", gaps, "ms"))
    print(f"{'frames a second while playing':38} {1000 * len(gaps) / sum(gaps):8.1f}")


if __name__ == "__main__":
    main()
