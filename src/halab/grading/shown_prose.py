"""What a submission's Markdown and HTML become in feedback and formgrader: prose, tables and links.

An instructor who looks at a submission in formgrader is logged in to a server that runs code, and one cell
must not cost the feedback of all: parsers of HTML take minutes for some hundred kilobytes made for them. So
the text is read once, tag by tag, and the page is built anew from the few elements that are allowed.
"""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator

__all__ = ["markdown_to_html", "sanitize_html"]

_PROSE = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "hr", "i", "li", "ol",
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "s", "span", "strong", "sub", "sup", "ul",
    "caption", "table", "tbody", "td", "th", "thead", "tr",
}  # fmt: skip
_EMPTY = {"br", "hr"}
_ATTRIBUTES = {("a", "href"), ("a", "title"), ("th", "scope")}
_SCHEMES = ("http://", "https://", "mailto:", "#")
_UNSHOWN = {"script", "style", "title", "textarea", "svg", "math", "iframe", "object", "template"}
_DEEPEST = 50  # elements within each other
_MAX_MARKDOWN = 20_000  # characters: what is longer is shown as text
# No tag goes on past the next < or >, so nothing is read twice.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[\s/][^<>]*)?)>|<[!?][^<>]*>")
_ATTRIBUTE = re.compile(r"""(?<![\w-])(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""")


def sanitize_html(text: str) -> str:
    """HTML without what could act or deceive: only prose, tables and links, nothing styled."""
    prose, end = _Prose(), 0
    for tag in _TAG.finditer(text):
        prose.add_text(text[end : tag.start()])
        end = tag.end()
        if tag[2]:
            (prose.close if tag[1] else prose.open)(tag[2].lower(), tag[3])
    prose.add_text(text[end:])
    return prose.finished()


def markdown_to_html(text: str) -> str:
    """Markdown as HTML, not sanitized yet. Shown as text where it is too long, or cannot be converted: an
    attachment that is gone, a thousand quotations in each other.
    """
    from nbconvert.filters import markdown2html  # here: grading shows nothing and need not wait for it

    if len(text) <= _MAX_MARKDOWN:
        with contextlib.suppress(Exception):
            return str(markdown2html(text))
    return f"<pre>{html.escape(text)}</pre>"


class _Prose:
    """A page under construction: allowed elements, each closed again, and text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []
        self._unshown = ""

    def open(self, tag: str, attributes: str) -> None:
        if tag in _UNSHOWN:
            self._unshown = self._unshown or tag
        if self._unshown or tag not in _PROSE or len(self._open) >= _DEEPEST:
            return
        kept = (
            f' {name}="{html.escape(value)}"'
            for name, value in _attributes(attributes)
            if (tag, name) in _ATTRIBUTES and (name != "href" or value.lower().startswith(_SCHEMES))
        )
        self._parts.append(f"<{tag}{''.join(kept)}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def close(self, tag: str, attributes: str = "") -> None:
        if tag == self._unshown:
            self._unshown = ""
        elif tag in self._open and not self._unshown:
            while (last := self._open.pop()) != tag:
                self._parts.append(f"</{last}>")
            self._parts.append(f"</{tag}>")

    def add_text(self, text: str) -> None:
        if not self._unshown:
            self._parts.append(html.escape(html.unescape(text), quote=False))

    def finished(self) -> str:
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))])


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for name, *values in _ATTRIBUTE.findall(text):
        yield name.lower(), html.unescape("".join(values)).strip()
