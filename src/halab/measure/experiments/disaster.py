"""A disaster as an experiment: rows written, a flush between them, a loss, a recovery, every row counted.

    lost = disaster(cluster, "log", retriever=retriever)
    loss(lost)                       # which acknowledged rows are gone: those before the flush, or after it?

An acknowledged row is in the log. A flush moves it to the object store. So rows are told apart by when they
were acknowledged: before the flush began, while it ran, between it and the disaster, and later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pymilvus import MilvusClient

from halab.cluster.protocol import Cluster, Component, Event, Fault
from halab.errors import MeasurementError
from halab.measure.experiments.experiment_steps import ExperimentSteps, counted
from halab.measure.journal.journal_file import FaultRecord, Journal
from halab.measure.journal.summaries import title
from halab.measure.probing.milvus_collections import TIMEOUT
from halab.measure.probing.operations import UNANSWERED, error_text
from halab.measure.probing.prober import Run, probe
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome, Sample
from halab.tables import Row, Tabular
from halab.translation import gettext, gettext_noop

__all__ = ["EVERYTHING", "UNFLUSHED", "Loss", "Losses", "Rows", "disaster", "loss"]

EVERYTHING = "every Milvus process"
"""The target that names every process but etcd, the log and the object store."""

UNFLUSHED = gettext_noop("after the flush, before the disaster")
"""The rows that are in the log and nowhere else, as `loss` names them."""

_INFRASTRUCTURE = ("etcd", "log", "objectstore")
_FLUSHING, _FLUSHED = "flush began", "flush returned"
_SEARCH = 30.0  # seconds to wait for a search to be answered, once every component is healthy
_LOOK = 0.5  # seconds between two looks


def disaster(
    cluster: Cluster,
    target: str = EVERYTHING,
    *,
    retriever: Retriever,
    before: float = 3.0,
    unflushed: float = 3.0,
    down: float = 2.0,
    after: float = 10.0,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
) -> Journal:
    """Crash what `target` names while rows are written, start it again, and count the rows.

    Insert and search probes leave throughout. After `before` seconds the rows are flushed; `unflushed`
    seconds later the target is killed, and `down` seconds later started again. When every component is
    healthy and a search is answered (or half a minute has passed without), the probes go on until none got
    a bad end for `after` seconds, or half a minute longer.
    `target` is EVERYTHING or names one component, such as "log" or "any data node".

    What did not come back is a result and stands in the journal's notes, and so does a count that was not
    possible. A simulated cluster keeps no rows: there nothing is flushed or counted, and a note says so.
    Raises MeasurementError, TargetError and FaultError.
    """
    cluster.wait_healthy()
    lost = _targets(cluster, target)
    operations = retriever.operations("search", "insert")
    run = probe(cluster, operations, rate=rate, deadline=deadline, seed=seed)
    steps = ExperimentSteps(run)
    steps.on_progress(gettext("waiting until every search finds something"))
    # Otherwise what the last disaster left behind would be measured as this one's.
    retriever.wait_until_searchable()
    with run:
        steps.wait(before, gettext("writing rows"))
        flush = _flush(retriever, steps)
        steps.wait(unflushed, gettext("writing rows that are not flushed"))
        with steps.faults(
            [("crash", part) for part in lost], gettext("starting again, waiting for health")
        ) as parts:
            steps.wait(down, gettext("{target}: gone").format(target=target))
        if steps.recovered:
            _wait_for_answer(retriever, run)
        steps.wait_until_answered(after, gettext("after the disaster"))
    journal = run.journal.extended(faults=[_merged(target, parts, run.started)], events=flush)

    return steps.count_rows(journal, None if retriever.simulated else partial(counted, journal, retriever))


def _targets(cluster: Cluster, target: str) -> list[Component]:
    if target != EVERYTHING:
        return [cluster.resolve(target)]
    return [part for part in cluster.components() if part.role not in _INFRASTRUCTURE]


def _flush(retriever: Retriever, steps: ExperimentSteps) -> list[Event]:
    """Flush what was written so far; the two moments that bound it, on the run's clock."""
    run = steps.run
    if retriever.simulated:
        run.note(gettext("SIMULATED: this cluster keeps no rows, so none was flushed and none was counted."))
        return []
    steps.on_progress(gettext("flushing"))
    began = run.elapsed
    client = MilvusClient(run.cluster.uri, timeout=TIMEOUT)
    try:
        client.flush(retriever.insert_collection)
    except UNANSWERED as error:
        run.note(gettext("The rows were not flushed: {error_text}").format(error_text=error_text(error)))
        return []
    finally:
        client.close()
    return [
        Event(round(time, 6), retriever.insert_collection, kind, "user")
        for time, kind in ((began, _FLUSHING), (run.elapsed, _FLUSHED))
    ]


