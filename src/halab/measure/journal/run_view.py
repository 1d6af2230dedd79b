"""A run as a learner meets it: one sentence, one picture, and the table folded below.

The picture shows each outage of each operation where it was, on one time axis with the fault, the learner's
prediction and the card's claim; where rows were counted, also which of them
are gone. It is HTML that follows JupyterLab's theme and its zoom.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Protocol

from halab.measure.journal.experiment_name import operation_in_words
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.marks import MARKS, mark_of
from halab.measure.journal.outage import Outage, rto
from halab.measure.journal.summaries import OperationSummary, Summary, fault_time, summary
from halab.measure.journal.title_marks import provenance
from halab.measure.journal.validity import for_the_record, validity_remark
from halab.models.samples import Outcome
from halab.translation import gettext, gettext_noop, pgettext

__all__ = ["RunView", "Said", "head_html"]


@dataclass(frozen=True, slots=True)
class Said:
    """What the learner or the card says of an outage: from when to when requests fail, seconds after the
    fault; None if nothing fails."""

    first_failure: float | None
    last_failure: float | None

    def __str__(self) -> str:
        if self.last_failure is None:
            return gettext("nothing fails")
        return gettext("fails from {first_failure:g} to {last_failure:g} s").format(
            first_failure=self.first_failure or 0, last_failure=self.last_failure
        )


@dataclass(frozen=True, slots=True)
class _Spell:
    """Requests of one kind of mark one after the other, seconds after the fault."""

    kind: str
    start: float
    end: float


class _Shown(Protocol):
    """What a notebook shows as HTML and a terminal as text."""

    def _repr_html_(self) -> str: ...


@dataclass(frozen=True, repr=False)
class RunView:
    """What one run showed; `operation` is the one that `prediction` and `card` speak of.

    `here` is False for a recording from elsewhere, which its viewer cannot run again. `told` is the result in
    words where it is of more than an outage; `folded` stands below the picture, each part under the words to
    unfold it by.
    """

    journal: Journal
    operation: str
    prediction: Said | None = None
    card: Said | None = None
    here: bool = True
    told: str = ""
    folded: Mapping[str, _Shown] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The result in words; first of all whether it proves nothing, or was simulated."""
        return " ".join((*self._doubts, self._result()))

    def _result(self) -> str:
        simulated = gettext("Simulated. ") if provenance(self.journal) == "simulated" else ""
        return simulated + (
            self.told or f"{_told(self._until_repair(self._row), self.prediction)}{self._of_the_repair()}"
        )

    @property
    def alt(self) -> str:
        """The picture in words."""
        zero = gettext("fault") if self.journal.faults else gettext("start")
        rows = [*((gettext(name), text) for name, text in self._said()), *self._in_short()]
        lines = [gettext("{name}: {said}.").format(name=name, said=text) for name, text in rows]
        return gettext("Outages on a time axis in seconds after the {zero}. ").format(zero=zero) + " ".join(
            lines
        )

    def __repr__(self) -> str:
        rows = [*((gettext(name), text) for name, text in self._said()), *self._in_short()]
        lines = ["  " + gettext("{name}: {said}").format(name=name, said=text) for name, text in rows]
        folded = [text for part in self._folded.values() for text in ("", repr(part))]
        return "\n".join((self.sentence, *lines, *folded))

    def _repr_html_(self) -> str:
        folded = (_folded(words, part._repr_html_()) for words, part in self._folded.items())
        head = head_html(for_the_record(self._result(), self.journal), self._doubts)
        return f"{head}{self._picture()}{''.join(folded)}"

    @property
    def _folded(self) -> dict[str, _Shown]:
        return {**self.folded, gettext("All figures of this run"): self._summary}

    @cached_property
    def _summary(self) -> Summary:
        return summary(self.journal)

    @cached_property
    def _rows(self) -> list[OperationSummary]:
        """The operation in question first."""
        return sorted(self._summary.rows, key=lambda row: row.operation != self.operation)

    @cached_property
    def _spells(self) -> dict[str, list[_Spell]]:
        """By operation."""
        return {row.operation: _spells(self.journal, row) for row in self._rows}

    @cached_property
    def _doubts(self) -> tuple[str, ...]:
        return validity_remark(self.journal, here=self.here)

    @property
    def _row(self) -> OperationSummary:
        self.journal.samples(self.operation)  # raises for an operation that was not measured
        return self._rows[0]

    @cached_property
    def _lost_rows(self) -> tuple[str, list[_Spell]] | None:
        """The acknowledged rows that are not there any more: in words, and when they were acknowledged."""
        return _lost_rows(self.journal)

    def _in_short(self) -> list[tuple[str, str]]:
        """The end of each lane in words, by its name."""
        rows = [] if self._lost_rows is None else [(gettext(_ROWS), self._lost_rows[0])]
        return [(operation_in_words(row.operation), self._back(row)) for row in self._rows] + rows

    def _back(self, row: OperationSummary) -> str:
        """How an operation fared: when it was back, that only the repair hit it, or that users waited."""
        again = self._again(row)
        if again and tuple(again) == row.outages and row.rto != math.inf:
            return gettext("only with the repair: {lengths}").format(lengths=_lengths(again))
        if again and row.rto != math.inf:
            kept = replace(self._until_repair(row), outages=row.outages[: -len(again)])
            return gettext("{back}; with the repair again {lengths}").format(
                back=_in_short(kept), lengths=_lengths(again)
            )
        late = max((s.latency for s in self.journal.samples(row.operation)), default=0.0)
        if row.rto is None and late > _LATE:
            return gettext("none failed, up to {late:.1f} s late").format(late=late)
        return _in_short(row)

    def _again(self, row: OperationSummary) -> list[Outage]:
        """The outages that began with the repair or after it: what undoing a fault costs."""
        ends = [math.inf if fault.undone_at is None else fault.undone_at for fault in self.journal.faults]
        repaired, fault = max(ends, default=math.inf), fault_time(self.journal)
        # A request that the repair caught may have been sent before it, by as long as its user waits.
        early = repaired - self.journal.header.timeouts.get(row.operation, 0.0)
        begins = max(early, (fault + repaired) / 2)  # what is nearer to the fault is the fault's
        return [outage for outage in row.outages if outage.start >= begins]

    def _until_repair(self, row: OperationSummary) -> OperationSummary:
        """A row without what the repair cost: that is told apart."""
        again = self._again(row)
        if not again or row.rto == math.inf:
            return row
        samples = [s for s in self.journal.samples(row.operation) if s.intended < again[0].start]
        back = rto(samples, fault_time(self.journal))
        if back is None:
            answered = sum(sample.outcome is Outcome.OK for sample in samples)
            return replace(row, rto=None, ok=answered, sent=len(samples))
        return row if math.isinf(back) else replace(row, rto=back)

    def _of_the_repair(self) -> str:
        """What failed once more when the fault was undone, of every operation; nothing if none did."""
        again = [
            f"{operation_in_words(row.operation)} {_lengths(self._again(row))}"
            for row in self._rows
            if self._again(row)
        ]
        if not again:
            return ""
        return " " + gettext("With the repair came an outage: {again}.").format(
            again=gettext("; ").join(again)
        )

    def _said(self) -> list[tuple[str, Said]]:
        both = ((gettext_noop("your prediction"), self.prediction), (gettext_noop("the card"), self.card))
        return [(name, said) for name, said in both if said is not None]

    def _picture(self) -> str:
        axis = _Axis.of(self.journal, self._said())
        rows = [_lane(gettext(name), axis.box(name, said), str(said)) for name, said in self._said()]
        rows += [
            _lane(
                operation_in_words(row.operation),
                self._outages(axis, row),
                self._back(row),
                bold=row.operation == self.operation,
            )
            for row in self._rows
        ]
        if self._lost_rows is not None:
            words, spells = self._lost_rows
            rows.append(_lane(gettext(_ROWS), axis.faults(self.journal) + axis.spells(spells), words))
        return (
            f'<div role="img" aria-label="{html.escape(self.alt)}" style="display: grid; '
            "grid-template-columns: minmax(5em, max-content) minmax(0, 1fr) fit-content(13em); "
            f'gap: 4px 10px; align-items: center; max-width: 900px; margin: 0.6em 0">{"".join(rows)}'
            f'<div></div><div style="position: relative; height: 20px">{axis.ticks()}</div><div></div>'
            f"</div>{self._legend()}"
        )

    def _outages(self, axis: _Axis, row: OperationSummary) -> str:
        spells = axis.spells(self._spells[row.operation])
        brackets = "".join(
            axis.bracket(outage, row.rto if outage is row.outages[-1] else None) for outage in row.outages
        )
        return axis.faults(self.journal) + spells + brackets + axis.back(row.rto)

    def _legend(self) -> str:
        kinds = {spell.kind for spells in self._spells.values() for spell in spells}
        items = [(_PATTERNS[kind], gettext(mark.words)) for kind, mark in MARKS.items() if kind in kinds]
        if kinds:
            items += [
                (_OUTAGE, gettext("an outage")),
                (_BACK, gettext("the first lasting answer came")),
            ]
        if self._lost_rows is not None and self._lost_rows[1]:
            items += [(_PATTERNS["lost"], gettext("acknowledged, and missing afterwards"))]
        items += [(_FAULT, gettext("fault in place"))] if self.journal.faults else []
        swatches = "".join(
            '<span style="display: inline-flex; align-items: center; gap: 5px; margin-right: 16px">'
            f'<span style="display: inline-block; width: 18px; height: 12px; {style}"></span>'
            f"{html.escape(words)}</span>"
            for style, words in items
        )
        return f'<div aria-hidden="true" style="font-size: 0.92em; margin-bottom: 0.6em">{swatches}</div>'


