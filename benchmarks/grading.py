"""`halab grade` against stock `nbgrader autograde` on the same submission, in one run.

    python benchmarks/grading.py [repeats]        runs of each; 3 if not given

Both start from nothing but a shell: the time of a whole command. `halab grade` runs the course's nbgrader
settings in a scratch folder and reports why a check failed. Stock nbgrader grades a folder that
`generate_assignment` has prepared, outside the clock. "First" is `halab grade` before it knows an exercise.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from halab.course.paths import course_root

NAME = "06-failover-timeline"
SCRIPTS = Path(sysconfig.get_path("scripts"))


def seconds(command: list[str], folder: Path, **variables: str) -> float:
    """How long a command takes. Stops the benchmark if it fails."""
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path} | variables, check=True, capture_output=True
    )
    return time.perf_counter() - started


def hand_in(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return Path(shutil.copy(course_root() / "solutions" / NAME / f"{NAME}.ipynb", folder))


def ours(folder: Path, repeats: int) -> tuple[list[float], list[float]]:
    """`halab grade`: first runs, each with an empty cache, and later ones."""
    hand_in(folder / "work" / "exercises" / NAME)
    command = [str(SCRIPTS / "halab"), "grade", "06"]
    first, later = [], []
    for number in range(repeats):
        settings = {"HALAB_WORK": str(folder / "work"), "HALAB_CACHE": str(folder / f"cache-{number}")}
        first.append(seconds(command, folder, **settings))
        later.append(seconds(command, folder, **settings))
    return first, later


def stock(folder: Path, repeats: int) -> list[float]:
    """`nbgrader autograde` with default settings but for the names of folders."""
    (folder / "stock").mkdir()
    shutil.copytree(course_root() / "solutions", folder / "stock" / "source")
    nbgrader = str(SCRIPTS / "nbgrader")
    seconds([nbgrader, "generate_assignment", NAME], folder / "stock")
    hand_in(folder / "stock" / "submitted" / "ada" / NAME)
    command = [nbgrader, "autograde", NAME, "--student", "ada", "--force"]
    return [seconds(command, folder / "stock") for _ in range(repeats)]


def main(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        first, later = ours(Path(name), repeats)
        peer = stock(Path(name), repeats)
    table = Table(title=f"Grading exercise 6, seconds of wall time, {repeats} runs each")
    for column in ("command", "median", "least", "most"):
        table.add_column(column, justify="left" if column == "command" else "right")
    for label, times in (
        ("halab grade 06, first", first),
        ("halab grade 06", later),
        ("nbgrader autograde", peer),
    ):
        table.add_row(
            label, *(f"{value:.2f}" for value in (statistics.median(times), min(times), max(times)))
        )
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
