"""The exercise as a learner takes it: solve a task, press the button, read the points, ask for a hint."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from halab.course.catalogue import exercises
from halab.course.paths import course_root
from halab.grading.hints import STEPS, hints_of

pytestmark = [pytest.mark.browser, pytest.mark.grading]

NAME = "06-failover-timeline"
EXERCISE = f"exercises/{NAME}/{NAME}.ipynb"
PATIENT = 90_000  # milliseconds for what a kernel has to start or import first
COUNTS = """def counts(journal, operation):
    outcomes = [one["outcome"] for one in journal["samples"] if one["operation"] == operation]
    return outcomes.count("fail"), outcomes.count("unknown")"""


@pytest.fixture
def lab(
    open_lab: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """An empty folder for the learner: the exercise's copy is made when it is opened."""
    work = tmp_path_factory.mktemp("work")
    monkeypatch.setenv("HALAB_WORK", str(work))
    monkeypatch.setenv("HALAB_COURSE", str(course_root()))
    monkeypatch.setenv("HALAB_LEARNER", "ada")
    return open_lab(work)


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HALAB_LANG", raising=False)


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LANG", "zh")


def answer(notebook: Any, cell: str, source: str) -> None:
    """Write into a cell, as typing does: the notebook has changes that are not saved."""
    notebook.page.evaluate(
        """([id, source]) => window.jupyterapp.shell.currentWidget.content.widgets
             .find((cell) => cell.model.id === id).model.sharedModel.setSource(source)""",
        [cell, source],
    )


def run(notebook: Any, source: str) -> Locator:
    """Run the one cell that holds this text."""
    cell: Locator = notebook.cell(source)
    cell.locator(".cm-content").click()
    notebook.run_next(1)
    return cell.locator(".halab-grade")


def on_disk(lab: Any, cell: str) -> str:
    cells = json.loads((lab.root / EXERCISE).read_text())["cells"]
    return "".join(next(one for one in cells if one["id"] == cell)["source"])


def test_a_learner_solves_a_task_presses_the_button_and_asks_for_hints(
    english: None, lab: Any, chromium_page: Page
) -> None:
    page = chromium_page
    notebook = lab.open_notebook(page, EXERCISE, mode="lab")
    answer(notebook, "06-1-counts-answer", COUNTS)
    paste_a_cell(page)
    assert on_disk(lab, "06-1-counts-answer") != COUNTS
    box = run(notebook, "show_grade_panel(6)")
    button = box.locator(".halab-grade-button")
    expect(button).to_have_text("Grade my notebook", timeout=PATIENT)
    while_a_cell_runs_it_says_so(page, box)
    expect(box.locator("progress")).to_be_visible(timeout=PATIENT)
    notebook.screenshot("grade-grading", box)
    expect(box.locator("table").or_(box.get_by_role("alert"))).to_be_visible(timeout=PATIENT)
    assert box.get_by_role("alert").all_inner_texts() == []
    expect(box.get_by_role("status")).to_have_text("2 of 20 points")
    expect(button).to_be_focused()
    assert on_disk(lab, "06-1-counts-answer") == COUNTS, "it saved the notebook first"
    expect(box).not_to_contain_text("did not save")
    expect(box.get_by_role("row", name="passed Unknown is not failed")).to_contain_text("2 / 2")
    expect(box.get_by_role("row", name="not yet Separate blips stay separate")).to_contain_text("0 / 2")
    expect(box.locator(".halab-grade-next")).to_contain_text("Look at what task 06.1 still misses")
    hints_come_one_by_one(page, box)
    page.set_viewport_size({"width": 1280, "height": 1600})
    for theme in ("Light", "Dark"):
        notebook.theme(f"JupyterLab {theme}")
        notebook.screenshot(f"grade-{theme.lower()}", box)
    what_is_handed_in_can_be_taken_along(page, box)
    assert page.get_by_role("dialog").count() == 0, "JupyterLab asks nothing"