def head_html(result: str, doubts: Sequence[str]) -> str:
    """A result as it stands above its picture; below what speaks against it, if that does, and small then."""
    remarks = "".join(
        f'<p style="border-left: 4px solid {MARKS["fail"].css}; padding-left: 10px; margin: 0.4em 0">'
        f"<strong>{html.escape(remark)}</strong></p>"
        for remark in doubts
    )
    style = "opacity: 0.8" if doubts else "font-size: 1.15em; font-weight: 600"
    return f'{remarks}<p style="{style}; margin: 0.4em 0">{html.escape(result)}</p>'


_LATE = 1.0  # seconds that a user waits and notices
_EDGE = 96  # percent: a label in the middle below a tick further right would hang out of the picture
_LINE = "var(--jp-border-color1, #bdbdbd)"
_FAULT = "background: color-mix(in srgb, currentColor 14%, transparent)"
_OUTAGE = "box-sizing: border-box; border: 1.5px solid currentColor; border-bottom: none"
_BACK = f"width: 10px; border-radius: 50%; background: {MARKS['ok'].css}; height: 10px"
_SAID = {
    "your prediction": "border: 2px solid var(--jp-brand-color1, #1976d2)",
    "the card": "border: 2px dotted currentColor",
}


def _hatched(kind: str, angle: str, filled: int, step: int) -> str:
    stripes = f"{MARKS[kind].css} 0 {filled}px, transparent {filled}px {step}px"
    return f"background: repeating-linear-gradient({angle}, {stripes})"


