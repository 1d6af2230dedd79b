"""Whether a run can be trusted: what speaks against taking its figures for the cluster's.

A figure is the cluster's only if the cluster was well before the fault, the fault came when it was ordered,
the probes left on time, and the machine that all of it shares had processor time to give.
"""

from __future__ import annotations

from halab.measure.journal.journal_file import Journal
from halab.models.samples import Outcome
from halab.translation import gettext, gettext_noop

__all__ = ["BUSY", "objections", "validity_remark"]

BUSY = 0.8
"""Share of the time, 0 to 1, in which some task waited for a core, from which a machine counts as busy."""

_LATE_FAULT = 2.0  # seconds between the order for a fault and the fault
_LATE_PROBE = 0.25  # seconds that one probe in a hundred may leave late


def objections(journal: Journal) -> tuple[str, ...]:
    """Why a run proves nothing, a sentence each; none if nothing speaks against it.

    Simulated journals have no machine, and a load is meant to make it busy: neither has any.
    """
    if journal.simulated or journal.phases:
        return ()
    return (*_baseline(journal), *_late_faults(journal), *_busy_machine(journal))


def validity_remark(*journals: Journal, here: bool = True) -> tuple[str, ...]:
    """What stands first under a table of these journals: one sentence if one proves nothing, else none.

    Of a recording from elsewhere (`here=False`) nobody is told to run it again.
    """
    reasons = [sentence for journal in journals for sentence in objections(journal)]
    if not reasons:
        return ()
    told = gettext(_WHAT_TO_DO if here else _WHAT_HOLDS)
    return (
        gettext("This proves nothing. {names} {told}").format(
            names=" ".join(dict.fromkeys(reasons)), told=told
        ),
    )


_WHAT_HOLDS = gettext_noop("It shows what can happen, not how long it takes nor whom it hits.")
_WHAT_TO_DO = gettext_noop(
    "Close what else is running (but not the notebook that started the cluster), and run the cell again. If "
    "the machine stays busy, go on: such a run shows what can happen, not how long it takes nor whom it hits."
)


def _baseline(journal: Journal) -> list[str]:
    """Requests that were bad before the first fault; those that were under way when it struck are not."""
    if not journal.faults:
        return []
    at = min(fault.at for fault in journal.faults)
    before = [sample for sample in journal.samples() if sample.done < at]
    bad = sum(sample.outcome is not Outcome.OK for sample in before)
    if not bad:
        return []
    return [
        gettext("Before the fault {bad} of {count} requests got no answer: the cluster was not well.").format(
            bad=bad, count=len(before)
        )
    ]


def _late_faults(journal: Journal) -> list[str]:
    late = max(
        (fault.at - fault.ordered_at for fault in journal.faults if fault.ordered_at is not None), default=0.0
    )
    return (
        [gettext("The fault came {late:.1f} s after it was ordered.").format(late=late)]
        if late > _LATE_FAULT
        else []
    )


def _busy_machine(journal: Journal) -> list[str]:
    """Two witnesses: the kernel's own measure, where it has one, and the probes that left late."""
    reasons = []
    if journal.pressure:
        share = sum(pressure.cpu for pressure in journal.pressure) / len(journal.pressure)
        if share > BUSY:
            reasons.append(
                gettext(
                    "some task waited for a core {share:.0%} of the time (a run counts up to {most:.0%})"
                ).format(share=share, most=BUSY)
            )
    late = journal.scheduling.p99
    if late > _LATE_PROBE:
        reasons.append(gettext("one probe in a hundred left {late:.2f} s late or more").format(late=late))
    return (
        [gettext("The machine was busy: {reasons}.").format(reasons=" and ".join(reasons))] if reasons else []
    )
