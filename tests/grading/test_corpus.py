"""Hostile and broken submissions against a real grading run: the right score, a clear line, and no harm.

corpus/*.yml holds them, one entry a submission: right answers to exercise 6 with code `before` or `after` a
cell's own, or in place of it (`cells`); `blank: true` starts from the exercise as handed out. `points` is
what tasks 1, 2 and 3 must earn, `says` a phrase the learner must be told (a|b: one of them). probes.yml is
what learners' code tries to reach; all of it goes into one submission, which must earn everything.
"""

import contextlib
import copy
import dataclasses
import gc
import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

import halab
from halab.course.paths import course_root
from halab.errors import SubmissionError
from halab.grading.grader import GradeReport, grade_notebook
from halab.grading.sandbox import box as box_module
from halab.grading.sandbox import confine
from halab.grading.sandbox.box import Sandbox
from halab.grading.sandbox.isolation import isolations

pytestmark = [pytest.mark.grading, pytest.mark.timeout(600)]

NAME = "06-failover-timeline"
LEARNER = "ada"
FULL = [8, 8, 4]
LANES = 2

CONNECTION = """
import os, socket, struct
link = next(
    socket.socket(fileno=os.dup(int(one)))
    for one in os.listdir("/proc/self/fd")
    if os.path.lexists(f"/proc/self/fd/{one}") and os.readlink(f"/proc/self/fd/{one}").startswith("socket:")
)
def send(answer):
    link.sendall(struct.pack("!I", len(answer)) + answer)
"""


@dataclass(frozen=True)
class Hostile:
    name: str
    points: list[int]
    says: str = ""
    blank: bool = False
    answer: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    def notebook(self, bait):
        """The submission."""
        notebook = release() if self.blank else solved()
        known = {cell.id for cell in notebook.cells}
        assert {*self.cells, *self.before, *self.after} <= known
        for cell in notebook.cells:
            parts = (self.before.get(cell.id), self.cells.get(cell.id, cell.source), self.after.get(cell.id))
            source = "\n".join(part for part in parts if part is not None)
            source = source.replace("{{connection}}", CONNECTION).replace("{{answer}}", self.answer)
            cell.source = bait.fill(source)
        return notebook


def entries(file):
    return yaml.load((Path(__file__).with_name("corpus") / file).read_text(), Loader=yaml.CSafeLoader)


def corpus():
    """Every hostile submission; an entry with several `answers` is as many."""
    for file in ("ending.yml", "exhausting.yml", "lying.yml", "spoofing.yml"):
        for entry in entries(file):
            for answer in entry.pop("answers", [""]):
                name = f"{entry['name']} {answer}".strip()
                yield Hostile(**entry | {"name": name, "answer": answer})


CORPUS = {one.name: one for one in corpus()}


def release():
    return nbformat.read(course_root() / "exercises" / NAME / f"{NAME}.ipynb", as_version=4)


