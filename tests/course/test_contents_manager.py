import asyncio
import json
import platform
import threading
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from tornado.web import HTTPError

from halab.course.contents_manager import WorkspaceContentsManager
from halab.course.widget_outputs import VIEW
from halab.course.workspace import make_workspace

LESSON = "course/06-failover-timeline.ipynb"


@pytest.fixture
def manager(course, monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))  # where signatures are kept
    return WorkspaceContentsManager(root_dir=str(make_workspace()))


def test_the_first_get_copies_the_lesson_and_serves_the_copy(course, manager):
    model = asyncio.run(manager.get(LESSON))
    assert model["type"] == "notebook"
    assert model["content"]["cells"] == []
    assert (course / "work" / LESSON).is_file()


def test_a_later_get_serves_what_the_learner_saved(course, manager):
    asyncio.run(manager.get(LESSON))
    model = asyncio.run(manager.get(LESSON))
    cell = {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "mine"}
    model["content"]["cells"].append(cell)
    asyncio.run(manager.save({"type": "notebook", "content": model["content"]}, LESSON))
    again = asyncio.run(manager.get(LESSON))
    assert again["content"]["cells"][0]["source"] == "mine"


def test_a_copy_names_its_kernel_as_jupyterlab_does_once_it_runs(course, manager):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(metadata={"kernelspec": kernel}), course / LESSON)
    metadata = asyncio.run(manager.get(LESSON))["content"]["metadata"]
    assert metadata["kernelspec"]["display_name"] == "Python 3 (ipykernel)"
    assert metadata["language_info"]["version"] == platform.python_version()


def test_a_copy_is_trusted_as_it_was_handed_out_and_not_when_something_else_wrote_to_it(course, manager):
    code = nbformat.v4.new_code_cell("1")
    original = course / LESSON
    nbformat.write(nbformat.v4.new_notebook(cells=[code]), original)
    (cell,) = asyncio.run(manager.get(LESSON))["content"]["cells"]
    assert cell["metadata"]["trusted"]
    copy = course / "work" / LESSON
    copy.write_text(copy.read_text().replace('"1"', '"2"'))
    (cell,) = asyncio.run(manager.get(LESSON))["content"]["cells"]
    assert not cell["metadata"]["trusted"]


def test_a_widget_s_view_is_left_out_when_no_kernel_runs(course, manager):
    data = {VIEW: {"model_id": "gone"}, "text/html": "as it was"}
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", data)])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), course / LESSON)
    (cell,) = asyncio.run(manager.get(LESSON))["content"]["cells"]
    assert cell["outputs"][0]["data"] == {"text/html": "as it was"}


@pytest.mark.slow
def test_a_notebook_that_is_saved_again_and_again_is_whole_whenever_it_is_read(course, manager):
    model = asyncio.run(manager.get(LESSON))
    long = {"cell_type": "markdown", "id": "long", "metadata": {}, "source": "word " * 20_000}
    model["content"]["cells"].append(long)
    copy, reads = course / "work" / LESSON, []
    done = threading.Event()

    def read():
        while not done.is_set():
            reads.append(json.loads(copy.read_text())["nbformat"])

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for _ in range(50):
            asyncio.run(manager.save({"type": "notebook", "content": model["content"]}, LESSON))
        done.set()
        reading.result()
    assert len(reads) > 10
    assert not [path for path in copy.parent.iterdir() if path.name.startswith(".~")]


def test_a_save_that_fails_leaves_what_was_there(course, manager):
    asyncio.run(manager.get(LESSON))
    copy = course / "work" / LESSON
    before = copy.read_bytes()

    def fail():
        with manager.atomic_writing(str(copy)) as file:
            file.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert copy.read_bytes() == before
    assert not list(copy.parent.glob(".~*"))


def test_a_folder_lists_the_lessons_that_nobody_has_opened_yet(course, manager):
    def names(folder):
        return sorted(entry["path"] for entry in asyncio.run(manager.get(folder))["content"])

    lessons = sorted(f"course/{path.name}" for path in (course / "course").glob("*.ipynb"))
    (course / "course" / ".hidden").touch()
    assert LESSON in lessons
    assert names("course") == lessons
    assert not (course / "work" / LESSON).exists()
    asyncio.run(manager.get(LESSON))
    assert names("course") == lessons
    assert names("exercises") == sorted(f"exercises/{path.name}" for path in (course / "exercises").glob("*"))


def test_asking_without_content_is_enough(course, manager):
    assert asyncio.run(manager.get(LESSON, content=False))["path"] == LESSON


def test_solutions_and_hidden_files_are_not_there(course, manager):
    for path in ("solutions", "../solutions", ".halab"):
        with pytest.raises(HTTPError):
            asyncio.run(manager.get(path))
    names = [entry["name"] for entry in asyncio.run(manager.get(""))["content"]]
    assert sorted(names) == ["course", "exercises"]