def _wait_for_answer(retriever: Retriever, run: Run) -> None:
    end = time.monotonic() + _SEARCH
    while time.monotonic() < end:
        with suppress(MeasurementError):
            retriever.ask(gettext("Is anybody there?"), timeout=1.0)
            return
        time.sleep(_LOOK)
    run.note(
        gettext("Every component was healthy, and yet no search was answered for {time:g} s.").format(
            time=_SEARCH
        )
    )


def _merged(target: str, parts: Sequence[Fault], started: float) -> FaultRecord:
    """Several processes lost at once are one fault; the journal's events name each of them."""
    return FaultRecord(
        kind="crash",
        target=target,
        component=target if target == EVERYTHING else parts[0].component,
        at=round(parts[0].at - started, 6),
        undone_at=round(max(part.undone_at or math.inf for part in parts) - started, 6),
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Acknowledged rows of one time, and how many of them are not there any more."""

    when: str
    acknowledged: int
    missing: int


@dataclass(frozen=True, repr=False)
class Losses(Tabular):
    """Acknowledged rows by time, as a table.

    `window` is seconds from the first missing row's acknowledgement to what went wrong, for rows acknowledged
    before it: the RPO that was achieved, as time. None if the rows were not counted.
    """

    title: str
    rows: tuple[Rows, ...]
    window: float | None
    remarks: tuple[str, ...]

    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        known = self.window is not None
        return _HEADINGS, [
            (gettext(row.when), str(row.acknowledged), str(row.missing) if known else gettext("not counted"))
            for row in self.rows
        ]


_HEADINGS = (gettext_noop("acknowledged"), gettext_noop("rows"), gettext_noop("missing afterwards"))


class Loss(Losses):
    """What a disaster did to the rows, by when they were acknowledged."""

    @property
    def missing(self) -> int | None:
        """Acknowledged rows that are gone; None if they were not counted."""
        return None if self.window is None else sum(each.missing for each in self.rows)


def loss(journal: Journal) -> Loss:
    """Which of the acknowledged rows are missing, by when they were acknowledged.

    A pure function of the journal. A row belongs to "before the flush" only if its answer was there when the
    flush began, and to "after the flush" only if it was sent when the flush had returned. Raises
    MeasurementError for a journal without a fault or without inserts.
    """
    if not journal.faults or "insert" not in journal.header.operations:
        raise MeasurementError(
            gettext(
                "a loss is counted in a journal with a fault and with inserts, and this one has not both"
            ),
            hint=gettext('make one with disaster(cluster, "log", retriever=retriever)'),
        )
    at = journal.faults[0].at
    began, ended = (_moment(journal, kind) for kind in (_FLUSHING, _FLUSHED))
    groups: tuple[list[Sample], ...] = ([], [], [], [])
    for sample in journal.samples("insert"):
        if sample.outcome is Outcome.OK:
            groups[_group(sample, began, ended, at)].append(sample)
    missing = set(journal.count.missing) if journal.count else set()
    gone = [row.done for group in groups for row in group if row.key in missing and row.done < at]
    return Loss(
        title(journal),
        tuple(
            Rows(name, len(group), sum(row.key in missing for row in group))
            for name, group in zip(_names(math.isfinite(began)), groups, strict=True)
            if name
        ),
        (at - min(gone) if gone else 0.0) if journal.count else None,
        tuple(_remarks(journal)),
    )


def _names(flushed: bool) -> tuple[str, str, str, str]:
    """What the four groups are called; the two that only a flush makes have no name without one."""
    if not flushed:
        return (gettext_noop("before the disaster"), "", "", gettext_noop("after the disaster"))
    return (
        gettext_noop("before the flush"),
        gettext_noop("while it was flushed"),
        UNFLUSHED,
        gettext_noop("after the disaster"),
    )


def _group(sample: Sample, began: float, ended: float, at: float) -> int:
    if sample.done >= at:
        return 3
    if sample.done <= began:
        return 0
    return 2 if sample.sent >= ended else 1


def _moment(journal: Journal, kind: str) -> float:
    return next((event.time for event in journal.events if event.kind == kind), math.inf)


def _remarks(journal: Journal) -> list[str]:
    count = journal.count
    remarks = list(journal.notes)
    if count is None:
        return [*remarks, gettext("Rows were not counted, so nothing is said about lost data.")]
    landed = count.unknown_present + count.failed_present
    if not count.unknown + count.failed:
        return remarks
    return [
        gettext(
            "Of {unknown} inserts without an answer and {failed} refused ones, {there} are there "
            "all the same."
        ).format(unknown=count.unknown, failed=count.failed, there=landed or gettext("none")),
        *remarks,
    ]
