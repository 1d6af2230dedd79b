"""A folder of Markdown, text and PDF files as passages: short enough to be an answer, with their source."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from pypdf import PdfReader

from halab.errors import RagError
from halab.folders import read_plain, read_plain_text
from halab.translation import gettext

__all__ = ["Documents", "Passage", "read_documents"]

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it cannot read is named below

_MOST_TEXT, _MOST_PDF = 20 << 20, 200 << 20  # bytes of a file
_LONGEST = 1500  # characters of a passage
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_TITLE = re.compile(r"^title: *(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document. `source` is its file, below and with the name of the folder that was read."""

    source: str
    heading: str
    text: str

    @property
    def key(self) -> str:
        """32 hexadecimal digits made of what the passage says and where: the same passage, the same key.

        So writing it twice leaves it once, whoever retries and however often.
        """
        parts = "\0".join((self.source, self.heading, self.text))
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    @property
    def full(self) -> str:
        """What it is searched by."""
        return f"{self.heading}\n{self.text}"

    def __repr__(self) -> str:
        lines = (textwrap.fill(line, 80) for line in self.text.splitlines())
        return "\n".join((f"[{self.source}: {self.heading}]", *lines))

    def _repr_markdown_(self) -> str:
        quoted = "\n".join(f"> {line}".rstrip() for line in self.text.splitlines())
        return f"> **{self.source}: {self.heading}**\n>\n{quoted}"


@dataclass(slots=True)
class Documents:
    """What was read, and of each file that was left out, why."""

    passages: list[Passage] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def read_documents(folder: Path) -> Documents:
    """Read every .md, .txt and .pdf file in a folder and the folders in it; what is hidden stays out.

    A file that cannot be read is left out and named. Raises RagError if there is no passage at all.
    """
    folder = folder.resolve()
    documents = Documents()
    for path in sorted(folder.rglob("*")):
        read, inside = _READERS.get(path.suffix.lower()), path.relative_to(folder)
        if read is None or not path.is_file() or any(part.startswith(".") for part in inside.parts):
            continue
        source = f"{folder.name}/{inside.as_posix()}"
        try:
            passages = [Passage(source, *piece) for piece in _pieces(read(path), path.stem)]
        except (OSError, ValueError) as error:
            documents.left_out[source] = getattr(error, "strerror", "") or str(error) or type(error).__name__
            continue
        if passages:
            documents.passages += passages
        else:
            documents.left_out[source] = gettext("there is no text in it")
    if not documents.passages:
        raise RagError(
            gettext("no passage was found in {folder}").format(folder=folder)
            + "".join(f"\n{s}: {w}" for s, w in documents.left_out.items()),
            hint=gettext("name a folder with .md, .txt or .pdf files that hold text"),
        )
    return documents


def _markdown(path: Path) -> Iterator[tuple[str, str]]:
    """Heading and text of each section; the title, if there is one, stands before every heading."""
    markdown = read_plain_text(path, _MOST_TEXT)
    matter = _FRONT_MATTER.match(markdown)
    named = _TITLE.search(matter[1]) if matter else None
    title = named[1].strip("\"'") if named else ""
    lines = markdown[matter.end() if matter else 0 :].splitlines()
    heading, begins = "", 0
    tokens = MarkdownIt().parse("\n".join(lines))
    for token, inline in pairwise(tokens):
        # Only a parser knows a heading from a comment in a block of code.
        if token.type != "heading_open" or token.map is None or token.level:
            continue
        yield _titled(title, heading), "\n".join(lines[begins : token.map[0]])
        heading, begins = inline.content, token.map[1]
        if token.tag == "h1" and not title:
            title, heading = heading, ""
    yield _titled(title, heading), "\n".join(lines[begins:])


def _titled(title: str, heading: str) -> str:
    return " > ".join(part for part in (title, heading) if part)


def _text(path: Path) -> Iterator[tuple[str, str]]:
    yield "", read_plain_text(path, _MOST_TEXT)


def _pdf(path: Path) -> Iterator[tuple[str, str]]:
    content = io.BytesIO(read_plain(path, _MOST_PDF))
    try:
        for number, page in enumerate(PdfReader(content).pages, 1):
            yield gettext("{stem}, page {number}").format(stem=path.stem, number=number), page.extract_text()
    except Exception as error:  # pypdf raises whatever a damaged file makes it stumble over
        raise ValueError(gettext("pypdf cannot read it: {error}").format(error=error)) from None


_READERS = {".md": _markdown, ".txt": _text, ".pdf": _pdf}


def _pieces(sections: Iterable[tuple[str, str]], name: str) -> Iterator[tuple[str, str]]:
    """Sections without the empty ones, the long ones cut; who has no heading is called by the file's name."""
    for heading, text in sections:
        for piece in _cut(text.replace("\0", " ").strip()):
            yield heading[:300] or name, piece


def _cut(text: str) -> Iterator[str]:
    """The text in pieces of at most `_LONGEST` characters, between paragraphs if it can be."""
    while len(text) > _LONGEST:
        end = max(text.rfind("\n\n", 1, _LONGEST), 0) or max(text.rfind("\n", 1, _LONGEST), 0) or _LONGEST
        yield text[:end].strip()
        text = text[end:].strip()
    if text:
        yield text
