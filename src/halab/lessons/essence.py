"""What lesson 1 calls: which single losses stop what, asked of one copy and of three."""

import math

from halab.cluster.protocol import Cluster
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    Sentence,
    cluster,
    experiment,
    keep,
    show_card,
    show_run,
    table,
    unanswered,
)
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance
from halab.measure.journal.validity import validity_remark
from halab.measure.probing.operations import Operation, Renamed
from halab.models.samples import NOTHING_FOUND, Outcome
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
    "show_card",
    "show_run",
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


class Told(Sentence):
    """A sentence that a notebook sets as prose, wrapped between words."""

    def _repr_markdown_(self) -> str:
        return str(self)


def what_copies_did(journal: Journal) -> Told:
    """What the users of one copy and of three noticed of a crash, and what that says.

    Of a run that proves nothing it says only that.
    """
    if against := validity_remark(journal):
        return Told(against[0])
    fault = journal.faults[0]
    back = math.inf if fault.undone_at is None else fault.undone_at
    gone = {
        name: [s for s in journal.samples(name) if fault.at <= s.intended < back] for name in (ONE, THREE)
    }
    one, three = (sum(s.outcome is not Outcome.OK for s in samples) for samples in gone.values())
    counted = (
        f"**While the node was gone** ({provenance(journal)}), {one} of {len(gone[ONE])} searches "
        f"of one copy got no answer, and {three} of {len(gone[THREE])} of three copies."
    )
    empty = sum(s.error == NOTHING_FOUND and s.intended >= back for s in journal.samples(THREE))
    later = (
        f" Once it was **back**, {empty} of three copies were answered and found nothing." if empty else ""
    )
    return Told(f"{counted} {_said_of_copies(one, three)}{later}")


def _said_of_copies(one: int, three: int) -> str:
    if one == 0:
        return "So the node that was killed did not hold the single copy: run the lab again."
    if three <= one / 4:
        return "The same cluster, the same loss, the same spare nodes: only the number of copies differs."
    return "Here three copies were hit as well: unfold below why that may be, and run the lab again."
