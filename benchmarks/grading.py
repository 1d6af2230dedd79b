"""Grading by halab against stock `nbgrader autograde` on the same notebooks, in one run.

    python benchmarks/grading.py [learners]       size of the class; 50 if not given

1. One exercise of one learner, each a whole command from the shell.
2. One learner with ten assignments: the one exercise there is, ten times over.
3. A class: every learner hands in exercise 6, every fifth with an answer that fails.

Stock nbgrader grades a folder that `generate_assignment` has prepared, outside the clock, with default
settings: no sandbox, one kernel a submission, and the tests within it. Memory is the most
that a command and everything below it held at once (proportional set size, looked at twice a second).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from rich.console import Console
from rich.table import Table

from halab.course.paths import course_root

NAME = "06-failover-timeline"
SCRIPTS = Path(sysconfig.get_path("scripts"))
SOLUTION = course_root() / "solutions" / NAME / f"{NAME}.ipynb"


@dataclass(frozen=True)
class Run:
    """Seconds of wall time, and bytes of memory at most."""

    seconds: float
    memory: int


def run(command: list[str], folder: Path, **variables: str) -> Run:
    """Time a command. Stops the benchmark if it fails."""
    environment = os.environ | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"} | variables
    started = time.perf_counter()
    with (folder / "output.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        with ThreadPoolExecutor(1) as pool:
            ended = threading.Event()
            memory = pool.submit(_most_memory, process.pid, ended)
            status = process.wait()
            seconds = time.perf_counter() - started
            ended.set()
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{(folder / 'output.log').read_text()[-3000:]}")
    return Run(seconds, memory.result())


def _most_memory(pid: int, ended: threading.Event) -> int:
    most = 0
    while not ended.wait(0.5):
        most = max(most, _memory(pid))
    return most


def _memory(pid: int) -> int:
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def notebook(number: int) -> str:
    """The solution; of every fifth learner with a policy that never tries again."""
    made = nbformat.read(SOLUTION, as_version=4)
    for cell in made.cells:
        if cell.id == "06-2-retry" and number % 5 == 4:
            cell.source = "def retry(attempt, elapsed, outcome, operation, rng):\n    return None"
    return nbformat.writes(made)


def hand_in(folder: Path, learners: list[str]) -> Path:
    """Submissions as nbgrader collects them."""
    for number, learner in enumerate(learners):
        path = folder / learner / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook(number), encoding="utf-8")
    return folder


def one(folder: Path) -> tuple[Run, Run]:
    """`halab grade 06`: before it knows the exercise, and later."""
    copy = folder / "work" / "exercises" / NAME / f"{NAME}.ipynb"
    copy.parent.mkdir(parents=True)
    copy.write_text(notebook(0), encoding="utf-8")
    settings = {"HALAB_WORK": str(folder / "work"), "HALAB_CACHE": str(folder / "cache")}
    command = [str(SCRIPTS / "halab"), "grade", "06"]
    return run(command, folder, **settings), run(command, folder, **settings)


def ours(folder: Path, learners: list[str]) -> Run:
    """`halab class grade`."""
    folder.mkdir()
    submitted = hand_in(folder / "submitted", learners)
    return run([str(SCRIPTS / "halab"), "class", "grade", str(submitted)], folder)


def stock(folder: Path, learners: list[str]) -> Run:
    """`nbgrader autograde` of all of them."""
    folder.mkdir()
    shutil.copytree(course_root() / "solutions", folder / "source")
    nbgrader = str(SCRIPTS / "nbgrader")
    run([nbgrader, "generate_assignment", NAME], folder)
    hand_in(folder / "submitted", learners)
    return run([nbgrader, "autograde", NAME], folder)


def class_of(size: int) -> list[str]:
    return [f"learner-{number:03d}" for number in range(size)]


def main(size: int) -> None:
    table = Table(title="Grading exercise 6")
    for column in ("what", "command", "in all", "a submission", "memory", "times as fast"):
        table.add_column(column, justify="left" if column in ("what", "command") else "right")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        first, later = one(root)
        peer = stock(root / "stock-1", class_of(1))
        add(table, "1 submission", 1, peer, {"halab grade 06, first": first, "halab grade 06": later})
        for what, count in (("1 learner, 10 assignments", 10), (f"a class of {size}", size)):
            peer = stock(root / f"stock-{count}", class_of(count))
            add(
                table, what, count, peer, {"halab class grade": ours(root / f"ours-{count}", class_of(count))}
            )
    Console().print(table)


def add(table: Table, what: str, count: int, peer: Run, runs: dict[str, Run]) -> None:
    for command, one_run in {"nbgrader autograde": peer, **runs}.items():
        table.add_row(
            what,
            command,
            f"{one_run.seconds:.1f} s",
            f"{one_run.seconds / count:.2f} s",
            f"{one_run.memory / 1e6:.0f} MB",
            f"{peer.seconds / one_run.seconds:.1f}",
        )
    table.add_section()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
