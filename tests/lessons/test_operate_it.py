"""Lesson 11 without a cluster: pages, the price of a plan, room for a loss, the pieces of advice."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.predictions import predict
from halab.errors import ClusterError
from halab.lessons import operate_it as lesson
from halab.measure.experiments.full_nodes import FullNodes
from halab.measure.journal.plots import Picture
from halab.monitoring.inbox import Message


class Cluster:
    """A cluster that can be broken; `inbox` gets a message when its log hangs."""

    def __init__(self):
        self.inbox = SimpleNamespace(messages=())

    @contextmanager
    def fault(self, kind, target):
        if target == "log":
            now = lesson.time.time()
            self.inbox.messages += (Message("LogStill", "page", "log", "", "", now, now, now + 5),)
        yield

    def wait_healthy(self):
        pass


@pytest.fixture
def watched(course, monkeypatch):
    cluster = Cluster()
    watch = SimpleNamespace(inbox=cluster.inbox, wait_for=lambda *_, **__: cluster.inbox.messages[-1])
    monkeypatch.setattr(lesson, "monitor", lambda _: nullcontext(watch))
    monkeypatch.setattr(lesson, "dashboard", lambda *_: Picture())
    monkeypatch.setattr(lesson, "_NO_PAGE", 0.3)
    return cluster


def test_a_page_stands_beside_its_prediction_and_a_fault_that_nobody_hears_of_says_so(watched):
    predict(11, "page for hang log", paged_hang=60)
    seen = lesson.pages(watched, "crash active rootcoord", "hang log")
    _, (crash, hang) = seen.headings_and_rows()
    assert crash[2:5] == ("nobody was paged", "-", "-")
    assert hang[2:5] == ("LogStill", "60", "0")
    assert "✓ 2 faults watched" in repr(lesson.advice())


def test_without_prometheus_a_sentence_says_what_to_install(course, monkeypatch):
    def missing(_):
        raise ClusterError("prometheus is not installed here.", hint="Install them: apt-get")

    monkeypatch.setattr(lesson, "monitor", missing)
    said = lesson.pages(Cluster(), "hang log")
    assert "apt-get" in said
    assert "go on with the next part" in said


def test_what_was_not_done_is_told_with_where_to_do_it(course):
    assert repr(lesson.advice()).count("not yet") == 5


def test_room_is_told_for_the_copy_with_the_fewest_nodes():
    (before, after) = lesson.room(nodes=4, node_gib=8, copy_gib=10, copies=2).rows
    assert (before[1], before[-1]) == ("2", "yes")
    assert (after[1], after[-1]) == ("1", "no")


def test_a_node_lost_while_the_others_are_full_is_told_with_what_milvus_said(monkeypatch):
    seen = FullNodes("querynode-3", 3, 3, None, 20.0, "segment lacks", 276, 10.3)
    monkeypatch.setattr(lesson, "EmbeddedCluster", Cluster)
    monkeypatch.setattr(lesson, "lose_a_node_when_full", lambda *_, **__: seen)
    shown = repr(lesson.lose_a_full_node(Cluster()))
    assert "no answer" in shown
    assert "all, after 10 s" in shown
    assert "276" in shown
    assert "segment lacks" in shown


def test_what_only_the_embedded_engine_can_do_is_said_of_the_others():
    assert "Nothing was measured" in lesson.lose_a_full_node(SimulatedCluster("lab"))
