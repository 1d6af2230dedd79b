"""Passages of the course's cards, and a light embedding that finds them.

A passage is a whole section of a card, so that a question and its answer stay together. The embedding is
deterministic: terms weighed as BM25 does, then truncated SVD to 64 dimensions, normalised, compared by inner
product (latent semantic analysis; scikit-learn's user guide, "Truncated SVD"). It finds passages that share
words with the question, which is enough to tell an answer from none.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer

from halab.errors import MeasurementError
from halab.translation import gettext, gettext_noop

__all__ = ["DIMENSIONS", "Embedding", "Passage", "questions", "read_passages"]

DIMENSIONS = 64
_QUESTIONS = (
    gettext_noop("How long does a failover take?"),
    gettext_noop("Who notices that the primary is down?"),
    gettext_noop("How many requests fail during a failover?"),
    gettext_noop("What is the difference between RTO and RPO?"),
    gettext_noop("Does a replica protect me from a wrong delete?"),
    gettext_noop("How many copies do I need for 99.99 percent?"),
    gettext_noop("Why does etcd have an odd number of members?"),
    gettext_noop("Do three replicas make writing three times slower?"),
    gettext_noop("When should a health check restart a process?"),
    gettext_noop("What does a disaster recovery drill verify?"),
)


@dataclass(frozen=True, slots=True, repr=False)
class Passage:
    """A section of a card, as Markdown. `score` is its inner product with the question, from -1 to 1 (0 when
    just read)."""

    text: str
    source: str
    title: str = ""
    heading: str = ""
    score: float = 0.0

    @property
    def full(self) -> str:
        """What the passage is found by: its text, and twice the words that say what it is about."""
        return "\n".join((self.title, self.heading, self.title, self.heading, self.text))

    @property
    def where(self) -> str:
        """The card and the section, in words."""
        number = self.source.split("-")[0].lstrip("0")
        card = (
            gettext("Card {number}, {title}").format(number=number, title=self.title)
            if self.title
            else self.source
        )
        return gettext("{card}: {heading}").format(card=card, heading=self.heading) if self.heading else card

    def __repr__(self) -> str:
        lines = (textwrap.fill(line, 80) for line in self.text.splitlines())
        return "\n".join((f"[{self.where}]", *lines))

    def _repr_markdown_(self) -> str:
        quoted = "\n".join(f"> {line}".rstrip() for line in self.text.splitlines())
        return f"> **{self.where}**\n>\n{quoted}"


def questions() -> tuple[str, ...]:
    """The searches of the workload, asked in turn, in the learner's language; each finds the passage of the
    cards that answers it."""
    return tuple(map(gettext, _QUESTIONS))


def read_passages(folder: str | Path) -> list[Passage]:
    """The sections of the Markdown files in a folder, without front matter and headings.

    Raises MeasurementError if there are none.
    """
    passages = [passage for path in sorted(Path(folder).glob("*.md")) for passage in _sections(path)]
    if not passages:
        raise MeasurementError(
            gettext("the retriever found no cards (*.md) in {folder}").format(folder=folder),
            hint=gettext("run it in the course's folder, or pass cards=<a folder of Markdown files>"),
        )
    return passages


_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_LEAD = re.compile(
    r"\A\*\*(.+?)(?::\*\*\s+|\*\*：)"
)  # "**In one sentence:** ...", which is a heading in all but form


def _sections(path: Path) -> Iterable[Passage]:
    markdown = path.read_text(encoding="utf-8")
    matter = _FRONT_MATTER.match(markdown)
    title = re.search(r"^title: (.+)$", matter[1], re.MULTILINE) if matter else None
    first, *sections = re.split(r"^#+ (.+)$", _FRONT_MATTER.sub("", markdown), flags=re.MULTILINE)
    for heading, text in [("", first), *zip(sections[::2], sections[1::2], strict=True)]:
        lead = _LEAD.match(text.strip())
        body = _LEAD.sub("", text.strip())
        if body:
            yield Passage(
                body[0].upper() + body[1:], path.stem, title[1] if title else "", lead[1] if lead else heading
            )


_ASKED_ABOUT_ANYTHING = (
    "a an and any are as at be been by can could did do does each every for from had has have how i if in is "
    "it its long make many me much my need no not of on one or our should so take that the their them they "
    "there this to was we were what when where which while who whom why will with would you your"
)
_ASKED_IN_CHINESE = "什么 为什 么要 么时 时候 候该 怎么 怎样 多久 多少 几个 需要 要做 做到 哪个 哪些 可以"
_FUNCTION_WORDS = frozenset((_ASKED_ABOUT_ANYTHING + " " + _ASKED_IN_CHINESE).split())
_HAN = "\u3400-\u9fff"
_WORDS = re.compile(rf"\d+(?:\.\d+)?|[{_HAN}]+|[^\W\d_{_HAN}]+")
_ENDINGS = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e)\Z")


def _terms(text: str) -> list[str]:
    """The words of a text in lower case, without markup, function words and endings; figures stay whole.

    Chinese is written without blanks: there each pair of neighbours counts as a word.
    """
    words = list(chain.from_iterable(map(_parts, _WORDS.findall(text.lower().replace("%", " percent")))))
    stems = (_ENDINGS.sub("", word) for word in words if word not in _FUNCTION_WORDS)
    return [stem for stem in stems if stem not in _FUNCTION_WORDS]


def _parts(word: str) -> Iterable[str]:
    return map("".join, pairwise(word)) if re.match(f"[{_HAN}]{{2}}", word) else (word,)


class Embedding:
    """Turns texts into unit vectors of 64 dimensions, fitted to the passages it is to find.

    A term weighs the more the rarer it is among the passages, and a second mention adds less than the first;
    a long passage must say it more often (BM25, with its usual constants).
    """

    _SATURATION, _LENGTH = 1.2, 0.75  # k1 and b of BM25

    def __init__(self, texts: Sequence[str]) -> None:
        self._counter = CountVectorizer(analyzer=_terms)
        counts = self._counter.fit_transform(texts)
        in_passages = np.bincount(counts.nonzero()[1], minlength=counts.shape[1])
        self._rarity = np.log1p((len(texts) - in_passages + 0.5) / (in_passages + 0.5))
        self._usual_length = counts.sum() / len(texts)
        weights = self._weigh(counts)
        # Few or short texts span fewer than 64 dimensions; the rest stay zero.
        rank = min(DIMENSIONS, weights.shape[1] - 1, weights.shape[0])
        self._svd = TruncatedSVD(max(1, rank), random_state=0).fit(weights)

    def _weigh(self, counts: csr_matrix) -> csr_matrix:
        weights = counts.astype(float)
        lengths = np.repeat(np.asarray(counts.sum(axis=1)).ravel(), np.diff(counts.indptr))
        norm = self._SATURATION * (1 - self._LENGTH + self._LENGTH * lengths / self._usual_length)
        weights.data *= self._rarity[weights.indices] / (weights.data + norm)
        return weights

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (number of texts, 64).

        A text that shares no word with the passages becomes zeros.
        """
        reduced = self._svd.transform(self._weigh(self._counter.transform(texts)))
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        vectors[:, : reduced.shape[1]] = reduced
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors
