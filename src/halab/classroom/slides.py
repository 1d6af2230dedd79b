"""Slides for a workshop, made from the cards: one file a language, which a browser shows without a network.

Each card has a title, its own text, what to predict before anything is broken, and what it leaves out, for
after the run. Speaker's notes come from the cards' claims and the plan of the day, docs/instructor-guide.md.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

from halab.certificate.record import COURSE
from halab.course.cards import Card, Claim, card
from halab.course.catalogue import CATALOGUE, entry
from halab.course.paths import course_root
from halab.errors import CourseError
from halab.folders import write_atomically
from halab.translation import Language, gettext, gettext_noop, html_lang, languages, speaking

__all__ = ["Slide", "slides", "write_slides"]

_HERE = Path(__file__).parent
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_ROW = re.compile(r"^\| (\d+) \| (?:(\d+)\. )?[^|]*\| (.+) \|$", re.MULTILINE)
_TO_A_SLIDE = 3  # claims, so that the longest still fit

_VERDICTS = {
    "true": gettext_noop("true"),
    "simplified": gettext_noop("simplified"),
    "outdated": gettext_noop("out of date"),
    "wrong": gettext_noop("not so in Milvus"),
    "given": gettext_noop("an example's setting"),
}


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide: its title, its content as HTML, and paragraphs for the speaker. `kind` is for its looks,
    `of` names the card that it belongs to.
    """

    title: str
    content: str
    notes: tuple[str, ...] = ()
    kind: str = "text"
    of: str = ""


def write_slides(folder: Path) -> list[Path]:
    """Write `slides-<language>.html` for each language into `folder`, in place of earlier ones.

    Raises CourseError if a card or the plan cannot be read, or if nothing can be written there.
    """
    files = []
    for lang in languages():
        page = _page(slides(lang), lang)
        file = folder / f"slides-{lang}.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(file, page.encode())
        except OSError as error:
            raise CourseError(
                gettext("{file} cannot be written: {why}.").format(file=file, why=error.strerror)
            ) from None
        files.append(file)
    return files


def slides(lang: Language) -> list[Slide]:
    """The slides of all cards in a language, in the order of the plan."""
    with speaking(lang):
        made = [_opening(lang)]
        for minutes, number, happens in _plan(lang):
            if number:
                shown = card(int(number), lang)
                title, *rest = _of_card(shown, minutes, happens)
                made += [title, *(replace(slide, of=title.title) for slide in rest)]
            else:
                made.append(_between(minutes, happens))
    return made


def _plan(lang: Language) -> list[tuple[str, str, str]]:
    """The day's rows: minutes, the card's number or "", and what happens."""
    docs = course_root() / "docs"
    translated = docs / f"instructor-guide.{lang}.md"
    path = translated if translated.is_file() else docs / "instructor-guide.md"
    rows = _ROW.findall(path.read_text(encoding="utf-8")) if path.is_file() else []
    if [number for _, number, _ in rows if number] != [str(entry.number) for entry in CATALOGUE]:
        raise CourseError(
            gettext("The plan of the day should be in {path}, with a row for each card.").format(path=path),
            hint=gettext("Restore the course's files, such as by `git restore docs`."),
        )
    return rows


def _opening(lang: Language) -> Slide:
    keys = gettext(
        "Arrow keys or space: forward and back. N: speaker's notes here. S: speaker's view in a second "
        "window, with notes, the next title and a clock. Home and End. Printed, each slide has its notes "
        "below it."
    )
    title = COURSE.in_(lang)
    told = gettext("Predict. Break it. Measure. Compare.")
    return Slide(title, f'<p class="lead">{html.escape(told)}</p>', (keys,), "title")


def _between(minutes: str, happens: str) -> Slide:
    first, _, rest = re.sub(r"`([^`]*)`", r"\1", happens).partition("：" if "：" in happens else ": ")
    text = f'<p class="lead">{html.escape(rest)}</p>' if rest else ""
    return Slide(first, text, (_minutes(minutes),), "title")


