"""The form of every notebook of the course: no outputs, ids that stay, and short code cells."""

import importlib
import re
import statistics
from pathlib import Path

import nbformat
import pytest

from halab.course.paths import course_root
from support.notebook_outputs import bare_results

NOTEBOOKS = sorted((course_root() / "course").glob("*.ipynb"))


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def lines(cell: nbformat.NotebookNode) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_carries_no_outputs(path: Path) -> None:
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_cell_ids_are_words_and_unique(path: Path) -> None:
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert len(set(ids)) == len(ids)
    assert all(part.isalnum() and part.islower() for name in ids for part in name.split("-"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_one_line_in_its_first_code_cell_brings_all_it_calls_of_halab(path: Path) -> None:
    first, *rest = code_cells(path)
    module = path.stem[3:].replace("-", "_")
    assert first.source.startswith(f"from halab.lessons import {module} as lesson\n\n")
    assert "halab" not in first.source.split("\n", 1)[1]
    assert not any(re.search(r"\bhalab\b", cell.source) for cell in rest)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_has_all_that_its_notebook_calls(path: Path) -> None:
    lesson = importlib.import_module(f"halab.lessons.{path.stem[3:].replace('-', '_')}")
    called = {name for cell in code_cells(path) for name in re.findall(r"\blesson\.(\w+)", cell.source)}
    assert called - set(lesson.__all__) == set()
    assert all(hasattr(lesson, name) for name in lesson.__all__)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_half_of_its_code_cells_have_at_most_four_lines_and_none_more_than_eight(path: Path) -> None:
    lengths = [lines(cell) for cell in code_cells(path)]
    assert statistics.median(lengths) <= 4
    assert max(lengths) <= 8


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_there_is_something_to_run_on_its_first_screen(path: Path) -> None:
    first, second = nbformat.read(path, as_version=4).cells[:2]
    assert (first.cell_type, second.cell_type) == ("markdown", "code")
    assert len(first.source) < 900


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_links_lead_to_files_that_exist_or_to_https(path: Path) -> None:
    prose = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        assert target.startswith("https://") or (path.parent / target).is_file(), target


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("(1, 2)", True),
        ("{'a': 1}", True),
        ("['querynode-1']", True),
        ("PosixPath('06.jsonl')", True),
        ("Alert(burn=14.4, window=3600.0, action='page')", True),
        ("'a passage'", True),
        ("Kept for card 6: crash active rootcoord", False),
        ("3 copies on querynode-1 (loaded)", False),
        ("an aside (here) and one (there)", False),
    ],
)
def test_bare_python_is_told_from_words(source: str, bare: bool) -> None:
    shown = nbformat.v4.new_output("execute_result", {"text/plain": source})
    cell = nbformat.v4.new_code_cell("it", outputs=[shown])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert bool(bare_results(notebook)) is bare


def test_a_table_may_have_a_bare_text_beside_its_html() -> None:
    shown = nbformat.v4.new_output("execute_result", {"text/plain": "(1, 2)", "text/html": "<table/>"})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("it", outputs=[shown])])
    assert bare_results(notebook) == {}
