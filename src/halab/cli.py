"""The `halab` command: a thin face over the rooms of the library."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from halab.commands import cluster as cluster_commands
from halab.commands import course as course_commands
from halab.commands import measure as measure_commands
from halab.errors import HalabError

app = typer.Typer(
    name="halab",
    help="Break a real Milvus cluster on purpose, measure what its users notice, and be graded on it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()
problems = Console(stderr=True)
cluster_commands.register(app)
measure_commands.register(app)
course_commands.register(app)


def main() -> None:
    """Run the command; a HalabError becomes a message and exit status 1, never a traceback."""
    try:
        app()
    except HalabError as error:
        problems.print(f"[bold red]Error:[/] {error.message}", highlight=False)
        if error.hint:
            problems.print(f"[bold]Hint:[/] {error.hint}", highlight=False)
        sys.exit(1)