_PATTERNS = {
    "ok": f"background: {MARKS['ok'].css}",
    "fail": f"background: {MARKS['fail'].css}",
    "unknown": _hatched("unknown", "45deg", 3, 5),
    "empty": _hatched("empty", "0deg", 2, 4),
    "lost": _hatched("fail", "90deg", 2, 5),
}
_ROWS = gettext_noop("acknowledged rows")


@dataclass(frozen=True, slots=True)
class _Axis:
    """Seconds after the fault from `left` to `right`, drawn over the width of a lane."""

    left: float
    right: float
    zero: float

    @classmethod
    def of(cls, journal: Journal, said: Sequence[tuple[str, Said]]) -> _Axis:
        zero = fault_time(journal)
        end = max((sample.intended for sample in journal.samples()), default=0.0) + journal.resolution - zero
        return cls(-zero, max(end, 1.0, *(each.last_failure or 0.0 for _, each in said)), zero)

    def percent(self, seconds: float) -> float:
        return 100 * (min(max(seconds, self.left), self.right) - self.left) / (self.right - self.left)

    def bar(self, start: float, end: float, style: str) -> str:
        left = self.percent(start)
        return (
            f'<div style="position: absolute; left: {left:.2f}%; width: {self.percent(end) - left:.2f}%; '
            f'min-width: 2px; {style}"></div>'
        )

    def spells(self, spells: Sequence[_Spell]) -> str:
        return "".join(
            self.bar(spell.start, spell.end, f"top: 4px; height: 12px; {_PATTERNS[spell.kind]}")
            for spell in spells
        )

    def box(self, name: str, said: Said) -> str:
        if said.last_failure is None:
            return ""
        style = f"top: 4px; height: 12px; box-sizing: border-box; {_SAID[name]}"
        return self.bar(said.first_failure or 0.0, said.last_failure, style)

    def bracket(self, outage: Outage, back: float | None) -> str:
        """Over an outage; the last one ends when the first lasting answer came, after `back` seconds, and not
        when that request was sent: until then its user waited."""
        end = self.right if outage.end is None else outage.end - self.zero
        if back is not None and math.isfinite(back):
            end = max(end, back)
        return self.bar(outage.start - self.zero, end, f"top: 1px; height: 6px; {_OUTAGE}")

    def back(self, rto: float | None) -> str:
        """A dot where the first lasting answer came."""
        if rto is None or math.isinf(rto):
            return ""
        return (
            f'<div style="position: absolute; left: {self.percent(rto):.2f}%; transform: translateX(-50%); '
            f'top: 5px; {_BACK}"></div>'
        )

    def faults(self, journal: Journal) -> str:
        """The times in which a fault was in place: shaded once, however many there were at a time."""
        begun = self.left
        shades = []
        for fault in sorted(journal.faults, key=lambda fault: fault.at):
            at = max(fault.at - self.zero, begun)
            begun = max(begun, self.right if fault.undone_at is None else fault.undone_at - self.zero)
            if begun > at:
                style = f"top: -2px; bottom: -2px; border-left: 2px solid currentColor; {_FAULT}"
                shades.append(self.bar(at, begun, style))
        return "".join(shades)

    def ticks(self) -> str:
        step = next(
            step for step in (1, 2, 5, 10, 20, 60, 120, 600, 3600) if (self.right - self.left) / step <= 9
        )
        first = math.ceil(self.left / step) * step
        labels = range(first, math.floor(self.right) + 1, step)
        named = [(second, gettext("{time} s").format(time=second)) for second in labels]
        return "".join(
            f'<span style="position: absolute; left: {self.percent(second):.2f}%; '
            f"transform: translateX({'-100%' if self.percent(second) > _EDGE else '-50%'}); "
            f'font-size: 0.92em; white-space: nowrap">{words}</span>'
            for second, words in named
        )


