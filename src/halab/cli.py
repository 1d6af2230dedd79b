"""The `halab` command: a thin face over the rooms of the library."""

from __future__ import annotations

import sys
import warnings
from typing import TextIO

import typer
from rich.console import Console
from rich.markup import escape

from halab.commands import (
    backup_commands,
    certificate_commands,
    class_commands,
    cluster_commands,
    course_commands,
    drill_commands,
    measure_commands,
    monitor_commands,
    rag_commands,
)
from halab.commands.help_texts import translate_help
from halab.commands.typers_words import speak_as_halab
from halab.course.store import DamagedFileWarning
from halab.errors import HalabError
from halab.translation import gettext, language

app = typer.Typer(
    name="halab",
    help="Break a real Milvus cluster on purpose, measure what its users notice, and be graded on it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()
problems = Console(stderr=True)
for panel, room in (
    ("The course", course_commands),
    ("Progress and certificate", certificate_commands),
    ("A cluster", cluster_commands),
    ("Measuring it", measure_commands),
    ("Watching it", monitor_commands),
    ("Protecting its data", backup_commands),
    ("Protecting its data", drill_commands),
    ("Asking your documents", rag_commands),
    ("For instructors", class_commands),
):
    commands, groups = len(app.registered_commands), len(app.registered_groups)
    room.register(app)
    for command in app.registered_commands[commands:]:
        command.rich_help_panel = panel
    for group in app.registered_groups[groups:]:
        group.rich_help_panel = panel


def main() -> None:
    """Run the command; a HalabError becomes a message and exit status 1, never a traceback."""
    warnings.showwarning = _show_warning
    warnings.simplefilter("always", DamagedFileWarning)
    try:
        command = typer.main.get_command(app)
        if language() != "en":
            translate_help(command)
            speak_as_halab()
        command()
    except HalabError as error:
        text = gettext("[bold red]Error:[/] {message}").format(message=escape(error.message))
        problems.print(text, highlight=False)
        if error.hint:
            hint = gettext("[bold]Hint:[/] {hint}").format(hint=escape(error.hint))
            problems.print(hint, highlight=False)
        sys.exit(1)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A file set aside is news to the user, in one plain line; other warnings are Python's, as ever."""
    if issubclass(category, DamagedFileWarning):
        problems.print(gettext("Note: {note}").format(note=message), highlight=False, markup=False)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))
