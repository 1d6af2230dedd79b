"""For authors and translators: which texts of lessons, exercises, hints and messages a language lacks, or has
of an English that has changed since.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from halab.course.catalogue import exercises
from halab.course.notebook_translation import (
    NotebookTexts,
    fingerprint,
    original_sources,
    read_texts,
    texts_in,
    texts_path,
)
from halab.folders import course_root
from halab.translation import CALLS, Language, catalogue_path

__all__ = ["Gap", "accept", "add_missing", "gaps", "update_catalogue"]

_HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plurals}\\n"

"""


@dataclass(frozen=True, slots=True)
class Gap:
    """A section that is missing, stale (its English has changed) or extra (its English is gone)."""

    path: Path
    kind: str  # cell, code, hint
    name: str
    state: str  # missing, stale, extra
    english: str = ""

    def __str__(self) -> str:
        where = self.path.relative_to(course_root())
        return f"{where}: {self.kind} {self.name} is {self.state}{_first_words(self.english)}"


def gaps(language: Language, help_texts: Sequence[str] = ()) -> list[Gap]:
    """What is to be done in a language, in the order of the files; `help_texts` are the commands' own."""
    of_notebooks = [gap for relative in _notebooks() for gap in _gaps_of(relative, language)]
    return of_notebooks + list(_gaps_of_messages(language, help_texts))


def add_missing(language: Language) -> list[Path]:
    """Add a section with the English text for each that is missing: what a translator begins with.

    Returns the files that changed. A section without a fingerprint counts as stale until it is accepted.
    """
    missing: dict[Path, list[Gap]] = {}
    for gap in gaps(language):
        if gap.state == "missing" and gap.kind != "message":
            missing.setdefault(gap.path, []).append(gap)
    for path, of_file in missing.items():
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        added = [f"<!-- {gap.kind} {gap.name} -->\n{gap.english}\n" for gap in of_file]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([before, *added] if before else added), encoding="utf-8")
    return list(missing)


def accept(path: Path) -> int:
    """Write the fingerprints of today's English into a file's headings. Returns how many changed."""
    relative = next(name for name in _notebooks() if texts_path(name, path.parent.name) == path)
    content, changed = path.read_text(encoding="utf-8"), 0
    for kind, name, english in _english(relative):
        if kind != "code":
            heading = re.compile(rf"<!-- {kind} {re.escape(name)}(?: [0-9a-f]{{8}})? -->")
            new = heading.sub(f"<!-- {kind} {name} {fingerprint(english)} -->", content, count=1)
            content, changed = new, changed + (new != content)
    path.write_text(content, encoding="utf-8")
    return changed


def update_catalogue(language: Language, help_texts: Sequence[str] = ()) -> int:
    """Write every message of the code into a language's catalogue, and take out what the code no longer says.

    `help_texts` are the commands' own, which stand in docstrings.

    Translations stay. Returns how many messages have none.
    """
    known = _catalogue(language)
    known.update(_messages(help_texts), no_fuzzy_matching=True)
    known.obsolete.clear()
    text = io.BytesIO()
    # Babel's own header has the time in it, and would differ each time.
    text.write(_HEADER.format(language=known.locale_identifier, plurals=known.plural_forms).encode())
    write_po(text, known, width=110, sort_output=True, include_lineno=False, omit_header=True)
    catalogue_path(language).parent.mkdir(parents=True, exist_ok=True)
    catalogue_path(language).write_bytes(text.getvalue())
    return sum(1 for message in known if message.id and not all(_texts_of(message.string)))


def _messages(help_texts: Sequence[str]) -> Catalog:
    """What the code says, and in which files."""
    package = Path(__file__).parents[1]
    messages = Catalog()
    kinds = [("**.py", "python"), ("widgets/**.js", "javascript")]
    extracted = extract_from_dir(package, kinds, keywords=CALLS)
    for file, _, message, comments, context in extracted:
        messages.add(message, locations=[(f"src/halab/{file}", 0)], auto_comments=comments, context=context)
    for text in help_texts:
        messages.add(text, locations=[("src/halab/commands", 0)])
    return messages


