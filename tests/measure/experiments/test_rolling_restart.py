"""One at a time: who goes when, and what is waited for. The real cluster is lesson 11's."""

from types import SimpleNamespace

import pytest

from halab.cluster import open_cluster
from halab.cluster.protocol import COORDINATORS
from halab.errors import MeasurementError
from halab.measure.experiments import rolling_restart as experiment
from halab.measure.experiments.rolling_restart import ORDER, rolling_restart

MEMBERS = {**dict.fromkeys(COORDINATORS, 2), "indexnode": 1, "datanode": 2, "querynode": 3, "proxy": 2}


class Cluster:
    """Of each coordinator the first is active until it is restarted. It writes down what is done."""

    def __init__(self):
        self.active = {role: f"{role}-1" for role in COORDINATORS}
        self.done, self.kinds, self.healed = [], set(), []

    def components(self):
        return [
            SimpleNamespace(
                role=role, name=f"{role}-{n}",
                ha_state="active" if self.active.get(role) == f"{role}-{n}" else "",
            )
            for role, count in MEMBERS.items() for n in range(1, count + 1)
        ]  # fmt: skip

    def inject(self, kind, name):
        self.kinds.add(kind)
        self.done.append(name)
        role = name.rpartition("-")[0]
        if self.active.get(role) == name:
            self.active[role] = f"{role}-2"
        return SimpleNamespace(undo=lambda: None)

    def heal(self, name):
        self.healed.append(name)

    def now(self):
        return 0.0

    def wait_healthy(self):
        self.done.append("healthy")


def test_the_standby_goes_first_and_everything_is_back_before_the_next():
    cluster = Cluster()
    steps = SimpleNamespace(cluster=cluster, run=cluster, on_progress=lambda words: None)
    asked = SimpleNamespace(wait_until_searchable=lambda: cluster.done.append("searchable"))
    experiment._one_at_a_time(steps, asked)
    names, waits = cluster.done[::3], cluster.done[1::3] + cluster.done[2::3]
    assert set(waits) == {"healthy", "searchable"}
    assert [name.rpartition("-")[0] for name in names] == [
        role for role in ORDER for _ in range(MEMBERS.get(role, 0))
    ]
    for role in COORDINATORS:
        assert [name for name in names if name.startswith(role)] == [f"{role}-2", f"{role}-1"]


@pytest.mark.parametrize(
    ("plan", "kind", "healed"), [("query nodes drained", "restart", 0), ("query nodes killed", "crash", 3)]
)
def test_only_query_nodes_are_drained_or_killed_and_who_was_killed_starts_again_at_once(plan, kind, healed):
    cluster = Cluster()
    steps = SimpleNamespace(cluster=cluster, run=cluster, on_progress=lambda words: None)
    asked = SimpleNamespace(wait_until_searchable=lambda: cluster.done.append("searchable"))
    experiment._PLANS[plan](steps, asked)
    assert cluster.done[::3] == ["querynode-1", "querynode-2", "querynode-3"]
    assert cluster.kinds == {kind}
    assert len(cluster.healed) == healed


def test_another_plan_and_a_simulated_cluster_are_refused_before_anything_is_restarted():
    with open_cluster("plans", engine="simulated") as cluster:
        with pytest.raises(MeasurementError, match="a plan is one of") as told:
            rolling_restart(cluster, "one at the time", retriever=None)
        assert 'Did you mean "one at a time"?' in told.value.hint
        with pytest.raises(MeasurementError, match="not simulated"):
            rolling_restart(cluster, retriever=None)
        assert not [event for event in cluster.events() if event.kind.startswith("fault")]
