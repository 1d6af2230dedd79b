"""The grade button: what it shows of a grade, its hints, and no harm done where nobody can press it."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from halab.course.paths import state_dir, work_dir
from halab.course.store import append, read
from halab.errors import SubmissionError
from halab.grading.grader import Check, GradeReport
from halab.grading.hints import hints_of
from halab.grading.sandbox.box import Sandbox
from halab.widgets import grade_panel as module
from halab.widgets import show_grade_panel
from halab.widgets.grade_panel import GradePanel

BEHAVIOUR = "Two spells with good service between them stay two outages."


@pytest.fixture(autouse=True)
def _own_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))
    monkeypatch.delenv("HALAB_LANG", raising=False)
    copy().parent.mkdir(parents=True)
    copy().write_text("{}")


def copy() -> Path:
    return work_dir() / "exercises" / "06-failover-timeline" / "06-failover-timeline.ipynb"


def a_report() -> GradeReport:
    """Task 1 has 2 of 4 points, task 2 all of its 3."""
    checks = (
        Check("06-1-windows", "06.1", "Windows", 2, 2),
        Check("06-1-blips", "06.1", "Blips", 0, 2, BEHAVIOUR, "06.1.blips"),
        Check("06-2-retry", "06.2", "Retry", 3, 3),
    )
    return GradeReport(6, "06-failover-timeline", "ada", checks, ("A cell was put back.",), 1.5, time.time())


def graded_by(monkeypatch: pytest.MonkeyPatch, grade: Callable[..., GradeReport]) -> None:
    """Let this stand for the grader; JupyterLab saves nothing here, which need not be waited for."""
    monkeypatch.setattr(module, "grade", grade)
    monkeypatch.setattr(module, "_SAVED", 0.02)


def kept(card: int, on_progress: Callable[[float], None]) -> GradeReport:
    """Grade as `halab grade` does, which keeps the report for the hints."""
    on_progress(0.5)
    report = a_report()
    append(state_dir() / "grades.jsonl", report.as_dict())
    return report


def pressed(button: GradePanel) -> GradePanel:
    """Press, as the browser does, and wait until it has ended."""
    button._from_browser(button, {"grade": 6}, [])
    wait_for(lambda: button.state in ("graded", "failed"))
    return button


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def test_a_press_shows_the_points_of_each_task(monkeypatch: pytest.MonkeyPatch) -> None:
    graded_by(monkeypatch, kept)
    report = pressed(GradePanel(6)).report
    assert (report["points"], report["out_of"]) == (5, 7)
    assert [(task["task"], task["points"], task["out_of"]) for task in report["tasks"]] == [
        ("06.1", 2, 4),
        ("06.2", 3, 3),
    ]
    assert [check["behaviour"] for check in report["tasks"][0]["checks"]] == ["", BEHAVIOUR]
    assert report["notes"] == ["A cell was put back."]


@pytest.mark.parametrize(
    ("card", "path"), [(6, "course/07-rto-rpo.ipynb"), (10, "course/00-start-here.ipynb")]
)
def test_a_report_names_what_comes_after_it(card: int, path: str) -> None:
    assert module._shown(replace(a_report(), card=card))["following"]["path"] == path


def test_the_kernel_stays_free_and_sees_how_far_grading_is(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    states: list[tuple[str, float]] = []

    def slow(card: int, on_progress: Callable[[float], None]) -> GradeReport:
        on_progress(0.5)
        assert goes_on.wait(20)
        return a_report()

    graded_by(monkeypatch, slow)
    button = GradePanel(6)
    button.observe(lambda _: states.append((button.state, button.share)), ["state", "share"])
    button.press()
    wait_for(lambda: button.share == 0.5)
    button.press()  # a second press while it is under way changes nothing
    goes_on.set()
    wait_for(lambda: button.state == "graded")
    assert states == [("saving", 0.0), ("grading", 0.0), ("grading", 0.5), ("graded", 0.5)]


def test_all_buttons_grade_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def noted(card: int, on_progress: Callable[[float], None]) -> GradeReport:
        seen.append(threading.current_thread())
        return a_report()

    graded_by(monkeypatch, noted)
    for _ in range(2):
        pressed(GradePanel(6))
    assert seen[0] is seen[1]
    assert seen[0] is not threading.main_thread()


def test_the_thread_ends_when_nothing_is_asked_of_it_and_a_new_one_serves_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GRADER", module._Grader())
    monkeypatch.setattr(module, "_IDLE", 0.1)
    seen: list[threading.Thread] = []

    def noted(card: int, on_progress: Callable[[float], None]) -> GradeReport:
        seen.append(threading.current_thread())
        return a_report()

    graded_by(monkeypatch, noted)
    pressed(GradePanel(6))
    wait_for(lambda: not seen[0].is_alive())
    pressed(GradePanel(6))
    assert seen[1] is not seen[0]


def test_it_waits_for_the_notebook_to_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []

    def reads(card: int, on_progress: Callable[[float], None]) -> GradeReport:
        found.append(copy().read_text())
        return a_report()

    graded_by(monkeypatch, reads)
    monkeypatch.setattr(module, "_SAVED", 20)
    button = GradePanel(6)
    # JupyterLab saves when it is told that the button was pressed.
    button.observe(lambda change: change["new"] == "saving" and copy().write_text("saved"), "state")
    assert pressed(button).saved
    assert found == ["saved"]


def test_what_was_not_saved_is_graded_all_the_same_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    graded_by(monkeypatch, kept)
    button = pressed(GradePanel(6))
    assert button.state == "graded"
    assert not button.saved


def test_a_notebook_that_cannot_be_graded_is_told_with_its_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(card: int, on_progress: Callable[[float], None]) -> GradeReport:
        raise SubmissionError("It is no notebook.", hint="Rename it.")

    graded_by(monkeypatch, refuse)
    button = pressed(GradePanel(6))
    assert button.problem == {"message": "It is no notebook.", "hint": "Rename it."}
    assert "It is no notebook." in repr(button)
    graded_by(monkeypatch, kept)
    assert pressed(button).state == "graded", "it can be pressed again"


def test_hints_come_one_step_at_a_time_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    graded_by(monkeypatch, kept)
    button = pressed(GradePanel(6))
    steps = hints_of(6)["06.1.blips"]
    for given in (1, 2, 3, 3):
        button._from_browser(button, {"hint": "06.1"}, [])
        assert button.hints["06.1"] == {"steps": steps[:given], "of": 3, "problem": ""}
    counted = [one["topic"] for one in read(state_dir() / "hints.jsonl")]
    assert counted == ["06.1.blips"] * 4
    pressed(button)
    assert button.hints == {}, "a new grade starts with no hint on show"


def test_a_hint_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    graded_by(monkeypatch, kept)
    button = pressed(GradePanel(6))
    button._from_browser(button, {"hint": "06.2"}, [])
    assert "had all its points" in button.hints["06.2"]["problem"]


def test_handing_in_packs_what_is_saved_and_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LEARNER", "ada")
    button = GradePanel(6)
    button._from_browser(button, {"hand_in": True}, [])
    assert button.handed_in["path"] == "hand-in/hand-in-ada.zip"
    assert (work_dir() / button.handed_in["path"]).is_file()
    assert "1 exercise and 0 journals of ada" in button.handed_in["said"]
    copy().unlink()
    button._from_browser(button, {"hand_in": True}, [])
    assert not button.handed_in["ok"]
    assert "no exercise" in button.handed_in["said"]


def test_its_text_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    graded_by(monkeypatch, kept)
    button = GradePanel(6)
    assert "halab grade 06" in repr(button)
    pressed(button)
    button.hint("06.1")
    for said in ("5 of 7 points", "Task 06.1: 2 of 4", f"✗ Blips: 0 of 2. {BEHAVIOUR}", "✓ Retry", "hint: "):
        assert said in repr(button)
    assert "A cell was put back." in repr(button)


def test_it_speaks_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_LANG", "zh")
    assert GradePanel(6).lang == "zh"


@pytest.mark.grading
def test_in_the_grading_sandbox_it_does_nothing_and_loads_no_widget() -> None:
    cell = "from halab.widgets import show_grade_panel\n\nshow_grade_panel(6)"
    with Sandbox() as sandbox, sandbox.box("ada") as box:
        said, error = box.run(cell, box.limit(20))
        _, missing = box.run("import sys\nassert 'anywidget' not in sys.modules", box.limit(20))
    assert error is None
    assert missing is None
    assert said == []


def test_in_a_kernel_it_is_the_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halab.widgets.get_ipython", lambda: SimpleNamespace(kernel=object()))
    assert isinstance(show_grade_panel(6), GradePanel)
