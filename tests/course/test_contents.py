import asyncio

import pytest
from tornado.web import HTTPError

from halab.course.contents import WorkspaceContentsManager
from halab.course.workspace import make_workspace

LESSON = "course/06-failover-timeline.ipynb"


@pytest.fixture
def manager(course):
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


def test_asking_without_content_is_enough(course, manager):
    assert asyncio.run(manager.get(LESSON, content=False))["path"] == LESSON


def test_solutions_and_hidden_files_are_not_there(course, manager):
    for path in ("solutions", "../solutions", ".halab"):
        with pytest.raises(HTTPError):
            asyncio.run(manager.get(path))
    names = [entry["name"] for entry in asyncio.run(manager.get(""))["content"]]
    assert sorted(names) == ["course", "exercises"]
