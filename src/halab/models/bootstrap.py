"""Medians and ratios of medians with an interval that says how far chance may have moved them.

The percentile bootstrap: draw as many values as there are, with replacement, work out the figure again, and
do so thousands of times; the middle 95 % of the results is the interval. Source: B. Efron and R.
Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. With few values it is too narrow, and it
knows nothing of what was the same in all of them: the machine, the version, the day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from halab.translation import gettext

__all__ = ["Interval", "median_interval", "ratio_interval", "turns_until_outside"]

_DRAWS = 4000


class Interval(NamedTuple):
    """A figure and the interval about it, in the unit of what it was worked out from."""

    low: float
    median: float
    high: float


def median_interval(values: Sequence[float], *, level: float = 0.95, seed: int = 0) -> Interval:
    """The median with its interval. A single value has none: low and high are itself.

    Raises ValueError if there is no value, or one that is not finite, or a level that is not between 0 and 1.
    """
    return _interval(float(np.median(_checked(values))), _medians(values, seed), level)


def ratio_interval(
    above: Sequence[float], below: Sequence[float], *, level: float = 0.95, seed: int = 0
) -> Interval:
    """median(above) / median(below) with its interval; both are drawn again, independently of each other.

    Raises ValueError unless every value is above 0.
    """
    if min(*_checked(above), *_checked(below)) <= 0:
        raise ValueError(gettext("a ratio needs values above 0"))
    ratio = float(np.median(above) / np.median(below))
    return _interval(ratio, _medians(above, seed) / _medians(below, seed + 1), level)


def turns_until_outside(ratio: Interval, value: float, turns: int) -> float:
    """About how many turns it takes until a ratio's interval no longer holds `value`; infinite if never.

    A guess: the ratio stays as it is, and the interval narrows with the root of the turns, on a logarithmic
    scale. Raises ValueError unless all are above 0.
    """
    if min(*ratio, value) <= 0 or turns < 1:
        raise ValueError(gettext("a ratio, the value and the turns must be above 0"))
    distance = abs(math.log(ratio.median / value))
    end = ratio.low if value < ratio.median else ratio.high
    width = abs(math.log(ratio.median / end))
    return turns * (width / distance) ** 2 if distance else math.inf


def _checked(values: Sequence[float]) -> Sequence[float]:
    if not len(values) or not np.all(np.isfinite(values)):
        raise ValueError(gettext("an interval needs at least one number, and none that is infinite"))
    return values


def _medians(values: Sequence[float], seed: int) -> NDArray[Any]:
    drawn = np.random.default_rng(seed).choice(np.asarray(values, float), (_DRAWS, len(values)))
    medians: NDArray[Any] = np.median(drawn, axis=1)
    return medians


def _interval(figure: float, drawn: NDArray[Any], level: float) -> Interval:
    if not 0 < level < 1:
        raise ValueError(gettext("level must lie between 0 and 1, not {level}").format(level=level))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), figure, float(high))
