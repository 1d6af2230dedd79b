"""The help of `halab` and its commands, in the learner's language.

typer reads help from docstrings and options, where no call of `gettext` can stand: so it is collected from
the finished command, and put back translated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from halab.translation import gettext

__all__ = ["help_texts", "translate_help"]

_PLACES = ("help", "short_help", "epilog", "rich_help_panel")


def help_texts(command: Any) -> list[str]:
    """Every text of a command's help and of those below it, each once."""
    return list(dict.fromkeys(text for _, _, text in _texts(command)))


def translate_help(command: Any) -> None:
    """Put every text of a command's help, and of those below it, into the learner's language."""
    for owner, place, text in list(_texts(command)):
        setattr(owner, place, gettext(text))


def _texts(command: Any) -> Iterator[tuple[Any, str, str]]:
    """A command or option, which of its attributes, and the text. typer's own click has no public types."""
    for owner in (command, *command.params):
        for place in _PLACES:
            text = getattr(owner, place, None)
            if isinstance(text, str) and text:
                yield owner, place, text
    for below in getattr(command, "commands", {}).values():
        yield from _texts(below)
