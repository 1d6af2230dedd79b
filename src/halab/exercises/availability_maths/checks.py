"""What exercise 2 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others and with the ends of the scale.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from halab.exercises.availability_maths.given import Recording
from halab.exercises.availability_maths.variant import ALMOST
from halab.exercises.expectations import call_many, example, expect, whole
from halab.exercises.learner_numbers import draw
from halab.models import availability as model
from halab.models.availability import DAY
from halab.models.availability_slo import failovers_allowed
from halab.translation import gettext

__all__ = [
    "check_allowed",
    "check_budget",
    "check_burn",
    "check_common",
    "check_copies",
    "check_downtime",
    "check_failovers",
    "check_inverse",
    "check_k_of_n",
    "check_parallel",
    "check_refused",
    "check_series",
    "draw",
    "extremes",
    "refusals",
]

Function = Callable[..., Any]

EDGES = (0.0, 0.5, ALMOST, 1.0)
_DOWN = 1e-6  # seconds: what rounding may do to a downtime
_SHARE = 1e-13  # what rounding may do to a share


def extremes(seed: int, cases: int = 6) -> list[float]:
    """Availabilities at random, and those at the ends of the scale."""
    rng = random.Random(seed)
    return [*EDGES, *(rng.random() for _ in range(cases))]


@example(0.999, 2592000, gives=2592.0)
def check_downtime(downtime: Function, availabilities: Sequence[float], period: float) -> None:
    """Seconds without service in a period."""
    answers = call_many(downtime, ((availability, period) for availability in availabilities))
    for availability, value in zip(availabilities, answers, strict=True):
        expect(
            _close(value, model.downtime(availability, period), _DOWN),
            gettext(
                "The downtime is the share of the period in which the service does not work, in "
                "seconds; all of the period for an availability of 0, nothing for 1."
            ),
            "02.1.downtime",
        )


@example(36, 3600, gives=0.99)
def check_inverse(availability: Function, downs: Sequence[float], period: float) -> None:
    """The availability that leaves so much downtime."""
    answers = call_many(availability, ((down, period) for down in downs))
    for down, value in zip(downs, answers, strict=True):
        expect(
            _close(value, 1 - down / period, _SHARE),
            gettext(
                "The availability is the share of the period in which the service worked: a number "
                "from 0 to 1, not a percentage."
            ),
            "02.1.inverse",
        )


@example([0.9, 0.8], gives=0.98)
def check_parallel(parallel: Function, pools: Sequence[Sequence[float]]) -> None:
    """One of several is enough."""
    answers = call_many(parallel, ((list(pool),) for pool in pools))
    for pool, value in zip(pools, answers, strict=True):
        expect(
            _close(value, model.parallel(pool), _SHARE),
            gettext("Where one copy is enough, the service is down only while every copy is down."),
            "02.2.parallel",
        )


@example([0.9, 0.8], gives=0.72)
def check_series(series: Function, chains: Sequence[Sequence[float]]) -> None:
    """Every part is needed."""
    answers = call_many(series, ((list(chain),) for chain in chains))
    for chain, value in zip(chains, answers, strict=True):
        expect(
            _close(value, model.series(chain), _SHARE),
            gettext(
                "Where every part is needed, the service works only while all of them do: it is "
                "never better than its weakest part."
            ),
            "02.2.series",
        )


@example(2, 3, 0.9, gives=0.972)
def check_k_of_n(k_of_n: Function, cases: Sequence[tuple[int, int, float]]) -> None:
    """At least k of n work."""
    answers = call_many(k_of_n, cases)
    for (k, n, availability), value in zip(cases, answers, strict=True):
        expect(
            _close(value, model.k_of_n(k, n, availability), _SHARE),
            gettext(
                "The service works while k copies work, or more than k; each way to choose those "
                "that do counts."
            ),
            "02.2.k-of-n",
        )


@example(0.9, 0.999, gives=3)
def check_copies(copies_needed: Function, cases: Sequence[tuple[float, float]]) -> None:
    """The fewest copies that reach a target."""
    answers = call_many(copies_needed, cases)
    for (availability, target), value in zip(cases, answers, strict=True):
        right = model.copies_needed(availability, target)
        is_whole = isinstance(whole(value), int) and not isinstance(value, bool)
        expect(
            is_whole or value is None,
            gettext("The answer is a whole number of copies, or None where no number is enough."),
            "02.2.copies",
        )
        expect(
            (value is None) == (right is None),
            gettext("None is the answer exactly where no number of copies reaches the target."),
            "02.2.copies-none",
        )
        expect(
            value is None or value >= (right or 0),
            gettext(
                "That many copies are not enough: their downtime together is more than the target allows."
            ),
            "02.2.copies",
        )
        expect(
            value == right,
            gettext(
                "One copy less would do as well. Mind rounding: as floats, 1 - 0.9999 is not quite 0.0001."
            ),
            "02.2.copies-dust",
        )


@example(0.9, 2, 1.0, gives=0.9)
def check_common(common_cause: Function, cases: Sequence[tuple[float, int, float]]) -> None:
    """Some of the downtime strikes all copies at once."""
    answers = call_many(common_cause, cases)
    for (availability, copies, beta), value in zip(cases, answers, strict=True):
        expect(
            _close(value, model.common_cause(1, copies, availability, beta), 1e-11),
            gettext(
                "A part of each copy's downtime is shared by all copies, the rest is its own. One "
                "copy keeps its availability, beta = 0 gives independent copies, and beta = 1 makes "
                "all copies one."
            ),
            "02.3.common",
        )


@example(0.99, 2, 30.0, 6000.0, gives=0.98)
def check_failovers(with_failovers: Function, cases: Sequence[tuple[float, int, float, float]]) -> None:
    """What switching over costs."""
    answers = call_many(with_failovers, cases)
    for (availability, failures, failover, period), value in zip(cases, answers, strict=True):
        expect(
            _close(value, max(0.0, availability - failures * failover / period), _SHARE),
            gettext(
                "Each failover is downtime of its own, on top of the copies' own; and no "
                "availability is below 0."
            ),
            "02.3.failovers",
        )


def check_burn(burn_rate: Function, recording: Recording, slo: float) -> None:
    """How fast the budget burns."""
    operations = list(recording.truth)
    answers = call_many(burn_rate, ((recording.journal, operation, slo) for operation in operations))
    for operation, value in zip(operations, answers, strict=True):
        expect(
            _close(value, recording.truth[operation] / (1 - slo), 1e-9, relative=1e-9),
            gettext(
                "The burn rate of {operation} is the share of its requests without an answer, failed "
                "and unknown alike, relative to the share that the SLO allows."
            ).format(operation=operation),
            "02.4.burn",
        )


def check_budget(budget_spent: Function, recording: Recording, slo: float, period: float) -> None:
    """How much of a period's budget a recording spends."""
    window = recording.journal["seconds"]
    operations = list(recording.truth)
    answers = call_many(
        budget_spent, ((recording.journal, operation, slo, period) for operation in operations)
    )
    for operation, value in zip(operations, answers, strict=True):
        want = recording.truth[operation] / (1 - slo) * window / period
        expect(
            _close(value, want, 1e-12, relative=1e-9),
            gettext(
                "A burn rate of 1 for the whole period spends the budget of {operation} exactly; "
                "this recording is as long as its `seconds` say, and spends that part of it. "
                "If `budget_spent` asks your `burn_rate`, that comes first."
            ).format(operation=operation),
            "02.4.budget",
        )


@example(0.999, 30.0, 2592000.0, gives=86, of="failovers_allowed")
def check_allowed(failovers_allowed_: Function, cases: Sequence[tuple[float, float, float]]) -> None:
    """How many failovers a budget pays for."""
    answers = call_many(failovers_allowed_, cases)
    for (slo, failover, period), value in zip(cases, answers, strict=True):
        expect(
            isinstance(value, int) and not isinstance(value, bool),
            gettext("Failovers are counted: the answer is a whole number."),
            "02.4.allowed",
        )
        right = int(failovers_allowed(slo, failover, period))
        expect(
            value <= right,
            gettext("The last of those failovers overdraws the budget."),
            "02.4.allowed",
        )
        expect(
            value == right,
            gettext(
                "The budget pays for more failovers than that. Mind rounding: a quotient that misses "
                "a whole number by a billionth is that number."
            ),
            "02.4.allowed",
        )


def refusals(name: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Calls of a learner's function that make no sense: which argument is wrong, and the arguments."""
    wrong: dict[str, list[tuple[str, tuple[Any, ...]]]] = {
        "downtime": [("availability", (availability, DAY)) for availability in (-0.1, 99.9, math.nan)]
        + [("period", (0.9, period)) for period in (0, -DAY, math.inf, math.nan)],
        "parallel": [("availabilities", ([],)), ("availabilities", ([0.9, 1.1],))],
        "k_of_n": [("k", (0, 3, 0.9)), ("k", (4, 3, 0.9)), ("availability", (2, 3, 99.0))],
        "common_cause": [("beta", (0.9, 2, -0.1)), ("beta", (0.9, 2, 5)), ("availability", (1.1, 2, 0.1))],
        "burn_rate": [
            ("slo", (_EMPTY_HANDED, "search", 1)),
            ("slo", (_EMPTY_HANDED, "search", 99.9)),
            ("operation", (_EMPTY_HANDED, "delete", 0.9)),
        ],
    }
    return wrong[name]


_SENSIBLE: dict[str, tuple[Any, ...]] = {
    "downtime": (0.9, DAY),
    "parallel": ([0.9, 0.8],),
    "k_of_n": (2, 3, 0.9),
    "common_cause": (0.9, 2, 0.1),
    "burn_rate": (
        {"seconds": 1, "samples": [{"operation": "search", "intended": 0.0, "outcome": "ok"}]},
        "search",
        0.9,
    ),
}
"""Arguments that each function has an answer for: one that always raises refuses nothing."""

_EMPTY_HANDED = {"seconds": 1, "samples": [{"operation": "search", "intended": 0.0, "outcome": "ok"}]}


def check_refused(function: Function, name: str, hint: str) -> None:
    """What makes no sense is refused with a ValueError whose text names what is wrong; the rest is not."""
    for argument, given in refusals(name):
        shown = ", ".join("journal" if isinstance(value, dict) else repr(value) for value in given)
        try:
            function(*given)
        except ValueError as error:
            message = str(error)
        except (ArithmeticError, LookupError, TypeError) as error:
            message = ""
            kind = type(error).__name__
            expect(
                False,
                gettext("{name}({shown}) raises a ValueError, not a {kind}.").format(
                    name=name, shown=shown, kind=kind
                ),
                hint,
            )
        else:
            message = ""
            expect(
                False,
                gettext("{name}({shown}) makes no sense and raises a ValueError.").format(
                    name=name, shown=shown
                ),
                hint,
            )
        expect(
            argument in message,
            gettext(
                "The ValueError of {name}({shown}) says which argument is wrong: its text names {argument}."
            ).format(name=name, shown=shown, argument=argument),
            hint,
        )
    function(*_SENSIBLE[name])


def _close(value: Any, want: float, absolute: float, relative: float = 0.0) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return number and math.isclose(value, want, rel_tol=relative, abs_tol=absolute)
