import json

import pytest

from halab.course.catalogue import CERTIFIED

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of its own with empty notebooks, and an empty `work/`."""
    root = tmp_path / "halab-course"
    notebooks = [root / "course" / "00-start-here.ipynb"]
    for card in CERTIFIED:
        notebooks.append(root / "course" / f"{card.slug}.ipynb")
        for folder in ("exercises", "solutions"):
            notebooks.append(root / folder / card.slug / f"{card.slug}.ipynb")
    for path in notebooks:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(NOTEBOOK))
    (root / "exercises" / "06-failover-timeline" / "data.jsonl").write_text("{}\n")
    (root / "cards").mkdir()
    monkeypatch.setenv("HALAB_COURSE", str(root))
    monkeypatch.delenv("HALAB_WORK", raising=False)
    monkeypatch.delenv("HALAB_LEARNER", raising=False)
    return root
