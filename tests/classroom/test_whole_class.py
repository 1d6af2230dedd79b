"""A class graded for real: every executor, hostile submissions, and stock nbgrader in the folder it makes."""

import csv
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest
from nbgrader.api import Gradebook

from halab.classroom.class_grading import ClassReport, Result, autograded_path, default_output, grade_class
from halab.classroom.gradebook import publish, publish_gradebook
from halab.classroom.submissions import ClassSubmissions
from halab.course.paths import course_root
from halab.grading.grader import Check
from halab.grading.nbgrader_plugins import HideHiddenTests
from halab.grading.nbgrader_run import settings
from support.busy_machine import busy_loops
from support.small_class import read_class

pytestmark = [pytest.mark.grading, pytest.mark.timeout(600)]  # the first test grades for all

NAME = "06-failover-timeline"
SOLUTION = course_root() / "solutions" / NAME / f"{NAME}.ipynb"
RELEASE = course_root() / "exercises" / NAME / f"{NAME}.ipynb"
OUTAGES = 1 + [cell.id for cell in nbformat.read(RELEASE, as_version=4).cells].index("06-1-outages")


def hand_in(folder, learner, source=None):
    """A learner's submission: the release filled in, with `source` in front of the first answer."""
    place = folder / learner / NAME
    place.mkdir(parents=True)
    solution = {cell.id: cell for cell in nbformat.read(SOLUTION, as_version=4).cells}
    notebook = nbformat.read(RELEASE, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = solution[cell.id].source
        if cell.id == "06-1-outages" and source:
            cell.source = f"{source}\n{cell.source}"
    nbformat.write(notebook, place / f"{NAME}.ipynb")


def small_class(folder):
    hand_in(folder, "ada")
    (folder / "bo" / NAME).mkdir(parents=True)
    shutil.copy(RELEASE, folder / "bo" / NAME)
    return folder


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class's report, and the folder of its grades."""
    folder = small_class(tmp_path_factory.mktemp("class") / "submitted")
    (folder / "ada" / NAME / "timestamp.txt").write_text("2026-11-20 10:00:00.000000 UTC")
    hand_in(folder, "crash", "import os; os._exit(1)")
    hand_in(folder, "hang", "while True: pass")
    hand_in(folder, "junk")
    (folder / "junk" / NAME / f"{NAME}.ipynb").write_text('{"cells": "<script>alert(1)</script>"')
    (folder / "late").mkdir()
    report = grade_class(read_class(folder), default_output(folder))
    assert publish(report, default_output(folder)) == (report, [])
    return report, default_output(folder)


def nbgrader(root, *arguments):
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def points(report):
    return {one.learner: one.points for one in report.results}


def test_each_gets_what_they_earned_and_a_hostile_one_costs_only_itself(graded):
    report, _ = graded
    assert {one.learner: one.status for one in report.results} == {
        "ada": "graded",
        "bo": "graded",
        "crash": "graded",
        "hang": "graded",
        "junk": "refused",
    }
    earned = points(report)
    assert (earned["ada"], earned["bo"], earned["crash"], earned["junk"]) == (20, 0, 0, 0)
    assert 0 < earned["hang"] < 20  # its other tasks still count


def test_what_was_stopped_says_so(graded):
    reason = {one.learner: one.reason for one in graded[0].results}
    assert (reason["ada"], reason["bo"]) == ("", "")
    assert "ended its Python process" in reason["crash"]
    assert reason["hang"] == f"Cell {OUTAGES} of the notebook was still running when its time was up."
    assert "not a notebook" in reason["junk"]


def scores(out):
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "halab") as gradebook:
        (assignment,) = gradebook.assignments
        return {one.student.id: one.score for one in assignment.submissions}


def test_the_gradebook_has_the_scores_of_the_report_check_by_check(graded):
    report, out = graded
    assert scores(out) == points(report)
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "halab") as gradebook:
        assert [one.id for one in gradebook.students] == ["ada", "bo", "crash", "hang", "junk", "late"]
        for one in report.results:
            for check in one.checks:
                grade = gradebook.find_grade(check.name, NAME, NAME, one.learner)
                assert (grade.score, grade.max_score) == (check.points, check.out_of)
                assert not grade.needs_manual_grade


def test_stock_nbgrader_writes_and_releases_feedback_there_without_any_hidden_test(graded, tmp_path):
    report, out = graded
    nbgrader(out, "generate_feedback", NAME)
    for learner in points(report):
        page = (out / "feedback" / learner / NAME / f"{NAME}.html").read_text()
        text = re.sub(r"<[^>]*>", "", page)
        assert "checks.check_load(retry, mine.scenario)" in text  # the visible part of a test cell
        assert "HIDDEN TESTS" not in page
        assert "for seed in" not in text
    page = (out / "feedback" / "junk" / NAME / f"{NAME}.html").read_text()
    assert "This submission could not be graded" in page
    assert "<script>alert(1)" not in page
    assert "HIDDEN TESTS" in autograded_path(out, "ada", NAME).read_text()  # an instructor sees them
    tmp_path.chmod(0o777)
    nbgrader(out, "release_feedback", NAME, f"--Exchange.root={tmp_path}")
    released = list((tmp_path / "halab" / "feedback").glob("*.html"))
    assert len(released) == len(points(report))


