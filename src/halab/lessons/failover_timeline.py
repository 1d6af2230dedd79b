"""What lesson 6 does with a cut network, which only containers have."""

from __future__ import annotations

from dataclasses import dataclass

from halab.cluster.protocol import Cluster
from halab.lessons.common import in_one_picture, keep
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.journal.plots import Picture
from halab.measure.probing.retriever import Retriever

__all__ = ["Skipped", "cut_off"]

_WHY = {
    "embedded": "processes that share this machine's loopback have no network of their own to cut",
    "simulated": "a cut network is not simulated, because no measurement of one stands behind the model",
}


@dataclass(frozen=True)
class Skipped:
    """A measurement that was not made, and why: shown as that sentence."""

    why: str

    def __repr__(self) -> str:
        return f'Skipped: {self.why}. In containers it runs: halab.cluster(engine="compose").'


def cut_off(
    cluster: Cluster, target: str, *, retriever: Retriever, number: int = 6, seconds: float = 18.0
) -> Picture | Skipped:
    """Take a component off its network for `seconds`, keep the journal, and show it beside the card.

    Where no network can be cut nothing is measured, and what is shown says so.
    """
    if cluster.engine in _WHY:
        return Skipped(_WHY[cluster.engine])
    journal = experiment(cluster, f"partition {target}", retriever=retriever, seconds=seconds)
    keep(journal, number)
    return in_one_picture(journal, number)
