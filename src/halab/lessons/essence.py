"""What lesson 1 calls: which single losses stop what, asked of one copy and of three."""

import math

from halab.cluster.protocol import Cluster
from halab.lessons.card_findings import finding, sound, unproven
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
)
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import provenance
from halab.measure.journal.validity import objections
from halab.measure.probing.operations import Operation, Renamed
from halab.models.samples import NOTHING_FOUND, Outcome
from halab.models.survival import as_topology
from halab.translation import gettext, gettext_lazy, gettext_noop
from halab.widgets.card_view import Finding
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
    "results",
    "show_card",
    "show_run",
    "table",
    "what_copies_did",
]

ONE, THREE = gettext_noop("search, one copy"), gettext_noop("search, three copies")


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

    Of a run that proves nothing it says the numbers for the record, and draws no conclusion from them.
    """
    (single, of_one), (three, of_three) = (_bad_while_gone(journal, name) for name in (ONE, THREE))
    counted = gettext(
        "**While the node was gone** ({provenance}), {one} of {of_one} searches of one copy "
        "got no good answer, and {three} of {of_three} of three copies."
    ).format(
        provenance=gettext(provenance(journal)), one=single, of_one=of_one, three=three, of_three=of_three
    )
    empty = sum(s.error == NOTHING_FOUND and s.intended >= _back(journal) for s in journal.samples(THREE))
    later = (
        gettext(" Once it was **back**, {empty} of three copies were answered and found nothing.").format(
            empty=empty
        )
        if empty
        else ""
    )
    if objections(journal):
        return Told(
            gettext("For the record, though this run proves nothing: {counted}{later}").format(
                counted=counted, later=later
            )
        )
    return Told(f"{counted} {_said_of_copies(single, three)}{later}")


def _said_of_copies(single: int, three: int) -> str:
    if single == 0:
        return gettext("So the node that was killed did not hold the single copy: run the lab again.")
    if _spared(single, three):
        return gettext(
            "The same cluster, the same loss, the same spare nodes: only the number of copies differs."
        )
    return gettext("Here three copies were hit as well: unfold below why that may be, and run the lab again.")


def _spared(single: int, three: int) -> bool:
    """Whether three copies noticed hardly anything of what one copy noticed."""
    return three <= single / 4


def _back(journal: Journal) -> float:
    undone = journal.faults[0].undone_at
    return math.inf if undone is None else undone


def _bad_while_gone(journal: Journal, operation: str) -> tuple[int, int]:
    """How many requests got no good answer while what was killed was gone, and of how many."""
    at, back = journal.faults[0].at, _back(journal)
    sent = [sample for sample in journal.samples(operation) if at <= sample.intended < back]
    return sum(sample.outcome is not Outcome.OK for sample in sent), len(sent)


def results(node: Journal, entry: Journal) -> dict[str, Finding]:
    """What the loss of a query node and that of the clients' proxy say to claims of card 1, by claim id.

    Nothing of a run whose node held no copy.
    """
    findings = unproven("parts-that-may-fail", "whole-system")
    if not _bad_while_gone(node, ONE)[0]:
        del findings["parts-that-may-fail"]
    elif sound(node):
        findings["parts-that-may-fail"] = _of_copies(node)
    if sound(entry):
        findings["whole-system"] = _of_entry(entry)
    return findings


def _of_copies(journal: Journal) -> Finding:
    (single, of_one), (three, of_three) = (_bad_while_gone(journal, name) for name in (ONE, THREE))
    words = gettext_lazy(
        "One query node lost: {one} of {of_one} searches of one copy got no good answer, and {three} of "
        "{of_three} of three copies",
        one=single,
        of_one=of_one,
        three=three,
        of_three=of_three,
    )
    by = gettext_lazy("three copies that were hit as well")
    return finding([journal], "held" if _spared(single, three) else "broken", words, by)


def _of_entry(journal: Journal) -> Finding:
    """Whether anything that was both sent and answered while the proxy was gone got an answer."""
    at, back = journal.faults[0].at, _back(journal)
    sent = [sample for sample in journal.samples() if at < sample.intended and sample.done < back]
    answered = sum(sample.outcome is Outcome.OK for sample in sent)
    words = gettext_lazy(
        "The proxy that clients know, lost: {answered} of {sent} requests of all kinds were answered",
        answered=answered,
        sent=len(sent),
    )
    by = gettext_lazy("requests that were answered")
    return finding([journal], "broken" if answered else "held", words, by)
