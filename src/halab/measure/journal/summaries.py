"""Tables of what users noticed: one journal, or several repeats of the same experiment."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from halab.errors import MeasurementError
from halab.measure.journal.experiment_name import ROLLING, faults_of, operation_in_words, run_in_words
from halab.measure.journal.journal_file import Header, Journal
from halab.measure.journal.marks import mark_of
from halab.measure.journal.outage import QUIET, Outage, outages, rpo, rto
from halab.measure.journal.title_marks import mark_title, simulated_remark
from halab.measure.journal.validity import validity_remark
from halab.models.samples import Outcome, Sample
from halab.tables import Row, Tabular
from halab.translation import gettext, gettext_noop, name_list, ngettext

__all__ = [
    "OperationSummary",
    "RepeatSummary",
    "Spread",
    "Summary",
    "repeat_summary",
    "summary",
    "title",
]


@dataclass(frozen=True, slots=True)
class OperationSummary:
    """What became of one operation. Times are seconds; `first_bad` and `last_bad` count from the fault, or
    from the start of the measurement if there was none; what was bad before the fault does not count.

    `failed` are refused requests, `empty` those that were answered without a hit: no answer for their users,
    and no error for who counts errors. `rto` is None if nothing was noticed, `math.inf` if service did not
    come back; `latency_median` and `latency_p99` are of good answers outside outages, None if there are none.
    """

    operation: str
    sent: int
    ok: int
    failed: int
    unknown: int
    empty: int
    first_bad: float | None
    last_bad: float | None
    outages: tuple[Outage, ...]
    rto: float | None
    latency_median: float | None
    latency_p99: float | None

    @property
    def bad(self) -> int:
        """Requests that brought their users nothing: failed, unknown or empty."""
        return self.failed + self.unknown + self.empty


@dataclass(frozen=True, repr=False)
class Summary(Tabular):
    """A journal in one table, a row for each operation."""

    title: str
    rows: tuple[OperationSummary, ...]
    remarks: tuple[str, ...]

    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        return _HEADINGS, [_cells(row) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range of a figure over repeats, of which `n` have one. Never a bare point.

    `counted` tells requests (whole numbers) from seconds.
    """

    median: float
    low: float
    high: float
    n: int
    counted: bool = False

    def __str__(self) -> str:
        median, low, high = (
            f"{value:g}" if self.counted else _number(value) for value in (self.median, self.low, self.high)
        )
        return (
            gettext("{median} (once, no range)").format(median=median)
            if self.n == 1
            else f"{median} ({low}–{high})"
        )


@dataclass(frozen=True, repr=False)
class RepeatSummary(Tabular):
    """Repeats of one experiment: for each operation the spread of its figures, None if no repeat has one."""

    title: str
    repeats: int
    rows: dict[str, dict[str, Spread | None]]
    remarks: tuple[str, ...]

    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        return _REPEAT_HEADINGS, [
            (operation_in_words(name), *(self._cell(spread) for spread in figures.values()))
            for name, figures in self.rows.items()
        ]

    def _cell(self, spread: Spread | None) -> str:
        if spread is None:
            return "-"
        return (
            str(spread)
            if spread.n == self.repeats
            else gettext("{spread}, in {count} of {repeats}").format(
                spread=spread, count=spread.n, repeats=self.repeats
            )
        )


_HEADINGS = (
    gettext_noop("operation"),
    gettext_noop("ok"),
    gettext_noop("failed"),
    gettext_noop("timed\nout"),
    gettext_noop("empty"),
    gettext_noop("first–last\nbad (s)"),
    gettext_noop("outages\n(s)"),
    gettext_noop("RTO\n(s)"),
    gettext_noop("latency\n(ms)"),
)
_REPEAT_HEADINGS = (
    gettext_noop("operation"),
    gettext_noop("failed"),
    gettext_noop("unknown"),
    gettext_noop("empty"),
    gettext_noop("first bad (s)"),
    gettext_noop("last bad (s)"),
    gettext_noop("RTO (s)"),
)


_ENGINES = {
    "embedded": gettext_noop("embedded engine"),
    "compose": gettext_noop("compose engine"),
    "simulated": gettext_noop("simulated engine"),
}


