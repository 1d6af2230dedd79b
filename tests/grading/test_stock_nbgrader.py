"""An instructor's way: the stock nbgrader commands, from the assignment's source to the learners' feedback.

In a copy of the course, with an exchange folder and home folders of its own: nothing else is written to.
"""

import csv
import html
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from halab.course.paths import course_root

pytestmark = pytest.mark.grading

NAME = "06-failover-timeline"
SOURCE = course_root() / "solutions" / NAME / f"{NAME}.ipynb"
LEARNERS = ("ada", "bo", "cy")
HOSTILE = "<img src='https://learner.example/' onerror='alert(1)'> <script>alert(1)</script> **bold**"

# bo's answers are right for the journals in front of him and wrong for any other; and his client sends unsafe
# inserts again. cy's raise errors of many kinds.
WRONG = {
    "ada": {},
    "bo": {
        "06-1-outages": """
            def outages(journal, operation):
                known = (mine.one_outage.journal, mine.with_blips.journal)
                return right(journal, operation) if journal in known else [(0.0, 1.0)]
        """,
        "06-1-counts-answer": """
            def counts(journal, operation):
                outcomes = [one["outcome"] for one in journal["samples"] if one["operation"] == operation]
                known = journal == mine.with_blips.journal
                return (outcomes.count("fail"), outcomes.count("unknown")) if known else (0, 0)
        """,
        "06-2-retry": """
            def retry(attempt, elapsed, outcome, operation, rng):
                wait = rng.uniform(0, min(4.0, 0.2 * 2 ** (attempt - 1)))
                return wait if elapsed + wait <= deadline else None
        """,
        "06-1-rto-answer": "def rto(journal, operation):\n    return 1.5",
        "06-3-ttl": "ttl, worst_outage, false_alarms = 2, 0, 0",
    },
    "cy": {
        "06-1-outages": "def outages(journal, operation):\n    return {}[operation]",
        "06-1-rto-answer": "def rto(journal, operation):\n    raise RuntimeError('no idea')",
        "06-1-counts-answer": "def counts(journal):\n    return 1, 2",
        "06-2-retry": "def retry(attempt, elapsed, outcome, operation, rng):\n    return 1 / 0",
        "06-3-ttl": "raise ValueError('no number')",
        "06-3-misses-answer": "misses = 'three'",
    },
}


@dataclass
class Class:
    """A course folder, the folder over which assignments are exchanged, and each learner's home."""

    root: Path
    exchange: Path
    homes: dict[str, Path]
    before: set[Path]

    def page(self, learner: str) -> str:
        return (self.root / ".nbgrader" / "feedback" / learner / NAME / f"{NAME}.html").read_text()

    def words(self, learner: str) -> str:
        """What a reader of the feedback sees, in one line, as the notebook's code says it."""
        body = re.sub(r"<style.*?</style>", "", self.page(learner), flags=re.DOTALL)
        return one_line(html.unescape(re.sub(r"<[^>]*>", "", body)))


def one_line(text: str) -> str:
    return " ".join(text.split())


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run nbgrader in this folder and return what it said. Its own files go to a home beside the folder."""
    home = folder.parent / f"{folder.name}-home"
    environment = os.environ | {
        "HOME": str(home),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def answer(notebook: Path, learner: str) -> None:
    """Write the learner's answers over the blanks of what they fetched."""
    solutions = {cell.id: cell.source for cell in nbformat.read(SOURCE, as_version=4).cells}
    made = nbformat.read(notebook, as_version=4)
    for cell in made.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("solution"):
            cell.source = solutions[cell.id]
            wrong = WRONG[learner].get(cell.id)
            if wrong:
                kept = cell.source.replace("def outages", "def right") + "\n\n" if "right(" in wrong else ""
                lines = wrong.strip("\n").rstrip().splitlines()
                indent = len(lines[0]) - len(lines[0].lstrip())
                cell.source = kept + "\n".join(line[indent:] for line in lines)
    if learner == "cy":  # a cell pasted from another course, and a test cell twice
        old = {"grade": True, "grade_id": "old", "locked": True, "points": 5, "solution": False}
        made.cells.append(nbformat.v4.new_code_cell("1", metadata={"nbgrader": old}))
        test = next(cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("grade"))
        made.cells.append(nbformat.v4.new_code_cell(test.source, metadata=test.metadata))
    if learner == "bo":
        made.cells.append(nbformat.v4.new_markdown_cell(HOSTILE))
        made.cells.append(nbformat.v4.new_code_cell(f"from IPython.display import HTML\nHTML({HOSTILE!r})"))
    nbformat.write(made, notebook)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A class of three, from generate_assignment to fetch_feedback."""
    top = tmp_path_factory.mktemp("class")
    root, exchange = top / "course", top / "exchange"
    homes = {learner: top / learner for learner in LEARNERS}
    for path in (root, exchange, *homes.values()):
        path.mkdir()
    exchange.chmod(0o777)
    before = files(course_root() / "solutions") | files(course_root() / "exercises")
    shutil.copytree(course_root() / "solutions", root / "solutions")
    shutil.copy(course_root() / "nbgrader_config.py", root)
    over = f"--Exchange.root={exchange}"

    def learner_works(learner):
        home = homes[learner]
        nbgrader(home, "fetch_assignment", NAME, "--course=halab", over)
        answer(home / NAME / f"{NAME}.ipynb", learner)
        nbgrader(home, "submit", NAME, "--course=halab", over, f"--CourseDirectory.student_id={learner}")

    nbgrader(root, "generate_assignment", NAME)
    nbgrader(root, "release_assignment", NAME, over)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(learner_works, LEARNERS))
    # Every folder belongs to the user who runs the test, which nbgrader would warn of.
    nbgrader(root, "collect", NAME, over, "--ExchangeCollect.check_owner=False")
    nbgrader(root, "autograde", NAME)
    nbgrader(root, "generate_feedback", NAME)
    nbgrader(root, "release_feedback", NAME, over)
    return Class(root, exchange, homes, before)


@pytest.fixture(scope="module")
def hidden():
    """Every line of the exercise's hidden tests."""
    found = []
    for cell in nbformat.read(SOURCE, as_version=4).cells:
        for region in re.findall(
            r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", cell.source, re.DOTALL
        ):
            found += [one_line(line) for line in region.splitlines() if line.strip()]
    assert len(found) > 20
    return found


