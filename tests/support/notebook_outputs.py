"""What an executed notebook shows: words, tables and pictures, never bare Python, and in one language."""

import re
from collections.abc import Iterator
from typing import Any

# A tuple, list, dict or set; a quoted string; an object by its class: PosixPath(...), Alert(burn=14.4).
BARE = re.compile(r"""[(\[{].*[)\]}]|(['"]).*\1|[A-Z]\w*\(.*\)""", re.S)

# No sentence: styles, scripts, tags, addresses, names of faults and settings, names in a call, commands, and
# what Milvus says itself.
UNSEEN = re.compile(
    r"<style.*?</style>|<script.*?</script>|<[^>]*>|https?://\S+"
    r"|\b(?:crash|hang|stop|partition|lose|delete|drop|restart) (?:[a-z-]+(?:-\d)? ?){1,2}"
    r"|\b(?:any|every) \w+ (?:node|process)|roundrobin, leastconn, random"
    r"|(?:&quot;|\")(?:(?!&quot;)[^\"])*(?:&quot;|\"): \.\.\.|\bhelm [^\n]*"
    r"|OOM if load|：failed to search[^<]*",
    re.S,
)
SENTENCE = re.compile(r"(?:\b[A-Za-z]{2,}\b,? ){2,}[a-z]{2,}")


def bare_results(notebook: Any) -> dict[str, str]:
    """Results that are the `repr` of a tuple, a list, a dict, a dataclass or a path, by cell id."""
    return {
        cell.id: text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if (text := _only_text(output)) and BARE.fullmatch(text)
    }


def _only_text(output: Any) -> str:
    """The text of a result that has no other form, such as HTML or a picture; empty if it has one."""
    data = output.get("data", {})
    return data["text/plain"].strip() if list(data) == ["text/plain"] else ""


def english_sentences(notebook: Any) -> dict[str, list[str]]:
    """Three English words in a row in what is shown, by cell id: in another language they are left over."""
    found = {
        cell.id: [match[0] for text in _texts(cell) for match in SENTENCE.finditer(UNSEEN.sub(" ", text))]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    return {name: sentences for name, sentences in found.items() if sentences}


def _texts(cell: Any) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        yield from (data[kind] for kind in ("text/html", "text/plain", "text/markdown") if kind in data)
        yield output.get("text", "")
