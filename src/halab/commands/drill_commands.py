"""The command `halab drill`: rehearse the loss of one running cluster on another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


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
    resuming: Annotated[
        bool, typer.Option("--resume", help="Go on with the drill in FOLDER that was cut off.")
    ] = False,
    rolling_back: Annotated[
        bool, typer.Option("--roll-back", help="Take back the drill in FOLDER that was cut off.")
    ] = False,
) -> None:
    """Lose a cluster on purpose, fail over to another, verify, measure, report, and fail back.

    Runs the course's own questions and writes; whatever else the clusters hold is left alone. A drill that
    was cut off is gone on with by --resume, or taken back by --roll-back, on the clusters it began on and
    with its own targets. Ends with status 1 if anything went wrong.
    """
    from halab.commands import drill_run
    from halab.protect.drill.drill_report import Targets

    if resuming and rolling_back:
        raise typer.BadParameter("a drill is gone on with or taken back, not both", param_hint="--resume")
    if rolling_back:
        drill_run.roll_back(folder, primary)
        return
    if resuming:
        well = drill_run.resume(folder)
    else:
        well = drill_run.begin(folder, primary, standby, Targets(rto, rpo), notice)
    if not well:
        raise typer.Exit(1)