def paste_a_cell(page: Page) -> None:
    """One that JupyterLab does not trust, and with it the notebook."""
    page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel
             .insertCell(1, { cell_type: 'code', source: '1', metadata: {} })"""
    )
    trusted = "window.jupyterapp.shell.currentWidget.content.widgets[1].model.trusted"
    assert page.evaluate(trusted) is False


def while_a_cell_runs_it_says_so(page: Page, box: Locator) -> None:
    page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
             .requestExecute({ code: 'import time; time.sleep(3)' }); }"""
    )
    box.locator(".halab-grade-button").focus()
    page.keyboard.press("Enter")
    expect(box.get_by_role("status")).to_contain_text("Waiting for the kernel")


def what_is_handed_in_can_be_taken_along(page: Page, box: Locator) -> None:
    box.get_by_role("button", name="Hand in").click()
    said = box.locator(".halab-grade-handed-in")
    expect(said).to_contain_text("1 exercise and 0 journals of ada are in", timeout=PATIENT)
    with page.expect_download() as download:
        said.get_by_role("link", name="Download the file").click()
    assert download.value.path().read_bytes().startswith(b"PK")


def hints_come_one_by_one(page: Page, box: Locator) -> None:
    steps = hints_of(6)["06.1.windows"]
    hint = box.get_by_role("button", name="Hint for task 06.1")
    said = box.locator(".halab-grade-hints[data-task='06.1'] p")
    hint.focus()
    for given in range(1, len(STEPS) + 1):
        page.keyboard.press("Enter")
        expect(said).to_have_count(given)
        expect(said.last).to_have_text(f"{STEPS[given - 1]}: {steps[given - 1].replace('`', '')}")
    last = box.get_by_role("button", name="That was the last hint")
    expect(last).to_be_focused()
    expect(last).to_have_attribute("aria-disabled", "true")


def presses(slug: str) -> int:
    """Fifty each takes ten minutes: in CI one exercise gets them all, the others one of each kind."""
    return int(os.environ.get("HALAB_PRESSES", 50 if slug == NAME else 2))


@pytest.mark.parametrize("slug", [exercise.slug for exercise in exercises()])
def test_every_press_is_a_grade(english: None, lab: Any, chromium_page: Page, slug: str) -> None:
    """Pressed again and again, on a notebook that has changed and on one that has not."""
    notebook = lab.open_notebook(chromium_page, f"exercises/{slug}/{slug}.ipynb", mode="lab")
    box = run(notebook, "show_grade_panel(")
    button, grades = box.locator(".halab-grade-button"), lab.root / ".halab" / "grades.jsonl"
    expect(button).to_have_text("Grade my notebook", timeout=PATIENT)
    for press in range(1, presses(slug) + 1):
        if press % 2:
            shown = f"from halab.widgets import show_grade_panel\n\nshow_grade_panel({int(slug[:2])})"
            answer(notebook, "grade-button", f"{shown}  # {press}")
        button.click()
        wait_for_grades(grades, press, box)
        expect(button).to_have_attribute("aria-disabled", "false", timeout=PATIENT)
        expect(box.get_by_role("status")).to_have_text("0 of 20 points")
        expect(box.locator(".halab-grade-note")).to_have_count(0)


def wait_for_grades(grades: Path, count: int, box: Locator) -> None:
    end = time.monotonic() + PATIENT / 1000
    while not (grades.is_file() and len(grades.read_text().splitlines()) >= count):
        assert box.get_by_role("alert").all_inner_texts() == []
        assert time.monotonic() < end, f"grade {count} did not come"
        box.page.wait_for_timeout(50)


def test_it_speaks_chinese(chinese: None, lab: Any, chromium_page: Page) -> None:
    notebook = lab.open_notebook(chromium_page, EXERCISE, mode="lab")
    box = run(notebook, "show_grade_panel(6)")
    box.get_by_role("button", name="给我的笔记本评分").click(timeout=PATIENT)
    expect(box.get_by_role("status")).to_have_text("得 0 分，满分 20 分", timeout=PATIENT)
    box.get_by_role("button", name="任务 06.2 的提示").click()
    expect(box.locator(".halab-grade-hints[data-task='06.2'] p")).to_contain_text("哪里不对：")
    chromium_page.set_viewport_size({"width": 800, "height": 1600})
    notebook.screenshot("grade-zh", box)
