"""What the start notebook calls: the cluster, the ten cards, the doctor."""

from halab.certificate.learner_progress import progress
from halab.cluster.doctor import doctor
from halab.widgets.board import show_board
from halab.widgets.cluster_view import ClusterView
from halab.widgets.language_switch import LanguageSwitch

__all__ = ["ClusterView", "LanguageSwitch", "doctor", "progress", "show_board"]
