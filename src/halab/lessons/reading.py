"""What lesson 5 calls: searches with more replicas, beside the prediction and card 5.

The learner's own figures answer SCALING_QUESTIONS: how many times as many searches a second three replicas
answer as one does.
"""

from __future__ import annotations

from functools import partial

from halab.course.cards import card
from halab.errors import MeasurementError
from halab.lessons.card_findings import finding, listed, ratio_verdict, said_before, sound, unproven
from halab.lessons.common import (
    PredictionForm,
    Question,
    Retriever,
    cluster,
    keep,
    plot,
    prediction_before,
    show_card,
    show_run,
    table,
)
from halab.lessons.reading_balanced import (
    BALANCER_QUESTIONS,
    balancer_here,
    compare_connection_spread,
    compare_crash,
)
from halab.measure.experiments.behind_balancer import connection_spread, probe_behind_balancer
from halab.measure.experiments.comparison_view import (
    CurveView,
    Line,
    Ratios,
    RatioView,
    beside_card,
    decision,
)
from halab.measure.experiments.read_scaling import Scaling, Step, reading, scaling, times
from halab.measure.experiments.throughput import Limit, pace, speeds, turns_of
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.title_marks import mark_title, run_remarks
from halab.measure.journal.validity import for_the_record, validity_remark
from halab.models.bootstrap import Interval
from halab.models.capacity import mm1, mmc, nodes_needed
from halab.tables import Table
from halab.translation import gettext, gettext_lazy, gettext_noop, pgettext_lazy
from halab.widgets.balancer_race import BalancerRace
from halab.widgets.card_view import Finding, RunVerdict
from halab.widgets.survival_map import SurvivalMap

__all__ = [
    "BALANCER_QUESTIONS",
    "SCALING_QUESTIONS",
    "BalancerRace",
    "Limit",
    "PredictionForm",
    "Retriever",
    "SurvivalMap",
    "balancer_here",
    "cluster",
    "compare_connection_spread",
    "compare_crash",
    "compare_reads",
    "connection_spread",
    "keep",
    "mm1",
    "mmc",
    "nodes_needed",
    "plot",
    "probe_behind_balancer",
    "reading",
    "results",
    "run_remarks",
    "scaling",
    "show_card",
    "show_law",
    "show_run",
    "show_scaling",
    "speeds",
    "table",
]

_SHARED = "search with 1, 2, 3 replicas"
_TIMES = pgettext_lazy("unit", "times")
SCALING_QUESTIONS = (
    Question(
        _SHARED,
        "times",
        gettext_lazy(
            "Sharing the machine's cores: how many times as many searches with three replicas as with one?"
        ),
        _TIMES,
        high=100,
    ),
    Question(
        f"{_SHARED}, query nodes limited to 20% of the time",
        "times",
        gettext_lazy("Each limited to a fifth of the time?"),
        _TIMES,
        high=100,
    ),
)
"""What a form asks about the two labs of scaling."""


_TITLE = gettext_noop("What do more replicas give the reader?")
_HEADINGS = (
    "",
    gettext_noop("you said"),
    gettext_noop("the card says"),
    gettext_noop("sharing cores"),
    gettext_noop("with the limit"),
)


def compare_reads(shared: Journal, limited: Journal) -> Table:
    """Predictions, card and both measurements. A prediction counts if it was made before its measurement.

    Raises MeasurementError unless one and three replicas were measured in both, the second with a limit.
    """
    if any("share" in phase.settings for phase in shared.phases) or not any(
        "share" in phase.settings for phase in limited.phases
    ):
        raise MeasurementError(
            gettext("the first journal must be one without a speed limit, the second one with it"),
            hint=gettext("compare_reads(reading(cluster), reading(cluster, limit=Limit()))"),
        )
    says = {name: claim.high for name, claim in card(5, "en").claims.items()}
    both = [scaling(measured) for measured in (shared, limited)]
    three = f"x {_card_ratio():.1f}"
    five = f"x {says['qps-after'] / says['qps-before']:.0f}"
    rows = (
        (
            gettext("one replica, a second"),
            "-",
            f"{says['one-copy']:g}",
            *(_rate(measured) for measured in both),
        ),
        (
            gettext("three against one"),
            gettext("{predicted}, {limited} with the limit").format(
                predicted=_predicted(shared), limited=_predicted(limited)
            ),
            three,
            *(f"x {times(_three(measured))}" for measured in both),
        ),
        (gettext("five against one"), "-", five, *(f"x {_five(measured)}" for measured in both)),
    )
    remarks = [
        gettext("Five were not measured: that is what the fitted law says, and it may not hold so far."),
        *(for_the_record(verdict(measured), measured) for measured in (shared, limited)),
    ]
    notes = dict.fromkeys((*shared.notes, *limited.notes))
    doubts = run_remarks(shared, limited)
    return Table(
        mark_title(_TITLE, shared, limited),
        _HEADINGS,
        rows,
        tuple(dict.fromkeys((*doubts, *remarks, *notes))),
    )


def results(shared: Journal, limited: Journal) -> dict[str, Finding]:
    """What both say to claims of card 5, by id: another machine's rate compares with nothing. What three
    replicas add to one may hold, but is never broken: the card's nodes have cores of their own."""
    if len(sound(shared, limited)) < 2:
        return unproven("one-copy", "three-copies")
    return {"one-copy": _of_one(shared, limited), "three-copies": _of_three(shared, limited)}


