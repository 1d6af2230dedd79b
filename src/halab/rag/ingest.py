"""Documents into the collection. It may be cut off anywhere and begun again: each passage is there once.

That takes three things. A passage's key is made of the passage itself, so a batch that was written though its
writer never heard so is replaced and not doubled. What is there is asked of the cluster and not remembered,
so a resumed ingest skips it. And at the end the rows are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from halab.errors import RagError
from halab.rag.documents import Documents, Passage, read_documents
from halab.rag.local_passages import LocalPassages
from halab.rag.passage_collection import PassageCollection
from halab.rag.vectors import Vectors
from halab.translation import gettext

__all__ = ["Ingested", "ingest"]

_BATCH = 64

Progress = Callable[[int, int], None]
"""Called with how many passages are there, and of how many."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did: passages that were written now, those that were there already, those that were
    removed because their documents no longer hold them; and files left out, with the reason of each."""

    written: int
    there: int
    removed: int
    left_out: dict[str, str]

    def __repr__(self) -> str:
        lines = [
            gettext("{written} passages written, {there} were there, {removed} removed.").format(
                written=self.written, there=self.there, removed=self.removed
            )
        ]
        lines += [
            gettext("Left out: {source}: {reason}").format(source=source, reason=reason)
            for source, reason in self.left_out.items()
        ]
        return "\n".join(lines)


def ingest(
    folder: Path,
    collection: PassageCollection,
    vectors: Vectors,
    local: Path,
    *,
    batch: int = _BATCH,
    on_progress: Progress = lambda there, of: None,
) -> Ingested:
    """Take in every document of a folder, and remove the passages that its documents no longer hold.

    A folder is known by its name: another one of that name takes its place.

    `local` is the file of passages beside the service; it is written first, so that keyword search has them
    even if Milvus is lost the moment after. Raises RagError if there is nothing to take in, if Milvus does
    not answer within the collection's patience, or if the rows, counted at the end, are not all there once.
    """
    documents = read_documents(folder)
    prefix = f"{folder.resolve().name}/"
    others = [each for each in LocalPassages.load(local) if not _is_replaced(each.source, prefix, documents)]
    LocalPassages([*others, *documents.passages]).save(local)
    side = collection.open(vectors.name, vectors.dimensions)
    written = fill(side, documents.passages, collection, vectors, batch=batch, on_progress=on_progress)
    keys = {passage.key for passage in documents.passages}
    gone = [
        key
        for key, source in collection.sources(side).items()
        if key not in keys and _is_replaced(source, prefix, documents)
    ]
    collection.remove(side, gone)
    return Ingested(written, len(keys) - written, len(gone), documents.left_out)


def _is_replaced(source: str, prefix: str, documents: Documents) -> bool:
    """Whether a passage of this source is of the folder; a file that cannot be read now keeps its own."""
    return source.startswith(prefix) and source not in documents.left_out


def fill(
    side: str,
    passages: list[Passage],
    collection: PassageCollection,
    vectors: Vectors,
    *,
    batch: int = _BATCH,
    on_progress: Progress = lambda there, of: None,
) -> int:
    """Write the passages that a side lacks, then count them; how many were written. Raises RagError."""
    wanted = {passage.key: passage for passage in passages}
    there = set(collection.present(side, wanted))
    missing = [passage for key, passage in wanted.items() if key not in there]
    on_progress(len(there), len(wanted))
    for first in range(0, len(missing), batch):
        part = missing[first : first + batch]
        collection.write(side, part, vectors.of_passages([passage.full for passage in part]))
        on_progress(len(there) + first + len(part), len(wanted))
    if missing:
        collection.flush(side)
    _check(collection.present(side, wanted), len(wanted))
    return len(missing)


def _check(keys: list[str], wanted: int) -> None:
    lost, doubled = wanted - len(set(keys)), len(keys) - len(set(keys))
    if lost or doubled:
        raise RagError(
            gettext(
                "{wanted} passages were acknowledged; {lost} are not there and {doubled} are there twice"
            ).format(wanted=wanted, lost=lost, doubled=doubled),
            hint=gettext("the log may have lost them: run the same ingest again, and count again"),
        )
