import numpy as np
import pytest

from halab.errors import RagError
from halab.folders import course_root
from halab.rag.documents import Passage, read_documents
from halab.rag.local_passages import LocalPassages
from halab.rag.vectors import LexicalVectors, terms
from support.rag_questions import QUESTIONS, missed


@pytest.fixture(scope="module")
def searches():
    passages = read_documents(course_root() / "cards").passages
    local = LocalPassages(passages)
    lexical = LexicalVectors(local.rarity)
    vectors = lexical.of_passages([passage.full for passage in passages])
    return {
        "vectors": lambda q: [passages[i] for i in np.argsort(-(vectors @ lexical.of_question(q)))[:3]],
        "keywords": lambda q: [passage for passage, _ in local.search(q)],
    }


@pytest.mark.parametrize("way", ["vectors", "keywords"])
def test_of_sixty_questions_54_find_their_passage_among_the_first_three(searches, way):
    assert {language: len(questions) for language, questions in QUESTIONS.items()} == {"en": 30, "zh": 30}
    lost = [question for questions in missed(searches[way]).values() for question in questions]
    assert len(lost) <= 60 - 54, lost


def test_chinese_is_compared_by_characters_and_pairs_other_words_by_their_parts():
    assert terms("RTO 副本数") == ["rto", "<rto", "rto>", "副", "本", "数", "副本", "本数"]


def test_a_vector_depends_on_nothing_but_its_passage():
    few, many = (LexicalVectors(LocalPassages(p).rarity) for p in ([], [Passage("a", "b", "tea")]))
    assert np.array_equal(few.of_passages(["green tea"]), many.of_passages(["black", "green tea"])[1:])


def test_the_local_file_is_kept_whole_and_a_damaged_one_says_what_to_do(tmp_path):
    file = tmp_path / "rag" / "passages.jsonl"
    LocalPassages([Passage("a", "标题", "line\nline")]).save(file)
    assert list(LocalPassages.load(file)) == [Passage("a", "标题", "line\nline")]
    file.write_text("{")
    with pytest.raises(RagError, match="a passage a line"):
        LocalPassages.load(file)