def _catalogue(language: Language) -> Catalog:
    path = catalogue_path(language)
    if not path.is_file():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _gaps_of_messages(language: Language, help_texts: Sequence[str]) -> Iterator[Gap]:
    path, known = catalogue_path(language), _catalogue(language)
    for message in _messages(help_texts):
        if not message.id:
            continue
        english = message.id if isinstance(message.id, str) else message.id[0]
        translated = known.get(message.id, message.context)
        if translated is None or translated.fuzzy or not all(_texts_of(translated.string)):
            yield Gap(path, "message", ", ".join(name for name, _ in message.locations), "missing", english)
        elif unknown := _fields(translated.string) - _fields(message.id):
            yield Gap(path, "message", f"with {{{unknown.pop()}}}", "stale", english)


def _texts_of(message: str | tuple[str, ...] | list[str] | None) -> list[str]:
    """A message, or its forms for one and for many."""
    return list(message) if isinstance(message, (tuple, list)) else [message or ""]


def _fields(message: str | tuple[str, ...] | list[str] | None) -> set[str]:
    """The names in braces of a message."""
    return {
        name for text in _texts_of(message) for _, name, _, _ in Formatter().parse(text) if name is not None
    }


def _notebooks() -> list[str]:
    """Lessons and exercises, as paths from the course's root."""
    lessons = sorted(f"course/{path.name}" for path in (course_root() / "course").glob("*.ipynb"))
    return lessons + [card.exercise for card in exercises()]


def _gaps_of(relative: str, language: Language) -> Iterator[Gap]:
    path = texts_path(relative, language)
    texts, code = read_texts(path), original_sources(relative)
    known = {("code", name) for name in code}  # some have a section for a single word, which none asks for
    for kind, name, english in _english(relative):
        known.add((kind, name))
        sections = getattr(texts, kind)
        if name not in sections:
            yield Gap(path, kind, name, "missing", english)
        elif kind == "code":
            if left := _phrases_left(texts, name, code[name]):
                yield Gap(path, kind, name, "stale", left)
        elif sections[name].fingerprint != fingerprint(english):
            yield Gap(path, kind, name, "stale", english)
    for kind in ("cell", "code", "hint"):
        for name in getattr(texts, kind):
            if (kind, name) not in known:
                yield Gap(path, kind, name, "extra")


def _phrases_left(texts: NotebookTexts, name: str, code: str) -> str:
    """Phrases of a code cell that a section lacks, or has and the cell has not. Single words may be given."""
    given = set(texts.phrases(name))
    return "; ".join(
        sorted({*_phrases(code)} - given | given - {code[begin:end] for begin, end in texts_in(code)})
    )


def _english(relative: str) -> Iterator[tuple[str, str, str]]:
    """Each section to translate of a notebook: kind, name, English text as the section's would be."""
    for cell in json.loads((course_root() / relative).read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield "cell", cell["id"], source
        elif phrases := _phrases(source):
            yield "code", cell["id"], "\n".join(f"- {phrase}\n  {phrase}" for phrase in phrases)
    if relative.startswith("exercises/"):
        hints = course_root() / "solutions" / Path(relative).stem / "hints.yml"
        for topic, steps in yaml.safe_load(hints.read_text(encoding="utf-8")).items():
            yield "hint", topic, "\n".join(f"- {step}" for step in steps)


def _phrases(code: str) -> list[str]:
    """The comments, docstrings and strings of several words in a code cell, each once."""
    texts = dict.fromkeys(code[begin:end] for begin, end in texts_in(code))
    return [
        text for text in texts if " " in text and re.search("[a-z]{2}", text) and text != "YOUR CODE HERE"
    ]


def _first_words(text: str) -> str:
    words = " ".join(text.split()[:10])
    return f": {words} ..." if words else "."
