"""A cluster in a terminal or a notebook cell: its status as a table, and the progress of its start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from halab.translation import gettext

__all__ = ["live_progress", "status_table"]

# A shape beside each colour: colour is never the only signal.
HEALTH = {
    "healthy": ("●", "green"),
    "waiting": ("○", "dim"),
    "starting": ("◔", "yellow"),
    "unhealthy": ("▲", "red"),
    "hung": ("◼", "magenta"),
    "down": ("✕", "red"),
}
HA_STATE_STYLE = {"active": "bold", "leader": "bold"}
MIB = 1 << 20


def status_table(status: dict[str, Any], title: str = "") -> RenderableType:
    """A cluster's status (as `status()` of an engine gives it) as a table by role, 80 columns wide."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, show_edge=False)
    headings = (gettext("component"), gettext("address"), "pid", gettext("health"), gettext("HA state"))
    for column in headings:
        table.add_column(column, no_wrap=True)
    for column in ("MiB", gettext("up, s"), gettext("restarts")):
        table.add_column(column, justify="right", no_wrap=True)
    for component in status["components"]:
        shape, colour = HEALTH[component["health"]]
        table.add_row(
            component["name"],
            component["address"],
            str(component["pid"] or "-"),
            Text(f"{shape} {gettext(component['health'])}", style=colour),
            Text(gettext(component["ha_state"]), style=HA_STATE_STYLE.get(component["ha_state"], "")),
            f"{component['memory'] / MIB:.0f}",
            f"{component['uptime']:.0f}",
            str(component["restarts"] or "-"),
        )
    notes = [Text(f"{c['name']}: {c['note']}", style="yellow") for c in status["components"] if c["note"]]
    return Group(table, *notes, Text(_caption(status), style="dim"))


def _caption(status: dict[str, Any]) -> str:
    memory = sum(component["memory"] for component in status["components"])
    parts = [
        gettext(status["phase"]),
        gettext("{size:.0f} MiB resident, shared pages counted in each process").format(size=memory / MIB),
    ]
    if status.get("disk"):
        parts.append(
            gettext("{size:.0f} MiB on disk (bounded by its settings to about 3 GiB)").format(
                size=status["disk"] / MIB
            )
        )
    if notebook := status.get("notebook"):
        parts.append(gettext("ends with {notebook}").format(notebook=notebook))
    return gettext("; ").join(parts)


def _headline(status: dict[str, Any]) -> Text:
    return Text(
        gettext("{elapsed:5.1f} s  {phase}  {done}/{all} healthy").format(
            elapsed=status["elapsed"],
            phase=gettext(status["phase"]),
            done=status["done"],
            all=status["total"] or "?",
        )
    )


def _component_line(status: dict[str, Any]) -> Text:
    line = Text()
    for component in status["components"]:
        shape, colour = HEALTH[component["health"]]
        line.append(f"{shape} {component['name']}  ", style=colour)
    return line


@contextmanager
def live_progress(console: Console | None = None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A live view of a start: the phase, the seconds so far, and every process with its health.

    A notebook keeps the last line. Where nothing can be redrawn (a pipe, a file) each phase is a line.
    """
    console = console or Console(stderr=True)
    if console.is_jupyter:
        yield _notebook_output()
    elif not console.is_terminal:
        yield _phase_lines(console)
    else:
        with Live(console=console, refresh_per_second=10, transient=True) as live:
            yield lambda status: live.update(Group(_headline(status), _component_line(status)))


def _html(headline: str, status: dict[str, Any]) -> str:
    """The same for a browser, which would break a long line of text in the middle of a name."""
    names = []
    for component in status["components"]:
        shape, _ = HEALTH[component["health"]]
        words = f"{shape} {component['name']} {gettext(component['health'])}"
        names.append(f'<span style="white-space: nowrap; margin-right: 1em">{escape(words)}</span> ')
    return f"<p>{escape(headline)}</p>" + (f"<p>{''.join(names)}</p>" if names else "")


def _notebook_output() -> Callable[[dict[str, Any]], None]:
    """One output of the cell, overwritten: rich's live view would leave two empty ones behind."""
    from IPython.display import DisplayHandle  # here: the command line never needs it

    handle, begun = DisplayHandle(), False

    def show(status: dict[str, Any]) -> None:
        nonlocal begun
        headline = _headline(status).plain
        if status["phase"] == "ready":
            status = status | {"components": []}
            if not begun:
                settings = f" ({status['settings']})" if status.get("settings") else ""
                headline = gettext("It runs already{settings}, {done}/{total} healthy.").format(
                    settings=settings, done=status["done"], total=status["total"]
                )
                if not status.get("mine"):
                    headline += " " + _ends_with(status.get("notebook", ""))
        text = f"{headline}\n{_component_line(status).plain}".rstrip()
        bundle = {"text/plain": text, "text/html": _html(headline, status)}
        (handle.update if begun else handle.display)(bundle, raw=True)
        begun = True

    return show


def _ends_with(notebook: str) -> str:
    if notebook:
        return gettext("{notebook} started it: keep that notebook open, both end together.").format(
            notebook=notebook
        )
    return gettext("If another notebook started it, keep that one open: both end together.")


def _phase_lines(console: Console) -> Callable[[dict[str, Any]], None]:
    last = ""

    def show(status: dict[str, Any]) -> None:
        nonlocal last
        if status["phase"] != last:
            last = status["phase"]
            line = gettext("{elapsed:5.1f} s  {phase}").format(elapsed=status["elapsed"], phase=gettext(last))
            console.print(line, highlight=False)

    return show
