"""Prometheus, Alertmanager, a canary and an inbox beside a cluster, for as long as a block runs.

with monitor(cluster) as watch:
    with cluster.fault("hang", "log"):
        watch.wait_for("MilvusLogStandsStill", 90)
    print(watch.inbox)
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from halab.cluster.embedded.ports import free_ports
from halab.cluster.kept_processes import await_start, keep_running
from halab.cluster.running_cluster import RunningCluster
from halab.errors import HalabError, MeasurementError
from halab.monitoring.canary import Canary
from halab.monitoring.inbox import Inbox, Message, serve_inbox
from halab.monitoring.servers import (
    Ports,
    commands,
    find_programs,
    own_rules,
    targets,
    write_settings,
    write_targets,
)
from halab.translation import gettext, gettext_noop

__all__ = ["Monitor", "monitor"]

_STARTS_WITHIN = 30.0  # seconds
_HINT = gettext_noop("Is the program of that name on this machine the one that is meant?")
_LOOKS_EVERY = 2.0  # seconds between two looks at who is to be scraped


@dataclass(frozen=True)
class Monitor:
    """What watches a cluster. Addresses are for a browser on this machine."""

    prometheus: str
    alertmanager: str
    inbox_page: str
    inbox: Inbox
    canary: Canary
    folder: Path

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are pending or firing now, as Prometheus describes them."""
        return list(self._ask("alerts")["alerts"])

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What a PromQL expression gives now. Raises MeasurementError if Prometheus refuses it."""
        return list(self._ask("query", query=expression)["result"])

    def history(self, expression: str, start: float, end: float, step: float = 2.0) -> list[dict[str, Any]]:
        """What a PromQL expression gave between two times (seconds since 1970), every `step` seconds.

        A list of series, each with its labels as "metric" and its [time, value] pairs as "values".
        """
        words = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        return list(self._ask("query_range", **words)["result"])

    def metrics(self) -> list[str]:
        """The name of every metric that was scraped."""
        return list(self._ask("label/__name__/values"))

    def use_rules(self, file: str) -> None:
        """Have Prometheus evaluate these rules too, the text of a rule file, in place of the last ones.

        Raises MeasurementError if Prometheus does not take them; the last ones stay then.
        """
        own = own_rules(self.folder)
        before = own.read_text()
        own.write_text(file)
        answer = httpx.post(f"{self.prometheus}-/reload", timeout=10.0)
        if answer.status_code != 200:
            own.write_text(before)
            raise MeasurementError(
                gettext("Prometheus does not take the rules: {text}").format(text=answer.text.strip()),
                hint=gettext("promtool check rules FILE says what is wrong with them"),
            )

    def wait_for(self, alert: str, seconds: float, *, resolved: bool = False) -> Message:
        """Wait until an alert has arrived in the inbox, or until it is resolved there.

        Raises MeasurementError after `seconds`, saying what did arrive.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for message in self.inbox.messages:
                if message.alert == alert and (message.resolved is not None) == resolved:
                    return message
            time.sleep(0.2)
        raise MeasurementError(
            gettext("{alert} was not {done} within {seconds:g} s; the inbox has {alerts}").format(
                alert=alert,
                done=gettext("resolved") if resolved else gettext("sent"),
                seconds=seconds,
                alerts=", ".join(message.alert for message in self.inbox.messages) or gettext("nothing"),
            ),
            hint=gettext("see {prometheus}alerts for what is pending").format(prometheus=self.prometheus),
        )

    def _ask(self, what: str, **words: str) -> Any:
        try:
            answer = httpx.get(f"{self.prometheus}api/v1/{what}", params=words, timeout=5.0).json()
        except (httpx.HTTPError, ValueError):
            raise MeasurementError(
                gettext("Prometheus does not answer"), hint=gettext("start the monitor again")
            ) from None
        if answer["status"] != "success":
            raise MeasurementError(
                gettext("Prometheus refuses that: {error}").format(error=answer["error"]),
                hint=gettext("is it PromQL?"),
            )
        return answer["data"]


@contextmanager
def monitor(cluster: RunningCluster, *, replicas: int = 1) -> Iterator[Monitor]:
    """Watch a cluster while the block runs; `replicas` is how many copies the canary's collection has.

    Raises ClusterError if Prometheus or Alertmanager is not installed, NotReady if they do not come up.
    """
    programs = find_programs()
    ports = Ports(*free_ports(4))
    jobs = targets(cluster)  # before there is a folder that would be left if it fails
    folder = Path(tempfile.mkdtemp(prefix="halab-monitor-"))
    with ExitStack() as stack:
        write_targets(jobs, folder)
        write_settings(folder, ports)
        keeper = stack.enter_context(keep_running(commands(folder, ports, programs), folder))
        inbox = Inbox()
        page = stack.enter_context(serve_inbox(inbox, ports.inbox))
        canary = Canary(cluster.uri, replicas=replicas)
        canary.prepare()
        stack.callback(canary.close)
        watch = Monitor(_address(ports.prometheus), _address(ports.alertmanager), page, inbox, canary, folder)
        for name, address in (("Prometheus", watch.prometheus), ("Alertmanager", watch.alertmanager)):
            await_start(partial(_ready, address), keeper, name, folder, _STARTS_WITHIN, gettext(_HINT))
        stack.enter_context(canary.exported(ports.canary))
        stack.enter_context(_targets_followed(cluster, jobs, folder))
        yield watch


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def _ready(address: str) -> bool | None:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{address}-/ready", timeout=2.0).status_code == 200 or None
    return None


@contextmanager
def _targets_followed(cluster: RunningCluster, jobs: dict[str, Any], folder: Path) -> Iterator[None]:
    """Members that are added or removed are scraped from then on, or no longer."""
    stop = threading.Event()

    def follow() -> None:
        known = jobs
        while not stop.wait(_LOOKS_EVERY):
            with suppress(HalabError, OSError):  # the cluster may be going down
                now = targets(cluster)
                if now != known:
                    write_targets(now, folder)
                    known = now

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
