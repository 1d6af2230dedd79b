"""What lesson 2 calls: a fault repeated, its mean outage with an interval, and how many a promise pays for.

runs = repeat(cluster, "crash active rootcoord", retriever=retriever, times=5)
failover_time(runs)                 # 10.6 (9.8 to 11.4, 95% interval, n = 5), say
price_list(runs)                    # how many such failovers a month 99.9 %, 99.99 %, 99.999 % allow
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from halab.cluster.protocol import Cluster
from halab.course.cards import card
from halab.errors import MeasurementError
from halab.lessons.availability_maths_runs import Bar, RunsPicture, spread
from halab.lessons.card_findings import finding, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Retriever,
    cluster,
    experiment,
    keep,
    prediction_before,
    show_card,
    show_run,
    table,
)
from halab.measure.journal.experiment_name import experiment_of, operation_in_words, run_in_words
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.outage import rto
from halab.measure.journal.summaries import repeat_summary
from halab.measure.journal.title_marks import mark_title, provenance, simulated_remark
from halab.measure.journal.validity import objections, validity_remark
from halab.models.availability import Calendar
from halab.models.availability_slo import ALERTS, MeanInterval, failovers_allowed, mean_interval
from halab.tables import Row, Sentence, Table
from halab.translation import LazyText, gettext, gettext_lazy, gettext_noop, name_list, ngettext
from halab.widgets.availability_calculator import ChainCalculator, CopiesCalculator, PromiseCalculator
from halab.widgets.card_view import Finding

__all__ = [
    "ALERTS",
    "SLOS",
    "ChainCalculator",
    "CopiesCalculator",
    "PredictionForm",
    "PromiseCalculator",
    "Retriever",
    "cluster",
    "counted",
    "experiment",
    "failover_seconds",
    "failover_time",
    "keep",
    "outages_of",
    "price_list",
    "repeat",
    "results",
    "runs_picture",
    "show_card",
    "show_run",
    "table",
]

SLOS = (0.999, 0.9999, 0.99999)
"""The promises that are priced."""

CARD = 2
_FEWEST_FOR_A_BAND = 3
"""Runs. The 95 % interval of two reaches from nothing to several times their mean, and says nothing."""


def repeat(
    cluster: Cluster, fault: str, *, retriever: Retriever, times: int, seconds: float = 15.0
) -> list[Journal]:
    """Run one experiment so many times, and keep each journal as soon as it is there.

    So an interruption costs the run under way and none before it. Raises MeasurementError for fewer than two
    repeats, which give no interval, and what `experiment` raises.
    """
    if times < 2:
        raise MeasurementError(
            gettext("an interval needs at least two repeats, not {times}").format(times=times),
            hint=gettext("five take two or three minutes"),
        )
    journals = []
    for number in range(1, times + 1):
        print(gettext("Run {number} of {times}").format(number=number, times=times))
        journals.append(experiment(cluster, fault, retriever=retriever, seconds=seconds, seed=number))
        keep(journals[-1], CARD)
    return journals


def counted(journals: Sequence[Journal]) -> list[Journal]:
    """The runs that are counted: those that nothing speaks against, if they are at least two; else all."""
    sound = [journal for journal in journals if not objections(journal)]
    return sound if len(sound) >= 2 else list(journals)


def _ended(journals: Sequence[Journal], operation: str) -> list[Journal]:
    """The runs that are counted and in which service came back, if at least two; else all counted."""
    counts = counted(journals)
    ended = [journal for journal in counts if math.isfinite(_length(journal, operation))]
    return ended if len(ended) >= 2 else counts


def _without_end(journals: Sequence[Journal], operation: str) -> str:
    """Which of the runs that are counted have no end, in a sentence that says what to do; or nothing."""
    counts = {journal.digest for journal in counted(journals)}
    numbers = [
        number
        for number, journal in enumerate(journals, 1)
        if journal.digest in counts and math.isinf(_length(journal, operation))
    ]
    if not numbers:
        return ""
    names = name_list(numbers)
    runs = ngettext("run {names}", "runs {names}", len(numbers)).format(names=names)
    means = (
        gettext("The mean is that of the others, so the true one is longer")
        if len(counts) - len(numbers) >= 2
        else gettext("So there is no mean yet")
    )
    return gettext(
        "In {runs} {operation} was not back when the recording ended: an outage without a "
        "length. {means}. To see the end, measure again for longer, such as "
        "lesson.repeat(..., seconds=30)."
    ).format(runs=runs, operation=operation, means=means)


def outages_of(journals: Sequence[Journal], operation: str = "search") -> list[float]:
    """Seconds from each run's fault to the first lasting answer; 0 where nobody noticed.

    Raises MeasurementError if the journals are not of one experiment, or if service did not come back in one.
    """
    kinds = {(experiment_of(journal), journal.header.engine) for journal in journals}
    if len(kinds) != 1:
        raise MeasurementError(
            gettext("repeats are runs of one experiment, and these are of {count}").format(count=len(kinds)),
            hint=gettext("take the journals of one fault, measured on one engine"),
        )
    lengths = [_length(journal, operation) for journal in journals]
    if unending := [number for number, length in enumerate(lengths, 1) if math.isinf(length)]:
        raise MeasurementError(
            gettext(
                "{operation} did not come back while run {number} was recorded: its outage has no length"
            ).format(operation=operation, number=unending[0]),
            hint=gettext("repeat with more seconds, such as repeat(..., seconds=30)"),
        )
    return lengths


def _length(journal: Journal, operation: str) -> float:
    at = min((fault.at for fault in journal.faults), default=0.0)
    length = rto(journal.samples(operation), at)
    return 0.0 if length is None else length


def failover_time(journals: Sequence[Journal], operation: str = "search") -> MeanInterval:
    """The mean outage of the repeats that count and ended, seconds, with its 95 % interval.

    Raises MeasurementError if those are fewer than two.
    """
    lengths = outages_of(_ended(journals, operation), operation)
    try:
        return mean_interval(lengths)
    except ValueError as error:
        raise MeasurementError(
            str(error), hint=gettext("run the experiment again; every run is kept")
        ) from None


def failover_seconds(
    journals: Sequence[Journal], operation: str = "search", otherwise: float = 12.0
) -> float:
    """The mean outage for a calculator to begin with, seconds; `otherwise`, and a word about it, if fewer
    than two runs ended. Raises MeasurementError for what are no repeats."""
    if _has_mean(journals, operation):
        return failover_time(journals, operation).mean
    print(
        gettext("{without_end} Until then the calculator begins with {otherwise:g} s.").format(
            without_end=_without_end(journals, operation), otherwise=otherwise
        )
    )
    return otherwise


def _has_mean(journals: Sequence[Journal], operation: str) -> bool:
    return all(math.isfinite(_length(journal, operation)) for journal in _ended(journals, operation))


def runs_picture(journals: Sequence[Journal], operation: str = "search") -> RunsPicture:
    """Each repeat's outage as a bar, your prediction and the card beside them, and where the true mean lies.

    A run that proves nothing is hatched and not counted, if at least two others are left.
    """
    digests = {journal.digest for journal in _ended(journals, operation)}
    bars = [
        Bar(
            gettext("run {number}").format(number=number),
            _length(journal, operation),
            "run" if journal.digest in digests else gettext("left out"),
        )
        for number, journal in enumerate(journals, 1)
    ]
    if predicted := _predicted(journals[0]):
        bars.append(Bar(gettext("your prediction"), predicted, "prediction"))
    bars.append(Bar(gettext("the card"), 0.0, "card"))
    lengths = [bar.seconds for bar in bars if bar.kind == "run"]
    mean = mean_interval(lengths) if len(lengths) > 1 and all(map(math.isfinite, lengths)) else None
    band = mean if mean and mean.n >= _FEWEST_FOR_A_BAND else None
    return RunsPicture(
        _said_of_runs(journals, operation, lengths, mean),
        tuple(bars),
        band,
        repeat_summary(counted(journals)),
    )


def _said_of_runs(
    journals: Sequence[Journal], operation: str, lengths: Sequence[float], mean: MeanInterval | None
) -> str:
    endless, counts = _without_end(journals, operation), counted(journals)
    sentence = (
        gettext("{count} failovers took {spread}, {mean:.1f} s on average; {how_sure}.").format(
            count=len(lengths), spread=spread(lengths), mean=mean.mean, how_sure=_how_sure(mean)
        )
        if mean
        else ""
    )
    sentence = " ".join(filter(None, (sentence, endless))) or gettext("One run has no mean: repeat it.")
    if left_out := [journal for journal in journals if journal not in counts]:
        sentence += " " + ngettext(
            "{count} more proves nothing and is not counted. {reasons}",
            "{count} more prove nothing and are not counted. Of the first: {reasons}",
            len(left_out),
        ).format(count=len(left_out), reasons=" ".join(objections(left_out[0])))
    return " ".join((mark_title(sentence, *counts), *validity_remark(*counts)))


def _how_sure(mean: MeanInterval) -> str:
    if mean.n < _FEWEST_FOR_A_BAND:
        return gettext(
            "two are too few to say how sure that is: it takes three, from one run of the cell that repeats"
        )
    return gettext("the true mean lies between {low:.1f} and {high:.1f} s (95 %)").format(
        low=mean.low, high=mean.high
    )


_HEADINGS = ("", gettext_noop("one failover\n(seconds)"), *(f"{slo * 100:.5g} %" for slo in SLOS))


def price_list(
    journals: Sequence[Journal], operation: str = "search", calendar: Calendar | None = None
) -> Table | Sentence:
    """What promises pay for at your prediction, on the card and as it was measured: failovers a month.

    The prediction is the last one made for this fault before the first run. A sentence if fewer than two
    runs ended, for then there is no length to divide by. Raises MeasurementError for what are no repeats.
    """
    if not _has_mean(journals, operation):
        return Sentence(_without_end(journals, operation))
    calendar = calendar or Calendar()
    times = failover_time(journals, operation)
    first, counts = journals[0], counted(journals)
    rows: list[Row] = []
    if predicted := _predicted(first):
        rows.append(_row(gettext("your prediction"), f"{predicted:.1f}", calendar, predicted, predicted))
    rows.append((gettext("the card"), gettext("0: not counted"), *(gettext("any number") for _ in SLOS)))
    word = gettext(provenance(first))
    sure = times.n >= _FEWEST_FOR_A_BAND
    span = f"{times.mean:.1f} ({times.low:.1f}–{times.high:.1f})" if sure else f"{times.mean:.1f}"
    low, high = (times.low, times.high) if sure else (times.mean, times.mean)
    rows.append(
        _row(gettext("{word}, {count} runs").format(word=word, count=times.n), span, calendar, low, high)
    )
    remarks = [
        *simulated_remark(first),
        *validity_remark(*counts),
        *filter(None, [_without_end(journals, operation)]),
        gettext("Failovers a month that the error budget pays for, in {calendar}.").format(calendar=calendar),
        gettext("In brackets: the 95 % interval of the mean (Student's t), and what it leaves of the number.")
        if sure
        else f"{_capital(_how_sure(times))}.",
    ]
    title = mark_title(
        gettext("{name}: {said}").format(
            name=operation_in_words(operation), said=run_in_words(experiment_of(first))
        ),
        *counts,
    )
    return Table(title, _HEADINGS, tuple(rows), tuple(remarks))


_YEARLY = {"two-copies-year": 0.9999, "three-copies-year": 0.999999, "target-year": 0.999}


def results(journals: Sequence[Journal], operation: str = "search") -> dict[str, Finding]:
    """What these repeats say to the claims of card 2, by claim id; nothing of fewer than two.

    A failover that is longer than a year's downtime breaks it; a shorter one is no year.
    """
    counts = _ended(sound(*journals), operation)
    if len(counts) < 2 or not _has_mean(counts, operation):
        return unproven(*_YEARLY) if len(journals) > 1 else {}
    return {claim: _of_year(claim, slo, counts, operation) for claim, slo in _YEARLY.items()}


def _of_year(name: str, slo: float, journals: Sequence[Journal], operation: str) -> Finding:
    claim, mean = card(CARD, "en").claim(name), failover_time(journals, operation)
    unit = claim.seconds or 1.0
    predicted = _predicted(journals[0])
    return finding(
        journals,
        "broken" if mean.low > claim.high * unit else "incomparable",
        gettext_lazy(
            "One failover took {mean:.1f} s ({operation}, mean of {n} runs); the year pays for {allowed} of "
            "them",
            mean=mean.mean,
            operation=LazyText(operation),
            n=mean.n,
            allowed=partial(_count, slo, mean.mean, Calendar().year),
        ),
        gettext_lazy("a single failover"),
        measured=[length / unit for length in outages_of(journals, operation)],
        predicted=() if predicted is None else [predicted / unit],
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _row(name: str, shown: str, calendar: Calendar, low: float, high: float) -> Row:
    return (name, shown, *(_span(slo, low, high, calendar.month) for slo in SLOS))


def _span(slo: float, low: float, high: float, month: float) -> str:
    few, many = _count(slo, high, month), _count(slo, low, month)
    return few if few == many else f"{few}–{many}"


def _count(slo: float, failover: float, period: float) -> str:
    allowed = failovers_allowed(slo, failover, period)
    return gettext("any number") if math.isinf(allowed) else f"{allowed:,.0f}"


def _predicted(journal: Journal) -> float | None:
    """When the learner said that the last search would fail, seconds after the fault, as an outage is
    counted here; None without a time."""
    return prediction_before(journal, CARD).get("last_failure")