def test_stock_nbgrader_exports_the_same_scores_and_leaves_our_table_alone(graded):
    report, out = graded
    ours = (out / "grades.csv").read_bytes()
    nbgrader(out, "export")
    assert (out / "grades.csv").read_bytes() == ours
    with (out / "export.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {learner: float(row["score"]) for learner, row in rows.items()} == points(report) | {"late": 0}
    assert rows["ada"]["timestamp"].startswith("2026-11-20 10:00:00")


def test_formgrader_finds_every_submission_graded(graded, monkeypatch):
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    report, out = graded
    monkeypatch.chdir(out)
    config = settings(out)
    found = NbGraderAPI(CourseDirectory(config=config), config=config).get_submissions(NAME)
    assert {one["student"]: one["score"] for one in found} == points(report)
    assert all(one["autograded"] and not one["needs_manual_grade"] for one in found)


def test_a_grade_depends_on_the_work_and_not_on_the_machine(tmp_path):
    """Four right notebooks, with three loops a core beside them."""
    folder = tmp_path / "submitted"
    for learner in ("ada", "bo", "cy", "dee"):
        hand_in(folder, learner)
    with busy_loops(6):
        report = grade_class(read_class(folder), tmp_path / "out", jobs=4)
    assert {one.learner: (one.points, one.reason) for one in report.results} == dict.fromkeys(
        ("ada", "bo", "cy", "dee"), (20, "")
    )


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where everything that is started in the test has its temporary folders."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def watched(scratch):
    """Afterwards no process is left that was started in the test."""
    yield
    deadline = time.monotonic() + 30
    while (left := started(scratch)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []


def started(scratch):
    """Processes with this folder for temporary files, and sandboxes, which run in one of those."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(scratch) or process.cwd().startswith(str(scratch)):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    # Python's own helper, one for all that a process ever spawns, ends with this test run.
    return [command for command in found if "multiprocessing.resource_tracker" not in command]


def test_processes_grade_as_threads_do(tmp_path, watched, graded):
    folder = small_class(tmp_path / "submitted")
    with ProcessPoolExecutor(2) as executor:
        report = grade_class(read_class(folder), tmp_path / "out", executor=executor)
    assert {one.learner: (one.points, one.reason) for one in report.results} == {
        "ada": (20, ""),
        "bo": (0, ""),
    }


def test_processes_leave_no_temporary_folder(tmp_path, scratch):
    folder = small_class(tmp_path / "submitted")
    with ProcessPoolExecutor(2) as executor:
        grade_class(read_class(folder), tmp_path / "out", executor=executor)
    time.sleep(1)  # for what still winds down
    assert [path.name for path in scratch.iterdir()] == []


def test_a_dask_cluster_grades_by_the_guide_s_commands_and_writes_the_gradebook(tmp_path, scratch, watched):
    """The lines as they stand in docs/seats.md; a port of its own, so that tests can run side by side."""
    seats = (Path(__file__).parents[2] / "docs" / "seats.md").read_text()
    (block,) = re.findall(r"^```bash\n(dask scheduler.*?)^```", seats, re.M | re.S)
    folder = tmp_path / "halab-class" / "spring"
    packed = small_class(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    lines = block.replace("8786", port).replace("8787", "0").replace("~/", f"{tmp_path}/").splitlines()
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    started = []
    try:
        *background, grade = lines
        assert all(line.endswith(" &") for line in background)
        for line in background:
            started.append(subprocess.Popen(shlex.split(line)[:-1], env=os.environ | path, cwd=tmp_path))
        done = subprocess.run(
            shlex.split(grade), env=os.environ | path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        listening = [
            connection.laddr.ip
            for process in started
            for one in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True))
            for connection in one.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(20)
    graded = packed.with_name("spring-graded")
    assert (graded / "gradebook.db").is_file()
    rows = (graded / "summary.csv").read_text(encoding="utf-8-sig")
    assert '"ada","",20,' in rows
    assert set(listening) == {"127.0.0.1"}
    assert [one.name for one in packed.parent.iterdir() if one.name.startswith(".halab-class")] == []


def report_of(folder, *results):
    found = read_class(folder)
    return ClassReport(ClassSubmissions(folder, found.learners, found.submissions, ()), results)


def full(learner, points):
    """A result with as many points as given in the first check of the exercise."""
    return Result(learner, NAME, "graded", 20, "", (Check("06-1-blips", "06.1", "Blips", points, 2),))


@pytest.fixture
def folder(tmp_path):
    return small_class(tmp_path / "submitted")


@pytest.fixture
def out(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    return made


def test_what_an_instructor_added_stays_and_is_shown_again_when_the_points_change(folder, out):
    assert publish_gradebook(report_of(folder, full("ada", 2), full("bo", 2)), out) == []
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "halab") as gradebook:
        for learner in ("ada", "bo"):
            gradebook.find_grade("06-1-blips", NAME, NAME, learner).manual_score = 1.5
        gradebook.find_comment("06-1-outages", NAME, NAME, "ada").manual_comment = "Well done"
        gradebook.update_or_create_student("ada", last_name="Lovelace")
        gradebook.db.commit()
    assert publish_gradebook(report_of(folder, full("ada", 2), full("bo", 0)), out) == []
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "halab") as gradebook:
        ada, bo = (gradebook.find_grade("06-1-blips", NAME, NAME, learner) for learner in ("ada", "bo"))
        assert (ada.score, ada.auto_score, ada.needs_manual_grade) == (1.5, 2, False)
        assert (bo.score, bo.auto_score, bo.needs_manual_grade) == (1.5, 0, True)
        assert gradebook.find_comment("06-1-outages", NAME, NAME, "ada").comment == "Well done"
        assert gradebook.find_student("ada").last_name == "Lovelace"


def test_points_by_hand_and_late_marks_are_the_same_in_every_table(folder, out):
    for learner in ("ada", "bo"):
        (folder / learner / NAME / "timestamp.txt").write_text("2026-11-21 12:30:00 UTC")
    first = report_of(folder, full("ada", 2), full("bo", 2))
    publish(first, out)
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "halab") as gradebook:
        gradebook.find_grade("06-1-blips", NAME, NAME, "ada").manual_score = 1.5
        gradebook.find_comment("06-1-outages", NAME, NAME, "bo").manual_comment = "Well argued"
        gradebook.update_or_create_assignment(NAME, duedate="2026-11-20 12:00:00 UTC")
        gradebook.db.commit()
        gradebook.grant_extension(NAME, "ada", days=7)
    with (out / "nbgrader_config.py").open("a") as config:
        config.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    settled, remarks = publish(first, out)
    assert remarks == [f"Late: bo, {NAME}."]
    before = first.result("ada", NAME).points
    assert settled.result("ada", NAME).points == before - 0.5  # an extension, so no penalty
    assert settled.result("bo", NAME).points == 0
    assert settled.result("bo", NAME).comments == (("06.1", "Well argued"),)
    assert "06-1-blips has 1.5 by hand, 2 by its check." in settled.result("ada", NAME).notes
    assert any(note.startswith("Late by 1 d 0 h: ") for note in settled.result("bo", NAME).notes)
    with (out / "summary.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = {row["learner"]: float(row["points"]) for row in csv.DictReader(file)}
    nbgrader(out, "export")
    with (out / "export.csv").open(newline="") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == rows == {"ada": before - 0.5, "bo": 0}


def test_settings_an_instructor_added_stay_and_the_course_s_are_renewed(folder, out):
    publish_gradebook(report_of(folder, full("ada", 2)), out)
    with (out / "nbgrader_config.py").open("a") as file:
        file.write('c.CourseDirectory.course_id = "spring"\n')
    (out / "halab_settings.py").write_text("c = get_config()\n")
    publish_gradebook(report_of(folder, full("ada", 2)), out)
    config = settings(out)
    assert config.CourseDirectory.course_id == "spring"
    assert config.CourseDirectory.db_url == f"sqlite:///{out / 'gradebook.db'}"
    assert HideHiddenTests in config.GenerateFeedback.preprocessors


def test_what_was_not_graded_is_no_zero_in_the_gradebook(folder, out):
    due = Result("bo", NAME, "not graded", 20, "The course is not installed.")
    publish_gradebook(report_of(folder, full("ada", 2), due), out)
    assert scores(out) == {"ada": 2}


def test_a_submission_that_was_taken_out_is_told_and_stays_in_the_gradebook(folder, out):
    publish_gradebook(report_of(folder, full("ada", 2), full("bo", 2)), out)
    shutil.rmtree(folder / "bo")
    (remark,) = publish_gradebook(report_of(folder, full("ada", 2)), out)
    assert f"bo has {NAME} in the gradebook" in remark
    assert scores(out) == {"ada": 2, "bo": 2}


def test_a_gradebook_that_does_not_fit_any_more_is_set_aside_and_made_anew(folder, out):
    (out / "gradebook.db").write_bytes(b"not a database at all" * 100)
    (remark,) = publish_gradebook(report_of(folder, full("ada", 2)), out)
    (aside,) = out.glob("gradebook-before-*.db")
    assert aside.name in remark
    assert aside.read_bytes().startswith(b"not a database")
    assert scores(out) == {"ada": 2}


def test_an_exercise_that_got_other_cells_gets_a_new_gradebook(folder, out, tmp_path, monkeypatch):
    publish_gradebook(report_of(folder, full("ada", 2)), out)
    root = tmp_path / "course"
    for part in ("cards", "course", "solutions", "exercises"):
        shutil.copytree(course_root() / part, root / part)
    shutil.copy(course_root() / "nbgrader_config.py", root)
    source = root / "solutions" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(source, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "06-1-windows"]
    nbformat.write(notebook, source)
    monkeypatch.setenv("HALAB_COURSE", str(root))
    (remark,) = publish_gradebook(report_of(folder, full("ada", 2)), out)
    assert "does not fit the exercises as they are now" in remark
    assert scores(out) == {"ada": 2}
    assert len(list(out.glob("gradebook-before-*.db"))) == 1
