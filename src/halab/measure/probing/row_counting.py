"""Which acknowledged rows are still there: what the insert probes sent, against what a Strong query finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from halab.measure.journal.journal_file import RowCount
from halab.models.samples import Outcome, Sample

__all__ = ["count_rows", "tally"]

_LOOK_AGAIN = 1.0  # seconds until rows that were not found are looked for again


def count_rows(
    samples: Sequence[Sample], present: Callable[[Sequence[int]], set[int]], timeout: float = 0.0
) -> RowCount:
    """Count the rows of insert probes; `present` says which of the keys it is given are there now.

    Acknowledged rows that are not found are looked for again for `timeout` seconds before they stand in
    `missing`: just after a query node had come back, one look missed exactly the rows of a flushed segment
    (seen with 2.3.5 on a busy machine), and what is only late is not lost.
    """
    keys = sorted(sample.key for sample in samples if sample.key is not None)
    seen = present(keys)
    count = tally(samples, seen)
    at_first = len(count.missing)
    end = time.monotonic() + timeout
    while count.missing and time.monotonic() < end:
        time.sleep(_LOOK_AGAIN)
        seen |= present(count.missing)
        count = tally(samples, seen)
    return replace(count, late=at_first - len(count.missing))


def tally(samples: Iterable[Sample], found: set[int]) -> RowCount:
    """What became of the rows that samples wrote, given the keys that are there now."""
    sent: dict[Outcome, set[int]] = {outcome: set() for outcome in Outcome}
    for sample in samples:
        if sample.key is not None:
            sent[sample.outcome].add(sample.key)
    return RowCount(
        acknowledged=len(sent[Outcome.OK]),
        unknown=len(sent[Outcome.UNKNOWN]),
        failed=len(sent[Outcome.FAIL]),
        found=len(found),
        missing=tuple(sorted(sent[Outcome.OK] - found)),
        unknown_present=len(sent[Outcome.UNKNOWN] & found),
        failed_present=len(sent[Outcome.FAIL] & found),
    )
