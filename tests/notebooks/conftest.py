"""Runs a lesson's notebook without a front end, in folders of its own."""

from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from halab.course.paths import course_root
from halab.measure import Journal


def _run_lesson(
    folder: Path, engine: str, slug: str = "06-failover-timeline", cells: Mapping[str, str] | None = None
) -> tuple[nbformat.NotebookNode, list[Journal]]:
    work = folder / "work"
    work.mkdir()
    lesson = nbformat.read(course_root() / "course" / f"{slug}.ipynb", as_version=4)
    for name, source in (cells or {}).items():
        next(cell for cell in lesson.cells if cell.id == name).source = source
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(work))
        patch.setenv("HALAB_HOME", str(folder / "clusters"))
        patch.setenv("HALAB_ENGINE", engine)
        NotebookClient(lesson, timeout=300, resources={"metadata": {"path": str(work)}}).execute()
    found = map(Journal.load, (work / "journals").glob(f"{slug[:2]}-*.jsonl"))
    return lesson, sorted(found, key=lambda journal: journal.header.started)


@pytest.fixture(scope="session")
def run_lesson():
    """Executes a lesson in a folder on an engine: the executed notebook, and its journals by time.

    Lesson 6 unless another's slug is given. `cells` are sources to run in place of a cell's own, by its id:
    for what a learner may choose, such as how often to repeat.
    """
    return _run_lesson
