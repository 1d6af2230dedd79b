"""Each exercise as a learner who reads Chinese runs it: every check passes, and says so in Chinese."""

import nbformat
import pytest
from nbclient import NotebookClient

from halab.course.catalogue import exercises
from halab.course.notebook_translation import translate_notebook
from halab.course.paths import course_root
from support.graded_answers import answered
from support.notebook_outputs import english_sentences

DOCUMENTS = "look-at-passages"  # made-up data, the same in every language

pytestmark = [pytest.mark.grading, pytest.mark.timeout(120)]


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.slug)
def test_an_answered_exercise_runs_in_chinese(exercise, tmp_path, monkeypatch):
    notebook = nbformat.read(course_root() / exercise.exercise, as_version=4)
    translate_notebook(notebook, exercise.exercise, "zh")
    answers = {cell.id: cell.source for cell in answered(exercise.slug, {}).cells}
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answers[cell.id]
    monkeypatch.setenv("HALAB_LANG", "zh")
    monkeypatch.setenv("HALAB_WORK", str(tmp_path))
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert english_sentences(notebook).keys() <= {DOCUMENTS}
    shown = [str(cell.outputs) for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [text for text in shown if "✓" not in text] == []
