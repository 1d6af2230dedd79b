"""Pruning: which backups of a folder stay, and which are deleted.

    print(prune("backups", Retention(daily=7, weekly=4, monthly=12), dry_run=True))

Every backup is verified first. Only sound ones count, each among those of the same collections: a backup of
one collection is no reason to delete that of another. What is damaged, cut off, of a newer version or from
the future is reported and left alone; and a folder that holds anything else is refused as a whole, because
what is deleted here cannot be brought back.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from halab.errors import BackupError
from halab.models.retention import Retention, reasons
from halab.protect.backup.manifest import MANIFEST, PARTIAL, Manifest, Progress, verify
from halab.tables import Row, text_table
from halab.translation import gettext, gettext_noop

__all__ = ["Entry", "Pruning", "prune"]

_OF_THE_DISK = "lost+found"  # in the root of every ext4 file system, and nobody's backup


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the folder. `why` says why it stays, in words; it is empty if the backup goes.

    `manifest` is None where the entry is no sound backup.
    """

    name: str
    manifest: Manifest | None
    why: str

    @property
    def goes(self) -> bool:
        return not self.why

    @property
    def sound(self) -> bool:
        return self.manifest is not None


@dataclass(frozen=True, repr=False)
class Pruning:
    """What became of each backup of a folder; printed, it is a table."""

    folder: Path
    retention: Retention
    entries: tuple[Entry, ...]
    dry_run: bool

    @property
    def sound(self) -> bool:
        """True if every entry is a sound backup."""
        return all(entry.sound for entry in self.entries)

    def __repr__(self) -> str:
        rule = self.retention
        heading = gettext("{folder}: {daily} daily, {weekly} weekly, {monthly} monthly").format(
            folder=self.folder, daily=rule.daily, weekly=rule.weekly, monthly=rule.monthly
        )
        gone = sum(entry.goes for entry in self.entries)
        remark = gettext("{stay} stay, {gone} {fate}.").format(
            stay=len(self.entries) - gone,
            gone=gone,
            fate=gettext("would go") if self.dry_run else gettext("went"),
        )
        headings = (
            gettext_noop("backup"),
            gettext_noop("begun (UTC)"),
            gettext_noop("collections"),
            "",
            gettext_noop("why"),
        )
        rows = [self._row(entry) for entry in self.entries]
        return text_table(heading, headings, rows, [remark], align="left")

    def _row(self, entry: Entry) -> Row:
        manifest = entry.manifest
        begun = manifest.begun[:16].replace("T", " ") if manifest else "-"
        collections = (
            ", ".join(collection.qualified for collection in manifest.collections) if manifest else "-"
        )
        deleted = gettext("would go") if self.dry_run else "deleted"
        fate = deleted if entry.goes else "stays" if entry.sound else "LOOK"
        return (entry.name, begun, collections, fate, entry.why or gettext("no rule keeps it"))


def prune(
    folder: str | Path,
    retention: Retention,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Pruning:
    """Delete the backups of a folder that the retention does not keep; with `dry_run` only say which.

    The newest sound backup of any set of collections always stays. Raises BackupError before anything is
    deleted, if the folder holds no backups or anything else; or when one cannot be deleted.
    """
    folder = Path(folder)
    checked = {path.name: _check(path, progress) for path in _entries(folder)}
    sound = {name: manifest for name, manifest in checked.items() if isinstance(manifest, Manifest)}
    why = _reasons(sound, retention)
    entries = [
        Entry(name, None, result) if isinstance(result, str) else Entry(name, result, why[name])
        for name, result in checked.items()
    ]
    entries.sort(key=lambda entry: (entry.manifest.begun if entry.manifest else "", entry.name), reverse=True)
    if not dry_run:
        for entry in entries:
            if entry.goes:
                _delete(folder / entry.name)
    return Pruning(folder, retention, tuple(entries), dry_run)


def _entries(folder: Path) -> list[Path]:
    """The backups of a folder, whole or not. Raises BackupError if there is anything else."""
    if not folder.is_dir():
        raise BackupError(
            gettext("there is no folder {folder}").format(folder=folder),
            hint=gettext("name the folder that holds your backups"),
        )
    if (folder / MANIFEST).exists():
        raise BackupError(
            gettext("{folder} is itself a backup, and not a folder of backups").format(folder=folder),
            hint=gettext("name {parent}").format(parent=folder.parent),
        )
    paths = sorted(path for path in folder.iterdir() if path.name != _OF_THE_DISK)
    others = [path.name for path in paths if not _is_backup(path)]
    if others:
        raise BackupError(
            gettext(
                "{folder} holds something that is no backup ({names}{more}), so nothing was deleted"
            ).format(folder=folder, names=", ".join(others[:5]), more=", ..." if len(others) > 5 else ""),
            hint=gettext("keep backups in a folder of their own"),
        )
    if not paths:
        raise BackupError(
            gettext("{folder} holds no backup").format(folder=folder),
            hint=gettext("name the folder that holds your backups"),
        )
    return paths


def _is_backup(path: Path) -> bool:
    """By its looks only. A link is none: who follows it deletes what lies elsewhere."""
    if path.is_symlink() or not path.is_dir():
        return False
    return path.name.endswith(PARTIAL) or (path / MANIFEST).is_file()


def _check(path: Path, progress: Progress | None) -> Manifest | str:
    """The manifest of a sound backup, or what is wrong."""
    if path.name.endswith(PARTIAL):
        return gettext("not counted: it is being written, or was cut off; if nothing writes it, delete it")
    try:
        manifest = verify(path, progress=progress)
        begun = _moment(manifest)
    except (BackupError, ValueError, OSError) as error:
        message = error.message if isinstance(error, BackupError) else str(error)
        return gettext("not counted: {replace}").format(
            replace=message.replace(f"{path}/", "").replace(str(path), "it")
        )
    if begun > time.time():
        return gettext(
            "not counted: it says that it was begun at {begun}, in the future: see the clocks"
        ).format(begun=manifest.begun)
    return manifest


def _moment(manifest: Manifest) -> float:
    return datetime.fromisoformat(manifest.begun).timestamp()


def _reasons(sound: Mapping[str, Manifest], retention: Retention) -> dict[str, str]:
    """Why each backup stays, in words, or "" if it goes; judged among those of the same collections."""
    alike: dict[tuple[frozenset[str], bool], dict[str, float]] = defaultdict(dict)
    for name, manifest in sound.items():
        collections = frozenset(collection.qualified for collection in manifest.collections)
        # One that was never compared with the server's count may be cut short: it is no reason to delete
        # another.
        alike[collections, all(each.counted for each in manifest.collections)][name] = _moment(manifest)
    kept_for: dict[str, str] = {}
    for moments in alike.values():
        why = reasons(moments.values(), retention)
        kept_for |= {name: ", ".join(why.get(moment, ())) for name, moment in moments.items()}
    return kept_for


def _delete(path: Path) -> None:
    """Renamed first: a deletion that is cut off leaves what is plainly no backup any more."""
    doomed = path.with_name(f"{path.name}.deleted{PARTIAL}")
    try:
        path.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise BackupError(
            gettext("{path} could not be deleted: {error}").format(path=path, error=error),
            hint=gettext("see who owns it; what is left is {rest}").format(
                rest=doomed if doomed.exists() else path
            ),
        ) from None
