"""Lesson 1: which single losses stop what."""

from __future__ import annotations

from halab.cluster import open_cluster as cluster
from halab.lessons.common import in_one_picture, keep, unanswered
from halab.measure import Renamed, Retriever, experiment, plot, summary
from halab.models.survival import OPERATIONS, as_topology
from halab.models.topology import single_points
from halab.widgets.card_view import show_card
from halab.widgets.prediction_form import PredictionForm
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
