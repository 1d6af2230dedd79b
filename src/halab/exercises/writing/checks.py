"""What exercise 4 expects of a learner's work, one function a graded cell.

Each raises CheckFailed with the behaviour that was expected. The visible tests call them with the
learner's own numbers, the hidden ones with others.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from halab.exercises.expectations import call_many, example, expect, expect_refused
from halab.exercises.learner_numbers import draw
from halab.exercises.writing.given import Data, Report, Store
from halab.models.bootstrap import ratio_interval
from halab.models.replication import Copy, kth_fastest
from halab.models.replication import straggling as waits_for_one
from halab.translation import gettext

__all__ = [
    "check_expected",
    "check_interval",
    "check_moved",
    "check_ratio",
    "check_refused",
    "check_sentence",
    "check_straggling",
    "check_times",
    "check_waits",
    "draw",
]

Function = Callable[..., Any]


@example(10, 6, 3, 2, gives=15.0)
def check_expected(expected: Function, stores: Sequence[Store]) -> None:
    """The mean time until so many of the copies are done."""
    cases = [
        (store.base, store.jitter, store.copies, needed)
        for store in stores
        for needed in range(1, store.copies + 1)
    ]
    cases += [(7.0, 0.0, 4, 3), (0.0, 3.0, 1, 1), (1.0, 2.0, 12, 9)]
    cases.sort(key=lambda case: case[3] < case[2])  # the simpler mistake is told first
    for (base, jitter, copies, needed), answer in zip(cases, call_many(expected, cases), strict=True):
        right = kth_fastest(Copy(base, jitter), copies, needed)
        if needed == copies:
            expect(
                _near(answer, right),
                gettext(
                    "If every copy is needed, the slowest decides: the mean grows with 1 + 1/2 + ... + "
                    "1/n, and the copies' times are not added up."
                ),
                "04.1.slowest",
            )
        expect(
            _near(answer, right),
            gettext(
                "If fewer than all copies are needed, the time is that of the last one needed; "
                "slower ones do not count."
            ),
            "04.1.quorum",
        )


def check_refused(expected: Function) -> None:
    """A quorum that cannot be reached is refused, and one that can is not."""
    expect_refused(
        expected,
        [(1.0, 1.0, 3, 4), (1.0, 1.0, 3, 0), (1.0, 1.0, 0, 0), (1.0, 1.0, 3, -1)],
        (1.0, 1.0, 3, 2),
        gettext(
            "Nobody can wait for more copies than there are, or for fewer than one: that is a ValueError."
        ),
        "04.1.refused",
    )


@example([[5, 9, 7], [4, None, 6]], "quorum", 2, gives=[7, 6])
def check_times(times: Function, stores: Sequence[Store]) -> None:
    """Each way of writing, worked out from the copies' times."""
    for store in stores:
        for way in ("serial", "parallel", "quorum"):
            answer = times(store.writes, way, store.needed)
            expect(
                isinstance(answer, Sequence)
                and not isinstance(answer, str)
                and len(answer) == len(store.writes),
                gettext("There is one time for each write, in their order."),
                "04.1.times",
            )
            for copies, time in zip(store.writes, answer, strict=True):
                _check_time(copies, way, store.needed, time)


def _check_time(copies: Sequence[float | None], way: str, needed: int, time: object) -> None:
    done = sorted(copy for copy in copies if copy is not None)
    wanted = needed if way == "quorum" else len(copies)
    if len(done) < wanted:
        expect(
            time is None,
            gettext(
                "A write that waits for a copy which never comes is never acknowledged: its time is None."
            ),
            "04.1.lost",
        )
    elif len(done) < len(copies):
        expect(
            _near(time, done[needed - 1]),
            gettext("A write whose quorum is reached without the lost copies is acknowledged all the same."),
            "04.1.lost",
        )
    else:
        right = math.fsum(done) if way == "serial" else done[wanted - 1]
        expect(
            _near(time, right),
            gettext(
                "Serial takes the sum of all copies' times, parallel the slowest of them, and a "
                "quorum the slowest of those it needs."
            ),
            "04.1.times",
        )


@example(0.1, 3, 3, gives=0.271)
def check_straggling(straggling: Function, seed: int) -> None:
    """How likely a write has to wait for a straggler."""
    rng = random.Random(seed)
    cases = [
        (share, n, k)
        for share in (0.01, rng.uniform(0.02, 0.5))
        for n in (1, 2, 3, 5)
        for k in range(1, n + 1)
    ]
    cases += [(0.0, 3, 2), (1.0, 3, 1), (1.0, 4, 4)]
    cases.sort(key=lambda case: case[2] < case[1])
    for (share, copies, needed), answer in zip(cases, call_many(straggling, cases), strict=True):
        right = waits_for_one(share, copies, needed)
        met = _number(answer) and math.isclose(answer, right, rel_tol=1e-6, abs_tol=1e-12)
        if needed == copies:
            expect(
                met,
                gettext(
                    "If all copies are needed, one straggler among them is enough: the more copies, the "
                    "more writes wait."
                ),
                "04.1.straggling",
            )
        expect(
            met,
            gettext("A quorum waits for a straggler only if the other copies are too few for it."),
            "04.1.forgives",
        )


