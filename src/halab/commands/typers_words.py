"""Typer's own words in the learner's language: titles of panels, usage, what is wrong with a call.

Typer has most of them as constants and f-strings in English, and no setting for another language. So they are
put in their places, by name, when a command is about to run; where a later version has no such place, its
word stays English. A test says which.
"""

from __future__ import annotations

import re
from typing import Any

from typer import core, rich_utils
from typer._click import core as click
from typer._click import exceptions
from typer._click.formatting import HelpFormatter

from halab.translation import gettext, gettext_noop

__all__ = ["speak_as_halab"]

_CONSTANTS = {
    "ARGUMENTS_PANEL_TITLE": gettext_noop("Arguments"),
    "OPTIONS_PANEL_TITLE": gettext_noop("Options"),
    "COMMANDS_PANEL_TITLE": gettext_noop("Commands"),
    "ERRORS_PANEL_TITLE": gettext_noop("Error"),
    "ABORTED_TEXT": gettext_noop("Aborted."),
    "DEFAULT_STRING": gettext_noop("[default: {}]"),
    "REQUIRED_LONG_STRING": gettext_noop("[required]"),
    "RICH_HELP": gettext_noop("Try [blue]'{command_path} {help_option}'[/] for help."),
}
_HELP = gettext_noop("Show this message and exit.")
# As typer writes them, each name in braces standing for what it puts there.
_MESSAGES = (
    gettext_noop("No such option: {option} (Possible options: {options})"),
    gettext_noop("No such option: {option}"),
    gettext_noop("No such command {command}."),
    gettext_noop("No such command {command}. Did you mean {commands}?"),
    gettext_noop("Missing command."),
    gettext_noop("Missing argument {argument}."),
    gettext_noop("Missing option {option}."),
    gettext_noop("Invalid value for {parameter}: Value {given} is not a valid {kind}."),
    gettext_noop("Invalid value for {parameter}: {problem}"),
    gettext_noop("Option {option} requires an argument."),
    gettext_noop("Option {option} does not take a value."),
    gettext_noop("Got unexpected extra argument(s) ({arguments})"),
)


_PROBLEMS = (
    gettext_noop("Input should be a valid number, unable to parse string as a number"),
    gettext_noop("Input should be a valid integer, unable to parse string as an integer"),
)


def speak_as_halab() -> None:
    """Let typer say everything in the learner's language, from now on in this process."""
    for name, english in _CONSTANTS.items():
        if getattr(rich_utils, name, None) == english:
            setattr(rich_utils, name, gettext(english))
    for module in (core, rich_utils):
        vars(module)["_"] = gettext
    _replace(HelpFormatter, "write_usage", _with_usage)
    _replace(click.Command, "get_help_option", _with_help)
    for kind in vars(exceptions).values():
        if isinstance(kind, type) and "format_message" in vars(kind):
            _replace(kind, "format_message", lambda original: lambda self: _translated(original(self)))


def _replace(owner: type, name: str, wrapped: Any) -> None:
    """Once: a process may run more than one command, as tests do."""
    original = getattr(owner, name)
    if not hasattr(original, "typers_own"):
        made = wrapped(original)
        made.typers_own = original
        setattr(owner, name, made)


def _with_usage(original: Any) -> Any:
    def write_usage(self: Any, prog: str, args: str = "", prefix: str | None = None) -> None:
        original(self, prog, args, gettext("Usage: ") if prefix is None else prefix)

    return write_usage


def _with_help(original: Any) -> Any:
    def get_help_option(self: Any, context: Any) -> Any:
        option = original(self, context)
        if option is not None and option.help == _HELP:
            option.help = gettext(_HELP)
        return option

    return get_help_option


def _translated(english: str) -> str:
    """What is wrong with a call; as it is where typer says something else."""
    for message in _MESSAGES:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(message))
        if matched := re.fullmatch(pattern, english):
            parts = matched.groupdict()
            if parts.get("problem") in _PROBLEMS:
                parts["problem"] = gettext(parts["problem"])
            return gettext(message).format(**parts)
    return english
