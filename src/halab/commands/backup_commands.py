"""The commands that protect data: backup, restore, prune. `halab verify` checks backups too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from halab.translation import gettext

if TYPE_CHECKING:
    from halab.protect.backup.manifest import Manifest, Progress

__all__ = ["register", "verify_backups"]

console = Console()
messages = Console(stderr=True)
Name = Annotated[str, typer.Option("--name", "-n", help="Which running cluster.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--collection", "-c", help="Only this one, as NAME or DATABASE.NAME; may be given several times."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the `halab` command."""
    for command in (backup, restore, prune):
        app.command()(command)


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder; best on another disk.")],
    collection: Only = None,
    name: Name = "course",
) -> None:
    """Copy collections of a running cluster into a folder, while it serves."""
    from halab.cluster import attach_cluster
    from halab.protect.backup import backup as save

    cluster = attach_cluster(name)
    with _bar() as progress:
        manifest = save(cluster, folder, collection or (), progress=progress)
    _show(gettext("Backed up"), folder, manifest)


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `halab backup` made.")],
    collection: Only = None,
    rename: Annotated[
        list[str] | None, typer.Option("--as", help="A new name, as OLD=NEW; may be given several times.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Take the place of collections that are there, which are dropped."),
    ] = False,
    name: Name = "course",
) -> None:
    """Verify a backup and bring it into a running cluster: whole and counted, or not at all."""
    from halab.cluster import attach_cluster
    from halab.protect.backup import restore as bring_back

    names = dict(_pair(text) for text in rename or ())
    cluster = attach_cluster(name)
    with _bar() as progress:
        done = bring_back(cluster, folder, collection or (), names=names, replace=replace, progress=progress)
    for restored, rows in done.rows.items():
        console.print(
            gettext("Restored {restored}: {rows:,} rows").format(restored=escape(restored), rows=rows),
            highlight=False,
        )
    for note in done.notes:
        console.print(gettext("Note: {note}").format(note=escape(note)), highlight=False)


def prune(
    folder: Annotated[Path, typer.Argument(help="A folder that holds backups, and nothing else.")],
    daily: Annotated[int, typer.Option(help="Keep the newest of this many days.", min=0)] = 7,
    weekly: Annotated[int, typer.Option(help="Keep the newest of this many weeks.", min=0)] = 4,
    monthly: Annotated[
        int, typer.Option(help="Keep the newest of this many months (30 days each).", min=0)
    ] = 12,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")
    ] = False,
) -> None:
    """Delete old backups by a daily, weekly and monthly rule. Each is verified first; only sound ones count.

    The newest sound backup always stays. Days, weeks and months that have no backup are not counted. Ends
    with status 1 if something in the folder is not a sound backup: that is reported, and left alone.
    """
    from halab.models.retention import Retention
    from halab.protect.backup.pruning import prune as clear

    try:
        retention = Retention(daily, weekly, monthly)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--daily, --weekly, --monthly") from None
    with _bar() as progress:
        done = clear(folder, retention, dry_run=dry_run, progress=progress)
    print(done)
    if not done.sound:
        raise typer.Exit(1)


def verify_backups(folders: Sequence[Path]) -> bool:
    """Check backups, print the result of each; True if all are sound."""
    from halab.errors import BackupError
    from halab.protect.backup import verify

    sound = True
    for folder in folders:
        try:
            with _bar() as progress:
                manifest = verify(folder, progress=progress)
            _show("Sound", folder, manifest)
        except BackupError as error:
            sound = False
            console.print(
                gettext("[bold red]Not sound:[/] {names}").format(names=escape(str(error))), highlight=False
            )
    return sound


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise typer.BadParameter(
            gettext("a new name is given as OLD=NEW, not {text!r}").format(text=text), param_hint="--as"
        )
    return old, new


def _show(heading: str, folder: Path, manifest: Manifest) -> None:
    from halab.protect.backup.manifest import doubled_remark

    size = gettext("{rows:,} rows, {size:,.1f} MB").format(
        rows=manifest.rows, size=manifest.bytes / 1000000.0
    )
    console.print(
        gettext("{heading}: {names}: {size}, begun {begun}").format(
            heading=heading, names=escape(str(folder)), size=size, begun=manifest.begun
        ),
        highlight=False,
    )
    for collection in manifest.collections:
        console.print(
            gettext("  {qualified}: {rows:,} rows").format(
                qualified=escape(collection.qualified), rows=collection.rows
            ),
            highlight=False,
        )
        if collection.doubled:
            console.print(
                gettext("  Note: {names}").format(names=escape(doubled_remark(collection))), highlight=False
            )


@contextmanager
def _bar() -> Iterator[Progress]:
    """A bar on stderr, so that stdout holds the result alone."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=messages, transient=True) as bars:
        task = bars.add_task("", total=None)

        def show(doing: str, done: int, total: int) -> None:
            bars.update(task, description=escape(doing), completed=done, total=total)

        yield show
