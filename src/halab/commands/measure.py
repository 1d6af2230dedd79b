"""The measuring commands: probe and plot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the measuring commands to the `halab` command."""
    app.command()(probe)
    app.command()(plot)


def probe(
    fault: Annotated[str, typer.Option(help='Such as "crash active rootcoord".')] = "",
    name: Annotated[str, typer.Option("--name", "-n", help="Started if it does not run.")] = "course",
    replicas: Annotated[int, typer.Option(help="Query replicas of the collection that is searched.")] = 3,
    seconds: Annotated[float, typer.Option(help="How long the fault stays, seconds.")] = 20.0,
    journal: Annotated[Path | None, typer.Option(help="Where to write the journal; by default here.")] = None,
) -> None:
    """Break one thing on a cluster, measure what users notice, and print RTO and RPO.

    The journal is kept: `halab plot JOURNAL` draws it.
    """
    from halab.cluster import open_cluster
    from halab.measure import journal_name, probe_and_save, summary

    path = journal or Path(journal_name(fault or None))
    with open_cluster(name) as cluster:
        measured = probe_and_save(cluster, fault or None, path, replicas=replicas, seconds=seconds)
    print(f"\n{summary(measured)}\n\nJournal: {path}")


def plot(
    journal: Annotated[Path, typer.Argument(help="As `halab probe` and the lessons write them.")],
    picture: Annotated[Path | None, typer.Argument(help="By default beside it, as PNG.")] = None,
) -> None:
    """Draw a journal: latency of every probe over time, with the fault and the outages."""
    from halab.measure import Journal
    from halab.measure import plot as draw

    target = picture or journal.with_suffix(".png")
    draw(Journal.load(journal)).savefig(target, dpi=110)
    print(target)
