"""The measuring commands: probe, bench and plot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from halab.translation import gettext

_PICTURES = (".png", ".svg", ".pdf", ".jpg")

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the measuring commands to the `halab` command."""
    app.command()(probe)
    app.command()(bench)
    app.command()(plot)


def probe(
    fault: Annotated[
        str, typer.Option(help='The fault, such as "crash active rootcoord"; without it, nothing is broken.')
    ] = "",
    name: Annotated[
        str, typer.Option("--name", "-n", help="Which cluster; it is started if it does not run.")
    ] = "course",
    replicas: Annotated[int, typer.Option(help="Query replicas of the collection that is searched.")] = 3,
    seconds: Annotated[float, typer.Option(help="How long the fault stays, seconds.")] = 20.0,
    journal: Annotated[
        Path | None, typer.Option(help="Where to write the journal; by default into this folder.")
    ] = None,
) -> None:
    """Break one component of a cluster, measure what users notice, and print RTO and RPO.

    The journal is kept: `halab plot JOURNAL` draws it.
    """
    from halab.cluster import open_cluster
    from halab.cluster.targets import check_words
    from halab.measure.experiments.fault_experiment import journal_name, parse_fault, probe_and_save
    from halab.measure.journal.summaries import summary

    if fault:  # a misspelt one is told before a cluster is started for it
        check_words(parse_fault(fault)[1])
    path = journal or Path(journal_name(fault or None))
    with open_cluster(name) as cluster:
        measured = probe_and_save(cluster, fault or None, path, replicas=replicas, seconds=seconds)
    print(gettext("\n{summary}\n\nJournal: {path}").format(summary=summary(measured), path=path))


def bench(
    kind: Annotated[Literal["write", "read"], typer.Argument(help="write: inserts; read: searches.")],
    replicas: Annotated[
        str, typer.Option(help="Numbers of query replicas to compare, with commas between.")
    ] = "1,2,3",
    name: Annotated[
        str, typer.Option("--name", "-n", help="Which cluster; it is started if it does not run.")
    ] = "course",
    clients: Annotated[
        int, typer.Option(help="Clients, each of which sends its next request after an answer.")
    ] = 4,
    rate: Annotated[
        float | None, typer.Option(help="Requests a second to send instead, without waiting for answers.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Length of one repeat, seconds.")] = 3.0,
    repeats: Annotated[int, typer.Option(help="Repeats of each number of replicas.")] = 5,
    rows: Annotated[int, typer.Option(help="Rows loaded beforehand.")] = 20_000,
    journal: Annotated[
        Path | None, typer.Option(help="Where to write the journal; by default into this folder.")
    ] = None,
) -> None:
    """Measure how many inserts or searches a second a cluster answers, by its number of query replicas.

    The order is random, each repeat has a warm-up, and the table says if the client or the machine set the
    pace. The journal is kept.
    """
    from halab.cluster import open_cluster
    from halab.measure.experiments.fault_experiment import journal_name
    from halab.measure.experiments.throughput import speeds, throughput
    from halab.measure.journal.experiment_name import load_of

    counts = _counts(replicas)
    with open_cluster(name) as cluster:
        measured = throughput(
            cluster, kind, replicas=counts, repeats=repeats, seconds=seconds, clients=clients,
            arrivals=rate, rows=rows,
        )  # fmt: skip
    path = journal or Path(journal_name(load_of(measured)))
    measured.save(path)
    print(gettext("\n{speeds}\n\nJournal: {path}").format(speeds=speeds(measured), path=path))


def _counts(replicas: str) -> tuple[int, ...]:
    try:
        counts = tuple(sorted({int(count) for count in replicas.split(",")}))
    except ValueError:
        counts = (0,)
    if counts[0] < 1:
        raise typer.BadParameter(
            gettext('numbers from 1 with commas between, such as 1,2,3; found "{replicas}"').format(
                replicas=replicas
            )
        )
    return counts


def plot(
    journal: Annotated[Path, typer.Argument(help="A journal, as `halab probe` and the lessons write it.")],
    picture: Annotated[
        Path | None, typer.Argument(help="The picture to write; by default a PNG beside the journal.")
    ] = None,
) -> None:
    """Draw a journal: latency of every probe over time, with the fault and the outages."""
    from halab.measure.journal.journal_file import Journal
    from halab.measure.journal.plots import plot as draw

    target = picture or journal.with_suffix(".png")
    if target.suffix not in _PICTURES or target.is_dir():
        raise typer.BadParameter(
            gettext("a picture's name ends with {endings}, and {name} does not").format(
                endings=", ".join(_PICTURES), name=target
            )
        )
    draw(Journal.load(journal)).savefig(target, dpi=110)
    print(target)