def title(journal: Journal) -> str:
    """What was measured, in one line; begins with SIMULATED if nothing was."""
    header = journal.header
    what = ", ".join(f"{fault.kind} {_target(fault.target, fault.component)}" for fault in journal.faults)
    if any(event.kind == ROLLING for event in journal.events):
        what = ", ".join(map(run_in_words, faults_of(journal)))
    version = " ".join(
        gettext("Milvus {v}").format(v=v.removeprefix("simulated "))
        for part, v in header.versions.items()
        if part == "milvus"
    )
    where = gettext(", ").join(
        part
        for part in (
            gettext(_ENGINES.get(header.engine, header.engine)),
            version,
            gettext("TTL {ttl:g} s").format(ttl=header.ttl),
        )
        if part
    )
    return mark_title(gettext("; ").join((what or gettext("no fault"), where)), journal)


def _target(target: str, component: str) -> str:
    return component if target == component else f"{target} ({component})"


def fault_time(journal: Journal) -> float:
    """When the first fault struck, seconds on the journal's clock; 0 if there was none."""
    return min((fault.at for fault in journal.faults), default=0.0)


def summary(journal: Journal, *, quiet: float = QUIET) -> Summary:
    """What users noticed, by operation. Outages less than `quiet` seconds apart count as one."""
    rows = tuple(_operation(journal, name, quiet) for name in journal.header.operations)
    return Summary(title(journal), rows, tuple(_remarks(journal)))


def _operation(journal: Journal, name: str, quiet: float) -> OperationSummary:
    samples, at = journal.samples(name), fault_time(journal)
    interruptions = outages(samples, quiet)
    bad = [s.intended - at for s in samples if s.outcome is not Outcome.OK and s.done >= at]
    calm = sorted(s.latency for s in samples if s.outcome is Outcome.OK and not _inside(s, interruptions))
    by_kind = Counter(map(mark_of, samples))
    return OperationSummary(
        operation=name,
        sent=len(samples),
        ok=by_kind["ok"],
        failed=by_kind["fail"],
        unknown=by_kind["unknown"],
        empty=by_kind["empty"],
        first_bad=bad[0] if bad else None,
        last_bad=bad[-1] if bad else None,
        outages=tuple(interruptions),
        rto=rto(samples, at, quiet),
        latency_median=statistics.median(calm) if calm else None,
        latency_p99=calm[math.ceil(0.99 * len(calm)) - 1] if calm else None,
    )


def _inside(sample: Sample, interruptions: Sequence[Outage]) -> bool:
    return any(o.start <= sample.intended < (math.inf if o.end is None else o.end) for o in interruptions)


def _remarks(journal: Journal) -> list[str]:
    header, late = journal.header, journal.scheduling
    zero = gettext("fault") if journal.faults else gettext("start")
    remarks = [*simulated_remark(journal), *validity_remark(journal)]
    remarks.append(
        gettext(
            "RTO: from the {zero} to the first lasting answer. Outages: from the sending of the "
            "first bad request to that of the first good one. Timed out: no answer within "
            "{waits}, so nobody knows what became of it (unknown). Latency: median/p99. {rate:g} "
            "requests a second of each operation: edges are known to {resolution:.0f} ms."
        ).format(zero=zero, waits=_waits(header), rate=header.rate, resolution=journal.resolution * 1000)
    )
    if not journal.simulated:
        remarks.append(
            gettext(
                "The prober itself was late by {median:.1f} ms (median), {p99:.1f} ms (p99), "
                "{worst:.1f} ms (worst)."
            ).format(median=late.median * 1000, p99=late.p99 * 1000, worst=late.max * 1000)
        )
    if any(mark_of(sample) == "empty" for sample in journal.samples()):
        remarks.append(gettext("Empty: answered without an error, and nothing was found."))
    if remark := rows_remark(journal):
        remarks.append(remark)
    restarts = [event.component for event in journal.events if event.by == "supervisor"]
    if restarts:
        names = name_list(dict.fromkeys(restarts))
        remarks.append(gettext("Acted on by the supervisor, not by Milvus: {names}.").format(names=names))
    return remarks + list(journal.notes)


def _waits(header: Header) -> str:
    """How long users wait: the deadline, and of whom it is longer."""
    longer = [
        gettext("{wait:g} s of {name}").format(wait=wait, name=operation_in_words(name))
        for name, wait in header.timeouts.items()
        if wait != header.deadline
    ]
    return gettext(", ").join([gettext("{time} s").format(time=f"{header.deadline:g}"), *longer])


