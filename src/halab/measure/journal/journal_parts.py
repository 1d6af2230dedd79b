"""Parts of a journal: the samples of a phase, the connections that a balancer counted."""

from __future__ import annotations

from halab.measure.journal.journal_file import Journal, Phase
from halab.models.samples import Sample

__all__ = ["CONNECTION_COUNT", "MACHINE", "connections", "in_phase"]

MACHINE = "the whole machine"
"""Everything that runs on the machine, as `Phase.usage` names it."""

CONNECTION_COUNT = "connections"
"""The kind of a balancer's event that says how many connections a proxy has from then on."""


def connections(journal: Journal) -> dict[str, list[tuple[float, int]]]:
    """The connections that a balancer counted, by proxy: each change as (seconds, how many from then on)."""
    by_component: dict[str, list[tuple[float, int]]] = {}
    for event in journal.events:
        if (event.by, event.kind) == ("balancer", CONNECTION_COUNT):
            by_component.setdefault(event.component, []).append((event.time, int(event.detail)))
    return by_component


def in_phase(journal: Journal, phase: Phase) -> list[Sample]:
    """The samples that touch a phase: due in it, or answered in it."""
    return [
        sample
        for sample in journal.samples()
        if sample.operation == phase.name and sample.done >= phase.start and sample.intended < phase.end
    ]