@example([2, 4, 90], [3, 6, 6], gives=1.5)
def check_ratio(ratio: Function, reports: Sequence[Report]) -> None:
    """What three replicas cost, in one number that stragglers do not spoil."""
    for report in reports:
        answer = ratio(report.one, report.three)
        expect(
            not _near(answer, statistics.fmean(report.three) / statistics.fmean(report.one)),
            gettext("A few stragglers must not decide: take the middle of each group, not its mean."),
            "04.2.mean",
        )
        expect(
            _near(answer, statistics.median(report.three) / statistics.median(report.one)),
            gettext("The ratio is the typical time with three replicas over that with one."),
            "04.2.ratio",
        )


def check_interval(interval: Function, reports: Sequence[Report]) -> None:
    """How far chance may have moved the ratio."""
    for report in reports:
        low, _, high = ratio_interval(report.three, report.one)
        answer = interval(report.one, report.three)
        expect(
            isinstance(answer, Sequence)
            and len(answer) == 2
            and all(_number(end) for end in answer)
            and answer[0] <= answer[1],
            gettext("The interval is two numbers, the lower one first."),
            "04.2.interval",
        )
        slack = 0.3 * (high - low)
        expect(
            answer[1] - answer[0] < (high - low) + 2 * slack,
            gettext(
                "The interval is about the ratio of the two medians. It is narrower than the range "
                "of single times."
            ),
            "04.2.wide",
        )
        expect(
            abs(answer[0] - low) <= slack and abs(answer[1] - high) <= slack,
            gettext(
                "If both groups are drawn again, each as large as it was, the ratio lies in the "
                "interval 95 times in a hundred."
            ),
            "04.2.interval",
        )


_SENTENCES: tuple[tuple[tuple[float, float], float, tuple[str, str]], ...] = (
    ((1.05, 1.30), 1.2, ("slower", "possible")),
    ((1.25, 1.60), 1.2, ("slower", "refuted")),
    ((0.90, 1.10), 1.2, ("not shown", "refuted")),
    ((0.90, 1.40), 1.2, ("not shown", "possible")),
    ((0.70, 0.95), 1.2, ("faster", "refuted")),
    ((0.70, 0.95), 0.8, ("faster", "possible")),
    ((1.00, 1.20), 1.2, ("not shown", "possible")),
    ((0.80, 1.00), 0.8, ("not shown", "possible")),
)


@example((0.9, 1.1), 1.2, gives=("not shown", "refuted"))
def check_sentence(sentence: Function, seed: int) -> None:
    """What an interval allows to be said, and no more."""
    rng = random.Random(seed)
    cases = [*_SENTENCES]
    for _ in range(20):
        low = rng.uniform(0.5, 1.5)
        high, claim = low + rng.uniform(0.05, 0.6), rng.uniform(0.6, 2.0)
        word = "slower" if low > 1 else "faster" if high < 1 else "not shown"
        cases.append(((low, high), claim, (word, "possible" if low <= claim <= high else "refuted")))
    answers = call_many(sentence, [(ends, claim) for ends, claim, _ in cases])
    for (_, _, (word, standing)), words in zip(cases, answers, strict=True):
        expect(
            isinstance(words, Sequence) and not isinstance(words, str) and len(words) == 2,
            gettext("The sentence is two words: what was shown, and what becomes of the claim."),
            "04.2.sentence",
        )
        expect(
            words[0] == word,
            gettext("A difference is shown only if the whole interval lies on one side of 1."),
            "04.2.shown",
        )
        expect(
            words[1] == standing,
            gettext(
                "A claim is refuted if it lies outside the interval, and possible if inside, ends included."
            ),
            "04.2.sentence",
        )


@example({"log_copies": 4, "acks": "quorum"}, gives=3)
def check_waits(waits: Function, setups: Sequence[Data]) -> None:
    """How many copies an insert waits for."""
    for setup, answer in zip(setups, call_many(waits, [(setup,) for setup in setups]), strict=True):
        right = _of(setup["log_copies"], setup["acks"])
        if setup["replicas"] > 1 and right != answer:
            expect(
                answer != _waits_of_replicas(setup),
                gettext("Query replicas read the log in their own time: no insert waits for them."),
                "04.3.replicas",
            )
        expect(
            answer == right,
            gettext("An insert waits for the log's copies: for one, for more than half, or for all."),
            "04.3.waits",
        )


def _waits_of_replicas(setup: Mapping[str, Any]) -> int:
    """The common mistake: the replicas taken for the copies that are waited for."""
    return _of(setup["replicas"], setup["acks"])


def _of(copies: int, acks: str) -> int:
    return {"one": 1, "quorum": copies // 2 + 1, "all": copies}[acks]


def check_moved(moved: Function, setups: Sequence[Data]) -> None:
    """Where a row is written several times, and where it is only read."""
    for setup, answer in zip(setups, call_many(moved, [(setup,) for setup in setups]), strict=True):
        expect(
            isinstance(answer, Mapping) and set(answer) == {"log", "store", "memory"},
            gettext("The bytes are a dict with the keys log, store and memory."),
            "04.3.moved",
        )
        expect(
            answer["log"] == setup["log_copies"] * setup["row_bytes"],
            gettext("Each of the log's copies holds the row, acknowledged or not."),
            "04.3.log",
        )
        expect(
            answer["store"] == setup["store_copies"] * setup["row_bytes"],
            gettext(
                "The object store holds a collection once, in as many copies as it keeps itself, "
                "whatever the number of query replicas."
            ),
            "04.3.store",
        )
        expect(
            answer["memory"] == setup["replicas"] * setup["row_bytes"],
            gettext("Each query replica holds the row in memory."),
            "04.3.moved",
        )


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _near(value: Any, right: float) -> bool:
    return _number(value) and math.isclose(value, right, rel_tol=1e-6, abs_tol=1e-6)