def _of_card(shown: Card, minutes: str, happens: str) -> Iterator[Slide]:
    lesson = f"course/{entry(shown.number).lesson_path.name}"
    before, *parts = re.split(r"^## ", shown.body, flags=re.MULTILINE)
    yield Slide(
        f"{shown.number}. {shown.title}",
        f'<div class="lead">{_MARKDOWN.render(before)}</div>',
        (
            _after(_minutes(minutes), happens),
            gettext("The lesson: {lesson}. Its animation is good to show first.").format(lesson=lesson),
        ),
        "title",
    )
    untested = [claim for claim in shown.claims.values() if not claim.tested and claim.verdict != "given"]
    asked = tuple(_after(_said(claim, shown.language), claim.leaves_out) for claim in untested)
    for part in parts:
        heading, _, text = part.partition("\n")
        yield Slide(heading.strip(), _MARKDOWN.render(text), _if_asked(asked))
        asked = ()
    tested = [claim for claim in shown.claims.values() if claim.tested]
    yield from _predict(tested, shown)
    yield from _left_out(tested, shown.language)


def _if_asked(asked: tuple[str, ...]) -> tuple[str, ...]:
    if not asked:
        return ()
    return (gettext("What the card says, as it says it. If somebody asks, it leaves out:"), *asked)


def _predict(tested: list[Claim], shown: Card) -> Iterator[Slide]:
    if not tested:
        return
    rows = "".join(
        f"<li>{html.escape(claim.quantity)}: <strong>{html.escape(claim.text(shown.language))}</strong></li>"
        for claim in tested
    )
    intro = html.escape(gettext("The card says this. What will it be here? Write your number down first."))
    note = gettext(
        "Nobody breaks anything before their number is locked in. Ask two people for theirs, aloud, and why."
    )
    yield Slide(gettext("Predict, then break it"), f"<p>{intro}</p><ul>{rows}</ul>", (note,))


def _left_out(tested: list[Claim], lang: Language) -> Iterator[Slide]:
    """What the card does not say of the figures that were measured, a few to a slide."""
    for start in range(0, len(tested), _TO_A_SLIDE):
        rows = "".join(
            f"<dt>{html.escape(_said(claim, lang))}</dt><dd>{html.escape(claim.leaves_out)}</dd>"
            for claim in tested[start : start + _TO_A_SLIDE]
        )
        note = gettext("After the run only. Whose number was nearest, and what did they reckon with?")
        yield Slide(gettext("What the card leaves out"), f"<dl>{rows}</dl>", (note,), "small")


def _said(claim: Claim, lang: Language) -> str:
    """A claim and how it is judged, such as "how long a failover takes, 5–15 s: out of date."."""
    return gettext("{quantity}, {figure}: {verdict}.").format(
        quantity=claim.quantity, figure=claim.text(lang), verdict=gettext(_VERDICTS[claim.verdict])
    )


def _after(sentence: str, more: str) -> str:
    return gettext("{sentence} {more}").format(sentence=sentence, more=more)


def _minutes(minutes: str) -> str:
    return gettext("{minutes} minutes.").format(minutes=minutes)


def _page(made: list[Slide], lang: Language) -> str:
    with speaking(lang):
        words = {
            "notes": gettext("Speaker's notes"),
            "next": gettext("Next slide: {title}"),
            "slides": gettext("Slides"),
        }
    body = "\n".join(_section(slide, words["notes"]) for slide in made)
    return Template((_HERE / "slides.html").read_text(encoding="utf-8")).substitute(
        {name: html.escape(text) for name, text in words.items()},
        title=html.escape(made[0].title),
        lang=html_lang(lang),
        style=(_HERE / "slides.css").read_text(encoding="utf-8"),
        script=(_HERE / "slides.js").read_text(encoding="utf-8"),
        body=body,
    )


def _section(slide: Slide, notes: str) -> str:
    level = "h1" if slide.kind == "title" else "h2"
    of = f'<p class="of">{html.escape(slide.of)}</p>' if slide.of else ""
    paragraphs = "".join(f"<p>{html.escape(note.replace('`', ''))}</p>" for note in slide.notes)
    return (
        f'<section class="{slide.kind}"><div class="slide">{of}'
        f"<{level}>{html.escape(slide.title)}</{level}>\n"
        f'{slide.content}</div>\n<aside aria-label="{html.escape(notes)}">{paragraphs}</aside></section>'
    )
