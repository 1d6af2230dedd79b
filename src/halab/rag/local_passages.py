"""The passages beside the service, in one file: what is left to search when Milvus cannot be reached.

It holds all of them in memory, which is meant for some ten thousand passages. A larger service keeps a
keyword index such as SQLite's FTS5 here instead; the rest asks it for `rarity` and `search` only.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from halab.errors import RagError
from halab.rag.documents import Passage
from halab.rag.vectors import saturated, terms
from halab.translation import gettext

__all__ = ["LocalPassages"]


class LocalPassages:
    """Passages by key, with keyword search (BM25)."""

    def __init__(self, passages: Iterable[Passage] = ()) -> None:
        self._by_key = {passage.key: passage for passage in passages}
        self._weights: dict[str, dict[str, float]] = defaultdict(dict)  # term -> key -> what it counts there
        for key, passage in self._by_key.items():
            counts = Counter(terms(passage.full))
            length = counts.total()
            for term, times in counts.items():
                self._weights[term][key] = saturated(times, length)

    @classmethod
    def load(cls, path: Path) -> LocalPassages:
        """Those of a file that `save` wrote; none if there is no file. Raises RagError if it is damaged."""
        if not path.exists():
            return cls()
        try:
            return cls(Passage(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())
        except (TypeError, ValueError):
            raise RagError(
                gettext("{path} should hold a passage a line, and does not").format(path=path),
                hint=gettext("delete it and run `halab rag ingest` again: nothing in Milvus is lost"),
            ) from None

    def save(self, path: Path) -> None:
        """Write them to a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        lines = (json.dumps(asdict(passage), ensure_ascii=False) for passage in self)
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        partial.replace(path)

    def __iter__(self) -> Iterator[Passage]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def rarity(self, term: str) -> float:
        """How much a term tells (BM25's inverse document frequency); 0 if no passage has it."""
        having = len(self._weights.get(term, ()))
        return math.log1p((len(self) - having + 0.5) / (having + 0.5)) if having else 0.0

    def search(self, question: str, limit: int = 3) -> list[tuple[Passage, float]]:
        """The passages that share the most telling terms with a question, best first, and their scores."""
        scores: dict[str, float] = defaultdict(float)
        for term in set(terms(question)):
            rarity = self.rarity(term)
            for key, weight in self._weights.get(term, {}).items():
                scores[key] += rarity * weight
        best = sorted(scores, key=lambda key: -scores[key])[:limit]
        return [(self._by_key[key], scores[key]) for key in best]
