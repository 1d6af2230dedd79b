"""Environment variables for a while."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["temporary_environment"]


@contextmanager
def temporary_environment(**values: str) -> Iterator[None]:
    """Set these variables and put back what was there. (nbgrader.utils.setenv loses it.)"""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
