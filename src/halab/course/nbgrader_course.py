"""nbgrader's own converters, run on a course folder with the settings of its `nbgrader_config.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

__all__ = ["autograde", "generate", "settings"]


def settings(folder: Path) -> Config:
    """The settings of `nbgrader_config.py`, for the course in `folder`."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    config.CourseDirectory.root = str(folder)
    return config


def generate(config: Config, assignment: str) -> None:
    """`nbgrader generate_assignment`: the release into `exercises/`, the test cells into the gradebook."""
    _run(GenerateAssignment, config, assignment)


def autograde(config: Config, assignment: str, learner: str) -> None:
    """`nbgrader autograde` for one learner's submission."""
    _run(Autograde, config, assignment, learner)


def _run(converter: Any, config: Config, assignment: str, learner: str = "*") -> None:
    folder = CourseDirectory(config=config)
    folder.assignment_id, folder.student_id = assignment, learner
    converter(coursedir=folder, config=config, force=True).start()
