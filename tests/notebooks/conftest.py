"""A lesson from top to bottom on a real cluster of its own, once for all tests of its module."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from halab.cluster.embedded.binaries import platform_problem


@pytest.fixture(scope="module")
def run_real(
    run_lesson: Callable[..., tuple[Any, list[Any]]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Any, list[Any], Path]]:
    """Executes a lesson on the embedded cluster: the notebook, its journals by time, the learner's folder.

    Skips where that cluster cannot run. Fails if the lesson leaves a cluster behind.
    """

    def run(
        slug: str, cells: Mapping[str, str] | None = None, language: str = "en"
    ) -> tuple[Any, list[Any], Path]:
        if problem := platform_problem():
            pytest.skip(f"the embedded cluster cannot run here: {problem}")
        folder = tmp_path_factory.mktemp("real")
        lesson, journals = run_lesson(folder, "embedded", slug, cells, language)
        left = list((folder / "clusters" / "clusters").glob("*/cluster.json"))
        assert not left, "the lesson left a cluster"
        return lesson, journals, folder / "work"

    return run