def _lane(name: str, inside: str, words: str, *, bold: bool = False) -> str:
    weight = "font-weight: 600; " if bold else ""
    return (
        f'<div style="{weight}overflow-wrap: anywhere">{html.escape(name)}</div>'
        f'<div style="position: relative; height: 20px; border-bottom: 1px solid {_LINE}">{inside}</div>'
        f'<div style="{weight}">{html.escape(words)}</div>'
    )


def _folded(words: str, table: str) -> str:
    return f"<details><summary>{html.escape(words)}</summary>{table}</details>"


def _spells(journal: Journal, row: OperationSummary) -> list[_Spell]:
    """The requests of an operation that brought their users nothing, joined where one follows the other."""
    zero, samples = fault_time(journal), journal.samples(row.operation)
    ends = [sample.intended for sample in samples[1:]] + [samples[-1].intended + journal.resolution]
    spells = []
    for kind, group in groupby(zip(samples, ends, strict=True), key=lambda pair: mark_of(pair[0])):
        members = list(group)
        if kind != "ok":
            spells.append(_Spell(kind, members[0][0].intended - zero, members[-1][1] - zero))
    return spells


def _lost_rows(journal: Journal) -> tuple[str, list[_Spell]] | None:
    """How many acknowledged rows are missing, and when they were acknowledged; None if nobody counted."""
    if journal.count is None or "insert" not in journal.header.operations:
        return None
    zero, missing = fault_time(journal), set(journal.count.missing)
    inserted = sorted(
        (sample.done, sample.key in missing)
        for sample in journal.samples("insert")
        if sample.outcome is Outcome.OK
    )
    spells = []
    for lost, group in groupby(inserted, key=lambda row: row[1]):
        times = [done for done, _ in group]
        if lost:
            spells.append(_Spell("lost", times[0] - zero, times[-1] + journal.resolution - zero))
    gone = sum(lost for _, lost in inserted)
    count = len(inserted)
    if not gone:
        return gettext("none of {count} missing").format(count=count), spells
    return gettext("{missing} of {count} missing").format(missing=gone, count=count), spells


