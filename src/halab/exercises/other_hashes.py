"""What Python's own `hash` gives in another process, tried in this one."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["other_hashes"]


@contextmanager
def other_hashes() -> Iterator[None]:
    """Let `hash` give other numbers meanwhile for all but numbers, whose hash is the same everywhere.

    While answers are graded the hashes of texts are fixed, so that the same work has the same grade. This
    tells who relies on them, by that name.
    """
    usual = builtins.hash

    def other(value: object) -> int:
        return usual(value) if isinstance(value, (int, float)) else usual((value, "in another process"))

    builtins.hash = other
    try:
        yield
    finally:
        builtins.hash = usual
