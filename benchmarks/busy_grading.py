"""Eight right notebooks are graded while ten programs keep the machine busy: how many get all their points?

    python benchmarks/busy_grading.py [rounds]        3 rounds if not given, each in an order of its own

Each notebook is the solution of another exercise, for a learner of their own; two are graded at a time. The
exit status is 1 if one of them gets less than it deserves, or no grade.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from halab.course.catalogue import exercises
from halab.course.paths import course_root
from halab.errors import CourseError
from halab.grading.grader import grade_notebook

NOTEBOOKS = [exercise.slug for exercise in exercises()][:8]
LOOPS = 10


def graded(item: tuple[int, str]) -> str:
    """What a right notebook got, in words; "" if it is all it deserves."""
    number, name = item
    try:
        report = grade_notebook(
            course_root() / "solutions" / name / f"{name}.ipynb", name, f"learner-{number}"
        )
    except CourseError as error:
        return f"{name}: no grade: {error.message}"
    return "" if report.points == report.out_of else f"{name}: {report.points:g} of {report.out_of:g}"


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    chance, wrong = random.Random(0), 0
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HALAB_CACHE"] = str(Path(cache))
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(LOOPS)]
        try:
            for number in range(1, rounds + 1):
                order = list(enumerate(chance.sample(NOTEBOOKS, len(NOTEBOOKS))))
                began = time.monotonic()
                with ThreadPoolExecutor(2) as pool:
                    problems = [problem for problem in pool.map(graded, order) if problem]
                wrong += len(problems)
                right, seconds = len(order) - len(problems), time.monotonic() - began
                print(
                    f"round {number}: {right} of {len(order)} right, {seconds:.0f} s. {'; '.join(problems)}",
                    flush=True,
                )
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
