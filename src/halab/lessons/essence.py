"""What lesson 1 calls: which single losses stop what, asked of one copy and of three."""

from halab.cluster.protocol import Cluster
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    Sentence,
    cluster,
    experiment,
    keep,
    plot,
    show_card,
    table,
    unanswered,
)
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance
from halab.measure.journal.validity import validity_remark
from halab.measure.probing.operations import Operation, Renamed
from halab.models.samples import Outcome
from halab.models.survival import as_topology
from halab.widgets.survival_map import SurvivalMap, parts_of

__all__ = [
    "PredictionForm",
    "Retriever",
    "SurvivalMap",
    "cluster",
    "experiment",
    "keep",
    "needs",
    "one_and_three",
    "parts",
    "plot",
    "show_card",
    "table",
    "unanswered",
    "what_copies_did",
]

ONE, THREE = "search, one copy", "search, three copies"


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


def one_and_three(single: Retriever, three: Retriever) -> list[Operation]:
    """The same searches asked of one copy and of three, and beside them inserts and metadata calls."""
    searches = [Renamed(single.operations("search")[0], ONE), Renamed(three.operations("search")[0], THREE)]
    return [*searches, *three.operations("insert", "metadata call")]


def what_copies_did(journal: Journal) -> Sentence:
    """What the users of one copy and of three noticed, and what that says, or that the run proves nothing."""
    if against := validity_remark(journal):
        return Sentence(against[0])
    one, three = (
        sum(sample.outcome is not Outcome.OK for sample in journal.samples(name)) for name in (ONE, THREE)
    )
    sent = len(journal.samples(ONE))
    counted = (
        f"Without an answer ({provenance(journal)}): {one} of {sent} searches of one copy, "
        f"{three} of {len(journal.samples(THREE))} of three."
    )
    return Sentence(f"{counted} {_said_of_copies(one, three)}")


def _said_of_copies(one: int, three: int) -> str:
    if one == 0 and three == 0:
        return "Nobody noticed. Did the node that was killed hold the single copy? Run the lab again."
    if three <= one / 4:
        return "The same cluster, the same loss, the same spare nodes: only the number of copies differs."
    return "Here three copies were hit as well. The next cell says why that may be; run the lab again."