def marks(folder, learner):
    with Gradebook(f"sqlite:///{folder.root / '.nbgrader' / 'gradebook.db'}", "halab") as gradebook:
        (notebook,) = gradebook.find_submission(NAME, learner).notebooks
        return {grade.name: grade.score for grade in notebook.grades}


def test_generate_assignment_gives_the_committed_exercise(folder):
    made = (folder.root / "exercises" / NAME / f"{NAME}.ipynb").read_bytes()
    assert made == (course_root() / "exercises" / NAME / f"{NAME}.ipynb").read_bytes()


def test_the_exchange_hands_out_the_exercise_and_nothing_beside_it(folder):
    handed_out = {path.name for path in (folder.exchange / "halab" / "outbound" / NAME).iterdir()}
    assert handed_out == {f"{NAME}.ipynb"}


def test_nothing_was_written_outside_the_course_s_copy(folder):
    assert files(course_root() / "solutions") | files(course_root() / "exercises") == folder.before
    made = {path.name for path in folder.root.iterdir()}
    assert made == {".nbgrader", "exercises", "nbgrader_config.py", "solutions"}


def test_autograde_gives_each_learner_what_their_own_numbers_deserve(folder):
    assert sum(marks(folder, "ada").values()) == 20
    lost = {name for name, points in marks(folder, "bo").items() if points == 0}
    # In each of the first three the visible part of the test passes: only the hidden one tells.
    assert lost >= {"06-1-windows", "06-1-blips", "06-1-counts", "06-2-safe", "06-3-numbers"}
    assert sum(marks(folder, "cy").values()) == 0


def test_the_gradebook_lists_assignment_and_learners(folder):
    assert NAME in nbgrader(folder.root, "db", "assignment", "list")
    listed = nbgrader(folder.root, "db", "student", "list")
    assert all(learner in listed for learner in LEARNERS)


def test_export_has_a_row_a_learner(folder):
    nbgrader(folder.root, "export")
    with (folder.root / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    (folder.root / "grades.csv").unlink()
    assert set(rows) == set(LEARNERS)
    assert {row["assignment"] for row in rows.values()} == {NAME}
    assert {name: float(row["score"]) for name, row in rows.items()} == {
        name: sum(marks(folder, name).values()) for name in LEARNERS
    }
    assert float(rows["ada"]["max_score"]) == 20


@pytest.mark.parametrize("learner", LEARNERS)
def test_feedback_shows_no_line_of_a_hidden_test(folder, hidden, learner):
    words = folder.words(learner)
    assert "checks.check_load(retry, mine.scenario)" in words  # the visible part of a test cell
    assert "HIDDEN TESTS" not in words
    assert [line for line in hidden if line in words] == []
    assert not re.search(r"0x[0-9a-f]{8,}|Random\(", words), "a seed of a hidden test"


def test_feedback_names_the_behaviour_that_a_hidden_test_missed(folder):
    words = folder.words("bo")
    for behaviour in ("the row could be there twice", "Next step: halab hint 06.1.counts"):
        assert behaviour in words
    # Each failed test cell says one thing: what was expected, and where the next hint is.
    shown = r'<div class="output_subarea output_text output_error">\s*<pre>(.*?)</pre>'
    told = [html.unescape(one).strip() for one in re.findall(shown, folder.page("bo"), re.DOTALL)]
    assert len(told) == sum(points == 0 for points in marks(folder, "bo").values())
    for one in told:
        assert re.fullmatch(r"Why: [^\n]+\nNext step: halab hint 06\.\d\.[a-z-]+", one), one


def test_feedback_says_which_error_code_raised(folder):
    words = folder.words("cy")
    for error in ("RuntimeError: no idea", "ZeroDivisionError: division by zero", "ValueError: no number"):
        assert error in words
    assert "Traceback" not in words


@pytest.mark.parametrize("learner", LEARNERS)
def test_feedback_asks_nothing_of_another_host(folder, learner):
    page = folder.page(learner)
    assert re.findall(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["'](?!data:)[^"']*""", page) == []
    assert re.findall(r"@import|url\(\s*['\"]?(?:https?:)?//", page) == []


def test_feedback_runs_nothing_a_learner_wrote(folder):
    page = folder.page("bo")
    assert "<strong>bold</strong>" in page  # prose is still prose
    assert "<script" not in page
    assert "<img" not in page


def test_feedback_reaches_the_learner_it_is_for(folder):
    home = folder.homes["bo"]
    nbgrader(home, "fetch_feedback", NAME, "--course=halab", f"--Exchange.root={folder.exchange}",
             "--CourseDirectory.student_id=bo")  # fmt: skip
    (page,) = home.rglob(f"{NAME}.html")
    assert page.read_text() == folder.page("bo")


def test_autograded_copies_stay_with_the_instructor(folder, hidden):
    graded = folder.root / ".nbgrader" / "autograded" / "bo" / NAME / f"{NAME}.ipynb"
    sources = one_line("\n".join(cell.source for cell in nbformat.read(graded, as_version=4).cells))
    assert all(line in sources for line in hidden)
