"""The commands that tell and certify what was learnt: progress, certify, verify, key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from halab.course.catalogue import Language
    from halab.course.progress import Progress

__all__ = ["register"]

console = Console()
messages = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the `halab` command."""
    for command in (progress,):
        app.command()(command)


def progress(
    as_json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Show what you have done of the ten cards, and what is nearest to do next."""
    from halab.course.catalogue import language
    from halab.course.progress import progress as look
    from halab.course.progress_words import next_step

    found, lang = look(), language()
    step = next_step(found, lang)
    if as_json:
        print(json.dumps(found.as_dict() | {"next": step.text}, ensure_ascii=False, indent=1))
        return
    print(_board(found, lang))
    for note in found.notes:
        console.print(f"{'注意：' if lang == 'zh' else 'Note: '}{escape(note)}", highlight=False)
    console.print(f"[bold]{'下一步' if lang == 'zh' else 'Next'}:[/] {escape(step.text)}", highlight=False)


def _board(found: Progress, lang: Language) -> str:
    from halab.course.catalogue import CATALOGUE
    from halab.course.progress_words import HEADINGS, facts, items_met
    from halab.tables import text_table

    coming = ("尚未推出" if lang == "zh" else "to come", "", "", "", "")
    rows = []
    for card in CATALOGUE:
        done = facts(card, found.cards[card.number], lang)
        cells = [f"{'✓' if fact.done else '○'} {fact.text}" for fact in done]
        there = card.has_lesson or card.has_exercise
        name = f"{card.number}.{'' if lang == 'zh' else ' '}{card.title.in_(lang)}"
        rows.append((name, *(cells if there else coming)))
    heading = items_met(found, lang)
    return text_table(heading, ("卡片" if lang == "zh" else "Card", *HEADINGS[lang]), rows, align="left")
