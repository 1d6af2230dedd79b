import re
from itertools import chain, repeat
from types import SimpleNamespace

import grpc
import numpy as np
import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.errors import MeasurementError
from halab.measure.probing import row_counting
from halab.measure.probing.embedding import DIMENSIONS, Embedding, Passage, questions, read_passages
from halab.measure.probing.retriever import Retriever, SimulatedRetriever
from halab.measure.probing.row_counting import tally
from halab.models.samples import OPERATIONS, Outcome, Sample
from support.scripted_milvus import ScriptedCluster

CARD = """---
card: 6
title: The failover timeline
claims: front matter is no passage
---

**In one sentence:** a failover takes 5 to 15 seconds; it is **never** instant.

## The timeline

| Time | What happens |
|---|---|
| 0 s | The primary goes down. |

Clients come back last.

## What users see

- No: a customer asks a question just when a node dies.
- Yes: it is answered.
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


def test_a_passage_is_a_section_of_a_card_with_its_heading(cards):
    passages = read_passages(cards)
    assert [(passage.heading, passage.text.splitlines()[0]) for passage in passages] == [
        ("In one sentence", "A failover takes 5 to 15 seconds; it is **never** instant."),
        ("The timeline", "| Time | What happens |"),
        ("What users see", "- No: a customer asks a question just when a node dies."),
        ("", "Backups protect from a wrong delete."),
    ]
    assert passages[1].text.endswith("Clients come back last.")
    assert passages[2].text.count("\n") == 1, "a list keeps its lines"


def test_a_passage_says_where_it_is_from_as_text_and_as_markdown(cards):
    first, *_, bare = read_passages(cards)
    assert repr(first).splitlines()[0] == "[Card 6, The failover timeline: In one sentence]"
    assert first._repr_markdown_().startswith(
        "> **Card 6, The failover timeline: In one sentence**\n>\n> A fail"
    )
    assert bare.where == "07-backup"
    long = Passage("word " * 60, "01-essence")
    assert max(map(len, repr(long).splitlines())) <= 80


def test_a_folder_without_cards_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(MeasurementError, match="found no cards"):
        read_passages(tmp_path)


def test_the_embedding_is_deterministic_and_of_unit_length(cards):
    texts = [passage.full for passage in read_passages(cards)]
    one, other = Embedding(texts)(texts), Embedding(texts)(texts)
    assert one.shape == (4, DIMENSIONS)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1.0, rtol=1e-5)


def test_a_text_without_known_words_becomes_zeros_not_nan(cards):
    embedding = Embedding([passage.full for passage in read_passages(cards)])
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


# What the lessons and the workload ask, and the section of the cards that answers it.
ANSWERED_BY = {
    "How long does a failover take?": "06: In one sentence",
    "Is a failover instant?": "06: In one sentence",
    "Who notices that the primary is down?": "09: In one sentence",
    "How many requests fail during a failover?": "06: What users see",
    "What do users see during a failover?": "06: What users see",
    "How can a failover be made shorter?": "06: How to make it shorter",
    "What is the difference between RTO and RPO?": "07: In one sentence",
    "Does a replica protect me from a wrong delete?": "08: Why both",
    "Does a backup bring service back within seconds?": "08: Why both",
    "How many copies do I need for 99.99 percent?": "02: The sum",
    "How much downtime a year do two copies leave?": "02: The sum",
    "Why does etcd have an odd number of members?": "03: How many",
    "What does the root coordinator do?": "03: Who decides",
    "Do three replicas make writing three times slower?": "04: A common mistake",
    "How many queries a second do three replicas serve?": "05: A test",
    "When should a health check restart a process?": "09: What they do",
    "What does a disaster recovery drill verify?": "10: How it goes, in 7 steps",
    "Why should a recovery plan be rehearsed?": "10: In one sentence",
    "How often should we rehearse?": "10: How often",
}


def test_the_first_answer_is_the_passage_that_answers_the_question():
    retriever = Retriever(SimulatedCluster())
    first = {question: retriever.ask(question)[0] for question in ANSWERED_BY}
    assert {q: f"{best.source[:2]}: {best.heading}" for q, best in first.items()} == ANSWERED_BY
    assert set(questions()) <= set(ANSWERED_BY)


def test_a_chinese_question_finds_a_chinese_passage_of_the_card_that_answers_it(monkeypatch):
    cards = [ANSWERED_BY[question][:2] for question in questions()]
    monkeypatch.setenv("HALAB_LANG", "zh")
    retriever = Retriever(SimulatedCluster())
    best = [retriever.ask(question)[0] for question in questions()]
    # The timeline in card 6 says who notices; all others are answered by the same card as in English.
    assert [passage.source[:2] for passage in best] == [cards[0], "06", *cards[2:]]
    assert all(re.search("[\u4e00-\u9fff]", passage.text) for passage in best)


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
