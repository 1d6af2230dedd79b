"""Runs a lesson's notebook without a front end, in folders of its own."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from halab.course.paths import course_root
from halab.measure import Journal


def _run_lesson(folder: Path, engine: str) -> tuple[nbformat.NotebookNode, list[Journal]]:
    work = folder / "work"
    work.mkdir()
    lesson = nbformat.read(course_root() / "course" / "06-failover-timeline.ipynb", as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALAB_WORK", str(work))
        patch.setenv("HALAB_HOME", str(folder / "clusters"))
        patch.setenv("HALAB_ENGINE", engine)
        NotebookClient(lesson, timeout=300, resources={"metadata": {"path": str(work)}}).execute()
    found = map(Journal.load, (work / "journals").glob("06-*.jsonl"))
    return lesson, sorted(found, key=lambda journal: journal.header.started)


@pytest.fixture(scope="session")
def run_lesson():
    """Executes lesson 6 in a folder on an engine: the executed notebook, and its journals by time."""
    return _run_lesson
