"""What stands and what falls: parts in roles, roles that need k of n, operations that need roles.

A role works while at least `needed` of its members do; an operation works while every role it needs does.
One part (a process, or a machine that carries several) may be a member of more than one role. An operation's
minimal cut sets are the smallest sets of parts whose loss ends it: each loses n - k + 1 members of one role,
and none contains another. A cut set of one part is a single point of failure.

Nothing here knows time: a spare counts as if it had taken over already. `halab.models.survival` says which
operations are interrupted until it has.

Source. Any textbook of reliability: Rausand and Høyland, System Reliability Theory (k-out-of-n structures,
minimal cut sets).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from halab.translation import gettext

__all__ = [
    "Needed",
    "Repair",
    "Role",
    "Topology",
    "best_repair",
    "cheapest_repair",
    "minimal_cuts",
    "roles_lost",
    "single_points",
    "spares_needed",
    "works",
]

Needed = int | Literal["majority"]
"""How many members a role needs. A majority grows with the role: 2 of 3, but 2 of 2 as well."""


@dataclass(frozen=True, slots=True)
class Role:
    """Parts that do one job, and how many of them it takes. Raises ValueError if it can never work."""

    members: tuple[str, ...]
    needed: Needed = 1

    def __post_init__(self) -> None:
        if not self.members or len(set(self.members)) != len(self.members):
            raise ValueError(
                gettext("members must be different parts, at least one, not {members}").format(
                    members=self.members
                )
            )
        if self.needed != "majority" and not 1 <= self.needed <= len(self.members):
            raise ValueError(
                gettext("needed must lie between 1 and {count}, not {needed}").format(
                    count=len(self.members), needed=self.needed
                )
            )

    @property
    def least(self) -> int:
        """How many members must work."""
        return len(self.members) // 2 + 1 if self.needed == "majority" else self.needed


@dataclass(frozen=True, slots=True)
class Topology:
    """Roles by name, and for each operation the roles it needs. Raises ValueError for a role it lacks."""

    roles: Mapping[str, Role]
    operations: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        for operation, needs in self.operations.items():
            if lacking := [role for role in needs if role not in self.roles]:
                raise ValueError(
                    gettext("{operation} needs roles that are not there: {lacking}").format(
                        operation=operation, lacking=", ".join(lacking)
                    )
                )

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(part for role in self.roles.values() for part in role.members)


def roles_lost(topology: Topology, operation: str, down: Collection[str]) -> tuple[str, ...]:
    """The roles this operation needs that no longer work while these parts are down.

    Raises ValueError for an operation or a part that the topology does not have.
    """
    needs = _needs(topology, operation)
    if unknown := sorted(set(down) - topology.parts):
        raise ValueError(
            gettext("no such parts: {unknown}; there are {names}").format(
                unknown=", ".join(unknown), names=", ".join(sorted(topology.parts))
            )
        )
    return tuple(role for role in needs if not _works(topology.roles[role], down))


def works(topology: Topology, operation: str, down: Collection[str]) -> bool:
    """Whether an operation still works while these parts are down. Raises as `roles_lost` does."""
    return not roles_lost(topology, operation, down)


def minimal_cuts(topology: Topology, operation: str) -> frozenset[frozenset[str]]:
    """Every minimal cut set of an operation. Raises ValueError for an unknown operation."""
    cuts = {
        frozenset(lost)
        for role in map(topology.roles.__getitem__, _needs(topology, operation))
        for lost in combinations(role.members, len(role.members) - role.least + 1)
    }
    return frozenset(cut for cut in cuts if not any(other < cut for other in cuts))


def single_points(topology: Topology, operation: str) -> frozenset[str]:
    """The parts each of which ends an operation by itself. Raises ValueError for an unknown operation."""
    return frozenset(part for cut in minimal_cuts(topology, operation) if len(cut) == 1 for part in cut)


def spares_needed(role: Role) -> int:
    """The fewest members to add so that the role outlives the loss of any one. A majority needs three."""
    there = len(role.members)
    if role.needed == "majority":
        return max(0, 3 - there)
    return max(0, role.needed + 1 - there)


@dataclass(frozen=True, slots=True)
class Repair:
    """Spares to add by role, what they cost, and the operations that then have no single point of failure."""

    spares: Mapping[str, int]
    cost: float
    safe: frozenset[str]


def cheapest_repair(
    topology: Topology, prices: Mapping[str, float], operations: Iterable[str]
) -> Repair | None:
    """The cheapest spares that leave all these operations without a single point of failure.

    `prices` is what one spare of a role costs; each spare is a part of its own. None if a role that needs one
    has no price. Raises ValueError for an unknown operation or a price that is no price.
    """
    if wrong := [role for role, price in prices.items() if not 0 <= price < math.inf]:
        raise ValueError(
            gettext("a price must be zero or more, and finite; see {wrong}").format(wrong=", ".join(wrong))
        )
    needs = dict.fromkeys(role for operation in operations for role in _needs(topology, operation))
    spares = {role: spares_needed(topology.roles[role]) for role in needs}
    spares = {role: count for role, count in spares.items() if count}
    if any(role not in prices for role in spares):
        return None
    cost = math.fsum(count * prices[role] for role, count in spares.items())
    return Repair(spares, cost, _safe(topology, spares))


def best_repair(topology: Topology, prices: Mapping[str, float], budget: float) -> Repair:
    """The repair within a budget that makes the most operations safe, and the cheapest among those.

    Of equals, the one that makes safe what `operations` names first. Raises as `cheapest_repair` does, and
    ValueError for a negative budget.
    """
    if not budget >= 0:
        raise ValueError(gettext("budget must be zero or more, not {budget}").format(budget=budget))
    names = tuple(topology.operations)
    best = Repair({}, 0.0, _safe(topology, {}))
    for size in range(len(names), 0, -1):
        repairs = (cheapest_repair(topology, prices, chosen) for chosen in combinations(names, size))
        for repair in repairs:
            if repair is not None and repair.cost <= budget and _rank(repair) < _rank(best):
                best = repair
    return best


def _rank(repair: Repair) -> tuple[int, float]:
    return -len(repair.safe), repair.cost


def _safe(topology: Topology, spares: Mapping[str, int]) -> frozenset[str]:
    return frozenset(
        operation
        for operation, needs in topology.operations.items()
        if all(spares.get(role, 0) >= spares_needed(topology.roles[role]) for role in needs)
    )


def _works(role: Role, down: Collection[str]) -> bool:
    return sum(member not in down for member in role.members) >= role.least


def _needs(topology: Topology, operation: str) -> tuple[str, ...]:
    try:
        return topology.operations[operation]
    except KeyError:
        known = ", ".join(topology.operations)
        raise ValueError(
            gettext("there is no operation {operation!r}; there are {known}").format(
                operation=operation, known=known
            )
        ) from None
