"""What lesson 1 calls: which single losses stop what, asked of one copy and of three."""

from halab.cluster.protocol import Cluster
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    cluster,
    experiment,
    in_one_picture,
    keep,
    plot,
    show_card,
    summary,
    table,
    unanswered,
)
from halab.measure.probing.operations import Renamed
from halab.models.survival import as_topology
from halab.widgets.survival_map import SurvivalMap, parts_of

__all__ = [
    "PredictionForm",
    "Renamed",
    "Retriever",
    "SurvivalMap",
    "cluster",
    "experiment",
    "in_one_picture",
    "keep",
    "needs",
    "parts",
    "plot",
    "show_card",
    "summary",
    "table",
    "unanswered",
]


def parts(cluster: Cluster) -> dict[str, str]:
    """The role of each part of a running cluster, by the part's name.

    The proxy that clients talk to has the role "entry": nobody moves them to another one.
    """
    return {part.name: part.role for part in parts_of(cluster.components())}


def needs(cluster: Cluster) -> dict[str, dict[str, int]]:
    """How many parts of which roles each operation needs on this cluster, as it was measured."""
    topology = as_topology(parts_of(cluster.components()))
    return {
        operation: {role: topology.roles[role].least for role in roles}
        for operation, roles in topology.operations.items()
    }
