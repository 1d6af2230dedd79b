"""The command `halab drill`: rehearse the loss of one running cluster on another, or take a drill back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

__all__ = ["register"]

console = Console()


def register(app: typer.Typer) -> None:
    """Add the command to the `halab` command."""
    app.command()(drill)


def drill(
    folder: Annotated[Path, typer.Argument(help="A new folder for the report, journal, backups and state.")],
    primary: Annotated[str, typer.Option(help="The running cluster that is lost.")] = "primary",
    standby: Annotated[str, typer.Option(help="The running cluster that takes over.")] = "standby",
    rto: Annotated[float, typer.Option(help="Target: seconds until service is verified.", min=0)] = 60.0,
    rpo: Annotated[float, typer.Option(help="Target: seconds of writes that may be lost.", min=0)] = 60.0,
    notice: Annotated[float, typer.Option(help="Seconds until somebody decides.", min=0)] = 3.0,
    rolling_back: Annotated[
        bool, typer.Option("--roll-back", help="Take back the drill in FOLDER that was cut off.")
    ] = False,
) -> None:
    """Lose a cluster on purpose, fail over to another, verify, measure, report, and fail back.

    Runs the course's own questions and writes; whatever else the clusters hold is left alone. Ends with
    status 1 if the drill did not pass.
    """
    from halab.cluster import attach_cluster
    from halab.errors import DrillError

    if rolling_back:
        from halab.protect.rehearsal import roll_back

        for record in roll_back(folder, attach_cluster(primary)).records:
            console.print(f"{record.title}: {record.status} {escape(record.note)}", highlight=False)
        return
    if primary == standby:
        raise DrillError(
            f"the primary and the standby are both {primary!r}", hint="start two clusters, and name both"
        )
    from halab.measure import Retriever
    from halab.measure.addresses import Application
    from halab.protect.rehearsal import rehearse
    from halab.protect.report import Targets

    ours, theirs = attach_cluster(primary), attach_cluster(standby)
    with Retriever(ours, replicas=1) as first, Retriever(theirs, replicas=1) as second:
        done = rehearse(Application(first, second), folder, targets=Targets(rto, rpo), notice=notice)
    print(f"\n{done.report}\n\nReport: {folder / 'report.html'}")
    if done.report.wrong:
        raise typer.Exit(1)
