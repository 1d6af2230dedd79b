"""One button that starts the cluster, and a table that shows it live.

A single thread starts the cluster, looks at it once a second while the table is on screen, and takes it down:
the cell returns at once, and the table stays live while other cells run.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import traitlets

from halab.cluster import open_cluster
from halab.cluster.protocol import ROLES, Cluster, Component
from halab.errors import ClusterNotFound, HalabError
from halab.translation import gettext
from halab.widgets.base import CourseWidget, front_end

__all__ = ["ClusterView", "Progress", "Start"]

_PERIOD = 1.0  # seconds between two looks at the cluster

Progress = Callable[[Mapping[str, Any]], None]
"""Called while a cluster starts with phase, components, elapsed (seconds), done and total."""

Start = Callable[[Progress], Cluster]
_Order = Literal["start", "stop", "look"]


class ClusterView(CourseWidget):
    """Starts a cluster on a press of its button and shows its processes by role.

    `start` starts the cluster, or attaches to the one that runs; by default the course's own. `cluster` is
    that cluster once `state` is "ready", else None. `gone` says that it was taken down, but not by this view:
    by a lesson that wants another TTL, or by `halab down`.
    """

    _esm, _css = front_end("cluster_view")

    state = traitlets.Enum(("idle", "starting", "ready", "stopping", "failed"), "idle").tag(sync=True)
    components = traitlets.List().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    problem = traitlets.Dict().tag(sync=True)
    visible = traitlets.Bool(False).tag(sync=True)
    gone = traitlets.Bool(False).tag(sync=True)

    def __init__(self, start: Start | None = None) -> None:
        super().__init__()
        self.cluster: Cluster | None = None
        self._start = start or _course_cluster
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        # One thread for good: the kernel may end a process when the *thread* that started it ends.
        self._worker = threading.Thread(target=self._work, name="halab-clusterview", daemon=True)
        self.on_msg(self._from_browser)
        self.observe(lambda _: self._orders.put("look"), "visible")

    def start(self) -> None:
        """Start the cluster in the background; does nothing if it is starting or runs."""
        if self.state in ("idle", "failed"):
            self.problem, self.gone, self.state = {}, False, "starting"
            self._order("start")

    def stop(self) -> None:
        """Take the cluster down in the background; does nothing unless it runs."""
        if self.state == "ready":
            self.state = "stopping"
            self._order("stop")

    def text(self) -> str:
        if self.state == "failed":
            return gettext("Cluster: failed\n{message}\nHint: {hint}").format(
                message=self.problem["message"], hint=self.problem["hint"]
            )
        if self.state == "ready":
            widths = {"role": 12, "name": 14, "address": 21, "health": 10, "ha_state": 8}
            rows = [
                "  ".join(f"{row[key]:<{width}}" for key, width in widths.items()) for row in self.components
            ]
            return "\n".join(
                [gettext("Cluster: ready ({engine})").format(engine=self.facts["engine"]), *rows]
            )
        state = gettext("not running; it was taken down elsewhere") if self.gone else self.state
        return gettext("Cluster: {state}\nWithout a button, write halab.cluster().").format(state=state)

    def _order(self, order: _Order) -> None:
        if not self._worker.is_alive():
            self._worker.start()
        self._orders.put(order)

    def _from_browser(self, _: Any, content: dict[str, Any], __: Any) -> None:
        {"start": self.start, "stop": self.stop}[content["order"]]()

    def _work(self) -> None:
        while True:
            watching = self.state == "ready" and self.visible
            try:
                order = self._orders.get(timeout=_PERIOD if watching else None)
            except queue.Empty:
                order = "look"
            try:
                self._obey(order)
            except ClusterNotFound as error:
                if order == "start":
                    self._failed(error.message, error.hint)
                else:
                    self.cluster, self.components = None, []
                    self.gone, self.state = True, "idle"
            except HalabError as error:
                self._failed(error.message, error.hint)
            except Exception as error:  # nothing a cluster does may end the thread that owns it
                self._failed(f"{type(error).__name__}: {error}", gettext("Run halab.doctor()."))

    def _obey(self, order: _Order) -> None:
        if order == "start":
            cluster = self._start(self._progressed)
            self.facts = _facts(cluster)
            self.components = _rows(cluster.components())
            self.cluster, self.state = cluster, "ready"
        elif self.cluster is not None and order == "stop":
            cluster, self.cluster = self.cluster, None
            cluster.down()
            self.components, self.state = [], "idle"
        elif self.cluster is not None and self.state == "ready":
            self.components = _rows(self.cluster.components())

    def _progressed(self, news: Mapping[str, Any]) -> None:
        self.components = _rows(news["components"])
        self.progress = {key: news[key] for key in ("phase", "elapsed", "done", "total")}

    def _failed(self, message: str, hint: str) -> None:
        self.cluster = None
        self.problem, self.state = {"message": message, "hint": hint}, "failed"


def _course_cluster(progress: Progress) -> Cluster:
    return open_cluster(name="course", progress=progress)


def _rows(components: Iterable[Component | Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = [part.as_dict() if isinstance(part, Component) else dict(part) for part in components]
    return sorted(rows, key=lambda row: (ROLES.index(row["role"]), row["name"]))


def _facts(cluster: Cluster) -> dict[str, Any]:
    return {
        "engine": cluster.engine,
        "profile": cluster.profile,
        "ttl": cluster.ttl,
        "versions": dict(cluster.versions),
        "uri": cluster.uri,
    }
