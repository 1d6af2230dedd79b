"""A fault as an experiment: probe, break, wait, mend, wait, count. The result is a journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from halab.cluster.protocol import Cluster, Fault, FaultKind
from halab.errors import ClusterError, MeasurementError
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.operations import Operation
from halab.measure.probing.prober import Run, probe
from halab.measure.probing.progress_line import DONE, ProgressLine
from halab.measure.probing.retriever import SETTLE, Retriever
from halab.models.samples import Outcome

__all__ = ["experiment", "journal_name", "parse_fault", "probe_and_save"]

_STEP = 0.5  # seconds between two looks at a measurement under way


def parse_fault(fault: str) -> tuple[FaultKind, str]:
    """The kind and the target of words such as "crash active rootcoord". Raises MeasurementError."""
    kind, _, target = fault.strip().partition(" ")
    if kind not in get_args(FaultKind) or not target.strip():
        raise MeasurementError(
            f'a fault is a kind and a target, found "{fault}"',
            hint=f'begin with {", ".join(get_args(FaultKind))}; for example "crash active rootcoord"',
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
    `before`, `seconds` and `after` are seconds of probing before the fault, with it, and after it was undone
    and the cluster was healthy again. `fault=None` measures the same time without one. `operations` are the
    retriever's four unless given. `rate` is probes a second for each, `deadline` seconds.

    A cluster that does not become healthy again is a result, not an error: a note in the journal says so, and
    so does one if the rows could not be counted. Raises MeasurementError, TargetError, FaultError
    and ClusterNotFound.
    """
    broken = [parse_fault(each) for each in ([fault] if isinstance(fault, str) else fault or [])]
    for _, target in broken:
        # Told before the first probe leaves: a mistyped target, or a cluster that is gone.
        cluster.resolve(target)
    # Otherwise what the last fault left behind would be measured as this one's.
    searchable = retriever.wait_until_searchable()
    with probe(cluster, operations or retriever.operations(), rate=rate, deadline=deadline, seed=seed) as run:
        if not searchable:
            run.note(f"Not all searches found something even before, for {SETTLE:g} s.")
        say = _progress(run) if progress else _silent
        _wait(cluster, before, say, "before the fault")
        with ExitStack() as stack:
            if broken:
                struck = _strike(cluster, broken, stack)
                for injected in struck:
                    run.mark_fault(injected)
                _wait(cluster, seconds, say, ", ".join(f"{one.kind} {one.component}" for one in struck))
                say("undoing the fault, waiting for health")
                _mend(stack, run)
            else:
                _wait(cluster, seconds, say, "no fault")
        _wait(cluster, after, say, "after the fault")
    return _counted(run.journal, retriever, say)


def _strike(cluster: Cluster, broken: Sequence[tuple[FaultKind, str]], stack: ExitStack) -> list[Fault]:
    """Inject every fault now. The first one's undoing, which comes last, waits until all is healthy."""
    first, *others = broken
    struck: list[Fault] = [stack.enter_context(cluster.fault(*first))]
    for kind, target in others:
        struck.append(cluster.inject(kind, target))  # `fault` would wait for health, which is gone
        stack.callback(struck[-1].undo)
    return struck


def _mend(stack: ExitStack, run: Run) -> None:
    try:
        stack.close()
    except ClusterError as error:
        run.note(f"The cluster did not become healthy again: {error.message.splitlines()[0]}")


def _wait(cluster: Cluster, seconds: float, say: Callable[[str], None], phase: str) -> None:
    end = cluster.now() + seconds
    while (left := end - cluster.now()) > 0:
        say(phase)
        cluster.sleep(min(_STEP, left))


def _counted(journal: Journal, retriever: Retriever, say: Callable[[str], None]) -> Journal:
    if journal.simulated or not any(sample.key is not None for sample in journal.samples()):
        say(DONE)
        return journal
    say("counting rows")
    try:
        counted = journal.extended(count=retriever.count(journal.samples(), timeout=SETTLE))
    except MeasurementError as error:
        counted = journal.extended(notes=[f"Rows were not counted: {error.message}"])
    say(DONE)
    return counted


def _silent(phase: str) -> None:
    """No progress wanted."""


def _progress(run: Run) -> Callable[[str], None]:
    line = ProgressLine(lambda: run.elapsed)
    return lambda phase: line(phase, _tally(run.counts()))


def _tally(counts: dict[str, Counter[Outcome]]) -> str:
    """All operations together: a line wider than a terminal could not be written over."""
    total = sum(counts.values(), Counter[Outcome]())
    answered, asked = total[Outcome.OK], total.total()
    return f": {answered} of {asked} requests answered" if asked else ""


def journal_name(fault: str | None, now: datetime | None = None) -> str:
    """A file name for a journal, such as "2026-11-23-140503-crash-active-rootcoord.jsonl" (local time)."""
    words = "-".join((fault or "no fault").lower().replace(",", "").split())
    return f"{(now or datetime.now()):%Y-%m-%d-%H%M%S}-{words}.jsonl"


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
            f"{path} is already there, and a journal is never overwritten", hint="choose another name"
        )
    with Retriever(cluster, replicas=replicas, name="halab_probe") as retriever:
        journal = experiment(
            cluster, fault, retriever=retriever, before=before, seconds=seconds, after=after,
            rate=rate, deadline=deadline, progress=progress,
        )  # fmt: skip
        # Saved before the collections are dropped: a cluster left broken must not cost the journal.
        journal.save(path)
    return journal
