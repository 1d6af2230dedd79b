"""Lesson 11 without a cluster: pages, the price of a plan, room for a loss, the pieces of advice."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from halab.cluster.simulated import SimulatedCluster
from halab.course.predictions import predict
from halab.errors import ClusterError, MeasurementError
from halab.lessons import operate_it as lesson
from halab.lessons import operate_it_watch as watching
from halab.measure.experiments.full_nodes import FullNodes
from halab.measure.journal.plots import Picture
from halab.monitoring.inbox import Message


class Cluster:
    """A cluster that can be broken; `inbox` gets a message when its log hangs."""

    simulation = None

    def __init__(self):
        self.inbox = SimpleNamespace(messages=())

    @contextmanager
    def fault(self, kind, target):
        if target == "log":
            now = watching.time.time()
            self.inbox.messages += (
                Message("MilvusLogStandsStill", "page", "log", "", "", now, now + 12, now + 20),
            )
        yield

    def wait_healthy(self):
        pass


class Prometheus:
    """What a monitor is asked for. Its one metric is there while the log hangs, from `spans`."""

    prometheus = inbox_page = "http://127.0.0.1:1/"

    def __init__(self, inbox):
        self.inbox, self.rules, self.spans = inbox, "", []

    def wait_for(self, *_, **__):
        return self.inbox.messages[-1]

    def use_rules(self, file):
        self.rules = file

    def metrics(self):
        return ["milvus_proxy_req_count"]

    def history(self, *_):
        return [{"metric": {}, "values": [[at, "1"] for at in range(*span, 2)]} for span in self.spans]


@pytest.fixture
def watched(course, monkeypatch):
    cluster = Cluster()
    seen = Prometheus(cluster.inbox)
    monkeypatch.setattr(watching, "find_programs", dict)
    monkeypatch.setattr(watching, "monitor", lambda _: nullcontext(seen))
    monkeypatch.setattr(watching, "dashboard", lambda *_: Picture())
    monkeypatch.setattr(watching, "_alerts", lambda: ["MilvusRequestsFail", "MilvusLogStandsStill"])
    monkeypatch.setattr(watching, "_NO_PAGE", 0.3)
    watched = lesson.watch(cluster)
    yield watched
    watched.stop()


def test_a_page_stands_beside_its_prediction_and_a_fault_that_nobody_hears_of_says_so(watched):
    faults = ("crash active rootcoord", "hang log")
    lesson.ask_watch(*faults)
    predict(11, "page for hang log", alert=2, paged=60)
    predict(11, "page for crash active rootcoord", alert=0, paged=0)
    seen = lesson.pages(watched, *faults)
    _, (crash, hang) = seen.headings_and_rows()
    assert crash[1:4] == ("nobody is paged", "nobody, in 0 s", "-")
    assert hang[1:4] == ("MilvusLogStandsStill, 60 s", "MilvusLogStandsStill", "12")
    assert "✓ 2 faults watched" in repr(lesson.advice())


def test_without_prometheus_a_sentence_says_what_to_install(course, monkeypatch):
    def missing():
        raise ClusterError("Nach Prometheus wurde vergebens gesucht.", hint="Install them: apt-get")

    monkeypatch.setattr(watching, "find_programs", missing)
    said = lesson.watch(Cluster())
    assert "apt-get" in said
    assert "go on with the next part" in said
    assert lesson.pages(said, "hang log") == lesson.try_rule(said, "") == said


def test_a_simulated_cluster_is_not_watched_and_the_lesson_goes_on():
    said = lesson.watch(SimulatedCluster("course"))
    assert "simulated" in said
    assert lesson.pages(said, "hang log") == said


def test_what_only_the_embedded_engine_can_fill_is_said_of_the_others(watched):
    assert "Nothing was measured" in lesson.pages(watched, "fill the disk quota")


RULE = "alert: Mine\nexpr: milvus_proxy_req_count > 1\nfor: 10s\n"


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ([], "gives nothing"),
        ([(100, 110)], "gives nothing"),
        ([(1000, 1005)], "not for 10 s at a stretch"),
        ([(980, 1060)], "while nothing is broken"),
        ([(100, 150), (1002, 1060)], "while nothing is broken"),
        ([(1002, 1300)], "goes on for more than 60 s"),
        ([(1002, 1070)], "pages while the fault lasts"),
    ],
)
def test_a_rule_is_tried_on_what_was_seen_and_told_what_to_mend_first(watched, spans, words):
    watched.began = 0
    watched.faults.append(watching.Page("hang log", 1000.0, "", None, None, 60.0))
    watched.monitor.spans = spans
    assert words in lesson.try_rule(watched, RULE, "hang log").remarks[0]


def test_a_rule_that_pages_of_another_fault_too_is_told_so(watched):
    watched.began = 0
    watched.faults += [watching.Page(name, at, "", None, None, 60.0) for name, at in
                       (("hang log", 1000.0), ("crash active rootcoord", 2000.0))]  # fmt: skip
    watched.monitor.spans = [(1002, 1060), (2002, 2060)]
    pages, also = lesson.try_rule(watched, RULE, "hang log").remarks
    assert "pages while the fault lasts" in pages
    assert "as well: crash active rootcoord" in also


def test_a_rule_for_what_did_not_happen_or_by_what_nobody_counts_is_refused(watched):
    with pytest.raises(MeasurementError, match="no such fault yet"):
        lesson.try_rule(watched, RULE)
    with pytest.raises(MeasurementError, match='Did you mean "milvus_proxy_req_count"'):
        lesson.try_rule(watched, RULE.replace("count", "counts"))


def test_a_rule_of_one_s_own_is_handed_to_prometheus(watched):
    lesson.pages(watched, "hang log", rule=RULE)
    assert "alert: Mine" in watched.monitor.rules


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
