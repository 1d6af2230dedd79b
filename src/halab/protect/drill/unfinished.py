"""A drill that was cut off: what shows that there is one, where it stands, and what is possible now.

    FOLDER/drill.lock     held by the process that runs the drill; a process that was killed holds nothing
    FOLDER/samples.jsonl  every probe, written when its outcome is known, so that a kill loses no measurement
    CLUSTER/drill.json    in the folder of both clusters: which drill began on them. It goes when they go, so
                          one that was started again under the same name is not taken for the old one

The report is written last. A drill with a state and no report is unfinished.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from halab.cluster.protocol import Cluster
from halab.errors import DrillError
from halab.measure.probing.addresses import Address, AddressBook
from halab.models.samples import Outcome, Sample
from halab.protect.drill.runbook import State, load_state

__all__ = [
    "STATE",
    "SampleLog",
    "address_book",
    "check_clusters",
    "cluster_missing_error",
    "describe",
    "is_unfinished",
    "lock",
    "mark_clusters",
    "read_samples",
    "refuse_unfinished",
    "remove_marks",
]

STATE, REPORT = "state.json", "report.json"
_LOCK, _SAMPLES, _MARK = "drill.lock", "samples.jsonl", "drill.json"


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """The drill of a folder is this process' own. Raises DrillError if another one runs it."""
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise _running(folder) from None
    try:
        yield
    finally:
        lock.release()


def _running(folder: Path) -> DrillError:
    return DrillError(
        f"the drill in {folder} is running now, in another process",
        hint="wait for its end: two drills on one cluster would undo each other",
    )


class SampleLog:
    """Keeps each probe of a drill in its folder. A full disk ends the keeping, and not the drill."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / _SAMPLES).open("a", buffering=1, encoding="utf-8")

    def __call__(self, sample: Sample) -> None:
        with suppress(OSError, ValueError):  # ValueError: it is closed
            self._file.write(json.dumps(asdict(sample)) + "\n")

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()


def read_samples(folder: Path) -> list[Sample]:
    """The probes of a drill that was cut off; a line that was not written to its end is left out."""
    found = []
    with suppress(FileNotFoundError):
        for line in (folder / _SAMPLES).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                told = json.loads(line)
                found.append(Sample(**{**told, "outcome": Outcome(told["outcome"])}))
    return found


def mark_clusters(clusters: Mapping[Address, Cluster], folder: Path) -> None:
    """Note in the clusters' own folders that this drill began on them."""
    for cluster in clusters.values():
        if home := cluster.folder:
            (home / _MARK).write_text(json.dumps({"folder": str(folder.resolve())}))


def _marked(cluster: Cluster) -> Path | None:
    """The folder of the drill that began on a cluster last, if it is known."""
    home = cluster.folder
    if home is None:
        return None
    try:
        return Path(json.loads((home / _MARK).read_text())["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_marks(clusters: Mapping[Address, Cluster], folder: Path) -> None:
    """The report is written: take away what only a drill that was cut off needs."""
    for cluster in clusters.values():
        if home := cluster.folder:
            (home / _MARK).unlink(missing_ok=True)
    for name in (_SAMPLES, _LOCK):
        (folder / name).unlink(missing_ok=True)


def is_unfinished(folder: Path) -> bool:
    """Whether the folder has a drill that began and has not come to its report."""
    return (folder / STATE).exists() and not (folder / REPORT).exists()


def refuse_unfinished(folder: Path, clusters: Mapping[Address, Cluster]) -> None:
    """Raise DrillError if this folder, or one of the clusters, has a drill that is not at its end."""
    for candidate in [folder, *map(_marked, clusters.values())]:
        if candidate is None or not is_unfinished(candidate):
            continue
        with lock(candidate):
            raise describe(candidate, load_state(candidate / STATE))


def describe(folder: Path, state: State) -> DrillError:
    """Where a drill that was cut off stands, in words, and what can be done about it."""
    back = f"take it back with: halab drill {folder} --roll-back"
    if state.stopped_at or any(one.status == "undone" for one in state.records):
        return DrillError(
            f"the drill in {folder} was cut off while it was being undone; {_standing(state)}", hint=back
        )
    return DrillError(
        f"the drill in {folder} was cut off {_where(state)}; {_standing(state)}",
        hint=f"go on with it: halab drill {folder} --resume; or {back} (in Python: resume, roll_back)",
    )


def _where(state: State) -> str:
    begun = [one.began for one in state.records if one.began is not None]
    after = f", {begun[-1]:.0f} s after it began" if begun else ""
    step = next((one for one in state.records if one.status != "done"), None)
    if step is None:
        return f"before its report was written{after}"
    return f"{'in' if step.status == 'running' else 'before'} the step “{step.title}”{after}"


def _standing(state: State) -> str:
    """Who is in charge, and what is broken."""
    status = {one.name: one.status for one in state.records}
    book = address_book(state)
    if book.current == "standby":
        return f"the standby is in charge{'' if book.writable else ', read-only'}"
    if status.get("failback") == "done":
        return "the primary is in charge again"
    if status.get("loss") in ("running", "done", "failed"):
        return f"the primary is lost ({state.facts.get('component')} was killed), and no other is in charge"
    return "nothing was lost or switched yet"


def address_book(state: State) -> AddressBook:
    """Who is in charge, by what is done: an address book is in memory, and went with its process."""
    done = {one.name for one in state.records if one.status == "done"}
    if "failover" in done and "failback" not in done:
        return AddressBook("standby", "service" in done)
    return AddressBook()


def check_clusters(clusters: Mapping[Address, Cluster], folder: Path, state: State) -> None:
    """Raise DrillError if a cluster is not the one that the drill began on."""
    for role, cluster in clusters.items():
        if cluster.folder and _marked(cluster) != folder.resolve():
            raise cluster_missing_error(role, cluster.name, folder, state, "was started again since")


def cluster_missing_error(
    role: Address, name: str, folder: Path, state: State, how: str = "no longer runs: it was taken down, "
    "or ended with the process that had started it"
) -> DrillError:  # fmt: skip
    """What to say when a cluster of a drill that was cut off is not there any more."""
    said = (
        f"the drill in {folder} was cut off {_where(state)}, and its {role} {name!r} {how}; its rows went too"
    )
    again = f"halab restore {folder / 'backup'} -n NAME"
    if role == "primary" and address_book(state).current == "standby":
        hint = (
            "there is no way home and nothing to take back: the standby stays in charge, if it runs; begin "
            "the next drill with it as the primary"
        )
    elif role == "primary":
        hint = (
            f"there is nothing to take back. The backup is whole: {again}, and begin a new drill in another "
            "folder"
        )
    else:
        hint = (
            f"it cannot be gone on with, only be taken back: halab drill {folder} --roll-back. Rows "
            "written on the standby only are lost"
        )
    return DrillError(said, hint=hint)
