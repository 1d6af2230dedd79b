"""What lesson 1 calls: which single losses stop what, asked of one copy and of three."""

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
    unanswered,
)
from halab.measure.probing.operations import Renamed
from halab.models.survival import OPERATIONS, as_topology
from halab.models.topology import single_points
from halab.widgets.survival_map import SurvivalMap, parts_of

__all__ = [
    "OPERATIONS",
    "PredictionForm",
    "Renamed",
    "Retriever",
    "SurvivalMap",
    "as_topology",
    "cluster",
    "experiment",
    "in_one_picture",
    "keep",
    "parts_of",
    "plot",
    "show_card",
    "single_points",
    "summary",
    "unanswered",
]
