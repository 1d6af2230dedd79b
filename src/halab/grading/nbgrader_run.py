"""nbgrader's own converters, run on a course folder with the settings of its `nbgrader_config.py`."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import create_engine, inspect
from traitlets.config import Config, PyFileConfigLoader

from halab.errors import CourseError
from halab.translation import gettext

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
    _stamp(config.CourseDirectory.db_url)
    _run(GenerateAssignment, config, assignment)


def autograde(config: Config, assignment: str, learner: str) -> None:
    """`nbgrader autograde` for one learner's submission. Raises CourseError with what nbgrader logged."""
    _run(Autograde, config, assignment, learner)


def _stamp(gradebook: str) -> None:
    """Write the version of nbgrader's schema into a new gradebook, as nbgrader does when it makes one.

    It asks the `alembic` command for the version, which imports all of nbgrader again: three seconds.
    """
    engine = create_engine(gradebook)
    with engine.begin() as connection:
        if not inspect(connection).get_table_names():
            MigrationContext.configure(connection).stamp(ScriptDirectory(ALEMBIC_DIR), "head")
    engine.dispose()


def _run(converter: Any, config: Config, assignment: str, learner: str = "*") -> None:
    folder = CourseDirectory(config=config)
    folder.assignment_id, folder.student_id = assignment, learner
    log = logging.getLogger("halab.nbgrader")
    log.propagate = False
    heard = io.StringIO()
    log.handlers = [logging.StreamHandler(heard)]
    try:
        converter(coursedir=folder, config=config, log=log, force=True).start()
    except NbGraderException as error:
        raise CourseError(
            gettext("nbgrader could not process {assignment}:\n{output}").format(
                assignment=assignment, output=heard.getvalue()[-3000:]
            )
        ) from error
