"""What `halab drill` does, on clusters that run. Apart from the command, because it loads Milvus' client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from halab.cluster import attach_cluster
from halab.cluster.running_cluster import RunningCluster
from halab.errors import ClusterNotFound, DrillError
from halab.measure import Retriever
from halab.measure.probing.addresses import Address, Application
from halab.protect.drill import rehearsal
from halab.protect.drill.drill_report import Targets
from halab.protect.drill.rehearsal import Rehearsal
from halab.protect.drill.runbook import State, load_state
from halab.protect.drill.unfinished import (
    STATE,
    cluster_missing_error,
    describe,
    is_unfinished,
    refuse_unfinished,
)

__all__ = ["begin", "resume", "roll_back"]

console = Console()


def begin(folder: Path, primary: str, standby: str, targets: Targets, notice: float) -> bool:
    """A new drill; whether nothing went wrong. Raises DrillError."""
    if primary == standby:
        raise DrillError(
            f"the primary and the standby are both {primary!r}", hint="start two clusters, and name both"
        )
    ours, theirs = attach_cluster(primary), attach_cluster(standby)
    # Now, and not when it begins: a new retriever would drop the collections of the one that was cut off.
    refuse_unfinished(folder, {"primary": ours, "standby": theirs})
    return _run(
        folder,
        [ours, theirs],
        lambda app: rehearsal.rehearse(app, folder, targets=targets, notice=notice),
    )


def resume(folder: Path) -> bool:
    """The drill of a folder, from where it was cut off; whether nothing went wrong. Raises DrillError."""
    state = load_state(folder / STATE)
    if not is_unfinished(folder):
        raise DrillError(f"the drill in {folder} is at its end", hint=f"read {folder / 'report.html'}")
    setting = state.facts["setting"]
    roles: tuple[Address, ...] = ("primary", "standby")
    clusters = [_attached(role, setting[role], folder, state) for role in roles]
    made = {"name": setting["collection"], "existing": True}
    return _run(folder, clusters, lambda app: rehearsal.resume(app, folder), **made)


def roll_back(folder: Path, primary: str) -> None:
    """Take the drill of a folder back. Raises DrillError."""
    state = load_state(folder / STATE)
    name = state.facts.get("setting", {}).get("primary", primary)
    report = rehearsal.roll_back(folder, _attached("primary", name, folder, state))
    for record in report.records:
        console.print(f"{record.title}: {record.status} {escape(record.note)}", highlight=False)
    console.print(
        f"Taken back. Report: {escape(str(folder / 'report.html'))}\n"
        "The drill's collections are still on both clusters; the next drill makes them anew.",
        highlight=False,
    )


def _run(
    folder: Path,
    clusters: Sequence[RunningCluster],
    work: Callable[[Application], Rehearsal],
    **made: Any,
) -> bool:
    """A drill under way. Of one that is cut off the collections stay: it may be gone on with."""
    with ExitStack() as stack:
        try:
            homes = [stack.enter_context(Retriever(one, replicas=1, **made)) for one in clusters]
            done = work(Application(*homes))
        except BaseException as error:
            if not is_unfinished(folder):
                raise
            stack.pop_all()
            if not isinstance(error, KeyboardInterrupt):
                raise
            said = describe(folder, load_state(folder / STATE))
            console.print(f"\n{escape(str(said))}", highlight=False)
            raise typer.Exit(130) from None
    print(f"\n{done.report}\n\nReport: {folder / 'report.html'}")
    return not done.report.wrong


def _attached(role: Address, name: str, folder: Path, state: State) -> RunningCluster:
    try:
        return attach_cluster(name)
    except ClusterNotFound:
        raise cluster_missing_error(role, name, folder, state) from None
