"""Does the right passage stand among the first three? Sixty questions of tests/rag/questions.yml, four ways.

    python benchmarks/retrieval.py        # add -v to see what was missed

The questions were written before the search was, and no constant of it was fitted to them.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from halab.folders import course_root
from halab.measure.probing.embedding import Embedding
from halab.rag.documents import Passage, read_documents
from halab.rag.local_passages import LocalPassages
from halab.rag.vectors import LexicalVectors

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.rag_questions import missed

Scores = Callable[[str], np.ndarray]


def bm25_of_words(texts: list[str]) -> Scores:
    """BM25 over whole words in lower case, with its usual constants."""
    counter = CountVectorizer(token_pattern=r"\w+")
    counts = counter.fit_transform(texts).toarray().astype(float)
    lengths, having = counts.sum(1, keepdims=True), (counts > 0).sum(0)
    rarity = np.log1p((len(texts) - having + 0.5) / (having + 0.5))
    weights = counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * lengths / lengths.mean()))
    return lambda question: weights @ (rarity * (counter.transform([question]).toarray()[0] > 0))


def main() -> None:
    passages = read_documents(course_root() / "cards").passages
    texts = [passage.full for passage in passages]
    local = LocalPassages(passages)
    lexical, fitted = LexicalVectors(local.rarity), Embedding(texts)
    of_lexical, of_fitted = lexical.of_passages(texts), fitted(texts)

    def by(scores: Scores) -> Callable[[str], list[Passage]]:
        return lambda question: [passages[i] for i in np.argsort(-scores(question))[:3]]

    for name, search in {
        "lexical vectors, 2,048": by(lambda q: of_lexical @ lexical.of_question(q)),
        "keywords beside the service": lambda q: [passage for passage, _ in local.search(q)],
        "BM25 over whole words": by(bm25_of_words(texts)),
        "the labs' TF-IDF, 64": by(lambda q: of_fitted @ fitted([q])[0]),
    }.items():
        lacking = missed(search)
        print(
            f"{name:30}", *(f"{language} {30 - len(lost)}/30" for language, lost in lacking.items()), sep="  "
        )
        if "-v" in sys.argv:
            print(*(f"    {question}" for lost in lacking.values() for question in lost), sep="\n")


if __name__ == "__main__":
    main()
