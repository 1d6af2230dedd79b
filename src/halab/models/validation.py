"""Checks of arguments, and what was perhaps meant by a word that is none of those there are."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

from halab.translation import gettext

__all__ = ["did_you_mean", "not_negative", "positive"]


def positive(**values: float) -> None:
    """Raise ValueError unless every value is above 0 and finite; pass each by its name."""
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(
                gettext("{name} must be a positive number, not {number}").format(name=name, number=value)
            )


def not_negative(**values: float) -> None:
    """Raise ValueError unless every value is 0 or above and finite; pass each by its name."""
    for name, value in values.items():
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(
                gettext("{name} must be zero or a positive number, not {number}").format(
                    name=name, number=value
                )
            )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that names the known word nearest to this one, with a blank after it; "" if none is near."""
    close = difflib.get_close_matches(word.lower().strip(), list(known), n=1)
    return gettext('Did you mean "{name}"? ').format(name=close[0]) if close else ""
