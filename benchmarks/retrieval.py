"""Does the right passage stand among the first three? Sixty questions of tests/rag/questions.yml, four ways.

    python benchmarks/retrieval.py        # add -v to see what was missed

The questions were written before the search was, and no constant of it was fitted to them.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from halab.folders import course_root
from halab.measure.probing.embedding import Embedding
from halab.rag.documents import Passage, read_documents
from halab.rag.local_passages import LocalPassages
from halab.rag.vectors import LexicalVectors

QUESTIONS = Path(__file__).parent.parent / "tests" / "rag" / "questions.yml"
Search = Callable[[str], list[Passage]]


def is_right(passage: Passage, language: str, right: list[str]) -> bool:
    """Whether a passage is one of those that answer a question: of its language, card and heading."""
    folder, file = passage.source.split("/")[-2:]
    _, _, heading = passage.heading.partition(" > ")
    return folder == language and f"{file[:2]}#{heading}" in right


def missed(search: Search) -> dict[str, list[str]]:
    """By language, the questions without a right passage among the first three."""
    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    return {
        language: [
            each["q"]
            for each in asked
            if not any(is_right(p, language, each["right"]) for p in search(each["q"]))
        ]
        for language, asked in questions.items()
    }


def _nearest(
    passages: list[Passage], vectors: np.ndarray, of_question: Callable[[str], np.ndarray]
) -> Search:
    return lambda question: [passages[i] for i in np.argsort(-(vectors @ of_question(question)))[:3]]


def main() -> None:
    passages = read_documents(course_root() / "cards").passages
    texts = [passage.full for passage in passages]
    local = LocalPassages(passages)
    lexical, fitted = LexicalVectors(local.rarity), Embedding(texts)
    ways: dict[str, Search] = {
        "keywords beside the service (BM25)": lambda q: [passage for passage, _ in local.search(q)],
        "lexical vectors, 2,048": _nearest(passages, lexical.of_passages(texts), lexical.of_question),
        "the labs' TF-IDF, 64": _nearest(passages, fitted(texts), lambda q: fitted([q])[0]),
    }
    for name, search in ways.items():
        lacking = missed(search)
        print(
            f"{name:38}", *(f"{language} {30 - len(lost)}/30" for language, lost in lacking.items()), sep="  "
        )
        if "-v" in sys.argv:
            print(*(f"    {question}" for lost in lacking.values() for question in lost), sep="\n")


if __name__ == "__main__":
    main()
