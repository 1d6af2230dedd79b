"""Whether the copies of a collection still fit when a query node is lost: N + 1 counts memory, not nodes."""

from __future__ import annotations

from dataclasses import dataclass

from halab.models.validation import positive
from halab.translation import gettext

__all__ = ["FULL", "Fit", "headroom"]

FULL = 0.9
"""The share of a query node's memory beyond which Milvus loads nothing more
(queryCoord.overloadedMemoryThresholdPercentage, 90 by default)."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The copy with the fewest query nodes: how many it has, what each of them holds (GiB; all of the copy if
    it has none), and whether that can be loaded."""

    nodes: int
    held: float
    fits: bool


def headroom(nodes: int, node_gib: float, copy_gib: float, copies: int) -> tuple[Fit, Fit]:
    """How the copy with the fewest nodes fits, and how it does once it has lost one of them.

    A query node holds segments of one copy of a collection only, and a copy is spread evenly over its nodes;
    2.3.5 takes no node from another copy to replace a lost one. What a node needs for itself is not counted.
    Raises ValueError for fewer nodes than copies, and for what is not above 0.
    """
    positive(node_gib=node_gib, copy_gib=copy_gib, copies=copies)
    if copies > nodes:
        raise ValueError(
            gettext("{copies} copies need as many query nodes; there are {nodes}").format(
                copies=copies, nodes=nodes
            )
        )
    fewest = nodes // copies
    return _fit(fewest, node_gib, copy_gib), _fit(fewest - 1, node_gib, copy_gib)


def _fit(nodes: int, node_gib: float, copy_gib: float) -> Fit:
    held = copy_gib / max(nodes, 1)
    return Fit(nodes, held, nodes > 0 and held <= FULL * node_gib)
