"""The commands that watch a cluster: monitor, canary."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape

from halab.translation import gettext

if TYPE_CHECKING:
    from halab.monitoring.canary import Answer
    from halab.monitoring.monitor import Monitor

__all__ = ["register"]

console = Console()
Replicas = Annotated[
    int, typer.Option(min=1, help="How many copies the canary's collection has: as many as your own.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the `halab` command."""
    for command in (monitor, canary):
        app.command()(command)


def monitor(
    name: Annotated[str, typer.Option("--name", "-n", help="Which running cluster.")] = "course",
    replicas: Replicas = 1,
) -> None:
    """Watch a running cluster with Prometheus, production's own alert rules and a canary; show what is paged.

    Ends with Ctrl-C, with this terminal, and with the cluster.
    """
    from halab.cluster import attach_cluster, is_running
    from halab.monitoring.monitor import monitor as watch_cluster

    cluster = attach_cluster(name)
    parent = os.getppid()
    with ExitStack() as stack:
        with console.status(gettext("Starting Prometheus, Alertmanager and the canary")):
            watch = stack.enter_context(watch_cluster(cluster, replicas=replicas))
        with suppress(KeyboardInterrupt), _live() as live:
            while os.getppid() == parent and is_running(name):
                live.update(_view(watch), refresh=True)
                time.sleep(1.0)
    print(watch.inbox)


def canary(
    uri: Annotated[str, typer.Argument(help="Where Milvus answers, such as http://127.0.0.1:19530.")],
    port: Annotated[int, typer.Option(help="Where Prometheus scrapes it, on loopback.")] = 9404,
    replicas: Replicas = 1,
) -> None:
    """Ask a Milvus questions whose answers are known; export what was found for Prometheus. Until Ctrl-C."""
    from halab.monitoring.canary import Canary

    bird = Canary(uri, replicas=replicas)
    with console.status(gettext("Making the canary's collection")):
        bird.prepare()
    with closing(bird), ExitStack() as stack:
        try:
            asking = stack.enter_context(bird.exported(port))
        except OSError as error:
            raise typer.BadParameter(
                gettext("{port} is not to be had: {strerror}").format(port=port, strerror=error.strerror),
                param_hint="--port",
            ) from None
        console.print(f"http://127.0.0.1:{port}/metrics", highlight=False)
        with suppress(KeyboardInterrupt), _live() as live:
            while asking.is_alive():
                live.update(_last_answer(bird.last), refresh=True)
                time.sleep(1.0)


def _live() -> Live:
    return Live(console=console, auto_refresh=False, vertical_overflow="visible")


def _view(watch: Monitor) -> RenderableType:
    from halab.errors import MeasurementError

    try:
        alerts = [f"{alert['labels']['alertname']} ({alert['state']})" for alert in watch.alerts()]
    except MeasurementError as error:
        alerts = [error.message]
    lines = [
        gettext("Prometheus {prometheus}   inbox {inbox_page}").format(
            prometheus=watch.prometheus, inbox_page=watch.inbox_page
        ),
        _last_answer(watch.canary.last),
        gettext("Rules that hold now: {alerts}").format(alerts=", ".join(alerts) or gettext("none")),
        "",
    ]
    return Group(*(escape(line) for line in lines), escape(repr(watch.inbox)))


def _last_answer(answer: Answer | None) -> str:
    if answer is None:
        return gettext("Canary: nothing asked yet")
    if not answer.answered:
        return gettext("Canary: no answer ({error})").format(error=answer.error)
    what = gettext("found its row") if answer.found else gettext("an answer WITHOUT its row")
    return gettext("Canary: {found} after {delay:.0f} ms").format(found=what, delay=answer.latency * 1000)
