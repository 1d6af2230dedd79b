"""Whether a run can be trusted: what speaks against taking its figures for the cluster's.

A figure is the cluster's only if the cluster was well before the fault, the fault came when it was ordered,
the probes left on time, and the machine that all of it shares had processor time to give. Of a load: if the
machine did little else.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

from halab.measure.journal.journal_file import Journal
from halab.measure.journal.journal_parts import MACHINE
from halab.models.samples import Outcome
from halab.translation import gettext, gettext_noop, pgettext

__all__ = ["BUSY", "busy_machine", "for_the_record", "objections", "validity_remark"]

BUSY = 0.85
"""Share of the time, 0 to 1, in which some task waited for a core, above which a machine counts as busy. Of
lesson 6 on two cores, runs with little beside them had 0.61 to 0.80, beside other programs 0.86 to 0.98."""

_FULL = 0.9  # share of the cores from which a machine has none left to give
_OTHERS = 0.2  # share of the cores that others may take from a load; the kernel's own work is among them
_LATE_FAULT = 2.0  # seconds between the order for a fault and the fault
_LATE_PROBE = 0.25  # seconds that one probe in a hundred may leave late


def objections(journal: Journal) -> tuple[str, ...]:
    """Why a run proves nothing, a sentence each; none if nothing speaks against it.

    Simulated journals have no machine. A load is meant to make it busy, so that only others speak against it.
    """
    if journal.simulated:
        return ()
    if journal.phases:
        return busy_machine(journal)
    return (*_baseline(journal), *_late_faults(journal), *busy_machine(journal))


def busy_machine(journal: Journal) -> tuple[str, ...]:
    """Those of the `objections` that speak of the machine: a quiet one may measure the same."""
    if journal.simulated:
        return ()
    return tuple(_busy_with_others(journal) if journal.phases else _busy_beside(journal))


def validity_remark(*journals: Journal, here: bool = True) -> tuple[str, ...]:
    """What stands first under a table of these journals: one sentence if one proves nothing, else none.

    Of a recording from elsewhere (`here=False`) nobody is told to run it again.
    """
    doubtful = [reasons for journal in journals if (reasons := objections(journal))]
    if not doubtful:
        return ()
    # Of several runs the first that is doubtful stands for all: each has figures of its own for one cause.
    why = " ".join(doubtful[0])
    if len(journals) > 1:
        why = gettext("{count} of {all} runs prove nothing; the first of them: {reasons}").format(
            count=len(doubtful), all=len(journals), reasons=why
        )
    told = gettext(_WHAT_TO_DO if here else _WHAT_HOLDS)
    return (gettext("This proves nothing. {reasons} {told}").format(reasons=why, told=told),)


def for_the_record(result: str, *journals: Journal) -> str:
    """A result in words; of journals that prove nothing it is told as no more than a record."""
    if not any(map(objections, journals)):
        return result
    return gettext("For the record: {result}").format(result=result)


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


def _busy_beside(journal: Journal) -> list[str]:
    """Two witnesses: the kernel's own measure, where it has one, and the probes that left late."""
    reasons = []
    if journal.pressure:
        share = sum(pressure.cpu for pressure in journal.pressure) / len(journal.pressure)
        if share > BUSY:
            reasons.append(
                gettext(
                    "some task waited for a core {share:.0%} of the time (a run counts up to {most:.0%})"
                ).format(share=math.ceil(share * 100) / 100, most=BUSY)
            )
    late = journal.scheduling.p99
    if late > _LATE_PROBE:
        reasons.append(gettext("one probe in a hundred left {late:.2f} s late or more").format(late=late))
    return (
        [
            gettext("The machine was busy: {reasons}.").format(
                reasons=pgettext("between reasons", " and ").join(reasons)
            )
        ]
        if reasons
        else []
    )


def _busy_with_others(journal: Journal) -> list[str]:
    """Cores that neither the cluster nor its client had while a load ran, on a machine with none to spare."""
    cores = int(journal.header.machine.get("cores", 0))
    usages = [phase.usage for phase in journal.phases if MACHINE in phase.usage]
    if not usages or not cores:
        return []
    whole = statistics.median(usage[MACHINE]["cores"] for usage in usages)
    others = statistics.median(_of_others(usage) for usage in usages)
    if whole < _FULL * cores or others <= _OTHERS * cores:
        return []
    return [
        gettext(
            "Other programs had {others:.2f} of the machine's {cores} cores, and no core was idle "
            "(a load counts if they have {most:.0%} at most)."
        ).format(others=others, cores=cores, most=_OTHERS)
    ]


def _of_others(usage: Mapping[str, Mapping[str, float]]) -> float:
    """Cores of a phase that none of the processes which it names kept busy."""
    ours = sum(used["cores"] for name, used in usage.items() if name != MACHINE)
    return usage[MACHINE]["cores"] - ours