def solved():
    """The exercise as handed out, with right answers."""
    solutions = nbformat.read(course_root() / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    answers = {
        cell.id: cell.source for cell in solutions.cells if cell.metadata.get("nbgrader", {}).get("solution")
    }
    notebook = release()
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return notebook


@dataclass(frozen=True)
class Outcome:
    """What became of a submission: its report, the graded notebook, and processes of it that are left."""

    report: GradeReport | SubmissionError
    graded: Path
    left: tuple[str, ...]

    @property
    def points(self):
        """Of task 1, 2 and 3."""
        of_task = dict.fromkeys(("06.1", "06.2", "06.3"), 0)
        for check in self.report.checks:
            of_task[check.task] += check.points
        return list(of_task.values())

    @property
    def told(self):
        """Every line the learner gets."""
        if isinstance(self.report, SubmissionError):
            return [self.report.message, self.report.hint]
        return [*self.report.notes, *(check.behaviour for check in self.report.checks if check.behaviour)]

    def printed(self, cell):
        """What this cell of the graded notebook printed."""
        notebook = nbformat.read(self.graded, as_version=4)
        outputs = next(one.outputs for one in notebook.cells if one.id == cell)
        return "".join(one.get("text", "") for one in outputs)


class Lanes:
    """Grades in a few threads, each with a grading process of its own, and looks what is left after each."""

    def __init__(self, folder):
        self._folder = folder
        self._numbers = itertools.count()
        self._starting = threading.Lock()
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(LANES)

    def grade(self, submission):
        """A future of the Outcome for this notebook, or file."""
        return self._pool.submit(self._grade, submission, self._folder / str(next(self._numbers)))

    def close(self):
        self._pool.shutdown()

    def _grade(self, submission, folder):
        worker = self._worker()
        folder.mkdir()
        path = submission
        if not isinstance(submission, Path):
            path = folder / f"{NAME}.ipynb"
            path.write_text(json.dumps(submission))
        try:
            report = grade_notebook(path, NAME, LEARNER, keep=folder / "graded")
        except SubmissionError as error:
            report = error
        if not worker.is_running():
            del self._own.worker
            raise AssertionError("the submission ended its grading process")
        return Outcome(report, folder / "graded" / f"{NAME}.ipynb", tuple(survivors(worker)))

    def _worker(self):
        """This thread's grading process: the one that is no other thread's."""
        if not hasattr(self._own, "worker"):
            with self._starting:
                path = self._folder / f"{threading.get_ident()}.ipynb"
                path.write_text(json.dumps(release()))
                before = grading_processes()  # other test modules' among them
                grade_notebook(path, NAME, LEARNER)
                (self._own.worker,) = grading_processes() - before
        return self._own.worker


def grading_processes():
    """The grading processes of every thread of this process."""
    children = psutil.Process().children()
    return {one for one in children if "halab.grading.worker" in one.cmdline()}


def survivors(worker):
    """Processes below a grading process that are more than its sandbox: bubblewrap, twice, and its host."""
    hosts = []
    for process in worker.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            if "halab.grading.sandbox.host" not in command:
                yield command
            elif process.name() != "bwrap":
                hosts.append(command)
    yield from hosts[1:]


class Bait:
    """What must stay out of reach: a file, servers on three kinds of sockets, folders."""

    def __init__(self, folder):
        self.secret = str(10**12 + secrets.randbelow(10**12))
        self.canary = folder / "canary"
        self.canary.write_text(self.secret)
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._abstract = socket.socket(socket.AF_UNIX)
        self._abstract.bind(f"\0{self.secret}")
        self._abstract.listen()
        self._seen = self._state()
        self.places = [Path(tempfile.gettempdir()), Path.home(), course_root(), Path(halab.__file__).parent]
        self.places += map(Path, ("/", "/dev/shm", "/var/tmp", "/usr", "/etc", "/run"))

    def fill(self, source):
        """Code with the names of these things."""
        names = {
            "secret": self.secret,
            "canary": self.canary,
            "port": self.port,
            "abstract": self.secret,
            "course": course_root(),
            "home": Path.home(),
            "tmp": tempfile.gettempdir(),
        }
        for name, value in names.items():
            source = source.replace(f"{{{{{name}}}}}", str(value))
        return source

    def touched(self):
        """What somebody has reached."""
        touched = ["canary"] if self._state() != self._seen else []
        touched += [str(place) for place in self.places if (place / self.secret).exists()]
        for one in (self._tcp, self._udp, self._abstract):
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.recv(100) if one is self._udp else one.accept()
                touched.append(str(one))
        return touched

    def processes(self):
        """Everything that runs with the secret in its command."""
        return [one for one in psutil.process_iter(["cmdline"]) if self.secret in str(one.info["cmdline"])]

    def close(self):
        for one in (self._tcp, self._udp, self._abstract):
            one.close()
        for place in self.places:
            (place / self.secret).unlink(missing_ok=True)

    def _state(self):
        found = self.canary.stat()
        return found.st_mode, found.st_mtime_ns, found.st_nlink, self.canary.read_text()


@pytest.fixture(scope="module")
def bait(tmp_path_factory):
    bait = Bait(tmp_path_factory.mktemp("bait"))
    yield bait
    bait.close()


@pytest.fixture(scope="module")
def lanes(tmp_path_factory, bait):
    """Where everything is graded; when it is over, no process and no file of it is left."""
    folder = tmp_path_factory.mktemp("lanes")
    temporary = tmp_path_factory.mktemp("temporary")
    before = set(psutil.Process().children(recursive=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        lanes = Lanes(folder)
        yield lanes
        lanes.close()
    gc.collect()
    assert set(psutil.Process().children(recursive=True)) <= before
    assert bait.processes() == []
    assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def outcomes(lanes, bait):
    """The whole corpus under way, by name."""
    return {name: lanes.grade(one.notebook(bait)) for name, one in CORPUS.items()}


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_submission_gets_its_score_and_a_clear_line_and_leaves_nothing(outcomes, bait, name):
    outcome, expected = outcomes[name].result(), CORPUS[name]
    assert outcome.points == expected.points
    assert outcome.left == ()
    assert bait.touched() == []
    assert any(phrase in line for line in outcome.told or [""] for phrase in expected.says.split("|"))
    if expected.points == FULL:
        assert outcome.told == []
    assert outcome.graded.stat().st_size < 10_000_000


PROBES = {one["name"]: one["tries"] for one in entries("probes.yml")}


def probing(tries):
    """A cell that tries this and prints what it got."""
    body = textwrap.indent(tries, "    ")
    return f"""
import os
def tries():
{body}
try:
    got = tries()
except Exception as error:
    print("kept out by", [kind.__name__ for kind in type(error).__mro__], repr(str(error)))
else:
    print("got in:" if got else "kept out of all", got)
"""


@pytest.fixture(scope="module")
def probed(lanes, bait):
    """Right answers behind a cell for each probe."""
    notebook = solved()
    notebook.cells[:0] = [
        new_code_cell(bait.fill(probing(tries)), id=f"probe-{number}")
        for number, tries in enumerate(PROBES.values())
    ]
    return lanes.grade(notebook)


@pytest.mark.parametrize("name", PROBES)
def test_a_learner_s_code_is_kept_out(probed, name):
    *_, verdict = probed.result().printed(f"probe-{list(PROBES).index(name)}").splitlines()
    assert verdict.startswith("kept out")
    if verdict.startswith("kept out by"):  # what was meant, and no slip of ours
        assert "OSError" in verdict or "ImportError" in verdict or "HalabError" in verdict


@pytest.mark.parametrize(
    "name",
    [
        "reads the file system by name",
        "reaches a server on loopback",
        "sends a datagram",
        "reaches an abstract socket",
        "listens",
        "asks the course for its folders and grades",
    ],
)
def test_the_same_code_gets_in_where_nothing_keeps_it_out(tmp_path, name):
    bait = Bait(tmp_path)
    code = bait.fill(probing(PROBES[name]))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    bait.close()
    assert done.stdout.startswith("got in")


def test_probes_reach_nothing_and_cost_nothing(probed, bait):
    outcome = probed.result()
    assert outcome.points == FULL
    assert outcome.told == []
    assert outcome.left == ()
    assert bait.touched() == []


def cell(notebook, name):
    return next(one for one in notebook.cells if one.id == name)


def delete(*names):
    def change(notebook, _):
        notebook.cells = [one for one in notebook.cells if one.id not in names]

    return change


def rewrite(*names):
    """Write into these cells what would show if it ran in the grader."""

    def change(notebook, canary):
        for name in names:
            cell(notebook, name).source = canary

    return change


def forge(name, **marks):
    """Put a cell of the learner's first, marked as one of the course's."""

    def change(notebook, canary):
        mark = {"grade": False, "grade_id": name, "locked": True, "solution": False, "schema_version": 3}
        notebook.cells.insert(0, new_code_cell(canary, metadata={"nbgrader": mark | marks}))

    return change


def mark(name, value):
    def change(notebook, _):
        cell(notebook, name).metadata.nbgrader = value

    return change


def move(name, to):
    def change(notebook, _):
        moved = cell(notebook, name)
        notebook.cells.remove(moved)
        notebook.cells.insert(to, moved)

    return change


def twin(name, source=None):
    """The cell a second time, at the end."""

    def change(notebook, canary):
        second = copy.deepcopy(cell(notebook, name))
        second.id = "twin"
        second.source = second.source if source is None else source or canary
        notebook.cells.append(second)

    return change


def retype(name, kind):
    def change(notebook, _):
        before = cell(notebook, name)
        make = {"markdown": new_markdown_cell, "raw": new_raw_cell}[kind]
        after = make(before.source, id=name, metadata=before.metadata)
        notebook.cells[notebook.cells.index(before)] = after

    return change


def write(name, source):
    def change(notebook, _):
        cell(notebook, name).source = source

    return change


def metadata(**values):
    def change(notebook, _):
        notebook.metadata.update(values)

    return change


def huge_outputs(notebook, _):
    output = new_output("stream", text="x" * 20_000_000)
    cell(notebook, "06-1-windows").outputs = cell(notebook, "06-1-outages").outputs = [output]


def attachments(notebook, _):
    for name in ("a.png", "../../../escape.png", "/etc/passwd"):
        notebook.cells[0].setdefault("attachments", {})[name] = {"image/png": "aGVyZQ=="}


def forget_ids(notebook, _):
    notebook.nbformat_minor = 4
    for one in notebook.cells:
        del one["id"]


def same_ids(notebook, _):
    for one in notebook.cells:
        one.id = "same"


ANSWERS = (
    "06-1-outages",
    "06-1-rto-answer",
    "06-1-counts-answer",
    "06-2-retry",
    "06-3-ttl",
    "06-3-misses-answer",
)
TESTS = [one.id for one in release().cells if one.metadata.get("nbgrader", {}).get("grade")]
GIVEN = ("given", "given-deadline", "given-promise", "given-models", "given-balancer")

TAMPERED = {
    "test cells are deleted": (delete(*TESTS), FULL, "06-3-misses was gone; the original was used"),
    "given cells are deleted": (delete(*GIVEN), FULL, "The cell given was gone"),
    "test cells hold code of the learner's": (
        rewrite(*TESTS),
        FULL,
        "06-1-windows was changed; the original",
    ),
    "given cells hold code of the learner's": (
        rewrite(*GIVEN),
        FULL,
        "The cell given was changed; the original",
    ),
    "a test cell is there twice": (
        twin("06-2-safe"),
        FULL,
        "06-2-safe is there 2 times; the last one counts",
    ),
    "a test cell is there twice, edited": (twin("06-2-safe", ""), FULL, "06-2-safe was changed"),
    "an answer is there twice, and the last is wrong": (
        twin("06-3-misses-answer", "misses = 1"),
        [8, 8, 3],
        "06-3-misses-answer is there 2 times; the last one that was written in counts",
    ),
    "a test cell comes before its answer": (move("06-2-safe", 0), FULL, "in order again"),
    "an answer comes last": (move("06-1-outages", 50), FULL, "in order again"),
    "all cells are in the opposite order": (
        lambda notebook, _: notebook.cells.reverse(),
        FULL,
        "in order again",
    ),
    "a cell claims to be given": (forge("given"), FULL, "The cell given is there 2 times"),
    "a cell claims to be given, by a new name": (forge("given-mine"), FULL, ""),
    "a cell claims to be a test worth a hundred points": (
        forge("06-9-bonus", grade=True, points=100),
        FULL,
        "",
    ),
    "a cell claims to be a test of the course's": (
        forge("06-2-safe", grade=True, points=100),
        FULL,
        "2 times",
    ),
    "a cell claims to be a task marked by hand": (
        forge("06-9-essay", grade=True, solution=True, points=100, locked=False),
        FULL,
        "",
    ),
    "a test cell claims to be worth more": (
        mark("06-2-safe", {"grade_id": "06-2-safe", "points": 1e9}),
        FULL,
        "",
    ),
    "a test cell claims to be an answer": (
        mark("06-2-safe", {"grade_id": "06-2-safe", "solution": True, "grade": False, "locked": False}),
        FULL,
        "",
    ),
    "a test cell has another name": (
        mark("06-2-safe", {"grade_id": "x"}),
        FULL,
        "06-2-safe was gone; the original",
    ),
    "a mark is a list": (mark("06-2-safe", ["06-2-safe"]), FULL, "06-2-safe was gone; the original"),
    "a mark is text": (mark("06-2-safe", "grade"), FULL, "06-2-safe was gone; the original"),
    "a mark's name is a number": (
        mark("06-2-safe", {"grade_id": 5}),
        FULL,
        "06-2-safe was gone; the original",
    ),
    "a mark's name is a path": (
        mark("06-2-safe", {"grade_id": "../../x"}),
        FULL,
        "06-2-safe was gone; the original",
    ),
    "a mark's values are of other kinds": (
        mark("06-2-safe", {"grade_id": "06-2-safe", "grade": "no", "points": [], "schema_version": "x"}),
        FULL,
        "",
    ),
    "a test cell is text": (
        retype("06-2-safe", "markdown"),
        FULL,
        "06-2-safe was changed; the original was used",
    ),
    "an answer is text": (
        retype("06-1-counts-answer", "markdown"),
        FULL,
        "was of type markdown; it was run as code",
    ),
    "an answer is raw": (retype("06-1-counts-answer", "raw"), FULL, "was of type raw; it was run as code"),
    "an answer cell is deleted": (
        delete("06-1-counts-answer"),
        [6, 8, 4],
        "answer cell 06-1-counts-answer is gone",
    ),
    "all answer cells are deleted": (delete(*ANSWERS), [0, 0, 0], "answer cell 06-2-retry is gone"),
    "an answer is empty": (write("06-1-counts-answer", ""), [6, 8, 4], "name 'counts' is not defined"),
    "an answer is no Python": (
        write("06-1-counts-answer", "def counts("),
        [6, 8, 4],
        "Your code stopped with SyntaxError",
    ),
    "an answer holds a null byte": (
        write("06-1-counts-answer", "counts = 1\0"),
        [6, 8, 4],
        "Your code stopped with",
    ),
    "an answer is 20 MB of text": (
        write("06-1-counts-answer", f"'{'x' * 20_000_000}'"),
        [6, 8, 4],
        "'counts'",
    ),
    "an answer is nested a thousand times": (
        write("06-1-counts-answer", "(" * 5000 + ")" * 5000),
        [6, 8, 4],
        "SyntaxError: too many nested parentheses",
    ),
    "outputs of 20 MB": (huge_outputs, FULL, ""),
    "attachments": (attachments, FULL, ""),
    "cells without ids": (forget_ids, FULL, ""),
    "cells with one id": (same_ids, FULL, ""),
    "a kernel for R": (
        metadata(
            kernelspec={"name": "ir", "display_name": "R", "language": "R"}, language_info={"name": "R"}
        ),
        FULL,
        "The notebook asks for the kernel R; the exercise is in Python",
    ),
    "a kernel nobody has": (
        metadata(kernelspec={"name": "../../evil", "display_name": "Evil"}, language_info={"name": "evil"}),
        FULL,
        "kernel Evil",
    ),
    "another kernel for Python": (
        metadata(kernelspec={"name": "conda-env-x", "display_name": "x", "language": "python"}),
        FULL,
        "",
    ),
    "no kernel": (lambda notebook, _: notebook.metadata.clear(), FULL, ""),
    "metadata of other kinds": (
        metadata(celltoolbar=[], widgets={"a": {"state": 5}}),
        FULL,
        "",
    ),
}


def tampered(change, bait, folder):
    notebook = solved()
    change(notebook, f"open({str(folder / 'ran')!r}, 'w').write('in the grader')")
    return notebook


@pytest.fixture(scope="module")
def tampered_outcomes(lanes, bait, tmp_path_factory):
    """The tampered notebooks under way, by name; each with a folder where a file appears if it is trusted."""
    folders = {name: tmp_path_factory.mktemp("canary") for name in TAMPERED}
    return {
        name: (lanes.grade(tampered(change, bait, folders[name])), folders[name])
        for name, (change, _, _) in TAMPERED.items()
    }


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_notebook_is_restored_and_the_learner_told(tampered_outcomes, name):
    future, folder = tampered_outcomes[name]
    _, points, says = TAMPERED[name]
    outcome = future.result()
    assert outcome.points == points
    assert any(says in line for line in outcome.told) if says else outcome.told == [], outcome.told
    assert outcome.left == ()
    assert list(folder.iterdir()) == []


def converted(kind):
    """The solved exercise in an older format."""
    return (
        nbformat.writes(nbformat.convert(solved(), kind)).encode()
        if kind < 4
        else json.dumps(solved()).encode()
    )


FILES = {
    "nothing at all": (b"", "is empty"),
    "no JSON": (b"print('hello')", "is not a notebook that can be read"),
    "half a notebook": (json.dumps(solved())[:5000].encode(), "is not a notebook that can be read"),
    "a list": (b"[]", "is not a notebook that can be read: it holds something else"),
    "a number": (b"4", "is not a notebook that can be read"),
    "lists in lists": (b"[" * 100_000, "is not a notebook that can be read"),
    "a number of five thousand digits": (b'{"nbformat": ' + b"4" * 5000 + b"}", "is not a notebook"),
    "a format to come": (
        b'{"nbformat": 9, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        "is not a notebook",
    ),
    "cells that are none": (
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3, null]}',
        "is not a notebook",
    ),
    "bytes that are no text": (b"\xff\xfe" + bytes(range(256)), "is not a notebook that can be read"),
    "null bytes": (bytes(10_000), "is not a notebook that can be read"),
    "no cells": (
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}',
        "holds none of the cells",
    ),
    "too many cells": (
        json.dumps(new_notebook(cells=[new_code_cell("1", id=f"cell-{n}") for n in range(3000)])).encode(),
        "has 3000 cells",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_submission_is_refused_with_what_to_do(lanes, tmp_path, name):
    content, says = FILES[name]
    path = tmp_path / f"{NAME}.ipynb"
    path.write_bytes(content)
    os.utime(path, (0, 0))  # of one that was saved just now, the rest would be awaited
    outcome = lanes.grade(path).result()
    assert isinstance(outcome.report, SubmissionError)
    assert says in outcome.report.message
    assert outcome.report.hint
    assert len(outcome.report.message) < 500
    assert outcome.left == ()
    assert path.read_bytes() == content


def linked(folder, path):
    path.symlink_to(folder / "outside.ipynb")
    (folder / "outside.ipynb").write_text(json.dumps(solved()))


def renamed(folder, path):
    (path.parent / "my exercise.ipynb").write_text(json.dumps(solved()))


def of_another_exercise(folder, path):
    notebook = solved()
    for one in notebook.cells:
        if name := one.metadata.get("nbgrader", {}).get("grade_id", ""):
            one.metadata.nbgrader.grade_id = name.replace("06-", "05-")
    path.write_text(json.dumps(notebook))


PLACES = {
    "no file": (lambda folder, path: None, "There is no 06-failover-timeline.ipynb"),
    "a folder": (lambda folder, path: path.mkdir(), "is a folder; a notebook was expected"),
    "a link to another file": (linked, "is a link to another file"),
    "a link to nowhere": (lambda folder, path: path.symlink_to("/nowhere"), "is a link to another file"),
    "a device": (lambda folder, path: path.symlink_to("/dev/zero"), "is a link to another file"),
    "a pipe": (lambda folder, path: os.mkfifo(path), "There is no 06-failover-timeline.ipynb"),
    "another name": (renamed, "but my exercise.ipynb"),
    "another exercise": (of_another_exercise, "its cells are of exercise 05"),
    "more than can be meant": (
        lambda folder, path: path.touch() or os.truncate(path, 200 << 20),
        "has 200 MiB; a notebook may have 100",
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_stands_in_the_notebook_s_place_is_refused_with_what_to_do(lanes, tmp_path, name):
    make, says = PLACES[name]
    folder = tmp_path / "exercise"
    folder.mkdir()
    make(tmp_path, folder / f"{NAME}.ipynb")
    outcome = lanes.grade(folder / f"{NAME}.ipynb").result()
    assert isinstance(outcome.report, SubmissionError)
    assert says in outcome.report.message
    assert outcome.report.hint
    assert outcome.left == ()


def test_an_older_format_is_read(lanes, tmp_path):
    path = tmp_path / f"{NAME}.ipynb"
    path.write_bytes(converted(3))
    assert lanes.grade(path).result().points == FULL


def test_the_corpus_is_large():
    assert len(CORPUS) + len(TAMPERED) + len(FILES) + len(PLACES) > 100


def test_the_same_work_gets_the_same_grade(lanes):
    """Here a wrong policy whose luck decides in the simulator."""
    notebook = solved()
    write(
        "06-2-retry", "def retry(attempt, elapsed, outcome, operation, rng):\n    return rng.uniform(0, 2)"
    )(notebook, "")
    reports = [lanes.grade(notebook).result().report for _ in range(3)]
    assert reports[0].points < 20
    assert reports[0].checks == reports[1].checks == reports[2].checks


@pytest.fixture(scope="module")
def without_bubblewrap(tmp_path_factory, bait):
    """As `lanes`, where bubblewrap is not installed."""
    programs = tmp_path_factory.mktemp("programs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(programs))
        lanes = Lanes(tmp_path_factory.mktemp("weaker"))
        yield lanes
        lanes.close()
    assert bait.processes() == []


WITHOUT_BUBBLEWRAP = (
    "ends its process in a cell",
    "kills and stops its process group",
    "leaves a daemon behind that outlives its parent",
    "forks without end",
    "fills memory with many processes",
    "fills memory that belongs to no process",
    "fills its folder",
    "redefines what it is compared with",
)


@pytest.mark.parametrize("name", WITHOUT_BUBBLEWRAP)
def test_without_bubblewrap_the_score_is_the_same_and_the_weakness_is_told(without_bubblewrap, bait, name):
    outcome = without_bubblewrap.grade(CORPUS[name].notebook(bait)).result()
    assert outcome.points == CORPUS[name].points
    assert [
        note for note in outcome.report.notes if "Isolation is weaker: bubblewrap is not installed" in note
    ]
    assert outcome.left == ()
    assert bait.touched() == []


# What a machine does that gives processes no namespaces: the host cannot make any for its learners.
NO_NAMESPACES = """
import os, sys
from halab.grading.sandbox import confine
confine.drop_capabilities()
confine.install_seccomp_filter()
os.execv(sys.argv[1], sys.argv[1:])
"""


def isolations_here():
    """Every kind of isolation this machine can show, and which probes get in."""
    with pytest.MonkeyPatch.context() as patch:
        for user in (0, 1000) if os.geteuid() == 0 else (os.geteuid(),):
            patch.setattr(os, "geteuid", lambda user=user: user)
            *strong, weak = isolations()
            for one in strong[:1]:
                yield pytest.param(one, set(), id=f"bubblewrap, user {user}")
    yield pytest.param(weak, set(), id="process limits")
    alone = dataclasses.replace(weak, before=(sys.executable, "-c", NO_NAMESPACES))
    lets_in = {"changes what is there"}
    if confine.landlock_version() < 6:
        lets_in |= {"signals other processes", "reaches an abstract socket"}
    yield pytest.param(alone, lets_in, id="process limits, no namespaces")


@pytest.mark.parametrize(("kind", "lets_in"), list(isolations_here()))
def test_every_kind_of_isolation_keeps_learners_out(kind, lets_in, tmp_path, monkeypatch):
    """The second learner of each, who might find what the first one left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(box_module, "isolations", lambda: iter([kind]))
    bait = Bait(tmp_path)
    got_in = set()
    with Sandbox() as sandbox:
        for _ in range(2):
            with sandbox.box(LEARNER) as box:
                for name, tries in PROBES.items():
                    outputs, error = box.run(bait.fill(probing(tries)), box.limit(60))
                    assert error is None
                    *_, verdict = "".join(one.text for one in outputs).splitlines()
                    got_in |= set() if verdict.startswith("kept out") else {name}
        assert bool(sandbox.warning) == bool(kind.warning)
    assert got_in == lets_in
    assert bool(bait.touched()) == bool(lets_in)
    bait.close()
