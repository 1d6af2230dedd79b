"""nbgrader's own converters, run on a course folder with the settings of its `nbgrader_config.py`."""

from __future__ import annotations

import io
import logging
import os
import sysconfig
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from halab.course.environment import environment
from halab.errors import CourseError

__all__ = ["autograde", "generate", "settings"]


def settings(folder: Path) -> Config:
    """The settings of `nbgrader_config.py`, for the course in `folder`."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    config.CourseDirectory.root = str(folder)
    return config


def generate(config: Config, assignment: str) -> None:
    """`nbgrader generate_assignment`: the release into `exercises/`, the test cells into the gradebook.

    Raises CourseError with what nbgrader logged.
    """
    _run(GenerateAssignment, config, assignment)


def autograde(config: Config, assignment: str, learner: str) -> None:
    """`nbgrader autograde` for one learner's submission. Raises CourseError with what nbgrader logged."""
    _run(Autograde, config, assignment, learner)


def _run(converter: Any, config: Config, assignment: str, learner: str = "*") -> None:
    folder = CourseDirectory(config=config)
    folder.assignment_id, folder.student_id = assignment, learner
    log = logging.getLogger("halab.nbgrader")
    log.propagate = False
    heard = io.StringIO()
    log.handlers = [logging.StreamHandler(heard)]
    # nbgrader calls `alembic` by name, which is beside this Python and on the PATH only of an activated venv.
    scripts = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        with environment(PATH=scripts):
            converter(coursedir=folder, config=config, log=log, force=True).start()
    except NbGraderException as error:
        raise CourseError(f"nbgrader could not process {assignment}:\n{heard.getvalue()[-3000:]}") from error
