"""Passages and questions as vectors.

`LexicalVectors` needs no model and no network: it compares words, parts of words and Chinese characters, not
meanings. A question must share some of them with its passage. No multilingual model was to be had from PyPI
alone (benchmarks/README.md tells what was tried); with an endpoint of your own, use `EndpointVectors`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import httpx
import numpy as np
from numpy.typing import NDArray

from halab.errors import RagError
from halab.translation import gettext

__all__ = ["EndpointVectors", "LexicalVectors", "Vectors", "saturated", "terms"]

_HAN = "\u3400-\u9fff"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W{_HAN}_]+")
_GRAM = 4  # letters of a part of a word
_SATURATION, _LENGTH, _USUAL_LENGTH = 1.2, 0.75, 300.0  # k1 and b of BM25, and terms of a usual passage


class Vectors(Protocol):
    """How a service turns text into vectors. Vectors of two names cannot be compared."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def of_passages(self, texts: Sequence[str]) -> NDArray[np.float32]: ...

    def of_question(self, text: str) -> NDArray[np.float32]: ...


def terms(text: str) -> list[str]:
    """Words and their parts of four letters; of Chinese, each character and each pair of neighbours."""
    grams: list[str] = []
    for run in _RUNS.findall(text.lower()):
        if re.match(f"[{_HAN}]", run):
            grams += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
        else:
            edged = f"<{run}>"
            grams += [run, *(edged[i : i + _GRAM] for i in range(len(edged) - _GRAM + 1))]
    return grams


def saturated(times: int, length: int) -> float:
    """What a term counts in a passage of so many terms, as BM25 has it: a second mention adds less."""
    return (
        times * (_SATURATION + 1) / (times + _SATURATION * (1 - _LENGTH + _LENGTH * length / _USUAL_LENGTH))
    )


class LexicalVectors:
    """BM25 as an inner product. A passage's vector holds its terms, hashed into 2,048 places; a question's
    vector holds how rare each of its terms is, as `rarity` says.

    A passage's vector depends on nothing but the passage, so new documents change no old vector.
    """

    name = "lexical-2048"
    dimensions = 2048

    def __init__(self, rarity: Callable[[str], float]) -> None:
        self._rarity = rarity

    def of_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            counts = Counter(terms(text))
            length = counts.total()
            for term, times in counts.items():
                self._add(vector, term, saturated(times, length))
        return vectors

    def of_question(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.dimensions, np.float32)
        for term in set(terms(text)):
            self._add(vector, term, self._rarity(term))
        return vector

    def _add(self, vector: NDArray[np.float32], term: str, weight: float) -> None:
        """The sign is hashed too: where two terms share a place, they cancel as often as they add."""
        number = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")
        vector[number % self.dimensions] += weight if number >> 63 else -weight


class EndpointVectors:
    """Vectors by an endpoint that speaks as OpenAI's `/embeddings` does.

    `timeout` is seconds. Raises RagError if it does not answer with vectors.
    """

    def __init__(self, url: str, model: str, key: str = "", timeout: float = 2.0) -> None:
        self.name = model
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self.dimensions = len(self.of_question("?"))

    def of_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            answer = self._client.post("embeddings", json={"model": self.name, "input": list(texts)})
            data = sorted(answer.raise_for_status().json()["data"], key=lambda each: each["index"])
            return np.asarray([each["embedding"] for each in data], np.float32)
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise RagError(
                gettext("the embedding endpoint {base_url} gave no vectors: {error}").format(
                    base_url=self._client.base_url, error=error
                ),
                hint=gettext(
                    "check HALAB_RAG_EMBEDDINGS_URL, _MODEL and _KEY; without them vectors are made here"
                ),
            ) from None

    def of_question(self, text: str) -> NDArray[np.float32]:
        return np.asarray(self.of_passages([text])[0], np.float32)
