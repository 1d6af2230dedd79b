"""What query replicas give a reader: searches a second by number of replicas, and the law they follow.

    fast = reading(cluster)                          # every node takes what the machine has
    slow = reading(cluster, limit=Limit())           # every node made slow, so that one machine can show more
    scaling(slow)                                    # against one replica, and the fitted law

Nodes that share a machine's cores cannot add any. With a speed limit each has a fifth of a core, and three of
them find room beside each other: what is then seen is how work is shared, not how fast anything is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from halab.cluster.protocol import Cluster
from halab.errors import MeasurementError
from halab.measure.experiments.load import rate
from halab.measure.experiments.throughput import Limit, loaded, shuffled, speeds, take_turns, throughput
from halab.measure.journal.experiment_name import load_of, run_in_words
from halab.measure.journal.journal_file import Journal, Phase
from halab.measure.journal.journal_parts import in_phase
from halab.measure.journal.title_marks import mark_title
from halab.models.bootstrap import Interval, median_interval, ratio_interval
from halab.models.capacity import UslFit, fit_usl
from halab.models.samples import Outcome, Sample
from halab.sim.balancing_strategies import LeastConnections
from halab.sim.load_balancing import simulate_closed_loop
from halab.tables import Row, Tabular
from halab.translation import gettext, gettext_noop

__all__ = ["Scaling", "Step", "reading", "scaling"]

_DEADLINE = 10.0  # seconds
_SPEED = 400.0  # searches a second of a core of the simulated machine
_SIMULATED = gettext_noop(
    "SIMULATED: no search was made. In the model the query nodes share one core, which does {speed:.0f} "
    "searches a second, and each node more costs a tenth."
)


def reading(
    cluster: Cluster,
    *,
    limit: Limit | None = None,
    replicas: Sequence[int] = (1, 2, 3),
    repeats: int = 8,
    seconds: float = 1.5,
    warm_up: float = 0.5,
    clients: int = 48,
    rows: int = 20_000,
    seed: int = 0,
) -> Journal:
    """Search collections that differ in their replicas, in a closed loop with clients enough for all.

    On a simulated cluster the times come from a model, and the journal says so. Raises MeasurementError.
    """
    if cluster.engine != "simulated":
        return throughput(
            cluster, "read", replicas=replicas, repeats=repeats, seconds=seconds, warm_up=warm_up,
            clients=clients, rows=rows, deadline=_DEADLINE, limit=limit, seed=seed,
        )  # fmt: skip
    if not replicas or min(replicas) < 1 or repeats < 1 or seconds <= 0:
        raise MeasurementError(
            gettext(
                "replicas and repeats must be 1 or more and seconds above 0, found {tuple}, "
                "{repeats}, {seconds:g} s"
            ).format(tuple=tuple(replicas), repeats=repeats, seconds=seconds),
            hint=gettext("for example reading(cluster, repeats=8, seconds=1.5)"),
        )
    began, wall = cluster.now(), datetime.now(UTC).isoformat(timespec="milliseconds")
    seeds = count(seed)

    def turn(number: int, repeat: int, before: int) -> tuple[Phase, list[Sample]]:
        start = cluster.now()
        pairs = simulate_closed_loop(
            [_speed(number, limit)] * number, clients, seconds, LeastConnections(), next(seeds)
        )
        samples = [
            Sample("search", before + n, start + sent, start + sent, start + done, Outcome.OK)
            for n, (sent, done) in enumerate(pairs)
        ]
        settings: dict[str, float] = {"replicas": number, "repeat": repeat, "batch": 1, "clients": clients}
        settings |= {"share": limit.share, "period": limit.period} if limit else {}
        # The last answers of a turn come after its end, and must not be taken for the next one's.
        cluster.sleep(seconds + max(sample.done for sample in samples) - start)
        return Phase("search", start, start + seconds, settings, {}, {}), samples

    phases, samples = take_turns(shuffled(replicas, repeats, seed), turn)
    notes = [gettext(_SIMULATED).format(speed=_SPEED), *([limit.label(cluster.engine)] if limit else [])]
    return loaded(cluster, samples, phases, began, wall, deadline=_DEADLINE, seed=seed, notes=notes)


def _speed(nodes: int, limit: Limit | None) -> float:
    """Searches a second of each of so many nodes on the model's machine."""
    cores = min(limit.share if limit else 1.0, 1 / nodes)
    return _SPEED * cores / (1 + 0.1 * (nodes - 1))