def rows_remark(journal: Journal) -> str:
    """What became of the rows, in a sentence or two; "" if none was written."""
    count = journal.count
    if count is None:
        wrote = any(sample.key is not None for sample in journal.samples())
        return gettext("Rows were not counted, so nothing is said about lost data.") if wrote else ""
    remark = gettext("Rows: {acknowledged} acknowledged, {rpo} of them missing afterwards (RPO).").format(
        acknowledged=count.acknowledged, rpo=rpo(journal)
    )
    if count.unknown or count.failed:
        landed = count.unknown_present + count.failed_present
        remark += gettext(
            " Of {unacknowledged} without an acknowledgement {landed} are there all the same."
        ).format(unacknowledged=count.unknown + count.failed, landed=landed)
    if count.late:
        remark += gettext(" {late} acknowledged ones were not seen at first, but found later.").format(
            late=count.late
        )
    return remark


def repeat_summary(journals: Sequence[Journal]) -> RepeatSummary:
    """Median and range over repeats of one experiment.

    Raises MeasurementError if there are none, or if they do not repeat each other: other fault, engine, TTL,
    rate, deadline or operations. An RTO that was not reached counts as infinite.
    """
    if not journals:
        raise MeasurementError(
            gettext("there are no journals to summarise"), hint=gettext("pass at least one")
        )
    kinds = {_experiment(journal) for journal in journals}
    if len(kinds) > 1:
        raise MeasurementError(
            gettext("these journals are not repeats of one experiment: ")
            + "; ".join(sorted(map(str, kinds))),
            hint=gettext(
                "summarise those with the same fault, engine, TTL, rate, deadline and operations together"
            ),
        )
    tables = [summary(journal) for journal in journals]
    rows = {
        name: _spreads([table.rows[index] for table in tables])
        for index, name in enumerate(journals[0].header.operations)
    }
    remarks = [
        *simulated_remark(*journals),
        *validity_remark(*journals),
        gettext("Median (lowest to highest). A figure counts only the repeats in which it was noticed."),
    ]
    lost = [rpo(journal) for journal in journals]
    known = [rows_lost for rows_lost in lost if rows_lost is not None]
    remarks.append(
        gettext("Rows lost (RPO): {known}; rows were counted after {count} of the runs.").format(
            known=sum(known), count=len(known)
        )
        if known
        else gettext("Rows were not counted.")
    )
    return RepeatSummary(_repeat_title(journals), len(journals), rows, tuple(remarks))


def _repeat_title(journals: Sequence[Journal]) -> str:
    return ngettext("{title}, {count} run", "{title}, {count} runs", len(journals)).format(
        title=title(journals[0]), count=len(journals)
    )


def _experiment(journal: Journal) -> tuple[object, ...]:
    header = journal.header
    faults = tuple((fault.kind, fault.target) for fault in journal.faults)
    return faults, header.engine, header.ttl, header.rate, header.deadline, header.operations


def _spreads(rows: Sequence[OperationSummary]) -> dict[str, Spread | None]:
    return {
        "failed": _spread([row.failed for row in rows], counted=True),
        "unknown": _spread([row.unknown for row in rows], counted=True),
        "empty": _spread([row.empty for row in rows], counted=True),
        "first_bad": _spread([row.first_bad for row in rows]),
        "last_bad": _spread([row.last_bad for row in rows]),
        "rto": _spread([row.rto for row in rows]),
    }


def _spread(values: Sequence[float | None], *, counted: bool = False) -> Spread | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.median(known), min(known), max(known), len(known), counted)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if math.isinf(value):
        return gettext("not recovered")
    return f"{round(value, 2) + 0.0:.2f}"  # adding 0 turns -0.00 into 0.00


def _cells(row: OperationSummary) -> Row:
    spells = ", ".join(_number(outage.duration) for outage in row.outages[:4])
    more = gettext(" and {count} more").format(count=len(row.outages) - 4) if len(row.outages) > 4 else ""
    return (
        operation_in_words(row.operation),
        str(row.ok),
        str(row.failed),
        str(row.unknown),
        str(row.empty),
        "-" if row.first_bad is None else f"{_number(row.first_bad)}–{_number(row.last_bad)}",
        spells + more or "-",
        _number(row.rto),
        f"{_milliseconds(row.latency_median)}/{_milliseconds(row.latency_p99)}",
    )


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.{0 if seconds >= 0.01 else 1}f}"
