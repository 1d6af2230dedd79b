"""What query replicas cost a writer: a thousand rows at a time, with one, two and three of them.

    journal = writing(cluster)
    costs(journal)                   # until acknowledged, until found in every replica, load time, memory

Each turn is ten writes of one request each, one after the other, and the time until each is acknowledged.
After the last, a dozen Strong searches leave at once, and the clock stops when the last of them has found its
row. The proxy chooses which replica answers a search, so a dozen of them at once reach every replica in all
likelihood, and no proof is given that they did.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from halab.cluster.protocol import Cluster
from halab.errors import MeasurementError
from halab.measure.experiments.load import Meter, closed_loop
from halab.measure.experiments.replica_collections import ReplicaCollections
from halab.measure.experiments.throughput import (
    Measured,
    TimeLeft,
    cores_of,
    loaded,
    pace,
    shuffled,
    take_turns,
)
from halab.measure.journal.experiment_name import load_of, run_in_words
from halab.measure.journal.journal_file import Journal, Phase
from halab.measure.journal.title_marks import mark_title
from halab.measure.probing.quiet_moment import wait_if_spoiled
from halab.models.bootstrap import Interval, median_interval, ratio_interval
from halab.models.replication import Copy, draws
from halab.models.samples import Outcome, Sample
from halab.tables import Row, Tabular
from halab.translation import gettext, gettext_noop, ngettext

__all__ = ["Cost", "Costs", "costs", "turn_ratios", "writing"]

_DEADLINE = 10.0  # seconds
_MIB = 2**20
_SIMULATED = gettext_noop(
    "SIMULATED: nothing was written. One append is drawn for each write, and one reading of the log for each "
    "replica. Load time and memory are not simulated."
)


def writing(
    cluster: Cluster,
    replicas: Sequence[int] = (1, 2, 3),
    *,
    rows: int = 1000,
    repeats: int = 25,
    writes: int = 10,
    filled: int = 80_000,
    searches: int = 12,
    seed: int = 0,
) -> Journal:
    """Write `rows` rows of 128 dimensions into collections that differ in their replicas.

    Each has `repeats` turns of `writes` requests, and holds `filled` rows before. The order is random, after
    one turn of each that does not count. On a simulated cluster the times come from a model, and the journal
    says so. Raises MeasurementError.
    """
    if not replicas or min(replicas) < 1 or min(rows, repeats, writes, searches) < 1 or filled < 0:
        raise MeasurementError(
            gettext(
                "replicas, rows, repeats, writes and searches must be 1 or more, found {tuple}, "
                "{rows}, {repeats}, {writes}, {searches}"
            ).format(tuple=tuple(replicas), rows=rows, repeats=repeats, writes=writes, searches=searches),
            hint=gettext("for example writing(cluster, (1, 2, 3), repeats=10)"),
        )
    order = shuffled(replicas, repeats, seed)
    wait_if_spoiled()
    began, wall = cluster.now(), datetime.now(UTC).isoformat(timespec="milliseconds")
    if cluster.engine == "simulated":
        phases, samples, notes = *_simulated(cluster, order, rows, writes, seed), [gettext(_SIMULATED)]
    else:
        phases, samples, notes = *_measured(cluster, replicas, order, rows, writes, filled, searches), []
    return loaded(cluster, samples, phases, began, wall, deadline=_DEADLINE, seed=seed, notes=notes)


def _measured(
    cluster: Cluster,
    replicas: Sequence[int],
    order: Sequence[tuple[int, int]],
    rows: int,
    writes: int,
    filled: int,
    searches: int,
) -> Measured:
    on_progress = TimeLeft(len(order))
    with ReplicaCollections(cluster, replicas, filled, on_progress.preparing) as copies:

        def turn(number: int, repeat: int, _: int) -> tuple[Phase, list[Sample]]:
            on_progress(
                ngettext(
                    "writing {rows} rows, {number} replica", "writing {rows} rows, {number} replicas", number
                ).format(rows=rows, number=number)
            )
            return _turn(copies, number, repeat, rows, writes, searches)

        on_progress.preparing(gettext("one turn of each that does not count"))
        for number in replicas:
            _turn(copies, number, 0, rows, writes, searches)
        phases, samples = take_turns(order, turn)
    on_progress.done()
    return [*copies.phases, *phases], samples


def _turn(
    copies: ReplicaCollections, replicas: int, repeat: int, rows: int, writes: int, searches: int
) -> tuple[Phase, list[Sample]]:
    insert = copies.insert(replicas, rows)
    insert.start()
    find = copies.read_your_write(replicas, insert.key(writes - 1))
    find.start()
    try:
        with Meter(copies.processes(), copies.cluster.now) as meter:
            writes_done = closed_loop(insert, requests=writes, deadline=_DEADLINE)
            finds = closed_loop(find, clients=searches, requests=searches, deadline=_DEADLINE)
    finally:
        insert.stop()
        find.stop()
    if bad := [sample for sample in (*writes_done, *finds) if sample.outcome is not Outcome.OK]:
        raise MeasurementError(
            gettext("{operation} was not answered: {error}").format(
                operation=bad[0].operation, error=bad[0].error
            ),
            hint=gettext("see `halab status`, and measure again when every role is healthy"),
        )
    phase = _phase(writes_done, finds, replicas, repeat, rows, meter.usage())
    return phase, [*writes_done, *finds]


def _phase(
    writes_done: Sequence[Sample],
    finds: Sequence[Sample],
    replicas: int,
    repeat: int,
    rows: int,
    usage: dict[str, dict[str, float]],
) -> Phase:
    end = max(sample.done for sample in finds)
    figures = {
        "acknowledged": round(statistics.median(sample.latency for sample in writes_done), 6),
        "everywhere": round(end - writes_done[-1].intended, 6),
    }
    settings: dict[str, float] = {"replicas": replicas, "repeat": repeat, "rows": rows}
    return Phase("write", writes_done[0].intended, end, settings, figures, usage)


_APPEND, _READ = Copy(0.02, 0.004), Copy(0.3, 0.03)  # seconds; assumptions of the simulation


def _simulated(
    cluster: Cluster, order: Sequence[tuple[int, int]], rows: int, writes: int, seed: int
) -> Measured:
    rng = random.Random(seed)

    def turn(replicas: int, repeat: int, before: int) -> tuple[Phase, list[Sample]]:
        writes_done: list[Sample] = []
        at = cluster.now()
        for append in draws(_APPEND, writes, rng.getrandbits(32)):
            done = at + float(append)
            writes_done.append(Sample("insert", before + len(writes_done), at, at, done, Outcome.OK))
            at = done
        finds = [
            Sample("strong search", number, at, at, at + float(read), Outcome.OK)
            for number, read in enumerate(draws(_READ, replicas, rng.getrandbits(32)), before)
        ]
        cluster.sleep(1.0)
        return _phase(writes_done, finds, replicas, repeat, rows, {}), [*writes_done, *finds]

    return take_turns(order, turn)


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many replicas cost. Times are seconds, memory is bytes; None where it was not measured.

    `ratio` is the acknowledgement's median over that with the fewest replicas; None for those themselves.
    """

    replicas: int
    turns: int
    acknowledged: Interval
    ratio: Interval | None
    everywhere: Interval
    load: float | None
    memory: float | None


