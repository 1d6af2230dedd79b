"""Lessons, exercises and hints in the learner's language: Markdown files beside the English notebooks.

`course/<language>/06-x.md` belongs to lesson 06-x, `course/<language>/06-x.exercise.md` to its exercise. A
section is a cell of the notebook, by its id, or a hint, by its topic:

    <!-- cell the-card 3f2a9c1d -->
    The cell's Markdown in the other language.

    <!-- code 06-1-rto-answer -->
    - Seconds from the fault to the first lasting answer.
      What stands in its place.

    <!-- hint 06.1.rto 91d0aa3e -->
    - what is wrong
    - which card says it
    - where to look

The last word of a heading is the fingerprint of the English text that was translated. Of a code cell only
phrases are translated (comments, docstrings, strings): the code itself exists once.

A notebook is translated when it is opened, cell by cell, and only where the cell still has a text of the
course's. So a change of language touches nothing that a learner wrote.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from halab.errors import CourseError
from halab.folders import course_root
from halab.translation import Language, gettext, languages

__all__ = [
    "NotebookTexts",
    "Section",
    "fingerprint",
    "original_sources",
    "read_texts",
    "texts_in",
    "texts_path",
    "translate_notebook",
    "translated_hint",
    "translated_phrase",
]

_HEADING = re.compile(r"<!-- (cell|code|hint) (\S+)(?: ([0-9a-f]{8}))? -->")
_MARKS = re.compile(
    r"""#\s*(?P<comment>.*)|\w*(?P<quote>\"{3}|'{3}|"|')(?P<string>.*)(?P=quote)""", re.DOTALL
)
_PHRASE = re.compile(r"- (.+)\n  (.+)")


@dataclass(frozen=True, slots=True)
class Section:
    """One section: the text of a cell or hint, and the fingerprint of the English it was made from."""

    text: str
    fingerprint: str
    line: int


@dataclass(frozen=True, slots=True)
class NotebookTexts:
    """A notebook's texts in one language, by kind of section and by cell id or topic."""

    path: Path
    cell: dict[str, Section]
    code: dict[str, Section]
    hint: dict[str, Section]

    def phrases(self, cell_id: str) -> dict[str, str]:
        """What is said otherwise in a code cell: the English phrase and the one in its place."""
        return dict(_PHRASE.findall(self.code[cell_id].text)) if cell_id in self.code else {}

    def source(self, cell_id: str, kind: str, english: str) -> str:
        """A cell's text in this language; the English where there is none."""
        if kind == "markdown":
            return self.cell[cell_id].text if cell_id in self.cell else english
        phrases = self.phrases(cell_id)
        for begin, end in reversed(texts_in(english)):
            english = english[:begin] + phrases.get(english[begin:end], english[begin:end]) + english[end:]
        return english


def fingerprint(text: str) -> str:
    """Eight hexadecimal digits that change with the text."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:8]


def texts_in(code: str) -> list[tuple[int, int]]:
    """Where the comments and strings of code stand, line by line and without marks and quotes: begin, end.

    What cannot be read as Python has none.
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    starts = [0, *itertools.accumulate(len(line) for line in code.splitlines(keepends=True))]
    places = []
    for first, last in _text_tokens(tokens):
        begin, end = (starts[row - 1] + column for row, column in (first.start, last.end))
        marked = _MARKS.fullmatch(code[begin:end])
        assert marked
        group = "comment" if marked["quote"] is None else "string"
        inside = begin + marked.start(group)
        lines = re.finditer(r"\S(?:.*\S)?", marked[group])
        places += [(inside + line.start(), inside + line.end()) for line in lines]
    return places


def _text_tokens(tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[tokenize.TokenInfo, tokenize.TokenInfo]]:
    """The first and last token of each comment and string; an f-string is several since Python 3.12."""
    begun: list[tokenize.TokenInfo] = []
    for token in tokens:
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":
            begun.append(token)
        elif name == "FSTRING_END":
            first = begun.pop()
            if not begun:
                yield first, token
        elif name in ("COMMENT", "STRING") and not begun:
            yield token, token


def texts_path(relative: str, language: Language) -> Path:
    """Where the texts of "course/06-x.ipynb" or "exercises/06-x/06-x.ipynb" are in a language."""
    path = PurePosixPath(relative)
    suffix = ".exercise.md" if path.parts[0] == "exercises" else ".md"
    return course_root() / "course" / language / f"{path.stem}{suffix}"


def read_texts(path: Path) -> NotebookTexts:
    """Read a file of texts. Raises CourseError for two sections of one name or for text before the first."""
    texts = NotebookTexts(path, {}, {}, {})
    if path.is_file():
        for kind, name, section in _sections(path):
            sections: dict[str, Section] = getattr(texts, kind)
            if name in sections:
                raise CourseError(
                    gettext("{path}, line {line}: there is a second section {kind} {name}.").format(
                        path=path, line=section.line, kind=kind, name=name
                    )
                )
            sections[name] = section
    return texts


def translate_notebook(notebook: dict[str, Any], relative: str, language: Language) -> None:
    """Put the course's texts of a notebook (nbformat 4, in place) into `language`.

    A cell whose source is not the course's in any language is the learner's, and stays as it is.
    """
    english = original_sources(relative)
    every = [_texts(texts_path(relative, other)) for other in languages() if other != "en"]
    target = next((texts for texts in every if texts.path == texts_path(relative, language)), None)
    for cell in notebook["cells"]:
        name, kind, source = cell.get("id", ""), cell["cell_type"], "".join(cell["source"])
        if name not in english:
            continue
        known = {english[name]} | {texts.source(name, kind, english[name]) for texts in every}
        if source in known:
            cell["source"] = target.source(name, kind, english[name]) if target else english[name]


def translated_phrase(relative: str, cell_id: str, phrase: str, language: Language) -> str:
    """A comment or string of a code cell in a language; as it is where it is not translated."""
    if language == "en":
        return phrase
    return _texts(texts_path(relative, language)).phrases(cell_id).get(phrase, phrase)


def translated_hint(relative: str, topic: str, steps: list[str], language: Language) -> list[str]:
    """A hint's three steps in a language; the English ones where they are not translated."""
    section = _texts(texts_path(relative, language)).hint.get(topic) if language != "en" else None
    steps_told = [line.removeprefix("- ") for line in section.text.splitlines()] if section else []
    return steps_told if len(steps_told) == len(steps) else steps


def _sections(path: Path) -> Iterator[tuple[str, str, Section]]:
    content = path.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(content))
    if content[: headings[0].start() if headings else None].strip():
        raise CourseError(
            gettext(
                "{path} begins with text that belongs to no section, such as <!-- cell title -->."
            ).format(path=path)
        )
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        text = content[heading.end() : following.start() if following else None].strip()
        line = content.count("\n", 0, heading.start()) + 1
        yield heading[1], heading[2], Section(text, heading[3] or "", line)


def original_sources(relative: str) -> dict[str, str]:
    """The English source of each cell of a notebook of the course, by its id; nothing if there is none."""
    path = course_root() / relative
    if not path.is_file():
        return {}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def _texts(path: Path) -> NotebookTexts:
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _texts_as_of(path, changed)


@lru_cache(maxsize=64)
def _texts_as_of(path: Path, changed: int) -> NotebookTexts:
    return read_texts(path)