@dataclass(frozen=True, slots=True)
class Step:
    """So many replicas: searches a second, how many times those of one replica, p99 (s), the law's.

    `rate`, `ratio` and `p99` are None where nothing was measured, `ratio` for one replica too.
    """

    replicas: int
    rate: Interval | None
    ratio: Interval | None
    p99: float | None
    law: Interval


@dataclass(frozen=True, repr=False)
class Scaling(Tabular):
    """Speed by replicas beside the fitted law; `turns` are the searches a second of every turn."""

    title: str
    rows: tuple[Step, ...]
    fit: UslFit
    turns: Mapping[int, Sequence[float]]
    remarks: tuple[str, ...]

    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        return _HEADINGS, [
            (
                str(row.replicas),
                f"{row.rate.median:.0f} ({row.rate.low:.0f}–{row.rate.high:.0f})" if row.rate else "-",
                times(row.ratio) if row.ratio else "1" if row.rate else "-",
                f"{row.p99 * 1000:.0f}" if row.p99 is not None else "-",
                f"{row.law.median:.0f} ({row.law.low:.0f}–{row.law.high:.0f})",
            )
            for row in self.rows
        ]


_HEADINGS = (
    gettext_noop("replicas"),
    gettext_noop("searches\na second"),
    gettext_noop("times those\nof one"),
    gettext_noop("latency\np99 (ms)"),
    gettext_noop("the law\n(a second)"),
)


def times(ratio: Interval) -> str:
    """A ratio with its interval, such as "2.1 (1.9–2.3)"."""
    return f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def scaling(journal: Journal, beyond: Sequence[int] = (5,)) -> Scaling:
    """Speed by replicas and the law fitted to it, also for numbers `beyond` those that were measured.

    A pure function of the journal. Raises MeasurementError for fewer than three numbers of replicas, one of
    which must be one, or for a repeat without an answer.
    """
    ran = [phase for phase in journal.phases if phase.name in journal.header.operations]
    rates: dict[int, list[float]] = {}
    for phase in ran:
        rates.setdefault(int(phase.settings["replicas"]), []).append(rate(in_phase(journal, phase), phase))
    if len(rates) < 3 or 1 not in rates or not all(min(group) > 0 for group in rates.values()):
        raise MeasurementError(
            gettext("a law needs answers with 1 and two more numbers of replicas, found {rates}").format(
                rates=sorted(rates)
            ),
            hint=gettext("measure with reading(cluster, replicas=(1, 2, 3))"),
        )
    fit = fit_usl(rates)
    p99 = {row.replicas: row.p99 for row in speeds(journal).rows}
    rows = [
        Step(
            number,
            median_interval(rates[number]),
            ratio_interval(rates[number], rates[1]) if number > 1 else None,
            p99[number],
            fit.rate(number),
        )
        for number in sorted(rates)
    ]
    rows += [Step(number, None, None, None, fit.rate(number)) for number in beyond if number not in rates]
    title = mark_title(run_in_words(load_of(journal)), journal)
    return Scaling(title, tuple(rows), fit, rates, (*_remarks(fit), *journal.notes))


def _remarks(fit: UslFit) -> list[str]:
    losses = {"contention": fit.contention, "coherence": fit.coherence}
    told = [_loss(name, value) for name, value in losses.items()]
    more = gettext("A contention above 1: more replicas gave less in all than one alone.")
    return [
        gettext("Universal Scalability Law: {told}.").format(told=gettext("; ").join(told)),
        gettext(
            "The law goes through nearly any three points, so its interval says how much the repeats "
            "scatter, and not that it holds beyond."
        ),
        *([more] if fit.contention.low > 1 else []),
    ]


def _loss(name: str, value: Interval) -> str:
    if value.low >= _SEEN:
        return f"{name} {value.median:.2f} ({value.low:.2f}–{value.high:.2f})"
    if value.high < _SEEN:
        return gettext("{name} was not needed").format(name=name)
    return gettext("{name} is no finding, anything from 0 to {high:.2f} fits").format(
        name=name, high=value.high
    )


_SEEN = 0.005  # what is shown as 0.01: an interval that begins below it holds 0