@dataclass(frozen=True, repr=False)
class Costs(Tabular):
    """Costs by number of replicas."""

    title: str
    rows: tuple[Cost, ...]
    remarks: tuple[str, ...]

    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        return _HEADINGS, [
            (
                str(row.replicas),
                spread(row.acknowledged, 1000, 0),
                spread(row.ratio, 1, 2) if row.ratio else "1",
                spread(row.everywhere, 1000, 0),
                gettext("not simulated") if row.load is None else f"{row.load:.1f}",
                gettext("not simulated") if row.memory is None else f"{row.memory / _MIB:.0f}",
            )
            for row in self.rows
        ]


_HEADINGS = (
    gettext_noop("replicas"),
    gettext_noop("acknowledged\n(ms)"),
    gettext_noop("ratio"),
    gettext_noop("in every replica\n(ms)"),
    gettext_noop("time to load\n(s)"),
    gettext_noop("query nodes grew\n(MiB)"),
)


def spread(interval: Interval, factor: float, digits: int) -> str:
    """A median with its interval, such as "21 (19–24)"."""
    low, median, high = (f"{value * factor:.{digits}f}" for value in interval)
    return f"{median} ({low}–{high})"


def costs(journal: Journal) -> Costs:
    """What each number of replicas cost, a pure function of the journal.

    Raises MeasurementError for a journal without such writes.
    """
    writes = [phase for phase in journal.phases if phase.name == "write"]
    if not writes:
        raise MeasurementError(
            gettext("there are no writes in this journal"), hint=gettext("make one with writing(cluster)")
        )
    counts = sorted({int(phase.settings["replicas"]) for phase in writes})
    of = {number: [phase for phase in writes if phase.settings["replicas"] == number] for number in counts}
    rows = tuple(_cost(journal, number, of[number], of[counts[0]]) for number in counts)
    title = gettext("{load_of}, {rows:g} rows a write, {engine} engine").format(
        load_of=run_in_words(load_of(journal)), rows=writes[0].settings["rows"], engine=journal.header.engine
    )
    remarks = [
        gettext(
            "Median and 95 % interval of {turns} turns each, in random order; a turn's figure is "
            "the median of its writes. Ratio: acknowledged, against the first line."
        ).format(turns=rows[0].turns)
    ]
    if not journal.simulated:
        busy = [statistics.median(sum(cores_of(phase, "querynode")) for phase in of[n]) for n in counts]
        remarks.append(
            gettext("Cores the query nodes kept busy: {names}.").format(
                names=", ".join(f"{each:.2f}" for each in busy)
            )
        )
    remarks += pace(journal, writes)
    return Costs(mark_title(title, journal), rows, (*remarks, *journal.notes))


def turn_ratios(journal: Journal, replicas: int) -> list[float]:
    """Each turn's time until acknowledged, with so many replicas, over the median with the fewest."""
    writes = [phase for phase in journal.phases if phase.name == "write"]
    fewest = min(phase.settings["replicas"] for phase in writes)
    base = statistics.median(
        phase.figures["acknowledged"] for phase in writes if phase.settings["replicas"] == fewest
    )
    return [
        phase.figures["acknowledged"] / base for phase in writes if phase.settings["replicas"] == replicas
    ]


def _cost(journal: Journal, replicas: int, writes: Sequence[Phase], fewest: Sequence[Phase]) -> Cost:
    times = [phase.figures["acknowledged"] for phase in writes]
    base = [phase.figures["acknowledged"] for phase in fewest]
    loads = [
        phase for phase in journal.phases if phase.name == "load" and phase.settings["replicas"] == replicas
    ]
    return Cost(
        replicas,
        len(writes),
        median_interval(times),
        None if writes is fewest else ratio_interval(times, base),
        median_interval([phase.figures["everywhere"] for phase in writes]),
        statistics.median(phase.figures["load"] for phase in loads) if loads else None,
        statistics.median(phase.figures["memory"] for phase in loads) if loads else None,
    )
