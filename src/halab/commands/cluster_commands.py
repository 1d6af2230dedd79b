"""The cluster's commands: up, status, down, restart, fault, heal, logs, doctor."""

from __future__ import annotations

import json
import os
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from halab.cluster import attach_cluster, engine_of, is_running, starter, take_all_down, take_down
from halab.cluster.display import live_progress, status_table
from halab.cluster.doctor import doctor as examine
from halab.cluster.protocol import FaultKind
from halab.cluster.running_cluster import RunningCluster
from halab.translation import gettext

__all__ = ["register"]

console = Console()
Name = Annotated[str, typer.Option("--name", "-n", help="Which cluster; several can run side by side.")]
Target = Annotated[
    str, typer.Argument(help='By name or role now: "active rootcoord", "etcd leader", "query node 1".')
]


def register(app: typer.Typer) -> None:
    """Add the cluster's commands to the `halab` command."""
    for command in (up, status, down, fault, heal, restart, logs, doctor):
        app.command()(command)


def up(
    name: Name = "course",
    profile: Annotated[
        str | None,
        typer.Option(help="ha (the default): a spare of everything that matters; small: one of each."),
    ] = None,
    ttl: Annotated[int | None, typer.Option(help="Session TTL, seconds; 10 by default.")] = None,
    engine_name: Annotated[
        str,
        typer.Option(
            "--engine",
            envvar="HALAB_ENGINE",
            help="embedded (the default): one process a role; compose: one container a role.",
        ),
    ] = "",
    milvus: Annotated[
        str | None,
        typer.Option(help="For containers: 2.5 (the default), 2.6 or 3.0. The last two were never run here."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Leave it running when this command ends.")
    ] = False,
) -> None:
    """Start a cluster, or attach to a running one. It ends with this command, unless --detach."""
    start = starter(engine_name or engine_of(name), milvus)
    with live_progress() as progress:
        cluster = start(name, profile, ttl, detach=detach, progress=progress)
    status = cluster.status()
    console.print(
        status_table(status, gettext("cluster {name!r} at {uri}").format(name=name, uri=cluster.uri))
    )
    if not cluster.owned:
        console.print(
            gettext("It runs on by itself. Take it down with: halab down --name {name}").format(name=name),
            highlight=False,
        )
        return
    console.print(
        gettext("Ctrl-C takes it down; so does closing this terminal. Other terminals: halab status --watch")
    )
    _hold(cluster)


def _hold(cluster: RunningCluster) -> None:
    """Keep a cluster until Ctrl-C, until the parent process is gone, or until somebody else takes it down."""
    parent = os.getppid()
    try:
        while os.getppid() == parent and is_running(cluster.name):
            time.sleep(0.5)
    except KeyboardInterrupt:
        console.print(gettext("Taking it down."))
    finally:
        cluster.down()


def status(
    name: Name = "course",
    as_json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Live, until Ctrl-C.")] = False,
) -> None:
    """Show every process by role: address, pid, health, active or standby, memory, uptime."""
    cluster = attach_cluster(name)
    if as_json:
        print(json.dumps(cluster.status(fresh=True) | {"name": name, "uri": cluster.uri, "ttl": cluster.ttl}))
        return
    title = gettext("cluster {name!r} at {uri}, session TTL {ttl:g} s").format(
        name=name, uri=cluster.uri, ttl=cluster.ttl
    )
    if not watch:
        console.print(status_table(cluster.status(fresh=True), title))
        return
    try:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(status_table(cluster.status(fresh=True), title), refresh=True)
                time.sleep(0.5)
    except KeyboardInterrupt:
        return


def down(
    name: Name = "course",
    everything: Annotated[
        bool, typer.Option("--all", help="Every cluster of yours, and what crashed ones left behind.")
    ] = False,
) -> None:
    """Take a cluster down: its processes or containers end, and its data is deleted."""
    if everything:
        ended = take_all_down()
        console.print(
            gettext("Taken down: {ended}.").format(ended=", ".join(ended))
            if ended
            else gettext("There was nothing to take down.")
        )
        return
    take_down(name)
    console.print(gettext("Taken down: {name}.").format(name=name))


def fault(
    kind: Annotated[
        str,
        typer.Argument(help="crash (SIGKILL), hang (SIGSTOP), stop (SIGTERM), restart, partition or mute."),
    ],
    target: Target,
    name: Name = "course",
) -> None:
    """Break a component. It stays broken until: halab heal."""
    injected = attach_cluster(name).inject(_kind(kind), target)
    console.print(
        gettext("{kind}: {target} is {component} now. Undo with: halab heal {component}").format(
            kind=kind, target=target, component=injected.component
        )
    )


def _kind(kind: str) -> FaultKind:
    return kind  # type: ignore[return-value]  # the engine checks it and says what there is


def heal(
    target: Annotated[
        str, typer.Argument(help="A component; without it, every component that has a fault.")
    ] = "",
    name: Name = "course",
) -> None:
    """Undo faults, and wait until the cluster is healthy."""
    cluster = attach_cluster(name)
    broken = [c.name for c in cluster.components() if c.note.startswith("fault")]
    names = [cluster.resolve(target).name] if target else broken
    for each in names:
        cluster.heal(each)
    with console.status(gettext("waiting until every component is healthy")):
        seconds = cluster.wait_healthy()
    console.print(
        gettext("Healed: {faults}. Healthy after {seconds:.1f} s.").format(
            faults=", ".join(names) or gettext("nothing had a fault"), seconds=seconds
        )
    )


def restart(target: Target, name: Name = "course") -> None:
    """Stop a component (SIGTERM), start it again, and wait until the cluster is healthy."""
    cluster = attach_cluster(name)
    injected = cluster.inject("restart", target)
    with console.status(
        gettext("restarted {component}; waiting until every component is healthy").format(
            component=injected.component
        )
    ):
        seconds = cluster.wait_healthy()
    console.print(
        gettext("Restarted {component}; healthy after {seconds:.1f} s.").format(
            component=injected.component, seconds=seconds
        )
    )


def logs(
    target: Target,
    name: Name = "course",
    lines: Annotated[int, typer.Option(help="How many of the last lines.")] = 50,
) -> None:
    """Show the last lines a component wrote."""
    print(attach_cluster(name).logs(target, lines))


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False) -> None:
    """Check whether this machine can run the course, and say what to do if not.

    A line a check: PASS, WARN or FAIL; the last line is the verdict. Exit status 1 if one failed.
    """
    with Console(stderr=True).status(
        gettext("checking this machine; the first time, its server programs are unpacked")
    ):
        report = examine()
    if as_json:
        print(json.dumps(report.as_dicts()))
    else:
        console.print(report)
    if not report.ok:
        raise typer.Exit(1)
