"""Submissions that break: each costs only itself, and its learner is told what to do."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from traitlets.config import Config

from halab.course.paths import course_root
from halab.errors import CourseError
from halab.grading import grader
from halab.grading.grader import grade_notebook
from halab.grading.nbgrader_plugins import GradeInSandbox
from halab.grading.sandbox import box
from halab.grading.sandbox.time_limit import TimeLimit

pytestmark = pytest.mark.grading

NAME = "06-failover-timeline"


def submission(folder, source):
    """The solution with this source in front of its first answer."""
    notebook = nbformat.read(course_root() / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    answer = next(cell for cell in notebook.cells if cell.id == "06-1-outages")
    answer.source = f"{source}\n{answer.source}"
    path = folder / "mine.ipynb"
    nbformat.write(notebook, path)
    return path


def test_a_process_that_ends_itself_costs_what_comes_after(tmp_path):
    report = grade_notebook(submission(tmp_path, "import os; os._exit(1)"), NAME, "ada")
    assert report.points == 0
    assert all("it ended its Python process" in check.behaviour for check in report.checks)
    assert all("In cell 7 of the notebook" in check.behaviour for check in report.checks)


def test_a_cell_without_end_is_ended_and_the_rest_is_graded(tmp_path):
    report = grade_notebook(submission(tmp_path, "while True: pass"), NAME, "ada", told_in="zh")
    assert any("你的代码还在运行" in check.behaviour for check in report.checks)  # not the grader's language
    assert {check.task for check in report.checks if not check.passed} == {"06.1"}


GRADES_ALONE = """
import sys
from pathlib import Path
from halab.grading.grader import grade_notebook
grade_notebook(Path(sys.argv[1]), sys.argv[2], "ada")
"""


def test_killed_with_its_whole_process_group_it_leaves_no_process_and_no_folder(tmp_path):
    """As JupyterLab ends a kernel, here in the middle of a job."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    path = submission(tmp_path, "while True: pass")
    owner = subprocess.Popen(
        [sys.executable, "-c", GRADES_ALONE, str(path), NAME],
        env=os.environ | {"TMPDIR": str(temporary)},
        start_new_session=True,
    )
    wait_until(lambda: list(temporary.glob("halab-grading-*/.nbgrader/autograded/ada/*/*.ipynb")))
    os.killpg(owner.pid, signal.SIGKILL)
    owner.wait()
    wait_until(lambda: not list(temporary.iterdir()))
    wait_until(lambda: not running_for(temporary))


def wait_until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def running_for(folder):
    """Processes that were started with this folder."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or [])
    ]


def test_a_grading_process_that_hangs_is_ended_with_every_process_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(grader, "GRADING_TIMEOUT", 1.0)
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(CourseError, match="was not graded"):
        grade_notebook(submission(tmp_path, "while True: pass"), NAME, "ada")
    assert not running_for(tmp_path)
    assert set(psutil.Process().children(recursive=True)) <= before


def test_the_time_for_all_cells_together_ends_cell_after_slow_cell():
    """Each cell takes most of two seconds to be interrupted."""
    slow = "import time\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    time.sleep(1.5)"
    notebook = nbformat.read(course_root() / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = slow
    notebook.cells += [nbformat.v4.new_code_cell(slow) for _ in range(100)]
    folder = {"root": str(course_root()), "source_directory": "solutions"}
    grader = GradeInSandbox(config=Config({"CourseDirectory": folder}), timeout=1.0, total_timeout=5.0)
    names = {"assignment": NAME, "notebook": NAME, "student": "ada"}
    started = time.monotonic()
    graded, _ = grader.preprocess(notebook, {"nbgrader": names})
    assert time.monotonic() - started < 60
    told = graded.cells[-1].outputs[0].evalue
    assert "the time for all cells together was up; nothing after it could run" in told


class OnABusyMachine(TimeLimit):
    """Time that always runs out while cores are short."""

    @property
    def ran_out_on_a_busy_machine(self):
        return self.used > self.seconds


@pytest.mark.parametrize(("source", "decided"), [("while True: pass", True), ("time.sleep(60)", False)])
def test_what_ran_out_on_a_busy_machine_is_run_again_alone_and_is_never_fewer_points(
    tmp_path, monkeypatch, source, decided
):
    """Computing is the learner's own on any machine. Of all else nobody can tell."""
    monkeypatch.setattr(box, "TimeLimit", OnABusyMachine)
    folder = {"root": str(course_root()), "source_directory": "solutions"}
    told, cells = [], []
    grader = GradeInSandbox(
        config=Config({"CourseDirectory": folder}), timeout=0.7, total_timeout=60.0,
        on_undecided=told.append, on_cell=lambda cell, all_cells: cells.append(cell),
    )  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"import time\n{source}")])
    names = {"nbgrader": {"assignment": NAME, "notebook": NAME, "student": "ada"}}
    if decided:
        graded, _ = grader.preprocess(notebook, names)
        assert graded.cells[0].outputs[-1].ename == "CellTimeoutError"
    else:
        with pytest.raises(CourseError, match="while this machine was busy"):
            grader.preprocess(notebook, names)
    assert bool(told) is not decided
    assert cells == [1, 1]


def test_exhausted_memory_costs_the_cell_and_not_the_machine(tmp_path):
    report = grade_notebook(submission(tmp_path, "hoard = bytearray(6 * 1024**3)"), NAME, "ada")
    failed = {check.task for check in report.checks if not check.passed}
    assert failed == {"06.1"}


def test_the_command_grades_the_learner_s_copy_and_keeps_the_result(tmp_path):
    copy = tmp_path / "exercises" / NAME / f"{NAME}.ipynb"
    copy.parent.mkdir(parents=True)
    copy.write_bytes((course_root() / "solutions" / NAME / f"{NAME}.ipynb").read_bytes())
    environment = os.environ | {"HALAB_WORK": str(tmp_path), "HALAB_LEARNER": "ada"}
    # In the exercise's folder, with a file that would shadow a module if the grader looked there.
    (copy.parent / "json.py").write_text("raise RuntimeError('shadowed')")
    command = [sys.executable, "-P", "-m", "halab", "grade", "06", "--json"]
    done = subprocess.run(
        command, env=environment, cwd=copy.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert (report["points"], report["out_of"], report["learner"]) == (20, 20, "ada")
    (kept,) = (tmp_path / ".halab" / "grades.jsonl").read_text().splitlines()
    assert json.loads(kept)["points"] == 20
