"""Outages, RTO and RPO: pure functions of samples and journals. Times are seconds.

A probe is *bad* if it failed or its outcome is unknown. An unknown one counts against availability, since its
user got no answer, but never as failed, since it may have happened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from halab.errors import MeasurementError
from halab.measure.journal.journal_file import Journal
from halab.models.samples import Outcome, Sample
from halab.translation import gettext, name_list

__all__ = ["QUIET", "Outage", "outages", "rpo", "rto"]

QUIET = 2.0
"""Seconds of good service after which an outage is over, unless another time is stated."""

_ROUNDING = 1e-9  # seconds: journal times are rounded to 1e-6, their differences carry binary dust


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which an operation was not served.

    `start` is the intended send of the first bad probe, `last_bad` of the last one. `end` is that of the
    first good probe after which no bad one followed for the quiet time, or None if the recording ends before
    that is proven. `ok` counts good probes inside it (a flapping service answers now and then).
    """

    operation: str
    start: float
    last_bad: float
    end: float | None
    failed: int
    unknown: int
    ok: int = 0

    @property
    def duration(self) -> float:
        """Seconds from start to end; infinite if no end was seen."""
        return math.inf if self.end is None else self.end - self.start


def outages(samples: Iterable[Sample], quiet: float = QUIET) -> list[Outage]:
    """The outages of each operation, in order of operation and time.

    Two bad spells are one outage if good service between them lasted less than `quiet` seconds; otherwise
    they stay separate. With `quiet=0` every good probe ends an outage.
    """
    ordered = sorted(samples, key=lambda sample: (sample.operation, sample.intended, sample.number))
    every: list[Outage] = []
    for _, group in groupby(ordered, key=lambda sample: sample.operation):
        every += _of_one_operation(list(group), quiet)
    return every


def _of_one_operation(samples: Sequence[Sample], quiet: float) -> list[Outage]:
    ended: list[Outage] = []
    start: int | None = None  # index of the first bad probe of the open outage
    good: int | None = None  # index of the good probe that would end it
    for index, sample in enumerate(samples):
        # Checked first, so that a bad probe exactly `quiet` after the good one opens a new outage.
        proven = good is not None and sample.intended - samples[good].intended >= quiet - _ROUNDING
        if start is not None and good is not None and proven:
            ended.append(_outage(samples[start : good + 1], ended=True))
            start = good = None
        if sample.outcome is Outcome.OK:
            good = index if good is None else good
        else:
            start, good = index if start is None else start, None
    if start is not None:
        quiet_at_last = good is not None and quiet == 0
        ended.append(_outage(samples[start:], ended=quiet_at_last))
    return ended


def _outage(samples: Sequence[Sample], *, ended: bool) -> Outage:
    inside = samples[:-1] if ended else samples
    bad = [sample for sample in inside if sample.outcome is not Outcome.OK]
    # Good probes after the last bad one belong to no outage, whether or not its end is proven.
    ok = sum(s.outcome is Outcome.OK and s.intended < bad[-1].intended for s in inside)
    failed = sum(sample.outcome is Outcome.FAIL for sample in bad)
    return Outage(
        operation=samples[0].operation,
        start=bad[0].intended,
        last_bad=bad[-1].intended,
        end=samples[-1].intended if ended else None,
        failed=failed,
        unknown=len(bad) - failed,
        ok=ok,
    )


def rto(samples: Iterable[Sample], fault_at: float, quiet: float = QUIET) -> float | None:
    """Seconds from a fault to the first lasting answer, for the samples of one operation.

    An answer lasts if no request sent after the last bad one goes bad again before the recording ends, and
    such good service was watched for `quiet` seconds. So of several outages the last recovery counts, and
    what fails again and stays down has not recovered. It is counted to the moment at which the answer came.
    Probes that were answered before the fault do not count; one that was under way when it struck does.

    None: nobody noticed. `math.inf`: not recovered while it was recorded, or for less than `quiet`.
    Raises MeasurementError for samples of several operations, whose recoveries are different things.
    """
    samples = list(samples)
    names = sorted({sample.operation for sample in samples})
    if len(names) > 1:
        raise MeasurementError(
            gettext("RTO is a figure of one operation; these samples are of {names}").format(
                names=name_list(names)
            ),
            hint=gettext("use journal.samples(operation)"),
        )
    noticed = [sample for sample in samples if sample.done >= fault_at]
    bad = [sample.intended for sample in noticed if sample.outcome is not Outcome.OK]
    if not bad:
        return None
    after = [sample for sample in noticed if sample.intended > max(bad)]
    sent = [sample.intended for sample in after]
    if not after or max(sent) - min(sent) < quiet - _ROUNDING:
        return math.inf
    return min(sample.done for sample in after) - fault_at


def rpo(journal: Journal) -> int | None:
    """Rows that were acknowledged and are missing afterwards; None if the rows were not counted."""
    return len(journal.count.missing) if journal.count else None
