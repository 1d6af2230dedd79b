"""Clients behind HAProxy, in front of two fake proxies; and what is said of their journals."""

import time
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

import halab
from halab.cluster.protocol import Component, Event
from halab.errors import ClusterError, MeasurementError
from halab.measure.experiments.behind_balancer import (
    KEPT_CONNECTIONS,
    NEW_CONNECTIONS,
    NO_BALANCER,
    ONE_CONNECTION,
    connection_spread,
    probe_behind_balancer,
)
from halab.measure.journal.experiment_name import experiment_of
from halab.measure.journal.journal_file import FaultRecord
from halab.measure.journal.journal_parts import connections
from halab.measure.journal.plots import plot
from halab.measure.probing.operations import Search, SearchOnNewConnection
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome
from support.scripted_milvus import Script, ScriptedCluster, ScriptedServer, Spell


@dataclass
class Killed:
    kind: str
    target: str
    component: str
    at: float
    script: Script
    undone_at: float | None = None

    def undo(self):
        self.script.spells = ()
        self.undone_at = time.monotonic()


class TwoProxies(ScriptedCluster):
    """A cluster of nothing but two fake proxies, of which the first can be killed."""

    def __init__(self, servers):
        super().__init__(servers[0].uri)
        self._servers = servers

    def components(self):
        return [
            Component(f"proxy-{n}", "proxy", server.uri.removeprefix("http://"), None, "healthy")
            for n, server in enumerate(self._servers, 1)
        ]

    def resolve(self, target):
        return next(each for each in self.components() if each.name == target)

    def inject(self, kind, target):
        script = self._servers[0].script
        script.spells = (Spell(0.0, 1e9, "refuse"),)
        return Killed(kind, target, target, self.now(), script)

    def wait_healthy(self, timeout=60.0):
        return 0.0


@pytest.fixture
def two():
    with ScriptedServer(Script([])) as one, ScriptedServer(Script([])) as other:
        yield TwoProxies([one, other])


def search_via(uri, *, new_connection=False):
    return (SearchOnNewConnection if new_connection else Search)(uri, "passages", [[1.0, 0.0], [0.0, 1.0]])


RETRIEVER = SimpleNamespace(search_via=search_via)


@pytest.mark.slow
@pytest.mark.usefixtures("haproxy")
def test_who_stays_meets_at_one_proxy_with_round_robin_and_is_spread_with_least_connections(two):
    journal = connection_spread(two, ("roundrobin", "leastconn"), retriever=RETRIEVER, clients=4, asking=6)
    turns, least, one = journal.phases
    assert sorted(turns.figures.values()) == [0, 4]
    assert sorted(least.figures.values()) == [2, 2]
    assert (one.name, sorted(one.figures.values())) == (ONE_CONNECTION, [0, 1])
    assert len(journal.samples("search")) == 2 * (4 + 4) + 5 * 6
    assert all(sample.outcome is Outcome.OK for sample in journal.samples())
    assert experiment_of(journal) == "search with roundrobin, leastconn, one connection"


@pytest.mark.slow
@pytest.mark.usefixtures("haproxy")
def test_clients_of_a_killed_proxy_come_back_at_the_other_and_stay(two):
    journal = probe_behind_balancer(
        two, "crash proxy-1", retriever=RETRIEVER, clients=4, before=0.6, seconds=1.0, after=0.6, rate=20
    )
    assert journal.header.operations == (KEPT_CONNECTIONS, NEW_CONNECTIONS, NO_BALANCER)

    def bad(name):
        return sum(sample.outcome is not Outcome.OK for sample in journal.samples(name))

    assert bad(NO_BALANCER) > 5
    # Behind the balancer only requests under way are lost.
    assert max(bad(KEPT_CONNECTIONS), bad(NEW_CONNECTIONS)) < bad(NO_BALANCER)
    counts = connections(journal)
    assert {name: steps[0][1] for name, steps in counts.items()} == {"proxy-1": 2, "proxy-2": 2}
    assert {name: steps[-1][1] for name, steps in counts.items()} == {"proxy-1": 0, "proxy-2": 4}
    assert "proxy-1 2 and 0, proxy-2 2 and 4" in plot(journal).alt


def test_a_search_on_a_new_connection_each_time_leaves_none_open():
    with ScriptedServer(Script([])) as server:
        search = search_via(server.uri, new_connection=True)
        search.start()
        ended = []
        for number in range(3):
            search.send(number, 2.0, lambda outcome, error: ended.append(outcome))
        until = time.monotonic() + 5
        while len(ended) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        search.stop()
    assert ended == [Outcome.OK] * 3
    assert not search._over


def test_a_simulated_cluster_has_no_other_address():
    with halab.cluster(engine="simulated") as cluster:
        with pytest.raises(MeasurementError, match="no other address"):
            Retriever(cluster).search_via("http://127.0.0.1:1")
        with pytest.raises(ClusterError, match="simulated"):
            probe_behind_balancer(cluster, "crash proxy-1", retriever=RETRIEVER)


@pytest.mark.parametrize("wrong", [{"clients": 0}, {"asking": 0}])
def test_a_crowd_of_nobody_is_refused(wrong):
    with pytest.raises(MeasurementError, match="at least one client"):
        connection_spread(ScriptedCluster(), retriever=RETRIEVER, **wrong)


def test_the_picture_has_a_row_for_the_connections(journal, samples):
    faults = [FaultRecord("crash", "proxy-1", "proxy-1", 1.0, 2.0)]
    quiet = journal(samples("." * 40), faults=faults)
    made = quiet.extended(
        events=[
            Event(0.0, "proxy-1", "connections", "balancer", "3"),
            Event(0.0, "proxy-2", "connections", "balancer", "3"),
            Event(1.1, "proxy-1", "connections", "balancer", "0"),
            Event(1.2, "proxy-2", "connections", "balancer", "6"),
            Event(1.5, "proxy-1", "down", "balancer"),
        ]
    )
    assert connections(made)["proxy-2"] == [(0.0, 3), (1.2, 6)]
    assert len(plot(made).axes) == len(plot(quiet).axes) + 1
    assert "Connections at first and in the end: proxy-1 3 and 0, proxy-2 3 and 6." in plot(made).alt