_NAMES = (gettext_lazy("sharing cores"), gettext_lazy("speed limit"))


def _of_one(*journals: Journal) -> Finding:
    rates = [_rate(scaling(journal)) for journal in journals]
    words = listed(
        gettext_lazy("{limit}: {rate} a second", limit=name, rate=rate)
        for name, rate in zip(_NAMES, rates, strict=True)
    )
    return finding(journals, "incomparable", words, measured=map(float, rates))


def _of_three(*journals: Journal) -> Finding:
    """Three against one; on the axis as if one replica answered as many as the card's does."""
    ratios = [_three(scaling(journal)) for journal in journals]
    per_node = card(5, "en").claims["one-copy"].high
    words = listed(
        gettext_lazy("{limit}: x {times}", limit=name, times=partial(times, ratio))
        for name, ratio in zip(_NAMES, ratios, strict=True)
    )
    verdicts = {ratio_verdict(ratio, _card_ratio()) for ratio in ratios}
    together: RunVerdict = "incomparable" if "broken" in verdicts else "held" if verdicts == {"held"} else ""
    rest = gettext_lazy("drawn for a first one of {rate:g} a second", rate=per_node)
    if together == "incomparable":
        rest = gettext_lazy(
            "the card's {times:.1f} belongs to nodes with cores of their own", times=_card_ratio()
        )
    return finding(
        journals,
        together,
        gettext_lazy("Three replicas against one, {ratios}; {rest}", ratios=words, rest=rest),
        measured=[per_node * ratio.median for ratio in ratios],
        predicted=[per_node * predicted for predicted in said_before(journals, 5, "times")],
    )


def verdict(journal: Journal) -> str:
    """The sentence that the interval of three replicas against one allows, and no more."""
    ratio, turns = _three(scaling(journal)), len(scaling(journal).turns[3])
    limited = any("share" in phase.settings for phase in journal.phases)
    how = gettext("With the limit") if limited else gettext("Sharing the machine's cores")
    decided = decision(ratio, _card_ratio(), turns)
    if decided not in ("more", "less"):
        return gettext("{how}, three replicas against one: x {times}; {decided}.").format(
            how=how, times=times(ratio), decided=decided
        )
    sentence = (
        gettext("{how}, three replicas answered more searches than one: x {times}.")
        if decided == "more"
        else gettext("{how}, three replicas answered fewer searches than one: x {times}.")
    ).format(how=how, times=times(ratio))
    return f"{sentence} {beside_card(ratio, _card_ratio(), f'{_card_ratio():.1f}')}"


def show_scaling(journal: Journal) -> RatioView:
    """What replicas gave: a sentence, every turn beside the interval, and the tables folded."""
    measured = scaling(journal)
    base = _step(measured, 1).rate
    assert base is not None  # one replica was measured, or scaling had refused
    ratios = [
        Ratios(
            gettext("{count} replicas").format(count=n),
            row.ratio,
            [each / base.median for each in measured.turns[n]],
        )
        for row in measured.rows
        if row.ratio and (n := row.replicas)
    ]
    lines = [
        Line(gettext("as many as one"), 1.0, "stroke-width: 1.5"),
        Line(gettext("the card"), _card_ratio()),
    ]
    figures = prediction_before(journal, 5)
    if "times" in figures:
        lines.append(Line(gettext("you said"), figures["times"], "stroke-dasharray: 1 4"))
    # Not only in the fold: who set the pace decides what the sentence is worth.
    sentence = for_the_record(" ".join((verdict(journal), *pace(journal, turns_of(journal)))), journal)
    doubts, tables = validity_remark(journal), [measured, speeds(journal)]
    return RatioView(sentence, ratios, lines, tables, simulated=journal.simulated, doubts=doubts)


def show_law(journal: Journal) -> CurveView:
    """The law fitted to a run as a curve with its turns, up to five replicas."""
    measured = scaling(journal)
    sentence, doubts = for_the_record(measured.remarks[0], journal), validity_remark(journal)
    return CurveView(sentence, measured.turns, measured.fit.rate, 5, [measured], journal.simulated, doubts)


def _card_ratio() -> float:
    claims = card(5, "en").claims
    return claims["three-copies"].high / claims["one-copy"].high


def _step(scaled: Scaling, replicas: int) -> Step:
    step = next((row for row in scaled.rows if row.replicas == replicas and row.rate), None)
    if step is None:
        raise MeasurementError(
            gettext("the card compares one and three replicas, and {replicas} was not measured").format(
                replicas=replicas
            ),
            hint=gettext("measure with reading(cluster, replicas=(1, 2, 3))"),
        )
    return step


def _three(scaled: Scaling) -> Interval:
    ratio = _step(scaled, 3).ratio
    assert ratio is not None  # only one replica has none
    return ratio


def _rate(scaled: Scaling) -> str:
    rate = _step(scaled, 1).rate
    assert rate is not None
    return f"{rate.median:.0f}"


def _five(scaled: Scaling) -> str:
    return f"{scaled.fit.law.rate(5) / scaled.fit.law.per_node:.1f}"


def _predicted(journal: Journal) -> str:
    figures = prediction_before(journal, 5)
    return f"x {figures['times']:g}" if "times" in figures else "-"
