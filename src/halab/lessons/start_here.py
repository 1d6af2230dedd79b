"""What the start notebook calls: the cluster, the ten cards, the doctor."""

from halab.certificate.learner_progress import progress
from halab.cluster.doctor import doctor
from halab.widgets.board import show_board
from halab.widgets.cluster_view import ClusterView

__all__ = ["ClusterView", "doctor", "progress", "show_board"]
