import json

import pytest

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course of its own, with a lesson and an exercise, and an empty `work/`."""
    root = tmp_path / "halab-course"
    lesson = root / "course" / "06-failover-timeline.ipynb"
    exercise = root / "exercises" / "06-failover-timeline" / "06-failover-timeline.ipynb"
    secret = root / "solutions" / "06-failover-timeline" / "06-failover-timeline.ipynb"
    for path in (lesson, exercise, secret):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(NOTEBOOK))
    (root / "course" / "00-start-here.ipynb").write_text(json.dumps(NOTEBOOK))
    (exercise.parent / "data.jsonl").write_text("{}\n")
    (root / "cards").mkdir()
    monkeypatch.setenv("HALAB_COURSE", str(root))
    monkeypatch.delenv("HALAB_WORK", raising=False)
    monkeypatch.delenv("HALAB_LEARNER", raising=False)
    return root
