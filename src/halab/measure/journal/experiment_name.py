"""What a journal measured, in the words that predictions, titles and file names use."""

from __future__ import annotations

from halab.measure.journal.journal_file import Journal

__all__ = ["experiment_of", "file_words", "load_of"]

_USUAL_TTL = 10.0  # seconds


def experiment_of(journal: Journal) -> str:
    """The experiment in the words a prediction is kept under, such as "crash active rootcoord".

    A TTL other than the course's usual one belongs to it: "crash active rootcoord with TTL 5 s". A load is
    named by what was asked for and of how many copies: "insert with 1, 2, 3 replicas".
    """
    if journal.phases:
        return load_of(journal)
    faults = ", ".join(f"{fault.kind} {fault.target}" for fault in journal.faults) or "no fault"
    ttl = journal.header.ttl
    return faults if ttl == _USUAL_TTL else f"{faults} with TTL {ttl:g} s"


def file_words(experiment: str) -> str:
    """An experiment's name as it stands in a file's name, such as "crash-active-rootcoord"."""
    return "-".join(experiment.lower().replace(",", "").split())


def load_of(journal: Journal) -> str:
    """What a load asked for, and of how many copies: "insert with 1, 2, 3 replicas".

    Where copies were not what differed, the parts are named: "search with roundrobin, leastconn".
    """
    counts = sorted({int(p.settings["replicas"]) for p in journal.phases if "replicas" in p.settings})
    if not counts:
        parts = ", ".join(dict.fromkeys(phase.name for phase in journal.phases))
        return f"{' and '.join(journal.header.operations)} with {parts}"
    replicas = ", ".join(map(str, counts)) + (" replica" if counts == [1] else " replicas")
    shares = {phase.settings["share"] for phase in journal.phases if "share" in phase.settings}
    slow = "".join(f", query nodes limited to {share:.0%} of the time" for share in sorted(shares))
    return f"{' and '.join(journal.header.operations)} with {replicas}{slow}"
