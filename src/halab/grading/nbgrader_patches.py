"""What nbgrader does again for every notebook, done once in a process that grades many of them.

For each submission nbgrader opens its gradebook ten times, each time with a new SQLAlchemy engine that
compiles every query anew; it waits for the disk after each of forty commits; and for each cell it checks
its schema before it checks the cell. That was half of its own time, and it has no settings for any of it.
"""

from __future__ import annotations

import json
from functools import cache
from types import SimpleNamespace
from typing import Any

import jsonschema  # type: ignore[import-untyped]
from nbgrader import api
from nbgrader.nbgraderformat import common
from sqlalchemy import create_engine, event

__all__ = ["apply_patches"]


def apply_patches() -> None:
    """From now on, in this process. For throw-away gradebooks: a power cut would leave one half written."""
    api.create_engine = _engine
    common.jsonschema = SimpleNamespace(validate=_validate)


@cache
def _engine(url: str, **settings: Any) -> Any:
    """The engine for this gradebook. nbgrader disposes of its connections, so a new file there is found."""
    engine = create_engine(url, **settings)
    event.listen(engine, "connect", _disable_fsync)
    return engine


def _disable_fsync(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")


def _validate(instance: Any, schema: Any) -> None:
    """As jsonschema.validate."""
    error = jsonschema.exceptions.best_match(_validator(json.dumps(schema)).iter_errors(instance))
    if error is not None:
        raise error


@cache
def _validator(schema: str) -> Any:
    loaded = json.loads(schema)
    validator = jsonschema.validators.validator_for(loaded)
    validator.check_schema(loaded)
    return validator(loaded)
