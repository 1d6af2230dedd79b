"""Exercise 5: what a learner is given: races, a peak, tables and latencies. Times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from halab.sim.load_balancing import Node, RaceReport, requests
from halab.sim.load_balancing import race as run
from halab.translation import gettext, name_list

__all__ = ["Data", "NotInService", "Plan", "Strategy", "Variant", "Workload", "race"]

Data = dict[str, Any]


class Strategy(Protocol):
    """A learner's strategy."""

    def pick(self, loads: dict[str, int]) -> str:
        """The name of a node in `loads`, which holds the unanswered requests of each node in service."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Nodes of a race, and the requests that come: `rate` a second, for `seconds`."""

    nodes: tuple[Node, ...]
    rate: float
    seconds: float
    seed: int


class NotInService(ValueError):
    """A strategy picked what is no node in service."""


class _NamedNodes:
    """A learner's strategy among nodes that have names."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def pick(self, loads: Mapping[int, int], draws: tuple[float, float]) -> int:
        named = {f"node-{number + 1}": load for number, load in loads.items()}
        chosen = self._strategy.pick(dict(named))
        if not isinstance(chosen, str) or chosen not in named:
            raise NotInService(
                gettext("{chosen!r} was picked, and only {named} are in service").format(
                    chosen=chosen, named=name_list(named)
                )
            )
        return int(chosen.removeprefix("node-")) - 1


def race(workload: Workload, strategy: Strategy) -> RaceReport:
    """Race a strategy through a workload. Raises NotInService if it picks what is not."""
    return run(
        workload.nodes, requests(workload.rate, workload.seconds, workload.seed), _NamedNodes(strategy)
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """A peak to plan for, and what nodes can do: see `halab.models.capacity.Usl`.

    `peak` and `one_node` (a single node) are requests a second, `headroom` is the share of the nodes' rate
    that stays unused in the peak, `spare` how many nodes may be gone in it.
    """

    peak: float
    one_node: float
    contention: float
    coherence: float
    headroom: float
    spare: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise."""

    workload: Workload
    plan: Plan
    tables: list[Data]
    latencies: list[float]
    interval: float
