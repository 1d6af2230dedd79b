from itertools import chain, repeat
from types import SimpleNamespace

import grpc
import numpy as np
import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.errors import MeasurementError
from halab.measure.probing import row_counting
from halab.measure.probing.embedding import DIMENSIONS, QUESTIONS, Embedding, read_passages
from halab.measure.probing.retriever import Retriever, SimulatedRetriever
from halab.measure.probing.row_counting import tally
from halab.models.samples import OPERATIONS, Outcome, Sample
from support.scripted_milvus import ScriptedCluster

CARD = """---
card: 6
title: front matter is no passage
---

# A heading is no passage

A failover takes 5 to 15 seconds; it is **never** instant.

| Time | What happens |
|---|---|
| 0 s | The primary goes down. |

Customers ask a question just when a node dies.
"""


@pytest.fixture
def cards(tmp_path):
    (tmp_path / "06-failover.md").write_text(CARD, encoding="utf-8")
    (tmp_path / "07-backup.md").write_text("Backups protect from a wrong delete.", encoding="utf-8")
    return tmp_path


@pytest.fixture
def retriever(cards):
    return Retriever(SimulatedCluster(), cards=cards)


@pytest.fixture
def real(cards, monkeypatch):
    """The retriever of a cluster without its collections."""
    monkeypatch.setattr(Retriever, "_open", lambda self: None)
    return Retriever(ScriptedCluster("http://127.0.0.1:1"), cards=cards)


def test_the_cluster_s_engine_decides_which_retriever_it_is(retriever, real):
    assert (type(retriever), retriever.simulated) == (SimulatedRetriever, True)
    assert (type(real), real.simulated) == (Retriever, False)


def test_a_passage_is_a_paragraph_without_markup(cards):
    texts = [passage.text for passage in read_passages(cards)]
    assert texts == [
        "A failover takes 5 to 15 seconds; it is never instant.",
        "Time What happens 0 s The primary goes down.",
        "Customers ask a question just when a node dies.",
        "Backups protect from a wrong delete.",
    ]


def test_a_folder_without_cards_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(MeasurementError, match="found no cards"):
        read_passages(tmp_path)


def test_the_embedding_is_deterministic_and_of_unit_length(cards):
    texts = [passage.text for passage in read_passages(cards)]
    one, other = Embedding(texts)(texts), Embedding(texts)(texts)
    assert one.shape == (4, DIMENSIONS)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1.0, rtol=1e-5)


def test_a_text_without_known_words_becomes_zeros_not_nan(cards):
    embedding = Embedding([passage.text for passage in read_passages(cards)])
    assert not embedding(["xyzzy"]).any()


def test_a_question_finds_the_passage_that_answers_it(retriever):
    assert retriever.ask("How many seconds does a failover take?")[0].source == "06-failover"
    best = retriever.ask("Does a backup protect me from a wrong delete?", limit=1)
    assert [passage.source for passage in best] == ["07-backup"]


class Silence(grpc.RpcError):
    """What pymilvus lets through of a proxy that does not answer, as in containers when it is killed."""

    def details(self):
        return "Deadline Exceeded"


def test_a_proxy_that_says_nothing_is_told_as_one_that_refuses(real, monkeypatch):
    def search(*_, **__):
        raise Silence

    monkeypatch.setattr(real, "_client", SimpleNamespace(search=search))
    with pytest.raises(MeasurementError, match="not answered: Deadline Exceeded"):
        real.ask("Who is there?")


def test_the_course_has_cards_to_ask():
    retriever = Retriever(SimulatedCluster())
    assert all(retriever.ask(question) for question in QUESTIONS)


def test_a_simulated_retriever_says_so_and_counts_no_rows(retriever):
    assert "SIMULATED" in repr(retriever)
    with pytest.raises(MeasurementError, match="keeps no rows"):
        retriever.count()


def test_the_node_to_crash_is_named(cards):
    assert Retriever(SimulatedCluster(), replicas=1, cards=cards).serving_node().name == "querynode-1"


def test_operations_are_chosen_by_name(retriever):
    assert tuple(operation.name for operation in retriever.operations()) == OPERATIONS
    assert [operation.name for operation in retriever.operations("insert")] == ["insert"]
    with pytest.raises(MeasurementError, match="metadata call"):
        retriever.operations("delete")


def test_the_tally_tells_lost_rows_from_phantoms():
    outcomes = [Outcome.OK, Outcome.OK, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.FAIL]
    samples = [Sample("insert", n, 0, 0, 0, outcome, key=n) for n, outcome in enumerate(outcomes)]
    samples.append(Sample("search", 0, 0, 0, 0, Outcome.OK))
    count = tally(samples, found={0, 2, 4})
    assert (count.acknowledged, count.unknown, count.failed, count.found) == (2, 2, 1, 3)
    assert count.missing == (1,)
    assert (count.unknown_present, count.failed_present) == (1, 1)


def test_a_row_that_is_only_late_is_not_lost(real, monkeypatch):
    looks = [{0}, {1}, set(), set()]
    monkeypatch.setattr(row_counting, "_LOOK_AGAIN", 0.01)
    monkeypatch.setattr(real, "_present", lambda collection, keys: looks.pop(0) if looks else set())
    samples = [Sample("insert", n, 0, 0, 0, Outcome.OK, key=n) for n in range(3)]
    count = real.count(samples, timeout=0.1)
    assert (count.missing, count.late) == ((2,), 1)
    assert looks == []


def refuse():
    raise MeasurementError("the question was not answered")


def test_a_retriever_has_settled_when_every_question_finds_something(monkeypatch):
    with SimulatedCluster() as cluster, Retriever(cluster) as retriever:
        assert retriever.wait_until_searchable(0.0)
        answers = chain([lambda: [], refuse], repeat(lambda: ["a passage"]))
        monkeypatch.setattr(retriever, "ask", lambda question, timeout: next(answers)())
        assert retriever.wait_until_searchable(5.0)
        monkeypatch.setattr(retriever, "ask", lambda question, timeout: [])
        assert not retriever.wait_until_searchable(0.0)
