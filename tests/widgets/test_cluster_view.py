"""The cluster view: what its button does, told by a cluster that is only pretended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from halab.cluster.protocol import Component
from halab.errors import ClusterNotFound, NotReady
from halab.widgets.cluster_view import ClusterView, Progress


class PretendedCluster:
    engine, profile, ttl, uri = "simulated", "ha", 10.0, ""

    def __init__(self) -> None:
        self.versions = {"milvus": "2.3.5"}
        self.looks = 0
        self.downs = 0

    def components(self) -> list[Component]:
        self.looks += 1
        return [
            Component("querynode-1", "querynode", "127.0.0.1:2", 2, "healthy"),
            Component("rootcoord-1", "rootcoord", "127.0.0.1:1", 1, "healthy", "active"),
        ]

    def down(self) -> None:
        self.downs += 1


def eventually(condition: Callable[[], Any], timeout: float = 10.0) -> bool:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def press(view: ClusterView, order: str) -> None:
    view._from_browser(view, {"order": order}, [])


def test_nothing_starts_before_the_button_is_pressed() -> None:
    view = ClusterView(lambda progress: PretendedCluster())
    assert view.state == "idle"
    assert not view._worker.is_alive()
    assert "halab.cluster()" in view.text()


def test_the_button_starts_the_cluster_and_shows_its_progress_by_role() -> None:
    hold = threading.Event()

    def start(progress: Progress) -> PretendedCluster:
        starting = [Component("etcd-1", "etcd", "127.0.0.1:9", 9, "starting")]
        progress({"phase": "sessions", "components": starting, "elapsed": 0.5, "done": 0, "total": 2})
        hold.wait(10)
        return PretendedCluster()

    view = ClusterView(start)
    press(view, "start")
    assert view.state == "starting"
    assert eventually(lambda: view.progress)
    assert view.components[0]["health"] == "starting"
    hold.set()
    assert eventually(lambda: view.state == "ready")
    assert [row["role"] for row in view.components] == ["rootcoord", "querynode"]
    assert view.facts["engine"] == "simulated"
    assert "rootcoord-1" in view.text()


def test_pressing_twice_starts_once() -> None:
    started = []
    view = ClusterView(lambda progress: started.append(1) or PretendedCluster())
    press(view, "start")
    press(view, "start")
    assert eventually(lambda: view.state == "ready")
    press(view, "start")
    time.sleep(0.05)
    assert len(started) == 1


def test_a_failed_start_shows_message_and_hint_and_can_be_tried_again() -> None:
    answers: list[Any] = [
        NotReady("querycoord-1 did not answer in 60 s.", hint="Free some memory."),
        PretendedCluster(),
    ]

    def start(progress: Progress) -> PretendedCluster:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    view = ClusterView(start)
    press(view, "start")
    assert eventually(lambda: view.state == "failed")
    assert view.problem == {"message": "querycoord-1 did not answer in 60 s.", "hint": "Free some memory."}
    press(view, "start")
    assert eventually(lambda: view.state == "ready")
    assert view.problem == {}


def test_it_looks_again_and_again_only_while_it_is_seen(monkeypatch: Any) -> None:
    monkeypatch.setattr("halab.widgets.cluster_view._PERIOD", 0.01)
    cluster = PretendedCluster()
    view = ClusterView(lambda progress: cluster)
    press(view, "start")
    assert eventually(lambda: view.state == "ready")
    unseen = cluster.looks
    time.sleep(0.1)
    assert cluster.looks == unseen
    view.visible = True
    assert eventually(lambda: cluster.looks > unseen + 3)
    view.visible = False
    time.sleep(0.1)
    hidden = cluster.looks
    time.sleep(0.1)
    assert cluster.looks == hidden


def test_stop_takes_the_cluster_down_and_looks_no_more(monkeypatch: Any) -> None:
    monkeypatch.setattr("halab.widgets.cluster_view._PERIOD", 0.01)
    cluster = PretendedCluster()
    view = ClusterView(lambda progress: cluster)
    view.visible = True
    press(view, "start")
    assert eventually(lambda: view.state == "ready")
    press(view, "stop")
    assert eventually(lambda: view.state == "idle")
    assert cluster.downs == 1
    assert view.cluster is None
    looks = cluster.looks
    time.sleep(0.1)
    assert cluster.looks == looks


def test_a_cluster_taken_down_elsewhere_is_no_alarm(monkeypatch: Any) -> None:
    monkeypatch.setattr("halab.widgets.cluster_view._PERIOD", 0.01)

    class TakenDown(PretendedCluster):
        def components(self) -> list[Component]:
            if self.looks:
                raise ClusterNotFound("The cluster 'course' no longer answers.")
            return super().components()

    view = ClusterView(lambda progress: TakenDown())
    view.visible = True
    press(view, "start")
    assert eventually(lambda: view.gone and view.state == "idle")
    assert (view.problem, view.components, view.cluster) == ({}, [], None)
    assert "taken down elsewhere" in view.text()
    press(view, "start")
    assert not view.gone


def test_one_thread_starts_looks_and_stops() -> None:
    # A process whose parent-death signal is set dies with the thread that started it.
    threads = set()

    class Watched(PretendedCluster):
        def components(self) -> list[Component]:
            threads.add(threading.get_ident())
            return super().components()

        def down(self) -> None:
            threads.add(threading.get_ident())

    def start(progress: Progress) -> PretendedCluster:
        threads.add(threading.get_ident())
        return Watched()

    view = ClusterView(start)
    press(view, "start")
    assert eventually(lambda: view.state == "ready")
    press(view, "stop")
    assert eventually(lambda: view.state == "idle")
    assert len(threads) == 1
    assert view._worker.is_alive()
