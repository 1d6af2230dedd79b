"""The command `halab drill`: rehearse the loss of one running cluster on another."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from halab.translation import gettext

if TYPE_CHECKING:
    from halab.protect.drill.drill_report import DrillReport
    from halab.protect.drill.runbook import Targets

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
    notice: Annotated[
        float, typer.Option(help="Seconds from the loss until somebody decides to fail over.", min=0)
    ] = 3.0,
    rolling_back: Annotated[
        bool, typer.Option("--roll-back", help="Roll back the drill in FOLDER, which was cut off.")
    ] = False,
) -> None:
    """Lose a cluster on purpose, fail over to another, verify, measure, report, and fail back.

    Runs the course's own questions and writes; other collections of the clusters are left alone. A drill that
    was cut off is rolled back with --roll-back, while its primary still runs. Ends with status 1 if anything
    went wrong.
    """
    from halab.protect.drill.runbook import Targets

    if rolling_back:
        _roll_back(folder)
        return
    report = _rehearse(folder, primary, standby, Targets(rto, rpo), notice)
    print(gettext("\n{report}\n\nReport: {page}").format(report=report, page=folder / "report.html"))
    if report.wrong:
        raise typer.Exit(1)


def _rehearse(folder: Path, primary: str, standby: str, targets: Targets, notice: float) -> DrillReport:
    """Run a new drill on two running clusters.

    Raises DrillError if they are one cluster, or if a drill in `folder` or on one of them was cut off.
    """
    from halab.cluster import attach_cluster
    from halab.errors import DrillError
    from halab.measure.probing.addresses import Application
    from halab.measure.probing.retriever import Retriever
    from halab.protect.drill.rehearsal import rehearse
    from halab.protect.drill.runbook import load_state
    from halab.protect.drill.unfinished import STATE, describe, is_unfinished, refuse_unfinished

    if primary == standby:
        raise DrillError(
            gettext("the primary and the standby are both {primary!r}").format(primary=primary),
            hint=gettext("start two clusters, and name both"),
        )
    clusters = [attach_cluster(primary), attach_cluster(standby)]
    # Now, and not when the drill begins: a new retriever drops the collections of the drill that was cut off.
    refuse_unfinished(folder, clusters)
    with ExitStack() as stack:
        homes = [stack.enter_context(Retriever(cluster, replicas=1)) for cluster in clusters]
        try:
            return rehearse(Application(*homes), folder, targets=targets, notice=notice).report
        except BaseException as error:
            if not is_unfinished(folder):
                raise
            stack.pop_all()  # its collections stay: some rows may be on the standby only
            if not isinstance(error, KeyboardInterrupt):
                raise
            console.print(f"\n{escape(str(describe(folder, load_state(folder / STATE))))}", highlight=False)
            raise typer.Exit(130) from None


def _roll_back(folder: Path) -> None:
    """Roll back the drill of a folder. Raises DrillError if it cannot be."""
    from halab.cluster import attach_cluster
    from halab.errors import ClusterNotFound
    from halab.protect.drill.rehearsal import roll_back
    from halab.protect.drill.unfinished import cluster_missing_error, load_unfinished

    state = load_unfinished(folder)
    try:
        primary = attach_cluster(state.facts.primary)
    except ClusterNotFound:
        raise cluster_missing_error(folder, state) from None
    report = roll_back(folder, primary)
    for record in report.records:
        console.print(f"{record.title}: {record.status} {escape(record.note)}", highlight=False)
    console.print(
        gettext(
            "Rolled back. Report: {names}\nThe drill's collections are still on both clusters; "
            "the next drill makes them anew."
        ).format(names=escape(str(folder / "report.html"))),
        highlight=False,
    )