def _in_short(row: OperationSummary) -> str:
    if row.rto is None:
        return gettext("nobody noticed")
    if math.isinf(row.rto):
        return gettext("not back")
    if len(row.outages) > 1:
        return gettext("back after {rto:.1f} s, from {count} outages: {lengths}").format(
            rto=row.rto, count=len(row.outages), lengths=_lengths(row.outages)
        )
    return gettext("back after {rto:.1f} s").format(rto=row.rto)


def _lengths(outages: Sequence[Outage]) -> str:
    """How long each outage lasted, such as "9.7 and 1.2 s"."""
    known = [gettext("no end") if outage.end is None else f"{outage.duration:.1f}" for outage in outages]
    lengths = pgettext("between numbers", " and ").join(known)
    return lengths if outages[-1].end is None else gettext("{time} s").format(time=lengths)


_MANY = {
    "search": gettext_noop("searches"),
    "strong search": gettext_noop("strong searches"),
    "insert": gettext_noop("inserts"),
    "metadata call": gettext_noop("metadata calls"),
    "": gettext_noop("requests of “{operation}”"),
}
"""Several requests, by their operation; of no name: of any other."""


def _told(row: OperationSummary, prediction: Said | None) -> str:
    many = gettext(_MANY.get(row.operation, _MANY[""])).format(operation=operation_in_words(row.operation))
    prediction_text = _you_said(prediction)
    if row.rto is None:
        return _capital(
            gettext("{said}nobody noticed: {ok} of {sent} {many} were answered.").format(
                said=prediction_text, ok=row.ok, sent=row.sent, many=many
            )
        )
    if math.isinf(row.rto):
        return _capital(
            gettext("{said}{many} were not back when the recording ended. {cost}").format(
                said=prediction_text, many=many, cost=_cost(row, many)
            )
        )
    off = prediction.last_failure if prediction else None
    after = "" if off is None else gettext(": {difference:.1f} s off").format(difference=abs(row.rto - off))
    return _capital(
        gettext("{said}{many} were back {rto:.1f} s after the fault{after}. {cost}").format(
            said=prediction_text, many=many, rto=row.rto, after=after, cost=_cost(row, many)
        )
    )


def _you_said(prediction: Said | None) -> str:
    if prediction is None:
        return ""
    if prediction.last_failure is None:
        return gettext("You said that nothing would fail; ")
    return gettext("You said {last_failure:g} s; ").format(last_failure=prediction.last_failure)


def _cost(row: OperationSummary, many: str) -> str:
    """How many requests, `many` in words, got no good answer, and in how many outages."""
    cost = gettext("{bad} of {sent} {many} got no good answer").format(bad=row.bad, sent=row.sent, many=many)
    if row.empty:
        cost += gettext(", {empty} of them an answer without a hit").format(empty=row.empty)
    if len(row.outages) > 1:
        cost += gettext(", in {count} outages").format(count=len(row.outages))
    return gettext("{cost}.").format(cost=cost)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
