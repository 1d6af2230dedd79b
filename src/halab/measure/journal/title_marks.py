"""How every table and title says that a journal was simulated, or cannot be trusted."""

from __future__ import annotations

from halab.measure.journal.experiment_name import experiment_of, run_in_words
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.validity import objections
from halab.translation import gettext, gettext_noop

__all__ = ["KEEPS_NO_ROWS", "mark_title", "provenance", "run_remarks", "simulated_remark"]

_FROM_A_MODEL = gettext_noop("these numbers come from a model")
KEEPS_NO_ROWS = gettext_noop("a simulated one keeps no rows")
"""The `detail` of a remark under counts of rows."""


def provenance(*journals: Journal) -> str:
    """Where the figures of these journals come from: "simulated" if one of them is, else "measured"."""
    return "simulated" if any(journal.simulated for journal in journals) else "measured"


def mark_title(title: str, *journals: Journal) -> str:
    """The title of a table or picture of these journals; begins with SIMULATED if one of them is, and with
    PROVES NOTHING if one of them cannot be trusted."""
    title = gettext(title)
    if provenance(*journals) == "simulated":
        return gettext("SIMULATED: {title}").format(title=title)
    return gettext("PROVES NOTHING: {title}").format(title=title) if any(map(objections, journals)) else title


def simulated_remark(*journals: Journal, detail: str = _FROM_A_MODEL) -> tuple[str, ...]:
    """The remark that a table of these journals needs: one sentence if one was simulated, none if not."""
    if provenance(*journals) == "measured":
        return ()
    return (gettext("SIMULATED: no cluster was measured; {detail}.").format(detail=gettext(detail)),)


def run_remarks(*journals: Journal, detail: str = _FROM_A_MODEL) -> tuple[str, ...]:
    """The remarks that a table of several runs needs: that one was simulated, and which prove nothing.

    What speaks against them is told of the first: it is mostly one cause for all, with figures of their own.
    """
    doubtful = [journal for journal in journals if objections(journal)]
    remarks = simulated_remark(*journals, detail=detail)
    if not doubtful:
        return remarks
    runs = gettext("; ").join(run_in_words(experiment_of(journal)) for journal in doubtful)
    reasons = " ".join(objections(doubtful[0]))
    if len(doubtful) == 1:
        return (*remarks, gettext("Proves nothing: {run}. {reasons}").format(run=runs, reasons=reasons))
    told = gettext("These prove nothing: {runs}. Of the first: {reasons}").format(runs=runs, reasons=reasons)
    return (*remarks, told)
