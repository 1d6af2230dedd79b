"""Checks of arguments that several models make. Each raises ValueError with the argument's name and value."""

from __future__ import annotations

import math

__all__ = ["not_negative", "positive"]


def positive(**values: float) -> None:
    """Raise ValueError unless every value is above 0 and finite; pass each by its name."""
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be a positive number, not {value}")


def not_negative(**values: float) -> None:
    """Raise ValueError unless every value is 0 or above and finite; pass each by its name."""
    for name, value in values.items():
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be zero or a positive number, not {value}")
