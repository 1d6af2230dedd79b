"""Makes the README's pictures of JupyterLab anew: a lab while it runs, and an exercise that was graded.

    python docs/pictures.py        needs Chromium, and takes about two minutes

Each is made in the light theme and in the dark one. The lab runs on a real cluster; in the moving picture two
seconds of the run pass in one.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image
from playwright.sync_api import Error, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests")]
from conftest import FLAGS, Lab, Notebook, chromium_path, learners, start_lab, stop  # noqa: E402

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SIZE = {"width": 1040, "height": 900}
CELLS = [
    "from halab.lessons import failover_timeline as lesson\n\ncluster = lesson.cluster()",
    "retriever = lesson.Retriever(cluster)",
    'crash = lesson.experiment(cluster, "crash active rootcoord", retriever=retriever, seconds=14)',
    "cluster.down()",
]
EXERCISE = "exercises/06-failover-timeline/06-failover-timeline.ipynb"
ANSWERED = (
    "06-1-outages",
    "06-1-rto-answer",
    "06-1-counts-answer",
)  # the cells of task 1; the rest is left open
EVERY = 0.5  # seconds of the run between two frames
SHOWN = 250  # milliseconds that a frame is shown
LAST = 4000  # milliseconds that the last one is


def main() -> None:
    """Write the pictures into docs/."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ |= {"HALAB_HOME": folder, "HALAB_WORK": str(home / "work"), "HALAB_COURSE": str(ROOT)}
        os.environ |= {"HALAB_LANG": "en"}
        (home / "work").mkdir()
        write_notebook(home / "work")
        lab, server = start_lab(home / "work", home, learners)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
                for theme in THEMES:
                    page = browser.new_page(viewport=SIZE)
                    record_lab(lab, page, theme)
                    page.close()
                picture_grade(lab, browser.new_page(viewport=SIZE))
                browser.close()
        finally:
            stop(server)


def write_notebook(work: Path) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), work / "lab.ipynb")


def record_lab(lab: Lab, page: Page, theme: str) -> None:
    """Run the lab; its lanes become a moving picture, and the window while the fault lasts a still one."""
    notebook = lab.open_notebook(page, "lab.ipynb")
    notebook.theme(THEMES[theme])
    notebook.run_next(2)
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    lane = page.locator(".halab-live")
    lane.locator(".halab-mark-ok").first.wait_for(state="attached")
    began, frames, still = time.monotonic(), [], False
    while lane.count():
        if not still and time.monotonic() - began > 13:
            page.screenshot(path=ROOT / "docs" / f"lab-{theme}.png", clip=around(notebook, lane))
            still = True
        try:
            frames.append(Image.open(io.BytesIO(lane.screenshot(timeout=1000))).convert("RGB"))
        except Error as error:  # the lanes fold while they are photographed: that was the last frame
            print(f"{theme}: {len(frames)} frames ({type(error).__name__})")
            break
        page.wait_for_timeout(max(0, (began + EVERY * len(frames) - time.monotonic()) * 1000))
    save(frames, ROOT / "docs" / f"live-{theme}.gif")
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    notebook.run_next(1)


def picture_grade(lab: Lab, page: Page) -> None:
    """An exercise of which one task is answered, graded by its button, with the next task's first hint."""
    solved = nbformat.read(ROOT / "solutions" / Path(EXERCISE).relative_to("exercises"), as_version=4)
    answers = {cell.id: cell.source for cell in solved.cells if cell.id in ANSWERED}
    notebook = lab.open_notebook(page, EXERCISE)
    page.evaluate(
        """(answers) => {
             const cells = window.jupyterapp.shell.currentWidget.content;
             for (const { model } of cells.widgets)
               if (answers[model.id]) model.sharedModel.setSource(answers[model.id]);
             cells.activeCellIndex = cells.widgets.length - 1;
           }""",
        answers,
    )
    notebook.run_next(1)
    panel = page.locator(".halab-grade")
    panel.get_by_role("button", name="Grade my notebook").click()
    panel.get_by_role("button", name="Hint for task 06.2").click(timeout=120_000)
    panel.locator(".halab-grade-hints p").first.wait_for()
    page.set_viewport_size({**SIZE, "height": 1600})
    for theme, name in THEMES.items():
        notebook.theme(name)
        panel.screenshot(path=ROOT / "docs" / f"grade-{theme}.png")


def around(notebook: Notebook, lane: Any) -> dict[str, float]:
    """The part of the window from the first cell to the end of the lanes."""
    first = notebook.panel.locator(".jp-Cell").first.bounding_box()
    box = lane.bounding_box()
    bottom = box["y"] + box["height"] + 12
    return {"x": first["x"], "y": first["y"], "width": first["width"], "height": bottom - first["y"]}


def save(frames: list[Image.Image], path: Path) -> None:
    """One moving picture: each frame on a ground as high as the highest, in the last frame's colours."""
    height = max(frame.height for frame in frames)
    colours = frames[-1].quantize(256)
    drawn = []
    for frame in frames:
        ground = Image.new("RGB", (frame.width, height), frame.getpixel((frame.width // 2, 4)))
        ground.paste(frame)
        drawn.append(ground.quantize(palette=colours, dither=Image.Dither.NONE))
    times = [SHOWN] * (len(drawn) - 1) + [LAST]
    drawn[0].save(path, save_all=True, append_images=drawn[1:], duration=times, loop=0, optimize=True)


if __name__ == "__main__":
    main()
