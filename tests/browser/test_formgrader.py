"""Formgrader, as an instructor opens it: JupyterLab in a course folder, with what two learners handed in."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from halab.course.paths import course_root

pytestmark = [pytest.mark.browser, pytest.mark.grading]

NAME = "06-failover-timeline"
SCREENSHOTS = course_root() / "build" / "screenshots"
PATIENT = 60_000  # milliseconds for what a server has to import first
# A submission is opened in a page that is logged in to the instructor's server: nothing in it may act.
TAKE = "window.top.taken = true"
HOSTILE = (
    f"<b>this is harmless</b> <img src='https://learner.example/' onerror='{TAKE}'><script>{TAKE}</script>"
    f"<svg onload='{TAKE}'><animate onbegin='{TAKE}' attributeName=x dur=1s></svg>"
    f"<details open ontoggle='{TAKE}'></details>"
    f"<a href='javascript:{TAKE}'>a link</a><iframe srcdoc='<script>{TAKE}</script>'></iframe>"
    "<style>@import 'https://learner.example/';</style><link rel=stylesheet href='https://learner.example/'>"
)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
# A picture's width and height go into the page without quotes, and its name as an address.
ATTRIBUTES = {
    "image/png": {"width": f"1 onload={TAKE.replace(' ', '')}"},
    "filenames": {"image/png": "https://learner.example/"},
}
DISPLAYS = f"""
from IPython.display import HTML, SVG, Markdown, display
display(HTML({HOSTILE!r}), Markdown({HOSTILE!r}))
display({{"image/svg+xml": {HOSTILE!r}, "application/javascript": {TAKE!r}}}, raw=True)
display({{"image/png": {PIXEL!r}}}, raw=True, metadata={ATTRIBUTES!r})
"""


def instructor(root: Path, port: int) -> list[str]:
    """Stock JupyterLab with nbgrader's pages, told not to look for news."""
    return [
        sys.executable, "-m", "jupyterlab", "--no-browser",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder in which ada earned everything, and bo lost a point and hid a trap in his notebook."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(course_root() / "solutions", root / "solutions")
    shutil.copy(course_root() / "nbgrader_config.py", root)
    nbgrader(root, "generate_assignment", NAME)
    for learner in ("ada", "bo"):
        notebook = nbformat.read(root / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
        if learner == "bo":
            answer = next(cell for cell in notebook.cells if cell.id == "06-3-misses-answer")
            answer.source = "misses = 1"
            attached = nbformat.v4.new_markdown_cell(f"{HOSTILE} ![x](attachment:x.svg)")
            attached.attachments = {"x.svg": {"image/svg+xml": HOSTILE}}
            notebook.cells[1:1] = [attached, nbformat.v4.new_code_cell(DISPLAYS)]
        place = root / ".nbgrader" / "submitted" / learner / NAME
        place.mkdir(parents=True)
        nbformat.write(notebook, place / f"{NAME}.ipynb")
    nbgrader(root, "autograde", NAME)
    return root


def nbgrader(root: Path, *arguments: str) -> None:
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def lab(course: Path, open_lab: Callable[..., Any]) -> Any:
    return open_lab(course, instructor)


@pytest.fixture
def formgrader(lab: Any, chromium_page: Page) -> FrameLocator:
    """Formgrader, opened from JupyterLab's menu."""
    page = chromium_page
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.goto(f"{lab.url}/lab?token={lab.token}&reset")
    page.get_by_role("menuitem", name="Nbgrader").click(timeout=PATIENT)
    page.get_by_role("menuitem", name="Formgrader", exact=True).click()
    return page.frame_locator("iframe").first


def shot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_an_instructor_goes_from_the_gradebook_to_a_submission(
    formgrader: FrameLocator, chromium_page: Page
) -> None:
    page = chromium_page
    expect(formgrader.get_by_role("link", name=NAME)).to_be_visible(timeout=PATIENT)
    shot(page, "formgrader-assignments")
    formgrader.get_by_role("link", name="Manual Grading").click()
    formgrader.get_by_role("link", name=NAME).click()
    expect(formgrader.locator(".breadcrumb")).to_contain_text(NAME)
    formgrader.locator("tbody").get_by_role("link", name=NAME).click()
    rows = formgrader.locator("tbody tr")
    expect(rows).to_have_count(2)
    shot(page, "formgrader-gradebook")
    for points in ("20 / 20", "19 / 20"):
        expect(rows.filter(has_text=points)).to_have_count(1)
    rows.filter(has_text="19 / 20").get_by_role("link").first.click()

    score = formgrader.locator("input[id='06-3-misses']")
    expect(formgrader.locator("input.score")).to_have_count(14, timeout=PATIENT)
    expect(score).to_have_value("")  # what was graded by machine stands as the field's placeholder
    expect(score).to_have_attribute("placeholder", "0")
    score.scroll_into_view_if_needed()
    shot(page, "formgrader-submission")
    it_tells_what_was_expected(formgrader)
    nothing_of_the_submission_acts(formgrader, page)


def it_tells_what_was_expected(formgrader: FrameLocator) -> None:
    expect(formgrader.locator(".output_error")).to_have_count(1)
    expect(formgrader.locator(".output_error")).to_contain_text("halab hint 06.3.misses")


def nothing_of_the_submission_acts(formgrader: FrameLocator, page: Page) -> None:
    """`chromium_page` fails besides if the trap's picture is asked for."""
    expect(formgrader.get_by_text("this is harmless").first).to_be_visible()
    assert formgrader.locator("body").evaluate("window.top.taken === undefined && window.taken === undefined")
    assert formgrader.locator("img[src*='learner.example'], iframe, svg, [onload], details").count() == 0
    assert formgrader.locator("img").count() == 1  # the picture is there, with nothing beside it


@pytest.fixture(scope="module")
def let_through(course: Path) -> Path:
    """ada's feedback, with a trap in her graded notebook as if every filter had let it pass."""
    place = course / ".nbgrader" / "autograded" / "ada" / NAME
    path = place / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    trap = nbformat.v4.new_output("display_data", {"image/png": PIXEL}, metadata=ATTRIBUTES)
    trap.metadata.pop("filenames")  # the address of a picture that is there
    cell.outputs = [trap]
    for written in (place, path):
        written.chmod(0o755)
    nbformat.write(notebook, path)
    nbgrader(course, "generate_feedback", NAME, "--student=ada")
    return course / ".nbgrader" / "feedback" / "ada" / NAME / f"{NAME}.html"


TRAPS = "img[onload]"


def nothing_acted(page: Page) -> None:
    expect(page.locator(TRAPS)).to_have_count(1)  # else the trap was none
    expect(page.locator(TRAPS)).to_have_js_property("complete", True)
    assert page.evaluate("window.taken === undefined && window.top.taken === undefined")


def test_a_script_that_got_past_the_filters_does_not_run_and_formgrader_s_own_do(
    course: Path, lab: Any, let_through: Path, chromium_context: BrowserContext
) -> None:
    with Gradebook(f"sqlite:///{course / '.nbgrader' / 'gradebook.db'}", "halab") as gradebook:
        number = gradebook.find_submission_notebook(NAME, NAME, "ada").id
    page = chromium_context.new_page()  # one that may tell of what it refused
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.goto(f"{lab.url}/lab?token={lab.token}")
    page.goto(f"{lab.url}/formgrader/submissions/{number}/")
    expect(page.locator("input.score")).to_have_count(14, timeout=PATIENT)
    expect(page.locator("input[id='06-3-misses']")).to_have_attribute("placeholder", "1")
    nothing_acted(page)
    assert refused
    assert all("Content Security Policy" in text for text in refused)
    eye, name = page.locator(".glyphicon.name-hidden"), page.locator("a.name-shown")
    eye.hover()
    expect(page.locator(".tooltip")).to_contain_text("Show student name")
    expect(name).to_be_hidden()
    eye.click()
    expect(name).to_have_text("ada")
    page.get_by_role("button", name="No credit").first.click()
    expect(page.locator("input.score").first).to_have_value("0")
    expect(page.locator(".score-saved").first).to_be_visible()
    shot(page, "formgrader-refused")
    page.close()


def test_nor_does_it_run_in_feedback(let_through: Path, chromium_context: BrowserContext) -> None:
    page = chromium_context.new_page()
    page.goto(let_through.as_uri())
    nothing_acted(page)
    page.close()
