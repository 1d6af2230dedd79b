"""A run that a busy machine spoiled is made again when the machine is quiet.

A notebook's cell whose run proves nothing for that reason ends with an offer to run again. However it is run
again, by the offer's button or by hand, it first waits for a quiet moment. Who stops that wait measures
nothing, and the next time nothing is waited for. A terminal has no cells: there nothing waits.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import DisplayHandle, display

from halab.errors import MeasurementError
from halab.measure.journal.journal_file import Journal
from halab.measure.journal.validity import busy_machine
from halab.measure.probing.machine_pressure import stalled_seconds
from halab.translation import gettext

__all__ = ["QUIET", "note_spoiled", "wait_if_spoiled"]

QUIET = 0.5
"""Share of the time, 0 to 1, in which some task waits for a core, below which a machine is quiet. A cluster
that nobody asks takes about 0.2 of two cores, one that is measured 0.6 to 0.75."""

_CALM = 3  # quiet seconds, one after the other, that make a quiet moment

_spoiled: dict[str, int] = {}  # by cell: the execution in which the machine spoiled a run of it


@dataclass(frozen=True, slots=True)
class _Cell:
    """The cell that is being executed, and the number that its kernel gives this execution."""

    name: str
    execution: int


def note_spoiled(journal: Journal) -> None:
    """If the machine was too busy for this run, end the cell with an offer to run it again."""
    cell = _executed()
    if cell is None or not busy_machine(journal) or stalled_seconds() is None:
        return
    if _spoiled.get(cell.name) != cell.execution:
        _spoiled[cell.name] = cell.execution
        get_ipython().events.register("post_run_cell", _offer)


def wait_if_spoiled() -> None:
    """Wait for a quiet moment if the machine spoiled a run of this cell when it was last executed.

    Raises MeasurementError if the wait is stopped.
    """
    cell = _executed()
    if cell is not None and _spoiled.get(cell.name, cell.execution) < cell.execution:
        del _spoiled[cell.name]
        _wait_until_quiet()


def _executed() -> _Cell | None:
    """None where there are no cells."""
    shell: Any = get_ipython()
    if not hasattr(shell, "kernel"):
        return None
    name = shell.get_parent().get("metadata", {}).get("cellId")
    return _Cell(name, shell.execution_count) if name else None


def _offer(_: object) -> None:
    """Once, below all that the cell showed."""
    get_ipython().events.unregister("post_run_cell", _offer)
    told = gettext(
        "However you run this cell again, it first waits until the machine is quiet: until some task waits "
        "for a core less than {quiet:.0%} of the time, for {calm} seconds on end. The wait can be stopped."
    ).format(quiet=QUIET, calm=_CALM)
    button = _button("notebook:run-cell", gettext("Run again when the machine is quiet"))
    display(_shown(told, button), raw=True)


def _wait_until_quiet() -> None:
    began = time.monotonic()
    line: DisplayHandle = display(_shown(gettext("Waiting for a quiet moment.")), raw=True, display_id=True)
    # In a place of its own: the line is written anew each second, and would take the focus from a button.
    button = _button("notebook:interrupt-kernel", gettext("Stop waiting"))
    stop: DisplayHandle = display(
        _shown(gettext("Interrupting the kernel stops the wait."), button), raw=True, display_id=True
    )
    try:
        for share, calm in _seconds():
            line.update(_shown(_waiting(time.monotonic() - began, share, calm)), raw=True)
    except KeyboardInterrupt:
        raise MeasurementError(
            gettext("the wait for a quiet moment was stopped: nothing was measured"),
            hint=gettext(
                "run the cell again: this time it begins at once. On a busy machine a run shows what can "
                "happen, not how long it takes nor whom it hits"
            ),
        ) from None
    finally:
        waited = gettext("Waited {time:.0f} s for a quiet moment.").format(time=time.monotonic() - began)
        line.update(_shown(waited), raw=True)
        stop.update(_shown(""), raw=True)


def _seconds() -> Iterator[tuple[float, int]]:
    """Second by second, until it is quiet: the share of it in which a task waited for a core, and how many
    seconds were quiet on end."""
    calm, before = 0, stalled_seconds() or 0.0
    while calm < _CALM:
        time.sleep(1)
        stalled = stalled_seconds() or 0.0
        share, before = min(1.0, stalled - before), stalled
        calm = calm + 1 if share < QUIET else 0
        yield share, calm


def _waiting(waited: float, share: float, calm: int) -> str:
    return gettext(
        "Waiting for a quiet moment, for {waited:.0f} s so far. In the last second some task waited for "
        "a core {share:.0%} of the time. The run begins after {needed} seconds below {quiet:.0%}, "
        "so far {calm}."
    ).format(waited=waited, share=share, needed=_CALM, quiet=QUIET, calm=calm)


def _button(command: str, label: str) -> str:
    """A button for a command of JupyterLab's, which acts on the cell that it stands in."""
    return (
        f'<button type="button" class="jp-mod-styled" data-commandlinker-command="{command}">'
        f"{html.escape(label)}</button> "
    )


def _shown(text: str, button: str = "") -> dict[str, str]:
    """What a notebook shows; without JupyterLab, and in a log, the text alone."""
    return {"text/plain": text, "text/html": f"<p>{button}{html.escape(text)}</p>" if text else ""}
