"""A drill that was cut off: what shows that there is one, where it stands, and that no other begins over it.

FOLDER/state.json   written after each change; a drill with a state and no report is unfinished
FOLDER/drill.lock   held by the process that runs the drill; a process that was killed holds nothing
CLUSTER/drill.json  in the folder of both clusters: which drill began on them. It goes when they go, so a
                    cluster that was started again under the same name is not taken for the old one
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from halab.cluster.protocol import Cluster
from halab.errors import DrillError
from halab.folders import exclusive, read_plain
from halab.protect.drill.runbook import State, load_state
from halab.translation import gettext

__all__ = [
    "STATE",
    "check_primary",
    "cluster_missing_error",
    "describe",
    "is_unfinished",
    "load_unfinished",
    "lock",
    "mark_clusters",
    "refuse_unfinished",
    "remove_marks",
]

STATE, REPORT = "state.json", "report.json"
_LOCK, _MARK = "drill.lock", "drill.json"


def lock(folder: Path) -> AbstractContextManager[None]:
    """Hold the drill of a folder for this process. Raises DrillError if another process holds it."""
    refusal = DrillError(
        gettext("the drill in {folder} is running now, in another process").format(folder=folder),
        hint=gettext("wait for its end: two drills on one cluster would undo each other"),
    )
    return exclusive(folder / _LOCK, refusal)


def mark_clusters(clusters: Iterable[Cluster], folder: Path) -> None:
    """Note in the clusters' own folders that this drill began on them."""
    for home in _homes(clusters):
        (home / _MARK).write_text(json.dumps({"folder": str(folder.resolve())}))


def remove_marks(clusters: Iterable[Cluster], folder: Path) -> None:
    """Take away what only a drill that was cut off needs: call it when the report is written."""
    for home in _homes(clusters):
        (home / _MARK).unlink(missing_ok=True)
    (folder / _LOCK).unlink(missing_ok=True)


def _homes(clusters: Iterable[Cluster]) -> list[Path]:
    """The clusters' own folders; a simulated cluster has none."""
    return [cluster.folder for cluster in clusters if cluster.folder is not None]


def _marks(clusters: Iterable[Cluster]) -> list[Path]:
    """The folders of the drills that began last on these clusters, as far as they are known."""
    folders = []
    for home in _homes(clusters):
        try:
            folders.append(Path(json.loads(read_plain(home / _MARK, 10_000))["folder"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return folders


def is_unfinished(folder: Path) -> bool:
    """True if the folder has a drill that began and has no report."""
    return (folder / STATE).exists() and not (folder / REPORT).exists()


def load_unfinished(folder: Path) -> State:
    """The state of a drill that was cut off. Raises DrillError if there is no drill, or if it has ended."""
    state = load_state(folder / STATE)
    if not is_unfinished(folder):
        raise DrillError(
            gettext("the drill in {folder} has ended").format(folder=folder),
            hint=gettext("read {page}").format(page=folder / "report.html"),
        )
    return state


def refuse_unfinished(folder: Path, clusters: Iterable[Cluster]) -> None:
    """Raise DrillError if this folder, or one of the clusters, has a drill without a report."""
    for candidate in (folder, *_marks(clusters)):
        if is_unfinished(candidate):
            with lock(candidate):
                raise describe(candidate, load_state(candidate / STATE))


def describe(folder: Path, state: State) -> DrillError:
    """Where a drill that was cut off stands, in words, and what can be done about it."""
    undoing = state.stopped_at or any(record.status == "undone" for record in state.records)
    where = gettext("while it was being undone") if undoing else _where(state)
    return DrillError(
        gettext("the drill in {folder} was cut off {point}; {in_charge}").format(
            folder=folder, point=where, in_charge=_in_charge(state)
        ),
        hint=gettext("roll it back with: halab drill {folder} --roll-back (in Python: roll_back)").format(
            folder=folder
        ),
    )


def _where(state: State) -> str:
    begun = [record.began for record in state.records if record.began is not None]
    after = gettext(", {time:.0f} s after it began").format(time=begun[-1]) if begun else ""
    step = next((record for record in state.records if record.status != "done"), None)
    if step is None:
        return gettext("before its report was written{after}").format(after=after)
    return gettext("{when} the step “{title}”{after}").format(
        when="in" if step.status == "running" else gettext("before"), title=step.title, after=after
    )


def _in_charge(state: State) -> str:
    """Which cluster is in charge, and what is broken."""
    if _standby_in_charge(state):
        return gettext("the standby is in charge{how}").format(
            how="" if state.status("service") == "done" else gettext(", read-only")
        )
    if state.status("failback") == "done":
        return gettext("the primary is in charge again")
    if state.status("loss") in ("running", "done", "failed"):
        return gettext("the primary is lost ({component} was killed), and no other is in charge").format(
            component=state.facts.component
        )
    return gettext("nothing was lost or switched yet")


def _standby_in_charge(state: State) -> bool:
    return state.status("failover") == "done" and state.status("failback") != "done"


def check_primary(cluster: Cluster, folder: Path, state: State) -> None:
    """Raise DrillError if this is not the primary that the drill began on, but one started later."""
    if _homes([cluster]) and folder.resolve() not in _marks([cluster]):
        raise cluster_missing_error(folder, state, gettext("was started again since"))


def cluster_missing_error(
    folder: Path,
    state: State,
    reason: str = "",
) -> DrillError:
    """The error to raise when a drill cannot be rolled back, because its primary is not there any more."""
    reason = reason or gettext(
        "no longer runs: it was taken down, or ended with the process that had started it"
    )
    if _standby_in_charge(state):
        hint = gettext(
            "the primary cannot be brought back: the standby stays in charge, if it runs; begin "
            "the next drill with it as the primary"
        )
    else:
        hint = gettext(
            "there is nothing to roll back. The backup is whole: halab restore {backup} -n NAME, "
            "and begin a new drill in another folder"
        ).format(backup=folder / "backup")
    return DrillError(
        gettext(
            "the drill in {folder} was cut off {point}, and its primary {primary!r} {reason}; "
            "its rows went too"
        ).format(folder=folder, point=_where(state), primary=state.facts.primary, reason=reason),
        hint=hint,
    )
