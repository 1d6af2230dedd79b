"""Every process of Milvus restarted once, as an upgrade does it, while users ask.

One at a time: the next follows once the cluster has everything back that the last one held. Or all roles at
once, as `kubectl rollout restart` does with several Deployments: of each role still one after the other. Or
only the query nodes, one at a time: drained, or killed with what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal, get_args

from halab.cluster.protocol import COORDINATORS, Cluster, Component, Event, Fault
from halab.errors import ClusterError, MeasurementError
from halab.measure.experiments.experiment_steps import ExperimentSteps, counted
from halab.measure.journal.experiment_name import ROLLING
from halab.measure.journal.journal_file import Journal
from halab.measure.probing.prober import probe
from halab.measure.probing.retriever import Retriever
from halab.models.validation import did_you_mean
from halab.translation import gettext

__all__ = ["ORDER", "Plan", "plan_name", "rolling_restart"]

Plan = Literal["one at a time", "all roles at once", "query nodes drained", "query nodes killed"]

ORDER = (*COORDINATORS, "indexnode", "datanode", "streamingnode", "querynode", "proxy")
"""The roles of Milvus from those that others depend on to those that users meet."""

_PATIENCE = 60.0  # seconds until every kind of coordinator has an active member again
_STEP = 0.2  # seconds between two looks


def plan_name(plan: Plan) -> str:
    """What a prediction calls such a run."""
    return f"rolling restart, {plan}"


def rolling_restart(
    cluster: Cluster,
    plan: Plan = "one at a time",
    *,
    retriever: Retriever,
    before: float = 3.0,
    after: float = 3.0,
    rate: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
    progress: bool = True,
) -> Journal:
    """Restart processes of Milvus once each while probes go on, then count the rows.

    Of each role a standby goes before the active one. One at a time means: before the next, all are healthy,
    each kind of coordinator has an active member, and every question finds its passages. A query node that is
    told to stop is drained: the query coordinator moves what it holds to other nodes of the same copy while
    it still answers, for as long as queryNode.gracefulStopTimeout says. One that is killed is started again
    at once, and its session lasts until it expires.

    Times are seconds, `rate` is probes a second of each operation. A cluster that does not come back is a
    result: a note in the journal says so. Raises MeasurementError for another plan and for a simulated
    cluster, which knows no such thing as an order; FaultError.
    """
    if plan not in get_args(Plan):
        raise MeasurementError(
            gettext("a plan is one of {names}; it is {plan!r}").format(
                names=", ".join(get_args(Plan)), plan=plan
            ),
            hint=gettext("{did_you_mean}See halab.measure.experiments.rolling_restart").format(
                did_you_mean=did_you_mean(plan, get_args(Plan))
            ),
        )
    if cluster.simulation is not None:
        raise MeasurementError(
            gettext("an upgrade is not simulated: what it costs is the real processes' affair"),
            hint=gettext('start a real cluster: halab.cluster(engine="embedded")'),
        )
    run = probe(cluster, retriever.operations(), rate=rate, deadline=deadline, seed=seed)
    steps = ExperimentSteps(run, progress=progress)
    steps.on_progress(gettext("waiting until every search finds something"))
    retriever.wait_until_searchable()
    with run:
        steps.wait(before, gettext("before the first restart"))
        try:
            _PLANS[plan](steps, retriever)
        except ClusterError as error:
            steps.recovered = False
            run.note(
                gettext("The cluster did not become healthy again: {problem}").format(
                    problem=error.message.splitlines()[0]
                )
            )
        steps.wait_until_answered(after, gettext("after the last restart"))
    journal = run.journal.extended(events=[Event(0.0, "", ROLLING, "user", plan_name(plan))])

    return steps.count_rows(journal, partial(counted, journal, retriever))


def _one_at_a_time(
    steps: ExperimentSteps,
    retriever: Retriever,
    roles: Sequence[str] = ORDER,
    kind: Literal["restart", "crash"] = "restart",
) -> None:
    for role in roles:
        for member in _members(steps.cluster, role):
            steps.on_progress(gettext("restarting {name}").format(name=member.name))
            fault = steps.run.inject(kind, member.name)
            if kind == "crash":
                steps.cluster.heal(member.name)  # its fault lasts until everything is back
            _await_everything(steps, retriever, member.name)
            fault.undo()


def _all_roles_at_once(steps: ExperimentSteps, retriever: Retriever) -> None:
    steps.on_progress(gettext("restarting every role"))
    with ThreadPoolExecutor(len(ORDER)) as pool:
        faults = [fault for each in pool.map(partial(_restart_role, steps), ORDER) for fault in each]
    _await_everything(steps, retriever, gettext("the last ones"))
    for fault in faults:
        fault.undo()


def _restart_role(steps: ExperimentSteps, role: str) -> list[Fault]:
    """Restart the members of a role, the next once the last has been started again."""
    return [steps.run.inject("restart", member.name) for member in _members(steps.cluster, role)]


def _members(cluster: Cluster, role: str) -> list[Component]:
    """The members of a role by name, the active one last: a standby that is new can take over from it."""
    members = [component for component in cluster.components() if component.role == role]
    return sorted(members, key=lambda member: (member.ha_state == "active", member.name))


def _await_everything(steps: ExperimentSteps, retriever: Retriever, name: str) -> None:
    """Wait until the cluster has back what the last restart took. Raises ClusterError if it does not."""
    cluster = steps.cluster
    steps.on_progress(gettext("waiting for {name}").format(name=name))
    cluster.wait_healthy()
    end = cluster.now() + _PATIENCE
    while missing := _without_active(cluster):
        if cluster.now() > end:
            raise MeasurementError(
                gettext("No {coordinator} became active within {time:g} s.").format(
                    coordinator=missing[0], time=_PATIENCE
                ),
                hint=gettext("halab status"),
            )
        cluster.sleep(_STEP)
    retriever.wait_until_searchable()


def _without_active(cluster: Cluster) -> list[str]:
    components = cluster.components()
    active = {component.role for component in components if component.ha_state == "active"}
    there = {component.role for component in components}
    return [role for role in COORDINATORS if role in there - active]


_PLANS: dict[Plan, Callable[[ExperimentSteps, Retriever], None]] = {
    "one at a time": _one_at_a_time,
    "all roles at once": _all_roles_at_once,
    "query nodes drained": partial(_one_at_a_time, roles=("querynode",)),
    "query nodes killed": partial(_one_at_a_time, roles=("querynode",), kind="crash"),
}
