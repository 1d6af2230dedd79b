"""A new index without an outage: fill the side that does not answer, verify it, switch the alias, or do not.

The old side stays as it was, so the way back is one call too.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass

from halab.errors import RagError
from halab.rag.documents import Passage
from halab.rag.ingest import Progress, fill
from halab.rag.passage_collection import Address, PassageCollection
from halab.rag.vectors import Vectors
from halab.translation import gettext

__all__ = ["KnownQuestion", "reindex", "switch_back", "verify"]


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question and the keys of the passages that answer it: one of them must be among the first three."""

    text: str
    right: frozenset[str]

    @classmethod
    def about(cls, passage: Passage) -> KnownQuestion:
        """A passage's own words as the question: the least that must be found."""
        return cls(passage.full[:200], frozenset({passage.key}))


def reindex(
    passages: list[Passage],
    collection: PassageCollection,
    vectors: Vectors,
    known: Sequence[KnownQuestion],
    *,
    on_progress: Progress = lambda there, of: None,
) -> str:
    """Fill the other side with these passages, verify it, and let it answer; the name of the side.

    Raises RagError, and switches nothing, if Milvus does not answer, if rows are lost or doubled, or if a
    known question does not find its passage.
    """
    side = collection.other()
    collection.make(side, vectors.name, vectors.dimensions)
    fill(side, passages, collection, vectors, on_progress=on_progress)
    verify(side, collection, vectors, known)
    collection.switch(side)
    return side


def switch_back(collection: PassageCollection, vectors: Vectors, known: Sequence[KnownQuestion]) -> str:
    """Let the side that answered before answer again, once it is verified; the name of the side."""
    side = collection.other()
    verify(side, collection, vectors, known)
    collection.switch(side)
    return side


def verify(
    side: str, collection: PassageCollection, vectors: Vectors, known: Sequence[KnownQuestion]
) -> None:
    """Ask a side the known questions. Raises RagError with those that do not find their passage."""
    address = Address(collection.uri, side)
    try:
        wrong = [each.text[:60] for each in known if not _is_found(address, vectors, each)]
    finally:
        address.close()
    if wrong or not known:
        raise RagError(
            gettext("{side} does not find what it should, for {count} of {all} questions: {wrong}").format(
                side=side, count=len(wrong), all=len(known), wrong=wrong[:3]
            ),
            hint=gettext("nothing was switched: the side that answered still does"),
        )


def _is_found(address: Address, vectors: Vectors, known: KnownQuestion) -> bool:
    answers: queue.SimpleQueue[list[Passage] | None] = queue.SimpleQueue()
    address.search(vectors.of_question(known.text), 3, 5.0, lambda passages, _: answers.put(passages))
    return any(passage.key in known.right for passage in answers.get() or ())  # None comes after 5 s
