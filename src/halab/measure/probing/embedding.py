"""Passages of the course's cards, and a light embedding that finds them.

The embedding is deterministic: TF-IDF, then truncated SVD to 64 dimensions, normalised, compared by inner
product (latent semantic analysis; scikit-learn's user guide, "Truncated SVD"). It finds passages that share
words with the question, which is enough to tell an answer from none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from halab.errors import MeasurementError

__all__ = ["DIMENSIONS", "QUESTIONS", "Embedding", "Passage", "read_passages"]

DIMENSIONS = 64
QUESTIONS = (
    "How long does a failover take?",
    "Who notices that the primary is down?",
    "How many requests fail while the standby takes over?",
    "What is the difference between RTO and RPO?",
    "Does a replica protect me from a wrong delete?",
    "How many copies do I need for 99.99 percent?",
    "Why does etcd have an odd number of members?",
    "Do three replicas make writing three times slower?",
    "When should a health check restart a process?",
    "What does a disaster recovery drill verify?",
)
"""The searches of the workload, asked in turn; each finds a passage of the cards."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a card. `score` is its inner product with the question, from -1 to 1 (0 when just read)."""

    text: str
    source: str
    score: float = 0.0


def read_passages(folder: str | Path) -> list[Passage]:
    """The paragraphs of the Markdown files in a folder, without front matter, headings and table rules.

    Raises MeasurementError if there are none.
    """
    passages = [
        Passage(text, path.stem)
        for path in sorted(Path(folder).glob("*.md"))
        for text in _paragraphs(path.read_text(encoding="utf-8"))
    ]
    if not passages:
        raise MeasurementError(
            f"the retriever found no cards (*.md) in {folder}",
            hint="run it in the course's folder, or pass cards=<a folder of Markdown files>",
        )
    return passages


def _paragraphs(markdown: str) -> Iterable[str]:
    body = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    for block in re.split(r"\n\s*\n", body):
        lines = [line for line in block.splitlines() if not re.match(r"\s*(#|\|[\s|:-]+\|$)", line)]
        text = re.sub(r"[*_`|]+", " ", " ".join(lines))
        text = " ".join(text.split())
        if text:
            yield text


class Embedding:
    """Turns texts into unit vectors of 64 dimensions, fitted to the passages it is to find."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._terms = TfidfVectorizer(sublinear_tf=True)
        weights = self._terms.fit_transform(texts)
        # Few or short texts span fewer than 64 dimensions; the rest stay zero.
        rank = min(DIMENSIONS, weights.shape[1] - 1, weights.shape[0])
        self._svd = TruncatedSVD(max(1, rank), random_state=0).fit(weights)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (number of texts, 64).

        A text that shares no word with the passages becomes zeros.
        """
        reduced = self._svd.transform(self._terms.transform(texts))
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        vectors[:, : reduced.shape[1]] = reduced
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors
