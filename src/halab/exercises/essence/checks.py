"""What exercise 1's cells check. Each says which behaviour it expected, never what the right answer is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

from halab.exercises.essence.given import RepairCase, TopologyDict
from halab.exercises.essence.variant import make_case, topology_from_dict
from halab.exercises.expectations import call_many, example, expect, whole
from halab.models.topology import (
    Role,
    Topology,
    best_repair,
    cheapest_repair,
    minimal_cuts,
    single_points,
    spares_needed,
    works,
)
from halab.translation import gettext

__all__ = [
    "check_best",
    "check_cuts",
    "check_refused",
    "check_repair",
    "check_single",
    "check_spares",
    "check_works",
    "make_cases",
]

Function = Callable[..., Any]
_ENOUGH = 50  # spares of a role: no exercise has a role that needs so many
_LARGEST = 3  # parts down at once in the cases of `check_works`


def make_cases(seed: int, count: int = 6) -> list[RepairCase]:
    """Cases drawn from a seed: the same for every learner."""
    rng = random.Random(seed)
    return [make_case(rng) for _ in range(count)]


def check_works(works_: Function, topologies: Sequence[TopologyDict], *, majority: bool) -> None:
    """Whether operations work while parts are down: those that need a majority, or those that do not."""
    for given in topologies:
        topology = topology_from_dict(given)
        cases = [
            (operation, down)
            for operation, needs in topology.operations.items()
            if majority == any(topology.roles[role].needed == "majority" for role in needs)
            for down in _small_losses(topology.parts)
        ]
        answers = call_many(works_, ((given, operation, list(down)) for operation, down in cases))
        for (operation, down), value in zip(cases, answers, strict=True):
            hint = "01.1.majority" if majority else "01.1.works"
            expect(isinstance(value, bool), gettext("works returns True or False."), hint)
            if works(topology, operation, down):
                behaviour = gettext("An operation works while each role it needs has enough members left.")
            else:
                behaviour = gettext(
                    "An operation stops as soon as one role it needs has too few members left."
                )
            if majority:
                behaviour += gettext(
                    " A majority is more than half of all the members, those that are down included."
                )
            expect(value == works(topology, operation, down), behaviour, hint)


def _small_losses(parts: frozenset[str]) -> Iterable[tuple[str, ...]]:
    names = sorted(parts)
    return (down for size in range(_LARGEST + 1) for down in combinations(names[:8], size))


def check_refused(works_: Function, given: TopologyDict) -> None:
    """An unknown operation or part is refused with a ValueError that names it; known ones are not refused."""
    part = sorted(topology_from_dict(given).parts)[0]
    works_(given, "search", [part])
    for operation, down, wrong in (("serach", [part], "serach"), ("search", ["nobody"], "nobody")):
        message = ""
        try:
            works_(given, operation, down)
        except ValueError as error:
            message = str(error)
        except (LookupError, TypeError, ArithmeticError, AttributeError) as error:
            kind = type(error).__name__
            expect(
                False,
                gettext(
                    "An operation or a part that is not in the topology is a ValueError, not a {kind}."
                ).format(kind=kind),
                "01.1.refused",
            )
        else:
            expect(
                False,
                gettext("An operation or a part that is not in the topology raises a ValueError."),
                "01.1.refused",
            )
        expect(
            wrong in message,
            gettext("The ValueError names the operation or the part that is not in the topology."),
            "01.1.refused",
        )


def check_single(single_points_: Function, topologies: Sequence[TopologyDict]) -> None:
    """The parts that end an operation by themselves."""
    for given, operation, value in _call_on_operations(single_points_, topologies):
        expect(
            _are_names(value),
            gettext("single_points returns the names of parts, as a list or a set."),
            "01.1.single",
        )
        right = single_points(topology_from_dict(given), operation)
        expect(
            right <= set(value),
            gettext(
                "A part is missing whose loss alone stops the operation. More members do not always "
                "help: what if all of them are needed?"
            ),
            "01.1.single",
        )
        expect(
            set(value) <= right, gettext("A part is named whose loss the operation survives."), "01.1.single"
        )


def check_cuts(minimal_cuts_: Function, topologies: Sequence[TopologyDict]) -> None:
    """Every minimal cut set, and nothing else."""
    for given, operation, value in _call_on_operations(minimal_cuts_, topologies):
        groups = isinstance(value, (list, tuple, set)) and all(_are_names(cut) for cut in value)
        expect(groups, gettext("minimal_cuts returns a list of sets of names."), "01.2.cuts")
        topology = topology_from_dict(given)
        cuts = {frozenset(cut) for cut in value}
        for cut in cuts:
            deadly = cut <= topology.parts and not works(topology, operation, cut)
            expect(deadly, gettext("The operation survives the loss of one of your cut sets."), "01.2.cuts")
            spare = any(not works(topology, operation, cut - {part}) for part in cut)
            expect(
                not spare,
                gettext(
                    "One of your cut sets is larger than it needs to be: it still stops the operation "
                    "without one of its parts."
                ),
                "01.2.minimal",
            )
        expect(
            cuts == minimal_cuts(topology, operation),
            gettext(
                "There is a set of parts whose loss stops the operation, and none of your cut sets is in it."
            ),
            "01.2.missing",
        )
        expect(len(cuts) == len(value), gettext("A cut set is there twice."), "01.2.minimal")


@example(2, "majority", gives=1, of="spares_needed")
def check_spares(spares: Function, cases: Sequence[tuple[int, Any]]) -> None:
    """How many members a role needs more to survive the loss of any one."""
    for (count, needed), value in zip(cases, call_many(spares, cases), strict=True):
        right = spares_needed(Role(tuple(f"m{i}" for i in range(count)), needed))
        is_whole = isinstance(whole(value), int) and not isinstance(value, bool)
        expect(is_whole, gettext("The number of spares is a whole number."), "01.3.spares")
        hint = "01.3.odd" if needed == "majority" else "01.3.spares"
        expect(
            value >= right, gettext("With so many spares the role still stops when one member is lost."), hint
        )
        expect(value <= right, gettext("Fewer spares would do, or none."), hint)


def check_repair(cheapest: Function, cases: Sequence[RepairCase]) -> None:
    """The cheapest spares that leave one operation without a single point of failure."""
    for case in cases:
        topology = topology_from_dict(case.topology)
        # Without a price for the first role that needs a spare, there is nothing to buy.
        unpriced = {role: price for role, price in case.prices.items() if role != "proxy"}
        calls = [
            (case.topology, prices, operation)
            for operation in topology.operations
            for prices in (case.prices, unpriced)
        ]
        for (_, prices, operation), value in zip(calls, call_many(cheapest, calls), strict=True):
            best = cheapest_repair(topology, prices, [operation])
            expect(
                (value is None) == (best is None),
                gettext("The answer is None exactly where a role that needs a spare has no price."),
                "01.3.none",
            )
            if best is None:
                continue
            expect(
                _is_repair(value, prices),
                gettext("A repair maps roles to whole numbers of spares."),
                "01.3.repair",
            )
            expect(
                operation in _safe(topology, value),
                gettext("After your repair a single part can still stop the operation."),
                "01.3.repair",
            )
            expect(_cost(value, prices) == best.cost, gettext("There is a cheaper repair."), "01.3.cheapest")


def check_best(best: Function, cases: Sequence[RepairCase]) -> None:
    """The most operations without a single point of failure that a budget pays for."""
    calls = [
        (case.topology, case.prices, budget) for case in cases for budget in (case.budget, 0, case.budget * 3)
    ]
    for (topology_dict, prices, budget), value in zip(calls, call_many(best, calls), strict=True):
        topology = topology_from_dict(topology_dict)
        right = best_repair(topology, prices, budget)
        expect(
            _is_repair(value, prices),
            gettext("A repair maps roles to whole numbers of spares."),
            "01.4.budget",
        )
        expect(
            _cost(value, prices) <= budget, gettext("Your repair costs more than the budget."), "01.4.budget"
        )
        expect(
            len(_safe(topology, value)) == len(right.safe),
            gettext(
                "Another repair within the budget leaves more operations without a single point of failure."
            ),
            "01.4.most",
        )
        expect(
            _cost(value, prices) == right.cost,
            gettext("A cheaper repair makes as many operations safe."),
            "01.4.cheapest",
        )


def _call_on_operations(
    function: Function, topologies: Sequence[TopologyDict]
) -> list[tuple[TopologyDict, str, Any]]:
    calls = [(given, operation) for given in topologies for operation in given["operations"]]
    answers = call_many(function, calls)
    return [(given, operation, value) for (given, operation), value in zip(calls, answers, strict=True)]


def _are_names(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(name, str) for name in value)


def _is_repair(value: Any, prices: dict[str, int]) -> bool:
    return isinstance(value, dict) and all(
        role in prices and isinstance(count, int) and not isinstance(count, bool) and count >= 0
        for role, count in value.items()
    )


def _cost(value: dict[str, int], prices: dict[str, int]) -> int:
    return sum(count * prices[role] for role, count in value.items())


def _safe(topology: Topology, spares: dict[str, int]) -> set[str]:
    """Operations without a single point of failure, with the spares really in place."""
    roles = {
        name: Role(
            (*role.members, *(f"{name} spare {i}" for i in range(min(spares.get(name, 0), _ENOUGH)))),
            role.needed,
        )
        for name, role in topology.roles.items()
    }
    mended = Topology(roles, topology.operations)
    return {operation for operation in mended.operations if not single_points(mended, operation)}
