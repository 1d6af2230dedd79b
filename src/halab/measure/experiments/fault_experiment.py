"""A fault as an experiment: probe, inject, wait, undo, wait, count. The result is a journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import cast, get_args

from halab.cluster.protocol import Cluster, FaultKind
from halab.cluster.running_cluster import check_fault_kind
from halab.errors import ClusterError, MeasurementError
from halab.measure.experiments.experiment_steps import ExperimentSteps, counted
from halab.measure.journal.experiment_name import file_words
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.operations import Operation
from halab.measure.probing.prober import probe
from halab.measure.probing.retriever import SETTLE, Retriever
from halab.models.validation import did_you_mean
from halab.translation import gettext

__all__ = ["experiment", "journal_name", "parse_fault", "probe_and_save"]


def parse_fault(fault: str) -> tuple[FaultKind, str]:
    """The kind and the target of words such as "crash active rootcoord". Raises MeasurementError."""
    kind, _, target = fault.strip().partition(" ")
    kinds = get_args(FaultKind)
    if kind not in kinds or not target.strip():
        raise MeasurementError(
            gettext('a fault is a kind and a target, found "{fault}"').format(fault=fault),
            hint=gettext('{did_you_mean}Begin with {kinds}; for example "crash active rootcoord"').format(
                did_you_mean=did_you_mean(kind, kinds), kinds=", ".join(kinds)
            ),
        )
    return cast(FaultKind, kind), target.strip()


def experiment(
    cluster: Cluster,
    fault: str | Sequence[str] | None = "crash active rootcoord",
    *,
    retriever: Retriever,
    before: float = 3.0,
    seconds: float = 20.0,
    after: float = 3.0,
    operations: Sequence[Operation] | None = None,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
    progress: bool = True,
) -> Journal:
    """Probe a cluster while a fault strikes, or several at once, stays and is undone; then count the rows.

    It begins when every search finds something, or after ten seconds, which the journal then says.
    `before` and `seconds` are seconds of probing before the fault and with it. When it was undone and the
    cluster is healthy again, the probes go on until none got a bad end for `after` seconds, or half a minute
    longer. `fault=None` measures the same time without one. `operations` are the
    retriever's four unless given. `rate` is probes a second for each, `deadline` seconds.

    A cluster that does not become healthy again is a result, not an error: a note in the journal says so, and
    so does one if the rows could not be counted. Raises MeasurementError, TargetError, FaultError
    and ClusterNotFound.
    """
    wanted = [parse_fault(words) for words in ([fault] if isinstance(fault, str) else fault or [])]
    for kind, target in wanted:
        # Told before the first probe leaves: a fault that this engine has not, a mistyped target, or a
        # cluster that is gone.
        check_fault_kind(kind, cluster.engine)
        cluster.resolve(target)
    run = probe(cluster, operations or retriever.operations(), rate=rate, deadline=deadline, seed=seed)
    steps = ExperimentSteps(run, progress=progress)
    steps.on_progress(gettext("waiting until every search finds something"))
    # Otherwise what the last fault left behind would be measured as this one's.
    searchable = retriever.wait_until_searchable()
    with run:
        if not searchable:
            run.note(
                gettext("Not all searches found something even before, for {time:g} s.").format(time=SETTLE)
            )
        steps.wait(before, gettext("before the fault"))
        if wanted:
            cluster.wait_healthy()  # on a cluster that is broken already a fault would show nothing
            with steps.faults(wanted, gettext("undoing the fault, waiting for health")) as injected:
                steps.wait(seconds, ", ".join(f"{each.kind} {each.component}" for each in injected))
        else:
            steps.wait(seconds, gettext("no fault"))
        steps.wait_until_answered(after, gettext("after the fault"))
        if wanted and steps.recovered:
            _await_those_who_fell_late(cluster, steps)
    journal = run.journal
    wrote = not journal.simulated and any(sample.key is not None for sample in journal.samples())

    return steps.count_rows(journal, partial(counted, journal, retriever) if wrote else None)


def _await_those_who_fell_late(cluster: Cluster, steps: ExperimentSteps) -> None:
    """Wait again for health, and tell it: a session lost while etcd hung ends its role after etcd is back."""
    fallen = [part.name for part in cluster.components() if part.health != "healthy"]
    if not fallen:
        return
    names = ", ".join(fallen)
    steps.on_progress(gettext("waiting for {names}").format(names=names))
    try:
        waited = cluster.wait_healthy()
    except ClusterError as error:
        steps.recovered = False
        steps.run.note(
            gettext(
                "The cluster has not healed: it was healthy once, then {names} was not, and still is "
                "not: {problem}"
            ).format(names=names, problem=error.message.splitlines()[0])
        )
    else:
        steps.run.note(
            gettext(
                "The cluster had not healed when the probes were answered again: {names} became "
                "healthy only {waited:.0f} s later."
            ).format(names=names, waited=waited)
        )


def journal_name(fault: str | None, now: datetime | None = None) -> str:
    """A file name for a journal, such as "2026-11-23-140503-crash-active-rootcoord.jsonl" (local time)."""
    return f"{(now or datetime.now()):%Y-%m-%d-%H%M%S}-{file_words(fault or 'no fault')}.jsonl"


def probe_and_save(
    cluster: Cluster,
    fault: str | None,
    path: str | Path,
    *,
    replicas: int = 3,
    before: float = 3.0,
    seconds: float = 20.0,
    after: float = 3.0,
    rate: float = 20.0,
    deadline: float = 1.0,
    progress: bool = True,
) -> Journal:
    """All of `halab probe`: make a retriever, run the experiment, save the journal, drop the collections.

    `path` is the journal's file; it must not exist yet, which is checked before anything is broken.
    """
    if Path(path).exists():
        raise MeasurementError(
            gettext("{path} is already there, and a journal is never overwritten").format(path=path),
            hint=gettext("choose another name"),
        )
    with Retriever(cluster, replicas=replicas, name="halab_probe") as retriever:
        journal = experiment(
            cluster, fault, retriever=retriever, before=before, seconds=seconds, after=after,
            rate=rate, deadline=deadline, progress=progress,
        )  # fmt: skip
        # Saved before the collections are dropped: a cluster left broken must not cost the journal.
        journal.save(path)
    return journal
