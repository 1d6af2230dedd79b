"""The service against a real cluster: one of each role."""

import re
import threading

import pytest

from halab.cluster.embedded import embedded_cluster
from halab.errors import RagError
from halab.folders import course_root
from halab.rag.ingest import ingest
from halab.rag.local_passages import LocalPassages
from halab.rag.passage_collection import Address, PassageCollection
from halab.rag.question_service import QuestionService
from halab.rag.reindexing import KnownQuestion, reindex, switch_back
from halab.rag.vectors import LexicalVectors

pytestmark = pytest.mark.cluster
CARDS = course_root() / "cards"


@pytest.fixture(scope="module")
def cluster(real_home):
    with embedded_cluster.start("rag", "small", 5) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def taken_in(cluster, tmp_path_factory):
    file = tmp_path_factory.mktemp("rag") / "passages.jsonl"
    collection = PassageCollection(cluster.uri)
    ingest(CARDS, collection, LexicalVectors(LocalPassages().rarity), file)
    return collection, LocalPassages.load(file), file


def test_what_is_there_is_skipped_and_what_is_gone_is_removed(taken_in, tmp_path):
    collection, local, file = taken_in
    vectors = LexicalVectors(local.rarity)
    assert collection.count(collection.current()) == len(local)
    again = ingest(CARDS, collection, vectors, file)
    assert (again.written, again.there, again.removed) == (0, len(local), 0)
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"note {name}")
    ingest(tmp_path, collection, vectors, file)
    (tmp_path / "b.txt").unlink()
    assert ingest(tmp_path, collection, vectors, file).removed == 1
    assert collection.count(collection.current()) == len(local) + 1


def test_a_question_in_each_language_finds_its_card(cluster, taken_in):
    _, local, _ = taken_in
    service = QuestionService([Address(cluster.uri, "halab_rag")], LexicalVectors(local.rarity), local)
    try:
        assert service.ready() == ""
        for question, source in (
            ("Do replicas help after a wrong delete?", "cards/en/08-safety.md"),
            ("误删了数据，副本能救回来吗？", "cards/zh/08-safety.md"),
        ):
            answer = service.ask(question)
            assert (answer.degraded, answer.passages[0].source) == ("", source)
    finally:
        service.close()


def test_an_index_is_switched_and_back_while_every_question_is_answered(cluster, taken_in):
    collection, local, _ = taken_in
    vectors = LexicalVectors(local.rarity)
    service = QuestionService([Address(cluster.uri, "halab_rag")], vectors, local)
    answers, over = [], threading.Event()

    def asking():
        while not over.wait(0.05):
            answers.append(service.ask("How long does a failover take?"))

    user = threading.Thread(target=asking)
    user.start()
    known = [KnownQuestion.about(passage) for passage in list(local)[::10]]
    before = collection.current()
    try:
        with pytest.raises(RagError, match="does not find what it should"):
            reindex(list(local)[:5], collection, vectors, known)
        assert collection.current() == before
        assert reindex(list(local), collection, vectors, known) == collection.current() != before
        assert switch_back(collection, vectors, known) == before
    finally:
        over.set()
        user.join()
        service.close()
    assert len(answers) > 20
    assert {answer.degraded for answer in answers} == {""}
    assert {answer.passages[0].source for answer in answers} == {"cards/en/06-failover-timeline.md"}


def test_the_example_for_langchain_does_as_it_says(cluster, taken_in, monkeypatch, tmp_path):
    pytest.importorskip("langchain_milvus", reason="langchain-milvus is not installed")
    _, local, _ = taken_in
    monkeypatch.setenv("HALAB_HOME", str(tmp_path))
    local.save(tmp_path / "rag" / "passages.jsonl")
    monkeypatch.setattr("halab.cluster.attach_cluster", lambda: cluster)
    text = (course_root() / "docs" / "langchain.md").read_text()
    names = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
    question = "How long does a failover take?"
    by_service = names["retriever"].invoke(question)
    names["retriever"].service.close()
    assert {found.metadata["degraded"] for found in by_service} == {""}
    by_store = names["store"].similarity_search(question, k=3)
    assert [found.page_content for found in by_store] == [found.page_content for found in by_service]
